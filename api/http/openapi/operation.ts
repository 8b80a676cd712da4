/** A JSON schema of the 2020-12 draft, which is that of OpenAPI 3.1. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** A parameter of the path or of the query. */
export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query';
  readonly description?: string;
  readonly required?: boolean;
  readonly schema: JsonSchema;
}

export interface Answer {
  readonly description: string;
  /** By media type; nothing when there is no body. */
  readonly content?: Readonly<Record<string, { readonly schema: JsonSchema }>>;
}

/** What one route takes and answers, as OpenAPI says it. Parts that all routes share are added to the document later. */
export interface Operation {
  readonly summary: string;
  readonly tags: readonly string[];
  readonly parameters?: readonly Parameter[];
  /** Schema of a body, which may also come as a form; absent for none. */
  readonly body?: JsonSchema;
  readonly bodyRequired?: boolean;
  /** By status. */
  readonly answers: Readonly<Record<string, Answer>>;
  /** How a key that may not is refused; absent where every key may. */
  readonly forbidden?: Answer;
  /** No key needed, and no body looked at. */
  readonly open?: true;
}

/** By method and path, as the router has them: `GET /v2/applications/{appId}/state`. */
export type Operations = Readonly<Record<string, Operation>>;

export const ref = (name: string): JsonSchema => ({ $ref: `#/components/schemas/${name}` });

export const jsonAnswer = (description: string, schema: JsonSchema): Answer => ({
  description,
  content: { 'application/json': { schema } },
});

/** A bare sentence. One text, one of several, or any. */
export const textAnswer = (description: string, ...texts: readonly string[]): Answer => ({
  description,
  content: { 'text/html': { schema: { type: 'string', ...(texts.length > 0 ? { enum: texts } : {}) } } },
});

/** A status and its phrase. */
export const phraseAnswer = (description: string, phrase: string): Answer => ({
  description,
  content: { 'text/plain': { schema: { type: 'string', const: phrase } } },
});

/** An object with these fields; those in `optional` may be missing, others than these never come. */
export function object(fields: Readonly<Record<string, JsonSchema>>, ...optional: readonly string[]): JsonSchema {
  const required = Object.keys(fields).filter((name) => !optional.includes(name));
  return { type: 'object', properties: fields, required, additionalProperties: false };
}

export const mapOf = (values: JsonSchema): JsonSchema => ({ type: 'object', additionalProperties: values });
export const listOf = (items: JsonSchema): JsonSchema => ({ type: 'array', items });
export const text: JsonSchema = { type: 'string' };
export const integer: JsonSchema = { type: 'integer' };
export const boolean: JsonSchema = { type: 'boolean' };
export const oneOf = (...texts: readonly string[]): JsonSchema => ({ type: 'string', enum: texts });
export const orNull = (type: string): JsonSchema => ({ type: [type, 'null'] });
