import type { Descriptor } from '../model/descriptor.js';
import { EVENT_REASONS } from '../model/event-reasons.js';
import { COMMON_REASONS } from '../model/reasons.js';
import type { Reasons } from './render-descriptors.js';
import { type KindSchemas, limitsOf, type Schema, typeText } from './schema.js';

/** How deep fields are listed: `services.*.healthcheck.interval` has four steps. */
const MOST_STEPS = 5;

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ').trim();

/** Yields the fields below a schema, each with its path from there: `services.*.image`, `ports[]`. */
function* fieldsBelow(schema: Schema, path: readonly string[]): Generator<readonly [string, Schema, boolean]> {
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    const here = [...path, name];
    yield [here.join('.').replaceAll('.[]', '[]'), field, schema.required?.includes(name) ?? false];
    if (here.length < MOST_STEPS) yield* fieldsBelow(field, here);
  }
  if (schema.additionalProperties) yield* fieldsBelow(schema.additionalProperties, [...path, '*']);
  if (schema.items) yield* fieldsBelow(schema.items, [...path, '[]']);
}

function table(schema: Schema): string {
  const rows = [...fieldsBelow(schema, [])].map(([path, field, isRequired]) => {
    const text = [field.description ?? '', ...limitsOf(field)].join(' ');
    return `| \`${path}\` | ${cell(typeText(field))}${isRequired ? ', required' : ''} | ${cell(text)} |`;
  });
  return ['| field | type | what |', '|---|---|---|', ...rows].join('\n');
}

/** Returns the page of one kind. `services`: the spec of a Service, whose fields the page of App does not repeat. Pure. */
function page(
  kind: string,
  descriptor: Descriptor,
  { spec, status }: KindSchemas,
  reasons: Reasons,
  services: Schema,
): string {
  const { plural, singular, shortNames, description, requests } = descriptor;
  return `<!-- Generated from crds/*.yaml by \`npm run generate\`; do not edit. -->

# ${kind}

${description}

Served at \`/apis/supercargo.io/v1/${plural}\`${
    shortNames.length > 0 ? `; in the command also \`${shortNames.join('`, `')}\`` : ''
  }.${
    requests.length > 0 ? ` Takes the requests \`${requests.join('`, `')}\`.` : ''
  } \`supercargo explain ${singular}.FIELD\` tells the same.

## spec

${kind === 'App' ? 'A service takes what `spec` of a [Service](service.md) takes; only what a Service does not have is listed here.\n\n' : ''}${table(
  kind === 'App' ? withoutServiceFields(spec, services) : spec,
)}

## status

${table(status)}

## Conditions

| condition | what |
|---|---|
| \`Ready\` | True: a pass at this generation found nothing to do. False: the reason says why not |
| \`Reconciling\` | True while something is done about it, or is tried again |
| \`Stalled\` | True when nothing more is done before the document, or what it waits for, changes |

| reason | what it means | what to do |
|---|---|---|
${Object.entries({ ...reasons, ...COMMON_REASONS })
  .map(([reason, { meaning, whatToDo }]) => `| \`${reason}\` | ${cell(meaning)} | ${cell(whatToDo)} |`)
  .join('\n')}
`;
}

/** Returns an App's spec without the service fields that the page of Service lists. */
function withoutServiceFields(app: Schema, service: Schema): Schema {
  const services = app.properties?.services;
  const each = services?.additionalProperties;
  if (!services || !each) return app;
  const own = Object.entries(each.properties ?? {}).filter(([name]) => !Object.hasOwn(service.properties ?? {}, name));
  const properties = Object.fromEntries(own);
  return {
    ...app,
    properties: { ...app.properties, services: { ...services, additionalProperties: { ...each, properties } } },
  };
}

/** The page of the reasons of events. */
const eventsPage =
  (): string => `<!-- Generated from crds/model/event-reasons.ts by \`npm run generate\`; do not edit. -->

# Events

What happened to documents lately, and why: \`supercargo events KIND/NAME\`, \`supercargo describe KIND NAME\`, and
\`GET /apis/supercargo.io/v1/events\`. Events lie in memory: equal ones are counted, the oldest are forgotten, a restart of
the agent forgets all.

The reason of an event is a word for programs. It is one of these, or a reason of a condition on the page of the kind.

| reason | what happened |
|---|---|
${Object.entries(EVENT_REASONS)
  .map(([reason, meaning]) => `| \`${reason}\` | ${cell(meaning)} |`)
  .join('\n')}
`;

/** Returns the reference pages: path below `docs/reference` to text. Same input, same text. Pure. */
export function renderReference(
  descriptors: Readonly<Record<string, Descriptor>>,
  kinds: Readonly<Record<string, KindSchemas>>,
  reasons: Readonly<Record<string, Reasons>>,
): ReadonlyMap<string, string> {
  const services = kinds.Service?.spec ?? { type: 'object' };
  return new Map([
    ['events.md', eventsPage()] as const,
    ...Object.entries(descriptors).flatMap(([kind, descriptor]) => {
      const schemas = kinds[kind];
      return schemas
        ? [[`kinds/${descriptor.singular}.md`, page(kind, descriptor, schemas, reasons[kind] ?? {}, services)] as const]
        : [];
    }),
  ]);
}
