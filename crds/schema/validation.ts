import type { Schema } from './schema.js';

/** A node of a structural schema, as in CRD files. */
export interface Structural {
  readonly type?: string;
  readonly title?: string;
  readonly description?: string;
  readonly nullable?: boolean;
  readonly properties?: Readonly<Record<string, Structural>>;
  readonly additionalProperties?: Structural;
  readonly items?: Structural;
  readonly required?: readonly string[];
  readonly enum?: readonly string[];
  readonly 'x-kubernetes-int-or-string'?: boolean;
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
  readonly [keyword: string]: unknown;
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'string',
  number: 'number',
  integer: 'integer',
  boolean: 'boolean',
  list: 'array',
  map: 'object',
};

/** Returns the types that a title names: `string (port such as 8080:80), integer or map` are three. Pure; throws on other words. */
function typesOfTitle(title: string): readonly string[] {
  return title
    .replaceAll(/ \([^)]*\)/g, '')
    .split(/, | or /)
    .map((word) => {
      const type = TYPES[word];
      if (type === undefined) throw new Error(`The title "${title}" names the unknown type "${word}"`);
      return type;
    });
}

function typesOf(node: Structural): readonly string[] {
  const named = node.title === undefined ? undefined : typesOfTitle(node.title);
  const types = node.type !== undefined ? [node.type] : named;
  if (types === undefined) throw new Error(`No type and no title that names types: ${JSON.stringify(node)}`);
  if (node.type !== undefined && named !== undefined && named.join() !== node.type) {
    throw new Error(`The title "${node.title}" is not of type ${node.type}`);
  }
  if (node['x-kubernetes-int-or-string'] && [...types].sort().join() !== 'integer,string') {
    throw new Error(`"${node.title}" is not an integer or a string`);
  }
  return node.nullable ? [...types, 'null'] : types;
}

const KEPT = ['title', 'description', 'required', 'pattern', 'minLength', 'maxLength', 'minimum', 'maximum'] as const;

const mapValues = <A, B>(map: Readonly<Record<string, A>>, change: (value: A) => B): Record<string, B> =>
  Object.fromEntries(Object.entries(map).map(([name, value]) => [name, change(value)]));

/** Closes what Kubernetes leaves open: the types of a union, and unknown fields where fields are named. Pure. */
export function toValidation(node: Structural): Schema {
  const types = typesOf(node);
  const open = node.type === 'object' && node['x-kubernetes-preserve-unknown-fields'] === true;
  const { properties, additionalProperties, items } = node;
  return {
    type: types.length === 1 ? (types[0] ?? '') : types,
    ...Object.fromEntries(KEPT.flatMap((keyword) => (node[keyword] === undefined ? [] : [[keyword, node[keyword]]]))),
    ...(node.enum ? { enum: node.nullable ? [...node.enum, null] : node.enum } : {}),
    ...(items ? { items: toValidation(items) } : {}),
    ...(properties ? { properties: mapValues(properties, toValidation) } : {}),
    ...(additionalProperties ? { additionalProperties: toValidation(additionalProperties) } : {}),
    ...(properties && !open ? { additionalProperties: false as const } : {}),
  };
}
