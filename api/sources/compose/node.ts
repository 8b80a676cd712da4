import type { LineCounter } from 'yaml';
import type { Problem, Source } from '../../../crds/model/kinds.js';
import { isSecretName } from '../../../crds/model/secret-names.js';

/** A file of a project that was read. */
export interface ComposeText {
  readonly file: string;
  /** The folder from which relative paths in it start. */
  readonly base: string;
  readonly lines: LineCounter;
}

/** Where a value is written: in its file, as a count of characters from the start. */
export interface Place {
  readonly text: ComposeText;
  readonly offset: number;
}

export interface Scalar {
  readonly is: 'scalar';
  readonly at: Place;
  readonly tag?: Tag;
  readonly type: 'text' | 'integer' | 'float' | 'boolean' | 'null' | 'time';
  readonly value: string | number | boolean | null;
  /** The value as Compose prints it into a text: integers exactly, `1.50` as `1.5`. */
  readonly text: string;
  /** Variables that are not set and for which the text has nothing now. */
  readonly unset?: readonly string[];
}

export interface List {
  readonly is: 'list';
  readonly at: Place;
  readonly tag?: Tag;
  readonly items: readonly Node[];
}

export interface Mapping {
  readonly is: 'map';
  readonly at: Place;
  readonly tag?: Tag;
  readonly entries: ReadonlyMap<string, Entry>;
}

export interface Entry {
  /** Where its name is written. */
  readonly at: Place;
  readonly node: Node;
}

/** A value of a Compose file that knows where it is written, through variables, merging and `extends`. */
export type Node = Scalar | List | Mapping;

/** What a value does to the one that it is merged over: removes it, or replaces it whole. */
type Tag = 'reset' | 'override';

/** Returns file, line and column. Pure. */
export function sourceOf({ text: { file, lines }, offset }: Place): Source {
  const { line, col } = lines.linePos(offset);
  return line > 0 ? { file, line, column: col } : { file };
}

export const textNode = (at: Place, text: string): Scalar => ({ is: 'scalar', at, type: 'text', value: text, text });
export const nullNode = (at: Place): Scalar => ({ is: 'scalar', at, type: 'null', value: null, text: '' });
export const isNull = (node: Node | undefined): boolean =>
  node === undefined || (node.is === 'scalar' && node.type === 'null');

/** Returns the value of a map under a name. Pure. */
export const child = (node: Node | undefined, name: string): Node | undefined =>
  node?.is === 'map' ? node.entries.get(name)?.node : undefined;

/** Returns a map that has these entries instead. Pure. */
export const mapOf = (at: Place, entries: Iterable<readonly [string, Entry]>): Mapping => ({
  is: 'map',
  at,
  entries: new Map(entries),
});

/** Describes a value in a few words; never shows a text, which may be a secret. Pure. */
export function shownNode(node: Node): string {
  if (node.is !== 'scalar') return node.is === 'list' ? 'a list' : 'a map';
  switch (node.type) {
    case 'null':
      return 'nothing';
    case 'text':
      return node.text === '' ? 'an empty text' : 'a text';
    case 'boolean':
      return node.text;
    case 'time':
      return 'a date';
    default:
      return `the number ${node.text}`;
  }
}

/** Number of problems of one project that are told; one mistake has many symptoms. */
const LIMIT_REPORTED = 100;

/** Shorter values are parts of other words. */
const SHORTEST_VALUE = 4;
/** Characters by which a value is known in a text that is cut. */
const BEGINNING = 8;
const FOUND_VALUE = /found (?:"(?:[^"\\]|\\.)*"|-?\d\S*)/g;
const QUOTED = /"(?:[^"\\]|\\.)*"/g;

/** Tells whether a text may hold a value, or its beginning; most texts hold none of thousands. Pure. */
const mayHold = (text: string, value: string): boolean =>
  text.includes(value.slice(0, SHORTEST_VALUE)) ||
  text.includes(JSON.stringify(value.slice(0, SHORTEST_VALUE)).slice(1, -1));

/**
 * Collects what is wrong with a project, and what is worth knowing; each with the place in its own file. Messages name
 * variables and never show their values.
 */
export class Findings {
  readonly problems: Problem[] = [];
  readonly warnings: Problem[] = [];
  readonly #reported = new Set<string>();
  /** Names of variables, by the place where their values were filled in. */
  readonly #filledIn = new Map<string, Set<string>>();
  readonly #values = new Map<string, string>();

  /** Remembers that a text has the value of a variable. */
  fillIn(at: Place, name: string, value: string): void {
    const place = JSON.stringify(sourceOf(at));
    this.#filledIn.set(place, (this.#filledIn.get(place) ?? new Set()).add(name));
    this.#values.set(name, value);
  }

  problem(at: Place | Source, message: string, path?: string): void {
    this.#add(this.problems, at, message, path);
  }

  warn(at: Place | Source, message: string, path?: string): void {
    this.#add(this.warnings, at, message, path);
  }

  /** Adds a warning that is told once for a file, whatever the line. */
  warnOnce(at: Place, key: string, message: string): void {
    const known = `${at.text.file}\0${key}`;
    if (this.#reported.has(known)) return;
    this.#reported.add(known);
    this.warn(at, message);
  }

  #add(list: Problem[], at: Place | Source, message: string, path?: string): void {
    const source = 'offset' in at ? sourceOf(at) : at;
    const known = JSON.stringify([list === this.problems, source, message]);
    if (this.#reported.has(known) || list.length >= LIMIT_REPORTED) return; // an anchor is one place, however often it is used
    this.#reported.add(known);
    const where = path === undefined ? {} : { path: this.#withoutValues(path, source) };
    list.push({ message: this.#withoutValues(message, source), source, ...where });
  }

  /** Puts names of variables for their values: of those of the place and of secrets everywhere, of others in quotes. */
  #withoutValues(text: string, source: Source): string {
    const here = this.#filledIn.get(JSON.stringify(source)) ?? new Set<string>();
    const names = [...here].join(' and ');
    let left = here.size === 0 ? text : text.replaceAll(FOUND_VALUE, () => `found the value of ${names}`);
    const values = [...this.#values]
      .filter(([, value]) => value.length >= SHORTEST_VALUE && mayHold(left, value))
      .toSorted(([, one], [, other]) => other.length - one.length);
    for (const [name, value] of values) {
      const written = JSON.stringify(value).slice(1, -1);
      const named = (part: string): string =>
        part.replaceAll(written, () => `\${${name}}`).replaceAll(value, () => `\${${name}}`);
      if (here.has(name) || isSecretName(name)) left = named(left);
      left = left.replaceAll(QUOTED, (part) =>
        part.endsWith('…"') && part.includes(written.slice(0, BEGINNING)) ? `"\${${name}}"` : named(part),
      );
    }
    return left;
  }
}
