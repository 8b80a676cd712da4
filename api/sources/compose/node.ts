import type { LineCounter } from 'yaml';
import type { Problem, Source } from '../../../crds/model/kinds.js';

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
const LIMIT_TOLD = 100;

/** Collects what is wrong with a project, and what is worth knowing; each with the place in its own file. */
export class Findings {
  readonly problems: Problem[] = [];
  readonly warnings: Problem[] = [];
  readonly #told = new Set<string>();

  problem(at: Place | Source, message: string, path?: string): void {
    this.#add(this.problems, at, message, path);
  }

  warn(at: Place | Source, message: string, path?: string): void {
    this.#add(this.warnings, at, message, path);
  }

  /** Adds a warning that is told once for a file, whatever the line. */
  warnOnce(at: Place, key: string, message: string): void {
    const known = `${at.text.file}\0${key}`;
    if (this.#told.has(known)) return;
    this.#told.add(known);
    this.warn(at, message);
  }

  #add(list: Problem[], at: Place | Source, message: string, path?: string): void {
    const source = 'offset' in at ? sourceOf(at) : at;
    const known = JSON.stringify([list === this.problems, source, message]);
    if (this.#told.has(known) || list.length >= LIMIT_TOLD) return; // an anchor is one place, however often it is used
    this.#told.add(known);
    list.push({ message, source, ...(path === undefined ? {} : { path }) });
  }
}
