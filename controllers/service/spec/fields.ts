import { isMap, type Values } from '../../../crds/model/maps.js';
import { countable } from '../../../crds/model/units.js';

/** The fields of a service document, not checked yet. */
export type Fields = Values;

/** Tells whether a field is not set; `null` counts as not set. */
export const isAbsent = (value: unknown): value is null | undefined => value === null || value === undefined;

/** Reads a string; numbers and booleans are converted. Pure. */
export function text(value: unknown, path: string, findings: Findings): string | undefined {
  if (isAbsent(value)) return undefined;
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return findings.issue(path, 'must be a text');
}

/** Reads a list of strings. With `single`, where Compose allows it, one string is a list of one. Pure. */
export function texts(
  value: unknown,
  path: string,
  findings: Findings,
  { single = false }: { single?: boolean } = {},
): readonly string[] | undefined {
  if (isAbsent(value)) return undefined;
  if (single && typeof value === 'string') return [value];
  if (!Array.isArray(value)) return findings.issue(path, single ? 'must be a text or a list' : 'must be a list');
  return value.flatMap((entry: unknown, at) => {
    const one = isAbsent(entry)
      ? findings.issue(`${path}[${at}]`, 'must be a text')
      : text(entry, `${path}[${at}]`, findings);
    return one === undefined ? [] : [one];
  });
}

/** Reads an integer, also one written as a string; anything else is left out with a warning, as the Supervisor does. Pure. */
export function integer(value: unknown, path: string, findings: Findings): number | undefined {
  if (isAbsent(value)) return undefined;
  const isWhole = typeof value === 'number' ? Number.isInteger(value) : /^\s*[+-]?\d+\s*$/.test(String(value));
  const number = isWhole ? countable(Number(value)) : undefined;
  if (number !== undefined) return number;
  return findings.warn(path, `${JSON.stringify(value)} is not a whole number; the default is used`);
}

/** Reads a map or a list of `name=value`; `null` stands for a name without a value. Pure. */
export function pairs(
  value: unknown,
  path: string,
  findings: Findings,
): readonly (readonly [name: string, value: string | null])[] {
  if (isAbsent(value)) return [];
  if (Array.isArray(value)) {
    return value.flatMap((entry: unknown, at) => {
      if (typeof entry !== 'string') return findings.issue(`${path}[${at}]`, 'must be a text NAME=value') ?? [];
      const equals = entry.indexOf('=');
      return [equals < 0 ? [entry, null] : [entry.slice(0, equals), entry.slice(equals + 1)]] as const;
    });
  }
  if (!isMap(value)) return findings.issue(path, 'must be a map or a list of NAME=value') ?? [];
  return Object.entries(value).map(([name, one]) => [name, text(one, `${path}.${name}`, findings) ?? null] as const);
}

/** Collects the results of reading a document: an issue rejects it, a warning leaves out the thing that it names. */
export class Findings {
  readonly issues: { path: string; message: string }[] = [];
  readonly warnings: string[] = [];

  /** Returns undefined, so that a reader can say `return findings.issue(…)`. */
  issue(path: string, message: string): undefined {
    this.issues.push({ path, message });
    return undefined;
  }

  warn(path: string, message: string): undefined {
    this.warnings.push(`${path}: ${message}`);
    return undefined;
  }
}
