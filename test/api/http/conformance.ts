import assert from 'node:assert/strict';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { answersOf, OPERATIONS, openApiDocument } from '../../../api/http/openapi/document.js';

const ajv = new Ajv2020({
  strict: false,
  allErrors: true,
  formats: { 'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/ },
});
ajv.addSchema(openApiDocument('test'), 'openapi');

const step = (text: string): string => encodeURIComponent(text.replaceAll('~', '~0').replaceAll('/', '~1'));

/** What does not fit a schema of the document, by its name; undefined when all does. */
export function fits(name: string, value: unknown): string | undefined {
  const validate = ajv.getSchema(`openapi#/components/schemas/${name}`) ?? assert.fail(`no schema ${name}`);
  return validate(value) ? undefined : ajv.errorsText(validate.errors);
}

/** What an answer says. */
export interface Answered {
  readonly code: number;
  /** Without parameters; undefined when there is none. */
  readonly mediaType: string | undefined;
  readonly text: string;
}

/** What of an answer the OpenAPI document does not foresee; undefined when it is as described. `key` is as in OPERATIONS. */
export function deviation(key: string, { code, mediaType, text }: Answered): string | undefined {
  const operation = OPERATIONS[key];
  if (!operation) return `${key} is not described`;
  const answers = answersOf(operation);
  const status = answers[String(code)] ? String(code) : 'default';
  const answer = answers[status];
  if (!answer) return `${key}: ${code} is not described: ${text}`;
  if (!answer.content) return text === '' ? undefined : `${key}: ${code} has no body, but ${text}`;
  if (mediaType === undefined) return answer.content['application/octet-stream'] ? undefined : `${key}: no media type`;
  if (!answer.content[mediaType]) return `${key}: ${code} as ${mediaType} is not described: ${text}`;
  if (mediaType === 'application/x-ndjson') return undefined;
  const [method = '', path = ''] = key.split(' ');
  const pointer = ['paths', path, method.toLowerCase(), 'responses', status, 'content', mediaType, 'schema'];
  const validate = ajv.getSchema(`openapi#/${pointer.map(step).join('/')}`) ?? assert.fail(`${key}: no schema`);
  if (mediaType !== 'application/json') return explain(text);
  const watched = text.endsWith('\n') ? text.trimEnd().split('\n') : [text];
  return watched.map((line) => explain(JSON.parse(line))).find((found) => found !== undefined);

  function explain(value: unknown): string | undefined {
    if (validate(value)) return undefined;
    const why = (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`).join('; ');
    return `${key}: ${code} does not fit: ${why}\n${JSON.stringify(value)}`;
  }
}
