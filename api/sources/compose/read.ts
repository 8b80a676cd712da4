import { listed, pathText, shorten } from '../../../crds/model/issue.js';
import { notSet, type Variables } from './interpolate.js';
import { pairsToMap } from './merge.js';
import { type Findings, isNull, type Mapping, type Node, type Scalar, shownNode } from './node.js';

/** What readers of fields share. */
export interface Context {
  readonly findings: Findings;
  readonly variables: Variables;
  /** What `~` stands for. */
  readonly home: string;
}

/** Reads one value at its path; adds a problem and returns undefined when the value is something else. */
export type Read<T> = (node: Node, at: Reading) => T | undefined;

/** The path of the value that is read, and where problems go. */
export class Reading {
  constructor(
    readonly context: Context,
    readonly path: readonly (string | number)[] = [],
  ) {}

  in(step: string | number): Reading {
    return new Reading(this.context, [...this.path, step]);
  }

  problem(node: Node, message: string): undefined {
    const unset = node.is === 'scalar' ? (node.unset ?? []) : [];
    const because = unset.map((name) => `: ${notSet(name, this.context.variables)}`).join('');
    this.context.findings.problem(node.at, `${message}${because}`, pathText(this.path));
  }

  expected(node: Node, what: string): undefined {
    return this.problem(node, `Expected ${what}, found ${shownNode(node)}`);
  }

  warn(node: Node, message: string): void {
    this.context.findings.warn(node.at, message, pathText(this.path));
  }
}

/** A text; a number or a boolean must be in quotes. */
export const text: Read<string> = (node, at) => {
  if (node.is === 'scalar' && node.type === 'text') return node.text;
  if (isNull(node)) return undefined;
  const quote = node.is === 'scalar' ? '; put it in quotes' : '';
  return at.problem(node, `Expected a text, found ${shownNode(node)}${quote}`);
};

/** A text, or a number as text. */
export const textOrNumber: Read<string> = (node, at) =>
  node.is === 'scalar' && (node.type === 'integer' || node.type === 'float') ? node.text : text(node, at);

const WORDS: Readonly<Record<string, boolean>> = {
  ...{ true: true, y: true, yes: true, on: true },
  ...{ false: false, n: false, no: false, off: false },
};

/** True or false, also as a text that a variable stood for. */
export const bool: Read<boolean> = (node, at) => {
  if (node.is !== 'scalar') return at.expected(node, 'true or false');
  if (typeof node.value === 'boolean') return node.value;
  if (node.type === 'null') return undefined;
  const word = node.text.toLowerCase();
  if (!Object.hasOwn(WORDS, word)) return at.expected(node, 'true or false');
  const value = WORDS[word];
  if (word !== String(value)) at.warn(node, `${JSON.stringify(node.text)} is taken as ${value}; write ${value}`);
  return value;
};

/** A whole number, also as a text. */
export const whole: Read<number> = (node, at) => {
  if (node.is === 'scalar' && node.type === 'null') return undefined;
  if (node.is === 'scalar' && node.type === 'integer') return Number(node.value);
  if (node.is === 'scalar' && node.type === 'text' && /^[-+]?\d+$/.test(node.text)) return Number(node.text);
  return at.expected(node, 'a whole number');
};

/** A number of things. */
export const count: Read<number> = (node, at) => {
  const number = whole(node, at);
  return number === undefined || number >= 0 ? number : at.expected(node, '0 or more');
};

/** A number, also as a text. */
export const decimal: Read<number> = (node, at) => {
  if (node.is === 'scalar' && node.type === 'null') return undefined;
  if (node.is === 'scalar' && typeof node.value === 'number') return node.value;
  if (node.is === 'scalar' && node.type === 'text' && /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(node.text))
    return Number(node.text);
  return at.expected(node, 'a number');
};

const UNITS: Readonly<Record<string, number>> = {
  b: 1,
  k: 1024,
  m: 1024 ** 2,
  g: 1024 ** 3,
  t: 1024 ** 4,
  p: 1024 ** 5,
};

/** A size such as `1.5g`, in bytes; -1 where that stands for no limit. */
export const size: Read<number> = (node, at) => {
  if (isNull(node)) return undefined;
  const written = node.is === 'scalar' ? node.text : '';
  const [matched, number = '', unit = 'b'] = /^(-1|\d+(?:\.\d+)?) ?(?:([bkmgtp])(?:i?b)?)?$/i.exec(written) ?? [];
  if (matched === undefined) return at.expected(node, 'a size such as 512m');
  return Math.trunc(Number(number) * (UNITS[unit.toLowerCase()] ?? 1));
};

const NANOSECONDS: Readonly<Record<string, number>> = {
  ...{ ns: 1, us: 1e3, µs: 1e3, μs: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 },
};
const DURATION = /^(?:0|(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/;

/** A duration such as `1m30s`, written as Go does: `90s` is `1m30s`. */
export const duration: Read<string> = (node, at) => {
  if (isNull(node)) return undefined;
  if (node.is !== 'scalar' || node.type !== 'text' || !DURATION.test(node.text)) {
    const days = node.is === 'scalar' && /\d[dw]/.test(node.text) ? '; hours (h) are the largest unit' : '';
    return at.problem(node, `Expected a duration such as 1m30s, found ${shownNode(node)}${days}`);
  }
  const terms = node.text.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g);
  return durationText(
    [...terms].reduce((sum, [, count, unit = '']) => sum + Number(count) * (NANOSECONDS[unit] ?? 0), 0),
  );
};

/** Writes a duration as Go does. Pure. */
export function durationText(nanoseconds: number): string {
  if (nanoseconds === 0) return '0s';
  if (nanoseconds < 1e3) return `${nanoseconds}ns`;
  if (nanoseconds < 1e6) return `${nanoseconds / 1e3}µs`;
  if (nanoseconds < 1e9) return `${nanoseconds / 1e6}ms`;
  const hours = Math.floor(nanoseconds / 3600e9);
  const minutes = Math.floor((nanoseconds % 3600e9) / 60e9);
  const seconds = (nanoseconds % 60e9) / 1e9;
  return `${hours > 0 ? `${hours}h` : ''}${hours > 0 || minutes > 0 ? `${minutes}m` : ''}${seconds}s`;
}

/** One of these words. */
export const oneOf =
  (...words: readonly string[]): Read<string> =>
  (node, at) => {
    const written = text(node, at);
    if (written === undefined || words.includes(written)) return written;
    return at.problem(node, `Expected ${listed(words)}, found ${JSON.stringify(shorten(written))}`);
  };

/** A list whose items are read one by one. */
export const list =
  <T>(read: Read<T>): Read<T[]> =>
  (node, at) => {
    if (isNull(node)) return undefined;
    if (node.is !== 'list') return at.expected(node, 'a list');
    return node.items.flatMap((item, index) => {
      const one = isNull(item) ? at.in(index).expected(item, 'a value') : read(item, at.in(index));
      return one === undefined ? [] : [one];
    });
  };

/** A list, or one item of it. */
export const listOrOne = <T>(read: Read<T>): Read<T[]> => {
  const all = list(read);
  return (node, at) => {
    if (node.is !== 'scalar' || isNull(node)) return all(node, at);
    const one = read(node, at);
    return one === undefined ? undefined : [one];
  };
};

/** A list in which a value counts once; `key` tells which are the same: the last of them, in the place of the first. */
export const unique =
  <T>(read: Read<T[]>, key: (value: T) => string = String): Read<T[]> =>
  (node, at) => {
    const values = read(node, at);
    return values && [...new Map(values.map((value) => [key(value), value])).values()];
  };

/** A map whose values are read one by one. */
export const mapping =
  <T>(read: Read<T>): Read<Record<string, T>> =>
  (node, at) => {
    if (isNull(node)) return undefined;
    if (node.is !== 'map') return at.expected(node, 'a map');
    const entries = [...node.entries].flatMap(([name, { node: inner }]): [string, T][] => {
      const value = read(inner, at.in(name));
      return value === undefined ? [] : [[name, value]];
    });
    return Object.fromEntries(entries);
  };

/** Shapes of named fields; a field without one is left out. */
type Fields<T> = { readonly [Name in keyof T]?: Read<NonNullable<T[Name]>> };

/** A map with known fields; unknown ones are reported elsewhere, by the table of all properties. */
export const fields =
  <T extends object>(shapes: Fields<T>): Read<Partial<T>> =>
  (node, at) => {
    if (isNull(node)) return undefined;
    if (node.is !== 'map') return at.expected(node, 'a map');
    return fieldsOf(node, at, shapes);
  };

/** Reads the known fields of a map. */
export function fieldsOf<T extends object>(node: Mapping, at: Reading, shapes: Fields<T>): Partial<T> {
  const known = shapes as Readonly<Record<string, Read<unknown>>>;
  const entries = [...node.entries].flatMap(([name, { node: inner }]): [string, unknown][] => {
    const read = Object.hasOwn(known, name) ? known[name] : undefined;
    const value = read?.(inner, at.in(name));
    return value === undefined ? [] : [[name, value]];
  });
  return Object.fromEntries(entries) as Partial<T>;
}

/** Returns what a scalar of a map of texts is as a text, and warns where that is hardly what was meant. */
export const printed: Read<string> = (node, at) => {
  if (node.is !== 'scalar') return at.expected(node, 'a text');
  if (hasLost(node))
    at.warn(
      node,
      `Is read as ${JSON.stringify(node.text)}, as in Compose; put it in quotes to keep it as it is written`,
    );
  return node.text;
};

const hasLost = (node: Scalar): boolean => node.type === 'time' || node.type === 'float';

/** A map of texts, or a list of `NAME=value`; a name without a value is null. */
export const pairs: Read<Record<string, string | null>> = (node, at) => {
  if (isNull(node)) return undefined;
  const map = pairsToMap(node);
  if (map.is === 'list') {
    const wrong = map.items.findIndex((item) => item.is !== 'scalar' || item.type !== 'text');
    const item = map.items[wrong];
    return item && at.in(wrong).expected(item, 'a text NAME=value');
  }
  if (map.is !== 'map') return at.expected(node, 'a map, or a list of NAME=value');
  const entries = [...map.entries].flatMap(([name, { node: inner }]): [string, string | null][] => {
    const value = isNull(inner) ? null : printed(inner, at.in(name));
    return value === undefined ? [] : [[name, value]];
  });
  return Object.fromEntries(entries);
};

/** The same, where a name without a value has an empty one. */
export const labels: Read<Record<string, string>> = (node, at) => {
  const read = pairs(node, at);
  return read && Object.fromEntries(Object.entries(read).map(([name, value]) => [name, value ?? '']));
};
