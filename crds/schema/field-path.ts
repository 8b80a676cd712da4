import { suggestion } from './nearest.js';
import type { Schema } from './schema.js';

/** Number of fields that a sentence names; more are for a list of their own. */
const MOST_NAMED = 20;

/** A field, and its path with `[]` for any item of a list and NAME for any name in a map. */
export interface FoundField {
  readonly path: readonly string[];
  readonly schema: Schema;
}

/** There is no such field. */
export interface NoField {
  /** The part of the path that exists. */
  readonly path: readonly string[];
  /** The step that does not exist. */
  readonly step: string;
  /** The fields that exist in its place. */
  readonly known: readonly string[];
}

/**
 * Reads a path in every form in which one is shown: `spec.services.web.ports[0]`, `services.*.ports[].target`,
 * `networks["a b"].driver`, `ports.[]`. Pure.
 */
export function stepsOfPath(text: string): readonly string[] {
  const steps = text.match(/\["(?:[^"\\]|\\.)*"\]|\['[^']*'\]|\[\d*\]|[^.[\]]+/g) ?? [];
  return steps.map((step) => {
    if (step.startsWith('["')) return unquoted(step.slice(1, -1));
    if (step.startsWith("['")) return step.slice(2, -2);
    return /^\[\d+\]$/.test(step) ? step.slice(1, -1) : step;
  });
}

function unquoted(text: string): string {
  try {
    return String(JSON.parse(text));
  } catch {
    return text.slice(1, -1);
  }
}

/** Returns a path as text: `spec.ports[].target` for `['spec', 'ports', '[]', 'target']`. Pure. */
export const fieldPathText = (path: readonly string[]): string => path.join('.').replaceAll('.[]', '[]');

/**
 * Finds a field of a document. Its first step may be left out where it is `spec`, `status` or `metadata`, and so may
 * names in a map and places in a list. Pure.
 */
export function findField(document: Schema, steps: readonly string[]): FoundField | NoField {
  const tries = [[], ['spec'], ['status'], ['metadata']].map((before) => walk(document, [...before, ...steps], []));
  const found = tries.find((one) => 'schema' in one);
  if (found) return found;
  const isWhole = Object.hasOwn(document.properties ?? {}, steps[0] ?? '');
  return (isWhole ? tries[0] : tries[1]) ?? { path: [], step: '', known: [] };
}

/** Tries both meanings of a step where a name in a map is that of a field too: only later steps tell. */
function walk(schema: Schema, [step, ...rest]: readonly string[], path: readonly string[]): FoundField | NoField {
  if (step === undefined) return { path, schema };
  const tries = ways(schema, step).map((way) => walk(way.schema, rest, [...path, ...way.path]));
  return (
    tries.find((one) => 'schema' in one) ??
    tries.reduce<NoField | undefined>((best, one) => {
      if ('schema' in one) return best;
      return best && best.path.length >= one.path.length ? best : one;
    }, undefined) ?? { path, step, known: fieldsOf(schema).map(([name]) => name) }
  );
}

function* direct(schema: Schema, step: string): Generator<FoundField> {
  const { properties, items, additionalProperties } = schema;
  if (properties && Object.hasOwn(properties, step)) yield { path: [step], schema: properties[step] as Schema };
  if (items && /^(?:\[\]|\*|\d+)$/.test(step)) yield { path: ['[]'], schema: items };
  if (additionalProperties && step !== '[]') yield { path: ['NAME'], schema: additionalProperties };
}

function ways(schema: Schema, step: string): readonly FoundField[] {
  const deeper = insideOf(schema).flatMap((inside) =>
    [...direct(inside.schema, step)].flatMap((way) =>
      way.path[0] === step ? [{ path: [...inside.path, ...way.path], schema: way.schema }] : [],
    ),
  );
  const [own, ...others] = [...direct(schema, step)];
  const isField = own?.path[0] === step;
  return isField ? [own, ...others, ...deeper] : [...deeper, ...(own ? [own] : []), ...others];
}

/** Returns the values of a map or a list. */
const insideOf = ({ items, additionalProperties }: Schema): readonly FoundField[] => [
  ...(additionalProperties ? [{ path: ['NAME'], schema: additionalProperties }] : []),
  ...(items ? [{ path: ['[]'], schema: items }] : []),
];

/** Returns the fields of a value, else those of the values in it. Pure. */
export const fieldsOf = (schema: Schema): readonly (readonly [string, Schema])[] =>
  Object.entries(
    schema.properties ?? insideOf(schema).find(({ schema: { properties } }) => properties)?.schema.properties ?? {},
  );

/** Returns a sentence about a path that does not exist, and what to do. `name`: of the kind, as in commands. Pure. */
export function noField(
  kind: string,
  { path, step, known }: NoField,
): { readonly message: string; readonly hint: string } {
  const place = fieldPathText([kind, ...path]);
  const hint =
    known.length === 0
      ? 'It has no fields'
      : known.length <= MOST_NAMED
        ? `It has ${known.join(', ')}`
        : `supercargo explain ${fieldPathText([kind.toLowerCase(), ...path])} lists its fields`;
  return { message: `${place} has no field "${step}"${suggestion(step, known)}`, hint };
}
