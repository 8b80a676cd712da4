import { descriptorOf, KINDS, type Kind, requestsOf } from '../../../crds/model/kinds.js';
import { suggestion } from '../../../crds/schema/nearest.js';
import { innerOf, limitsOf, type Schema, typeText } from '../../../crds/schema/schema.js';
import { SCHEMAS } from '../../../crds/schema/schemas.js';
import type { Session } from '../client/session.js';
import { usageError } from '../failure.js';
import { tableLines } from '../format/table.js';
import { kindOf, wordsOf } from '../kind-words.js';

/** More fields than that are for a list of their own. */
const MOST_NAMED = 20;

/** `supercargo explain KIND[.field…]`: what the kind's definition says. Asks no agent. */
export async function explain({ io }: Session, word: string | undefined): Promise<void> {
  if (word === undefined) {
    const rows = KINDS.map((kind) => {
      const { singular, plural, shortNames, description } = descriptorOf(kind);
      return [singular, plural, shortNames.join(', '), firstSentence(description)];
    });
    io.out(
      ...tableLines(
        ['KIND', 'PLURAL', 'SHORT', 'WHAT'].map((head) => io.style('bold', head)),
        rows,
      ),
    );
    return;
  }
  const [first = '', ...steps] = word.split('.').filter((step) => step !== '');
  const kind = kindOf(first);
  const { path, schema } = steps.length === 0 ? { path: [], schema: wholeKind(kind) } : fieldOf(kind, steps);
  io.out(
    `${io.style('bold', 'KIND')}   ${kind} (${wordsOf(kind).join(', ')})`,
    ...(path.length === 0 ? [] : [`${io.style('bold', 'FIELD')}  ${path.join('.')}  <${typeText(schema)}>`]),
    '',
    ...wrapped(schema.description ?? 'No description.', io.isTerminal ? io.columns : 100).map((line) => `  ${line}`),
    ...limitsOf(schema).map((line) => `  ${line}`),
  );
  const requests = requestsOf(kind);
  if (path.length === 0 && requests.length > 0) io.out('', `  Takes the requests ${requests.join(', ')}.`);
  const fields =
    path.length === 0
      ? Object.entries(schema.properties ?? {}).flatMap(([part, inner]) =>
          fieldsOf(inner).map(([name, field]) => [`${part}.${name}`, field] as const),
        )
      : fieldsOf(schema);
  if (fields.length > 0) {
    const rows = fields.map(([name, field]) => [
      `  ${io.style('cyan', name)}`,
      `<${typeText(field)}>${schema.required?.includes(name) || innerRequired(schema).includes(name) ? ' required' : ''}`,
      firstSentence(field.description ?? ''),
    ]);
    io.out('', io.style('bold', 'FIELDS'), ...tableLines([], rows));
  }
}

const wholeKind = (kind: Kind): Schema => {
  const { spec, status } = SCHEMAS[kind];
  return { type: 'object', description: descriptorOf(kind).description, properties: { spec, status } };
};

/** A field by its path in the document; `spec.` may be left out, and so may the names in a map. Pure; throws with what was meant. */
function fieldOf(kind: Kind, steps: readonly string[]): { readonly path: readonly string[]; readonly schema: Schema } {
  const whole = wholeKind(kind);
  const isFull = steps[0] === 'spec' || steps[0] === 'status';
  let schema: Schema = whole;
  const path: string[] = [];
  for (const step of isFull ? steps : ['spec', ...steps]) {
    const found = stepInto(schema, step);
    if (!found) {
      const known = fieldsOf(schema).map(([name]) => name);
      throw usageError(
        `${[kind, ...path].join('.')} has no field "${step}"${suggestion(step, known)}`,
        known.length === 0
          ? 'It has no fields'
          : known.length <= MOST_NAMED
            ? `It has ${known.join(', ')}`
            : `supercargo explain ${[kind.toLowerCase(), ...path].join('.')} lists its fields`,
      );
    }
    path.push(...found.path);
    schema = found.schema;
  }
  return { path, schema };
}

function stepInto(
  schema: Schema,
  step: string,
): { readonly path: readonly string[]; readonly schema: Schema } | undefined {
  const field = own(schema.properties, step);
  if (field) return { path: [step], schema: field };
  const inner = innerOf(schema);
  if (!inner) return undefined;
  const isList = inner === schema.items;
  const place = isList ? '[]' : 'NAME';
  const deeper = own(inner.properties, step);
  if (deeper) return { path: [place, step], schema: deeper };
  return isList && !/^(\[\]|\d+)$/.test(step) ? undefined : { path: [place], schema: inner };
}

const own = (fields: Schema['properties'], name: string): Schema | undefined =>
  fields && Object.hasOwn(fields, name) ? fields[name] : undefined;

const fieldsOf = (schema: Schema): readonly (readonly [string, Schema])[] =>
  Object.entries(schema.properties ?? innerOf(schema)?.properties ?? {});

const innerRequired = (schema: Schema): readonly string[] =>
  schema.properties ? [] : (innerOf(schema)?.required ?? []);

/** A word with a colon says of which value the sentence speaks: `true: …`. Pure. */
export const firstSentence = (text: string): string =>
  /^\S*\s.*?[.:](?=\s|$)/s.exec(text)?.[0].replace(/[.:]$/, '') ?? text;

function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = [''];
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1) ?? '';
    if (last !== '' && last.length + word.length + 3 > width) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines;
}
