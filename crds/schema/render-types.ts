import { compile, type JSONSchema } from 'json-schema-to-typescript';
import type { Schema } from './schema.js';

/** Schemas that have a name of their own in the types, wherever they occur. */
export type Named = ReadonlyMap<Schema, string>;

/** One exported interface: the fields of a schema, without those that the interface it extends has. */
export interface Interface {
  readonly name: string;
  readonly schema: Schema;
  readonly extends?: { readonly name: string; readonly fields: ReadonlySet<string> };
}

const OPTIONS = {
  bannerComment: '',
  additionalProperties: false,
  unknownAny: true,
  ignoreMinAndMaxItems: true,
  style: { singleQuote: true, printWidth: 120 },
} as const;

/** The schema as json-schema-to-typescript reads it: unions spelt out, named schemas by their name. */
function toCompiled(schema: Schema, named: Named, top = false): JSONSchema {
  const { description, title: _, ...rest } = schema;
  const about = description === undefined ? {} : { description };
  const types = typeof schema.type === 'string' ? [schema.type] : schema.type;
  const name = top ? undefined : named.get(schema);
  const one = (type: string): JSONSchema => {
    if (type === 'object' && name !== undefined) return { tsType: name };
    if (type === 'array') return { type, items: schema.items ? toCompiled(schema.items, named) : {} };
    if (type === 'object') {
      const { properties, additionalProperties, required } = schema;
      return {
        type,
        ...(properties ? { properties: mapped(properties, (value) => toCompiled(value, named)) } : {}),
        ...(required ? { required: [...required] } : {}),
        additionalProperties:
          additionalProperties === undefined ? true : additionalProperties && toCompiled(additionalProperties, named),
      };
    }
    if (type === 'string' && rest.enum) return { enum: rest.enum.filter((value) => value !== null) };
    return { type: type as 'string' };
  };
  const only = types.length === 1 ? types[0] : undefined;
  return only === undefined ? { ...about, anyOf: types.map(one) } : { ...about, ...one(only) };
}

const mapped = <A, B>(map: Readonly<Record<string, A>>, change: (value: A) => B): Record<string, B> =>
  Object.fromEntries(Object.entries(map).map(([name, value]) => [name, change(value)]));

/** TypeScript of one interface. */
async function renderInterface({ name, schema, extends: base }: Interface, named: Named): Promise<string> {
  const own = {
    ...schema,
    type: 'object',
    properties: Object.fromEntries(
      Object.entries(schema.properties ?? {}).filter(([field]) => !base?.fields.has(field)),
    ),
    required: (schema.required ?? []).filter((field) => !base?.fields.has(field)),
  };
  const text = await compile(toCompiled(own, named, true), name, OPTIONS);
  return base ? text.replace(`interface ${name} {`, `interface ${name} extends ${base.name} {`) : text;
}

/** The text of types.ts. Same input, same text. */
export async function renderTypes(interfaces: readonly Interface[], named: Named): Promise<string> {
  const parts: string[] = [];
  for (const one of interfaces) parts.push(await renderInterface(one, named));
  return [
    '/* Generated from crds/*.yaml by `npm run generate`; do not edit. */',
    "import type { Condition } from './conditions.js';",
    '',
    parts.join('\n').replaceAll(/\/\*\*\n\s+\* (.*)\n\s+\*\//g, '/** $1 */'), // one line each
  ].join('\n');
}
