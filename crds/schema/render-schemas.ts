import type { Region } from './copies.js';
import type { KindSchemas, Schema } from './schema.js';

const CONSTANTS: Readonly<Record<Region, string>> = {
  'service fields': 'serviceFields',
  'network definition': 'networkDefinition',
  'volume definition': 'volumeDefinition',
  'runtime status': 'runtimeStatus',
};

type Fields = Readonly<Record<string, Schema>>;
type Shared = Readonly<Partial<Record<Region, Fields>>>;

const keyText = (name: string): string => (/^[A-Za-z_]\w*$/.test(name) ? name : JSON.stringify(name));

/** `properties`, one on a line; a region among them is spread from its constant. */
function renderFields(fields: Fields, shared: Shared, pad: string): string {
  const lines: string[] = [];
  const left = new Map(Object.entries(fields));
  for (const name of Object.keys(fields)) {
    const schema = left.get(name);
    if (!schema) continue;
    const region = Object.entries(shared).find(
      ([, part]) => name in part && Object.entries(part).every(([at, one]) => same(left.get(at), one)),
    );
    if (region) {
      lines.push(`...${CONSTANTS[region[0] as Region]}`);
      for (const field of Object.keys(region[1])) left.delete(field);
    } else {
      lines.push(`${keyText(name)}: ${renderSchema(schema, shared, `${pad}  `)}`);
    }
  }
  return `{\n${lines.map((line) => `${pad}  ${line},\n`).join('')}${pad}}`;
}

const same = (a: Schema | undefined, b: Schema): boolean => JSON.stringify(a) === JSON.stringify(b);

function renderSchema(schema: Schema, shared: Shared, pad: string): string {
  const parts = Object.entries(schema).map(([keyword, value]) => {
    if (keyword === 'properties') return `${keyword}: ${renderFields(value, shared, pad)}`;
    if ((keyword === 'items' || keyword === 'additionalProperties') && value !== false) {
      return `${keyword}: ${renderSchema(value, shared, pad)}`;
    }
    return `${keyword}: ${JSON.stringify(value)}`;
  });
  return `{ ${parts.join(', ')} }`;
}

/** The text of schemas.ts. Same input, same text. Pure. */
export function renderSchemas(
  kinds: Readonly<Record<string, KindSchemas>>,
  regions: Readonly<Record<Region, Fields>>,
): string {
  const shared = Object.entries(regions) as [Region, Fields][];
  const constants = shared.map(
    ([region, fields]) => `const ${CONSTANTS[region]}: Fields = ${renderFields(fields, {}, '')};\n`,
  );
  const entries = Object.entries(kinds).map(
    ([kind, { spec, status }]) => `  ${kind}: {
    spec: ${renderSchema(spec, regions, '    ')},
    status: ${renderSchema(status, regions, '    ')},
  },
`,
  );
  return `/* Generated from crds/*.yaml by \`npm run generate\`; do not edit. */
import type { Kind } from '../model/kinds.js';
import type { KindSchemas, Schema } from './schema.js';

type Fields = Readonly<Record<string, Schema>>;

${constants.join('\n')}
/** Spec and status of each kind, as documents are checked. */
export const SCHEMAS: Readonly<Record<Kind, KindSchemas>> = {
${entries.join('')}};
`;
}
