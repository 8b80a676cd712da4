import { descriptorOf, KINDS, requestsOf } from '../../../crds/model/kinds.js';
import { documentSchema } from '../../../crds/schema/envelope.js';
import { fieldPathText, fieldsOf, findField, noField, stepsOfPath } from '../../../crds/schema/field-path.js';
import { innerOf, limitsOf, type Schema, typeText } from '../../../crds/schema/schema.js';
import type { Session } from '../client/session.js';
import { usageError } from '../failure.js';
import { tableLines } from '../format/table.js';
import { kindOf, wordsOf } from '../kind-words.js';

/** The first parts of paths in a document. */
const PARTS = ['apiVersion', 'kind', 'metadata', 'spec', 'requests', 'status'];

/** Runs `supercargo explain KIND[.field…]`: shows the kind's definition. Sends no request. */
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
  const [first = '', ...steps] = stepsOfPath(word);
  if (PARTS.includes(first)) {
    throw usageError(`"${word}" does not say of which kind`, `Put it first: supercargo explain app.${word}`);
  }
  const kind = kindOf(first);
  const whole = documentSchema(kind);
  const found = findField(whole, steps);
  if (!('schema' in found)) {
    const { message, hint } = noField(kind, found);
    throw usageError(message, hint);
  }
  const { path, schema } = found;
  io.out(
    `${io.style('bold', 'KIND')}   ${kind} (${wordsOf(kind).join(', ')})`,
    ...(path.length === 0 ? [] : [`${io.style('bold', 'FIELD')}  ${fieldPathText(path)}  <${typeText(schema)}>`]),
    '',
    ...wrapped(schema.description ?? 'No description.', io.isTerminal ? io.columns : 100).map((line) => `  ${line}`),
    ...limitsOf(schema).map((line) => `  ${line}`),
  );
  const requests = requestsOf(kind);
  if (path.length === 0 && requests.length > 0) io.out('', `  Takes the requests ${requests.join(', ')}.`);
  const fields = path.length === 0 ? fieldsOfKind(whole) : fieldsOf(schema);
  if (fields.length > 0) {
    const rows = fields.map(([name, field]) => [
      `  ${io.style('cyan', name)}`,
      `<${typeText(field)}>${schema.required?.includes(name) || innerRequired(schema).includes(name) ? ' required' : ''}`,
      firstSentence(field.description ?? ''),
    ]);
    io.out('', io.style('bold', 'FIELDS'), ...tableLines([], rows));
  }
}

/** Returns each field of `spec` and `status`, and only the names of parts that every kind has. */
const fieldsOfKind = (whole: Schema): readonly (readonly [string, Schema])[] =>
  Object.entries(whole.properties ?? {}).flatMap(([part, inner]) =>
    part === 'spec' || part === 'status'
      ? fieldsOf(inner).map(([name, field]) => [`${part}.${name}`, field] as const)
      : [[part, inner] as const],
  );

const innerRequired = (schema: Schema): readonly string[] =>
  schema.properties ? [] : (innerOf(schema)?.required ?? []);

/** Returns the first sentence. A word with a colon names the value that the sentence is about: `true: …`. Pure. */
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
