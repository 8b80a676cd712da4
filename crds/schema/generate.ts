import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import type { Descriptor } from '../model/descriptor.js';
import { COPIED, REGIONS, type Region, regionOf, withCopies } from './copies.js';
import { type Reasons, renderDescriptors, renderReasons } from './render-descriptors.js';
import { renderReference } from './render-reference.js';
import { renderSchemas } from './render-schemas.js';
import { type Interface, renderTypes } from './render-types.js';
import { type KindSchemas, type Schema, schemaAt } from './schema.js';
import { type Structural, toValidation } from './validation.js';

/** Folder of the pages that describe each kind. */
const REFERENCE = '../../docs/reference/';

const pathOf = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
const crdOf = (file: string): string => pathOf(`../${file}`);

/** Returns the schema at a path such as `services.*.ports.[]`. Throws when there is none. */
function at(schema: Schema, path: string): Schema {
  const found = schemaAt(schema, path.split('.'));
  if (!found) throw new Error(`No schema at ${path}`);
  return found;
}

/** Returns the fields of a region, as schemas. */
const fieldsOf = (texts: Readonly<Record<string, string>>, region: Region): Record<string, Schema> => {
  const fields: Record<string, Structural> = parse(regionOf(texts[COPIED[region]] ?? '', region).join('\n'));
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, toValidation(field)]));
};

const objectOf = (properties: Readonly<Record<string, Schema>>): Schema => ({
  type: 'object',
  properties,
  additionalProperties: false,
});

/** Fields of an App's service that belong to the agent, not to Compose. */
const OWN = ['image', 'serviceId', 'imageId', 'running', 'contract'];

/** Lists the interfaces of types.ts, and the schemas that get a name. */
function interfacesOf(
  kinds: Readonly<Record<string, KindSchemas>>,
  fields: Readonly<Record<Region, Record<string, Schema>>>,
) {
  const spec = (kind: string): Schema => {
    const found = kinds[kind];
    if (!found) throw new Error(`No kind ${kind}`);
    return found.spec;
  };
  const compose = Object.entries(fields['service fields']).filter(([name]) => !OWN.includes(name));
  const named = new Map<Schema, string>();
  const parts: Interface[] = [];
  const name = (text: string, paths: readonly [Schema, string][]): void => {
    for (const [root, path] of paths) named.set(at(root, path), text);
    const [first] = paths;
    if (first) parts.push({ name: text, schema: at(...first) });
  };
  const inServices = (path: string): [Schema, string][] => [
    [spec('Service'), path],
    [spec('App'), `services.*.${path}`],
    [objectOf(fields['service fields']), path],
  ];
  name('Release', [
    [spec('App'), 'release'],
    [spec('Service'), 'release'],
  ]);
  name('Healthcheck', inServices('healthcheck'));
  name('Schedule', inServices('schedule'));
  name('Ulimit', inServices('ulimits.*'));
  name('Logging', inServices('logging'));
  name('LongDevice', inServices('devices.[]'));
  name('GpuRequest', inServices('gpus.[]'));
  name('BlkioConfig', inServices('blkio_config'));
  name('LongVolume', inServices('volumes.[]'));
  name('LongPort', inServices('ports.[]'));
  name('Endpoint', inServices('networks.*'));
  name('Dependency', inServices('depends_on.*'));
  const base = (name: string, names: readonly string[]) => ({ name, fields: new Set(names) });
  const serviceFields = base(
    'ServiceFields',
    compose.map(([field]) => field),
  );
  const network = base('NetworkDefinition', Object.keys(fields['network definition']));
  const volume = base('VolumeDefinition', Object.keys(fields['volume definition']));
  const service = at(spec('App'), 'services.*');
  named.set(service, 'AppService');
  const ofApp = { AppNetwork: at(spec('App'), 'networks.*'), AppVolume: at(spec('App'), 'volumes.*') };
  for (const [text, schema] of Object.entries(ofApp)) named.set(schema, text);
  const interfaces: Interface[] = [
    ...parts,
    { name: 'ServiceFields', schema: objectOf(Object.fromEntries(compose)) },
    { name: 'AppService', schema: service, extends: serviceFields },
    { name: network.name, schema: objectOf(fields['network definition']) },
    { name: volume.name, schema: objectOf(fields['volume definition']) },
    { name: 'AppNetwork', schema: ofApp.AppNetwork, extends: network },
    { name: 'AppVolume', schema: ofApp.AppVolume, extends: volume },
  ];
  const bases: Record<string, typeof network> = { Service: serviceFields, Network: network, Volume: volume };
  for (const [kind, { spec, status }] of Object.entries(kinds)) {
    const parent = bases[kind];
    interfaces.push({ name: `${kind}Spec`, schema: spec, ...(parent ? { extends: parent } : {}) });
    const condition = at(status, 'conditions.[]');
    named.set(condition, 'Condition');
    interfaces.push({ name: `${kind}Status`, schema: status });
    if (status.properties?.release) named.set(status.properties.release, 'Release');
  }
  return { interfaces, named };
}

/** The contents of a CRD file. */
interface KindFile {
  readonly kind: string;
  /** Its place in lists of kinds; those without one come last, by name. */
  readonly order: number;
  readonly descriptor: Descriptor;
  /** Why its documents are not Ready: `supercargo.io/reasons`, a map of its own in YAML. */
  readonly reasons: Reasons;
  readonly schemas: KindSchemas;
}

/** Reads a CRD file. Pure. */
function readKind(text: string): KindFile {
  const { metadata, spec } = parse(text);
  const [version] = spec.versions;
  const { properties, description } = version.schema.openAPIV3Schema;
  const annotation = (name: string): string => metadata.annotations?.[`supercargo.io/${name}`] ?? '';
  const words = (name: string): readonly string[] =>
    annotation(name)
      .split(/[\s,]+/)
      .filter(Boolean);
  return {
    kind: spec.names.kind,
    order: Number(annotation('order') || Number.POSITIVE_INFINITY),
    descriptor: {
      plural: spec.names.plural,
      singular: spec.names.singular,
      shortNames: spec.names.shortNames ?? [],
      categories: spec.names.categories ?? [],
      description,
      requests: words('requests'),
      finalizers: words('finalizers'),
      names: words('names'),
      readOnly: annotation('read-only') === 'true',
      inMemory: words('in-memory'),
      columns: version.additionalPrinterColumns ?? [],
    },
    reasons: parse(annotation('reasons')) ?? {},
    schemas: { spec: toValidation(properties.spec), status: toValidation(properties.status) },
  };
}

const byOrder = (a: KindFile, b: KindFile): number =>
  a.order === b.order ? a.kind.localeCompare(b.kind) : a.order - b.order;

/** Generates everything that is made from the hand-written files: path to text. Reads, writes nothing; same input, same text. */
export async function generate(): Promise<ReadonlyMap<string, string>> {
  const files = readdirSync(crdOf('')).filter((file) => file.endsWith('.yaml'));
  const texts = withCopies(Object.fromEntries(files.map((file) => [file, readFileSync(crdOf(file), 'utf8')])));
  const known = files.map((file) => readKind(texts[file] ?? '')).sort(byOrder);
  const kinds = Object.fromEntries(known.map(({ kind, schemas }) => [kind, schemas]));
  const reasons = Object.fromEntries(known.map((one) => [one.kind, one.reasons]));
  const descriptors = Object.fromEntries(known.map(({ kind, descriptor }) => [kind, descriptor]));
  const fields = Object.fromEntries(REGIONS.map((region) => [region, fieldsOf(texts, region)])) as Record<
    Region,
    Record<string, Schema>
  >;
  const { interfaces, named } = interfacesOf(kinds, fields);
  return new Map([
    ...files.map((file): [string, string] => [crdOf(file), texts[file] ?? '']),
    [pathOf('../model/types.ts'), await renderTypes(interfaces, named)],
    [pathOf('../model/descriptors.ts'), renderDescriptors(descriptors)],
    [pathOf('../model/kind-reasons.ts'), renderReasons(reasons)],
    [pathOf('schemas.ts'), renderSchemas(kinds, fields)],
    ...[...renderReference(descriptors, kinds, reasons)].map(([file, text]): [string, string] => [
      pathOf(`${REFERENCE}${file}`),
      text,
    ]),
  ]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [path, text] of await generate()) writeFileSync(path, text);
}
