import { withDefaults } from '../../../crds/model/defaults.js';
import type { Issue } from '../../../crds/model/issue.js';
import { type AnyDeclared, API_VERSION, type Kind, PLURALS, type Resource } from '../../../crds/model/kinds.js';
import { isMap, stringOf, type Values } from '../../../crds/model/maps.js';
import { standaloneAccess } from '../../../crds/schema/check-host-access.js';
import { checkRelease, ownIpc, undeclaredReferences } from '../../../crds/schema/check-release.js';
import { parseDocument } from '../../../crds/schema/parse.js';
import { standaloneNames, standaloneServices } from '../../../crds/schema/standalone.js';
import type { Reader } from '../../store/store.js';
import { type Cause, ResourceError } from '../transport/kubernetes-status.js';

/** A document that a client writes, checked. */
export interface Write {
  readonly document: AnyDeclared;
  /** The version that the client has read, if it says so. */
  readonly resourceVersion?: string;
  /** The uid of the document that the client means, if it says so: another one of that name may have come in its place. */
  readonly uid?: string;
}

/**
 * Reads the body of a PUT or POST as a document of that kind. `apiVersion` and `kind` may be left out, because the path
 * has them; in a PUT the name, too. Pure; throws 400 for anything but such an object, 422 for what its schema refuses.
 */
export function readWrite(body: unknown, kind: Kind, name: string | undefined): Write {
  if (!isMap(body)) throw ResourceError.badRequest('the body is not an object');
  const { apiVersion = API_VERSION, kind: bodyKind = kind, metadata = {}, ...rest } = body;
  if (apiVersion !== API_VERSION || bodyKind !== kind) {
    throw ResourceError.badRequest(
      `${stringOf(apiVersion)} ${stringOf(bodyKind)} was sent to a path of ${API_VERSION} ${kind}`,
    );
  }
  if (!isMap(metadata)) throw ResourceError.badRequest('metadata is not an object');
  const bodyName = metadata.name ?? name;
  if (typeof bodyName !== 'string' || bodyName === '') throw ResourceError.badRequest('metadata.name is required');
  if (name !== undefined && bodyName !== name) {
    throw ResourceError.badRequest(`the name of the object (${bodyName}) does not match the name on the URL (${name})`);
  }
  const parsed = parseDocument({ apiVersion, kind, metadata: { ...metadata, name: bodyName }, ...rest });
  if (!parsed.ok) throw refusal(kind, bodyName, parsed.issues);
  const resourceVersion = preconditionIn(metadata, 'resourceVersion');
  const uid = name === undefined ? undefined : preconditionIn(metadata, 'uid'); // a new document gets its own
  return {
    document: parsed.document,
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
    ...(uid === undefined ? {} : { uid }),
  };
}

/** Reads the version or uid that a write builds on. Empty and null count as absent, as in Kubernetes; anything but a text must not. */
function preconditionIn(metadata: Values, field: 'resourceVersion' | 'uid'): string | undefined {
  const value = metadata[field] ?? '';
  if (typeof value !== 'string') throw ResourceError.badRequest(`metadata.${field} is not a string`);
  return value === '' ? undefined : value;
}

/** Returns a 400 for unknown fields alone, as strict decoding does, and for anything else a 422 with every cause. */
function refusal(kind: Kind, name: string, issues: readonly Issue[]): ResourceError {
  if (issues.every(({ message }) => message.startsWith('Unknown field'))) {
    const fields = issues.map(({ path, message }) => `unknown field "${path}"${suggestion(message)}`);
    const causes = causesOf('FieldValueNotSupported', issues);
    return ResourceError.unknownFields(PLURALS[kind], name, `strict decoding error: ${fields.join(', ')}`, causes);
  }
  return ResourceError.invalid(PLURALS[kind], name, causesOf('FieldValueInvalid', issues));
}

const causesOf = (reason: string, issues: readonly Issue[]): readonly Cause[] =>
  issues.map(({ path, message }) => ({ reason, message, field: path }));

/**
 * Refuses a standalone Service or Volume that needs the permission of its App to reach into the host, as an App is
 * refused. Without that App its controller decides. `beside` names what will be declared with it. Throws a 422.
 */
export function checkPermission(document: AnyDeclared, store: Pick<Reader, 'get'>, beside: readonly string[]): void {
  if (document.kind !== 'Service' && document.kind !== 'Volume') return;
  const app = store.get('App', document.spec.app);
  if (!app || beside.includes(`app/${app.metadata.name}`)) return;
  const issues = standaloneAccess(document, app);
  if (issues.length === 0) return;
  throw ResourceError.invalid(PLURALS[document.kind], document.metadata.name, causesOf('FieldValueInvalid', issues));
}

/**
 * Finds what would keep the release of an App from being rolled out, or a standalone Service from being created, as its
 * controller will. A dry run has to report it: otherwise the status does. `beside` names what will be declared with it.
 * Throws a 422.
 */
export function checkRehearsal(
  document: AnyDeclared,
  store: Pick<Reader, 'get' | 'list'>,
  beside: readonly string[],
): void {
  const named = (of: string): readonly string[] =>
    beside.flatMap((one) => (one.startsWith(`${of}/`) ? [one.slice(of.length + 1)] : []));
  const standaloneFor = (app: string) => ({
    services: [
      ...standaloneServices(app, store.list('Service')).map((one) => one.spec.serviceName),
      ...named('service'),
    ],
    networks: [...standaloneNames(app, store.list('Network')), ...named('network')],
    volumes: [...standaloneNames(app, store.list('Volume')), ...named('volume')],
  });
  if (document.kind === 'Service') {
    const { app: name } = document.spec;
    const app = store.get('App', name);
    if (!app) return; // it waits for its App
    const issues = undeclaredReferences(document.spec, app, standaloneFor(name));
    if (issues.length === 0) return;
    throw ResourceError.invalid(PLURALS.Service, document.metadata.name, causesOf('FieldValueInvalid', issues));
  }
  if (document.kind !== 'App') return;
  const { metadata, spec } = document;
  const { name } = metadata;
  const issues = checkRelease({ metadata: { name, origin: 'api' }, spec }, standaloneFor(name));
  if (issues.length > 0) throw ResourceError.invalid(PLURALS.App, name, causesOf('FieldValueInvalid', issues));
}

/** Refuses an App that contradicts itself by what it leaves out, which depends on what was declared before. Throws a 422. */
export function checkMeaning(document: AnyDeclared, present: Resource | undefined): void {
  const meant = withDefaults(document, { origin: 'api' }, present);
  const issues = meant.kind === 'App' ? ownIpc(meant.spec) : [];
  if (issues.length > 0)
    throw ResourceError.invalid(PLURALS.App, document.metadata.name, causesOf('FieldValueInvalid', issues));
}

/** Returns the rest of a message after the field's name: the nearest known one. */
const suggestion = (message: string): string => message.replace(/^Unknown field "(?:[^"\\]|\\.)*"/, '');

/**
 * Refuses to write over a document of another origin, over another document than is meant, or over another version than
 * was read. Pure; throws a 409.
 */
export function checkWritable(
  kind: Kind,
  name: string,
  present: Resource | undefined,
  { resourceVersion, uid }: Pick<Write, 'resourceVersion' | 'uid'> = {},
): void {
  const plural = PLURALS[kind];
  if (present && present.metadata.origin !== 'api') {
    const { origin, source } = present.metadata;
    const where = source ? ` in ${source.file}` : '';
    throw ResourceError.conflict(plural, name, `it is declared by ${origin}${where}; change it there`);
  }
  if (uid !== undefined && uid !== present?.metadata.uid) {
    const found = present?.metadata.uid ?? '';
    throw ResourceError.conflict(
      plural,
      name,
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${found}`,
      'metadata.uid',
    );
  }
  if (resourceVersion !== undefined && resourceVersion !== present?.metadata.resourceVersion) {
    throw ResourceError.conflict(
      plural,
      name,
      'the object has been modified; please apply your changes to the latest version and try again',
      'metadata.resourceVersion',
    );
  }
}
