import { capped, type Issue, issuesOf, listed, pathText, shorten } from '../model/issue.js';
import { type AnyDeclared, API_VERSION, KINDS, type Kind, WRITABLE_KINDS } from '../model/kinds.js';
import { isMap, type Values } from '../model/maps.js';
import { NAME, NAME_LIMIT, NAME_RULE } from '../model/names.js';
import { checkDocument, nameIssue } from './check.js';
import { found, unknownField } from './explain-errors.js';
import { suggestion } from './nearest.js';
import { MOST_MEMBERS, unfitForDocument } from './plain.js';
import type { Schema } from './schema.js';
import { SCHEMAS } from './schemas.js';
import { MOST_MALFORMED, validatorOf } from './validator.js';
import { wellFormedPart } from './well-formed.js';

/** A checked document, or every mistake in it; kind and name as far as they could be read. */
export type Parsed =
  | { readonly ok: true; readonly document: AnyDeclared }
  | { readonly ok: false; readonly kind?: Kind; readonly name?: string; readonly issues: readonly Issue[] };

/** Parts of a document and of its metadata that origins write, and those that others write and a declaration leaves alone. */
const PARTS = ['apiVersion', 'kind', 'metadata', 'spec'];
const DECLARABLE = new Set([...PARTS, 'status', 'requests']);
const METADATA = ['name', 'labels', 'annotations'];
const SERVER_METADATA = [
  ...['uid', 'generation', 'resourceVersion', 'creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds'],
  ...[
    'finalizers',
    'ownerReferences',
    'managedFields',
    'selfLink',
    'origin',
    'owner',
    'source',
    'declaredBy',
    'problem',
  ],
];
const KNOWN_METADATA = new Set([...METADATA, ...SERVER_METADATA]);

const isKind = (value: unknown): value is Kind => KINDS.some((kind) => kind === value);
const isName = (value: unknown): value is string =>
  typeof value === 'string' && value.length <= NAME_LIMIT && NAME.test(value);

/**
 * Checks a value of unknown origin as a document. Returns the parts that an origin declares, without what a server
 * writes (`status`, `metadata.uid`, …) and without `null` where it means absent; or every issue with its path, without
 * secrets. `isTargetState`: the value was made of one. Takes bounded time whatever the value is. Pure.
 */
export function parseDocument(value: unknown, { isTargetState = false } = {}): Parsed {
  const unfit = unfitForDocument(value);
  const metadata = isMap(value) && isMap(value.metadata) ? value.metadata : {};
  const kind = isMap(value) && isKind(value.kind) ? value.kind : undefined;
  const name = isName(metadata.name) ? metadata.name : undefined;
  const refuse = (issues: readonly Issue[]): Parsed => ({
    ok: false,
    ...(kind ? { kind } : {}),
    ...(name === undefined ? {} : { name }),
    issues: capped(issues),
  });
  if (unfit) return refuse([unfit]);
  if (!isMap(value)) {
    const message = `Expected a document, a map with apiVersion, kind, metadata and spec, found ${found(value)}`;
    return refuse([{ path: '', message }]);
  }

  const outside = [...versionIssues(value), ...kindIssues(value), ...partIssues(value), ...metadataIssues(value)];
  const misnamed = kind === undefined || name === undefined ? undefined : nameIssue(kind, name);
  if (misnamed !== undefined) outside.push({ path: 'metadata.name', message: misnamed });
  if (kind === undefined) return refuse(outside);
  const spec = withoutNulls(value.spec ?? undefined, SCHEMAS[kind].spec);
  if (spec === undefined) return refuse([...outside, { path: 'spec', message: 'Missing: a map' }]);
  const crowd = kind === 'App' && isMap(spec) ? crowdIssue(spec) : undefined;
  if (crowd !== undefined) return refuse([...outside, { path: 'spec', message: crowd }]);
  const { issues: inside, malformed } = validatorOf(kind)(spec);
  const issues = [...outside, ...inside];
  const declared = { apiVersion: API_VERSION, kind, metadata: declaredMetadata(metadata, name ?? ''), spec };
  if (issues.length > 0 || name === undefined) {
    const isTooMuch = isTargetState || inside.length > MOST_MALFORMED;
    const part = isTooMuch ? undefined : wellFormedPart(kind, spec, malformed);
    const rest = part && ({ ...declared, spec: part.spec as unknown } as AnyDeclared);
    return refuse([...issues, ...(rest ? checkDocument(rest, { part }) : [])]);
  }

  const document = declared as AnyDeclared; // the one place where an unknown value becomes a document
  const more = checkDocument(document, { isTargetState });
  return more.length > 0 ? refuse(more) : { ok: true, document };
}

/** Returns why the spec of an App has too much in it to be looked at. Pure. */
function crowdIssue({ services, networks, volumes }: Values): string | undefined {
  const count = [services, networks, volumes].reduce<number>(
    (sum, one) => sum + (isMap(one) ? Object.keys(one).length : 0),
    0,
  );
  if (count <= MOST_MEMBERS) return undefined;
  return `Too many: ${count} services, networks and volumes, at most ${MOST_MEMBERS}; make several Apps of it`;
}

function versionIssues({ apiVersion }: Values): Issue[] {
  if (apiVersion === API_VERSION) return [];
  if (apiVersion === undefined) return [{ path: 'apiVersion', message: `Missing: ${API_VERSION}` }];
  return [{ path: 'apiVersion', message: `Expected ${API_VERSION}, found ${found(apiVersion)}` }];
}

function kindIssues({ kind }: Values): Issue[] {
  if (isKind(kind)) {
    if (WRITABLE_KINDS.includes(kind)) return [];
    return [{ path: 'kind', message: `A ${kind} is written by the agent alone; declare what it is made of instead` }];
  }
  if (kind === undefined) return [{ path: 'kind', message: `Missing: one of ${listed(WRITABLE_KINDS)}` }];
  if (typeof kind !== 'string')
    return [{ path: 'kind', message: `Expected ${listed(WRITABLE_KINDS)}, found ${found(kind)}` }];
  const meant = suggestion(kind, WRITABLE_KINDS) || '.';
  const message = `Unknown kind ${JSON.stringify(shorten(kind))}${meant} Known are ${listed(WRITABLE_KINDS, 'and')}`;
  return [{ path: 'kind', message }];
}

const partIssues = (value: Values): readonly Issue[] =>
  issuesOf(
    Object.keys(value).filter((part) => value[part] !== undefined && !DECLARABLE.has(part)),
    (part) => ({ path: pathText([part]), message: unknownPart(part, value) }),
  );

/** Describes an unknown part; usually a field of the spec was written beside it. */
function unknownPart(part: string, { kind }: Values): string {
  const inSpec = isKind(kind) && Object.hasOwn(SCHEMAS[kind].spec.properties ?? {}, part);
  return inSpec ? `Unknown field "${part}"; it belongs under spec` : unknownField(part, PARTS);
}

function metadataIssues({ metadata }: Values): Issue[] {
  if (!isMap(metadata)) {
    const message =
      metadata === undefined ? 'Missing: a map with a name' : `Expected a map with a name, found ${found(metadata)}`;
    return [{ path: 'metadata', message }];
  }
  const { name } = metadata;
  const issues: Issue[] = [];
  if (name === undefined || name === null) issues.push({ path: 'metadata.name', message: 'Missing: a string (name)' });
  else if (typeof name !== 'string') {
    const quote = isMap(name) || Array.isArray(name) ? '' : '; put it in quotes';
    issues.push({ path: 'metadata.name', message: `Expected a string (name), found ${found(name)}${quote}` });
  } else if (name.length > NAME_LIMIT) {
    issues.push({ path: 'metadata.name', message: `Too long: ${name.length} characters, at most ${NAME_LIMIT}` });
  } else if (!isName(name)) {
    issues.push({ path: 'metadata.name', message: `${found(name)} is not a name: ${NAME_RULE}` });
  }
  const unknown = Object.keys(metadata).filter((field) => metadata[field] !== undefined && !KNOWN_METADATA.has(field));
  return [
    ...issues,
    ...issuesOf(unknown, (field) => ({
      path: pathText(['metadata', field]),
      message: field === 'namespace' ? 'No kind has namespaces here; leave it out' : unknownField(field, METADATA),
    })),
    ...textMapIssues(metadata, 'labels'),
    ...textMapIssues(metadata, 'annotations'),
  ];
}

function textMapIssues(metadata: Values, field: string): readonly Issue[] {
  const map = metadata[field] ?? {};
  if (!isMap(map))
    return [{ path: `metadata.${field}`, message: `Expected a map of strings, found ${found(map, true)}` }];
  return issuesOf(
    Object.entries(map).filter(([, value]) => typeof value !== 'string'),
    ([name, value]) => ({
      path: pathText(['metadata', field, name]),
      message: `Expected a string, found ${found(value)}${typeof value === 'object' ? '' : '; put it in quotes'}`,
    }),
  );
}

function declaredMetadata({ labels, annotations }: Values, name: string): Values {
  return { name, ...(isMap(labels) ? { labels } : {}), ...(isMap(annotations) ? { annotations } : {}) };
}

const isNullable = ({ type }: Schema): boolean => typeof type !== 'string' && type.includes('null');

/**
 * Returns a copy without `undefined`, and without `null` in fields that cannot be null: as in Kubernetes, an empty key
 * in YAML counts as absent. Follows the schema, so it is as deep as the schema and no deeper. Pure.
 */
function withoutNulls(value: unknown, schema: Schema): unknown {
  if (Array.isArray(value)) {
    const { items } = schema;
    return items ? value.map((item: unknown) => withoutNulls(item, items)) : value;
  }
  if (!isMap(value)) return value;
  const kept = Object.entries(value).flatMap(([name, inner]): [string, unknown][] => {
    const field = schema.properties && Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined;
    const known = field ?? (schema.additionalProperties || undefined);
    if (inner === undefined || (inner === null && field && !isNullable(field))) return [];
    return [[name, known ? withoutNulls(inner, known) : inner]];
  });
  return Object.fromEntries(kept);
}
