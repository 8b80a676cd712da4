import type { Descriptor, ReasonText } from '../model/descriptor.js';

export type Reasons = Readonly<Record<string, ReasonText>>;

const listText = (items: readonly unknown[], pad: string): string =>
  items.length === 0 ? '[]' : `[\n${items.map((item) => `${pad}  ${JSON.stringify(item)},\n`).join('')}${pad}]`;

const descriptorText = (kind: string, { columns, ...rest }: Descriptor): string => `  ${kind}: {
${Object.entries(rest)
  .map(([field, value]) => `    ${field}: ${JSON.stringify(value)},\n`)
  .join('')}    columns: ${listText(columns, '    ')},
  },
`;

/** Returns the text of descriptors.ts, the kinds in the order given. Same input, same text. Pure. */
export function renderDescriptors(kinds: Readonly<Record<string, Descriptor>>): string {
  const names = Object.keys(kinds);
  const types = names.flatMap((kind) => [`${kind}Spec`, `${kind}Status`]);
  return `/* Generated from crds/*.yaml by \`npm run generate\`; do not edit. */
import type { Descriptor } from './descriptor.js';
import type { ${types.join(', ')} } from './types.js';

/** Spec and status of every kind, by its name. */
export interface Kinds {
${names.map((kind) => `  ${kind}: { spec: ${kind}Spec; status: ${kind}Status };\n`).join('')}}

/** What each kind's CRD says of it, in the order in which kinds are listed. */
export const DESCRIPTORS = {
${Object.entries(kinds)
  .map(([kind, descriptor]) => descriptorText(kind, descriptor))
  .join('')}} as const satisfies Readonly<Record<keyof Kinds, Descriptor>>;
`;
}

/** Returns the text of kind-reasons.ts. Same input, same text. Pure. */
export function renderReasons(kinds: Readonly<Record<string, Reasons>>): string {
  const entries = Object.entries(kinds).map(
    ([kind, reasons]) =>
      `  ${kind}: {\n${Object.entries(reasons)
        .map(([reason, text]) => `    ${reason}: ${JSON.stringify(text)},\n`)
        .join('')}  },\n`,
  );
  return `/* Generated from crds/*.yaml by \`npm run generate\`; do not edit. */
import type { ReasonText } from './descriptor.js';

/** Why documents of a kind are not Ready, besides what the runtime itself says. */
export const KIND_REASONS = {
${entries.join('')}} as const satisfies Readonly<Record<string, Readonly<Record<string, ReasonText>>>>;
`;
}
