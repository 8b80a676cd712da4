/** A node of the schema that documents are checked with: plain JSON Schema, one `type` or a list of them. */
export interface Schema {
  readonly type: string | readonly string[];
  /** The types in words, each with its meaning: `string (duration such as 1m30s) or number`. */
  readonly title?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | false;
  readonly items?: Schema;
  readonly required?: readonly string[];
  readonly enum?: readonly (string | null)[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
}

/** The schemas that a kind's documents are checked with. */
export interface KindSchemas {
  readonly spec: Schema;
  readonly status: Schema;
}

/**
 * Returns the schema at a path inside another one, as in `services.*.ports.[]`: `*` is any value of a map, `[]` any
 * item of a list, and so is every name or number where no field is named. Undefined when there is none. Pure.
 */
export function schemaAt(schema: Schema, path: readonly string[]): Schema | undefined {
  let found: Schema | undefined = schema;
  for (const step of path) {
    if (!found) return undefined;
    const field: Schema | undefined =
      found.properties && Object.hasOwn(found.properties, step) ? found.properties[step] : undefined;
    const isItem = step === '[]' || /^\d+$/.test(step);
    found = field ?? (isItem && found.items ? found.items : found.additionalProperties || undefined);
  }
  return found;
}

/** Returns the schema of the values in a map or a list, when that has fields or is all there is. Pure. */
export function innerOf({ additionalProperties, items }: Schema): Schema | undefined {
  const values = additionalProperties || undefined;
  return [values, items].find((one) => one?.properties) ?? values ?? items;
}

/** Returns the types of a value in words: its title, else `map of string`, `list of object`, … Pure. */
export function typeText(schema: Schema): string {
  if (schema.title !== undefined) return schema.title;
  const types = (typeof schema.type === 'string' ? [schema.type] : schema.type).filter((type) => type !== 'null');
  const inner = schema.properties ? undefined : innerOf(schema);
  return types
    .map((type) => {
      if (type === 'object') return inner && schema.additionalProperties ? `map of ${typeText(inner)}` : 'object';
      return type === 'array' ? (schema.items ? `list of ${typeText(schema.items)}` : 'list') : type;
    })
    .join(' or ');
}

/** Returns the limits of a value beyond its type, a sentence for each. Pure. */
export function limitsOf({ enum: choices, minimum, maximum }: Schema): readonly string[] {
  const from = minimum === undefined ? '' : `at least ${minimum}`;
  const to = maximum === undefined || maximum >= Number.MAX_SAFE_INTEGER ? '' : `at most ${maximum}`;
  const range = [from, to].filter(Boolean).join(', ');
  return [...(choices ? [`One of ${choices.join(', ')}.`] : []), ...(range ? [`A number: ${range}.`] : [])];
}
