/** A JSON schema of the 2020-12 draft, which OpenAPI 3.1 uses. */
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
  /** By media type; empty without a body. */
  readonly content?: Readonly<Record<string, { readonly schema: JsonSchema }>>;
}

/** Input and answers of one route, as in OpenAPI. Parts that all routes share are added to the document later. */
export interface Operation {
  readonly summary: string;
  readonly tags: readonly string[];
  readonly parameters?: readonly Parameter[];
  /** Schema of the body, which may also come as a form; absent without one. */
  readonly body?: JsonSchema;
  readonly bodyRequired?: boolean;
  /** What the same body is as YAML; absent where it is not taken. */
  readonly yamlBody?: JsonSchema;
  /** By status. */
  readonly answers: Readonly<Record<string, Answer>>;
  /** The answer to a key without permission; absent where every key may call it. */
  readonly forbidden?: Answer;
  /** No key is needed, and no body is read. */
  readonly open?: true;
}

/** By method and path, as the router has them: `GET /v2/applications/{appId}/state`. */
export type Operations = Readonly<Record<string, Operation>>;

export const ref = (name: string): JsonSchema => ({ $ref: `#/components/schemas/${name}` });

export const jsonAnswer = (description: string, schema: JsonSchema): Answer => ({
  description,
  content: { 'application/json': { schema } },
});

/** Returns the answer of a sentence: one text, one of several, or any. */
export const textAnswer = (description: string, ...texts: readonly string[]): Answer => ({
  description,
  content: { 'text/html': { schema: { type: 'string', ...(texts.length > 0 ? { enum: texts } : {}) } } },
});

/** Returns the answer of a status with its phrase. */
export const phraseAnswer = (description: string, phrase: string): Answer => ({
  description,
  content: { 'text/plain': { schema: { type: 'string', const: phrase } } },
});

/** Returns the schema of an object with these fields and no others; those in `optional` may be missing. */
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
