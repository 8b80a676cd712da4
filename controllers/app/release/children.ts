import { frozen, textOf } from '../../../api/store/frozen.js';
import { isActive } from '../../../crds/model/active.js';
import { isStalled } from '../../../crds/model/conditions.js';
import { meansCompose } from '../../../crds/model/defaults.js';
import { networkNames, unusualNames, volumeNames } from '../../../crds/model/engine-names.js';
import { normalizeReference, repositoryOf } from '../../../crds/model/image-reference.js';
import {
  type AnyDeclared,
  type AnyResource,
  API_VERSION,
  type App,
  type Declared,
  type Image,
  type Kind,
  type Kinds,
  type Service,
  type Volume,
} from '../../../crds/model/kinds.js';
import { API_NETWORK, allottedId, childName, imageDocumentName } from '../../../crds/model/names.js';
import { referencesOf } from '../../../crds/model/references.js';
import { type NumberedRelease, releaseOf } from '../../../crds/model/release.js';
import type { AppNetwork, NetworkDefinition, ServiceFields } from '../../../crds/model/types.js';

/** The names and numbers of an App, with everything filled in that its document leaves out. */
export interface AppIdentity {
  readonly appId: number;
  readonly uuid: string;
  readonly name: string;
  /** Null: nothing runs. */
  readonly release: NumberedRelease | null;
}

/** Returns the names and numbers of an App. Absent ones are derived from its name, so they cannot be lost. Pure. */
export function identityOf({ metadata, spec }: Pick<App, 'metadata' | 'spec'>): AppIdentity {
  const appId = spec.appId ?? allottedId(metadata.name);
  return {
    appId,
    uuid: spec.uuid ?? String(appId),
    name: spec.name ?? metadata.name,
    release: releaseOf(spec.release),
  };
}

/**
 * Returns the documents that an App's release is made of, and the images of `standaloneServices`: services that somebody
 * wrote for this App beside it. Pure.
 */
export function childrenOf(app: App, standaloneServices: readonly Service[] = []): readonly AnyDeclared[] {
  if (standaloneServices.length > 0) return makeChildren(app, standaloneServices);
  const before = made.get(app.spec);
  if (before?.of === app.metadata.name) return before.children;
  const children = frozen(makeChildren(app, standaloneServices));
  made.set(app.spec, { of: app.metadata.name, children });
  return children;
}

/** Children by the spec that they were made from: most passes follow from a child's status, with the same spec. */
const made = new WeakMap<App['spec'], { readonly of: string; readonly children: readonly AnyDeclared[] }>();

function makeChildren(app: App, standaloneServices: readonly Service[]): readonly AnyDeclared[] {
  const identity = identityOf(app);
  const services = identity.release === null ? [] : servicesOf(app, identity);
  return [
    ...imagesOf(app.metadata.name, [...services, ...standaloneServices]),
    ...(identity.release === null ? [] : networksOf(app, identity, standaloneServices)),
    ...(identity.release === null ? [] : volumesOf(app, identity)),
    ...services,
  ];
}

function servicesOf(
  { metadata, spec }: App,
  { appId, uuid, name, release }: AppIdentity,
): readonly Declared<'Service'>[] {
  return Object.entries(spec.services ?? {}).map(([serviceName, fields]) => {
    const document = childName(metadata.name, serviceName);
    const serviceId = fields.serviceId ?? allottedId(`${metadata.name}/${serviceName}`);
    return child('Service', document, {
      ...fields,
      app: metadata.name,
      serviceName,
      image: normalizeReference(fields.image),
      appId,
      appUuid: uuid,
      appName: name,
      serviceId,
      imageId: fields.imageId ?? serviceId,
      ...unusualNames(fields, spec, { appId, uuid }),
      ...(spec.defaults === undefined ? {} : { defaults: spec.defaults }),
      ...(release === null ? {} : { release }),
    });
  });
}

/** The images that these services of an App run. Pure. */
export function imagesOf(app: string, services: readonly Pick<Service, 'spec'>[]): readonly Declared<'Image'>[] {
  const users = new Map<string, Set<string>>();
  const pulled = new Set<string>();
  for (const { spec } of services) {
    const image = normalizeReference(spec.image);
    if (spec.pull_policy !== 'never') pulled.add(image);
    users.set(image, (users.get(image) ?? new Set()).add(spec.serviceName));
  }
  return [...users].map(([image, names]) =>
    child('Image', imageDocumentName(app, image), {
      ...{ app, image, services: [...names].sort() },
      ...(pulled.has(image) ? {} : { pull: false }),
    }),
  );
}

/**
 * Returns the declared networks, and `default`: where what is left out means what Compose means only when a service uses it,
 * otherwise in any case, without a bridge when every service uses the host's network. (docs/reference/composition.md §4.2.)
 */
function networksOf(
  { metadata, spec }: App,
  { appId, uuid }: AppIdentity,
  standaloneServices: readonly Service[],
): readonly Declared<'Network'>[] {
  const allOnHost = Object.values(spec.services ?? {}).every((fields) => {
    const { mode } = referencesOf(fields);
    return mode.is === 'engine' && mode.mode === 'host';
  });
  const byDefault: NetworkDefinition = allOnHost ? { config_only: true } : {};
  const users = [...Object.values(spec.services ?? {}), ...standaloneServices.map((one) => one.spec)];
  const isMade = !meansCompose(spec) || users.some(usesDefault);
  return Object.entries({ ...(isMade ? { default: byDefault } : {}), ...spec.networks }).map(([key, said]) => {
    const { name: _, ...definition } = { ...(said as AppNetwork | null) };
    const { document, engine } = networkNames(metadata.name, uuid, key, said);
    return child('Network', document, { ...definition, app: metadata.name, appId, networkName: engine });
  });
}

/** Tells whether a service joins the network `default`, by its name or because it names none. */
function usesDefault(fields: ServiceFields): boolean {
  const { mode, networks = [] } = referencesOf(fields);
  if (mode.is === 'network') return mode.network === 'default' || networks.includes('default');
  return mode.is === 'default' && (networks.length === 0 || networks.includes('default'));
}

function volumesOf({ metadata, spec }: App, { appId, uuid }: AppIdentity): readonly Declared<'Volume'>[] {
  return Object.entries(spec.volumes ?? {}).map(([key, said]) => {
    const { name: _, ...definition } = { ...said };
    const { document, engine } = volumeNames(metadata.name, appId, key, said);
    return child('Volume', document, {
      ...definition,
      app: metadata.name,
      appId,
      appUuid: uuid,
      volumeName: engine,
      reclaim: spec.volumeReclaim ?? 'Retain',
    });
  });
}

/**
 * Adds to `desired` the volumes that the App has and no longer declares: they are retained with their data. Their
 * `reclaim` follows the App's `volumeReclaim`. An external one has no data of the App. Pure.
 */
export function retainVolumes(
  app: App,
  desired: readonly AnyDeclared[],
  existing: readonly AnyResource[],
): readonly AnyDeclared[] {
  const declared = new Set(desired.map(({ kind, metadata }) => `${kind}/${metadata.name}`));
  const kept = existing.flatMap((one) =>
    one.kind === 'Volume' &&
    isActive(one) &&
    !declared.has(`Volume/${one.metadata.name}`) &&
    !isHopeless(one) &&
    !one.spec.external
      ? [child('Volume', one.metadata.name, { ...one.spec, reclaim: app.spec.volumeReclaim ?? 'Retain' })]
      : [],
  );
  return [...desired, ...kept];
}

/** Tells whether a volume could not be created: then it has no data to retain. */
const isHopeless = (volume: Volume): boolean => volume.status?.present === false && isStalled(volume);

/**
 * The network over which containers reach our API: the same address as with a Supervisor.
 * (docs/reference/composition.md §4.2.)
 */
export const apiNetwork: Declared<'Network'> = child('Network', API_NETWORK, {
  networkName: API_NETWORK,
  driver_opts: { 'com.docker.network.bridge.name': API_NETWORK },
  ipam: { config: [{ subnet: '10.114.104.0/25', gateway: '10.114.104.1' }] },
});

/** Returns a document as its origin would declare it again. Pure. */
export function declaredAs({ requests: _requests, status: _status, metadata, ...rest }: AnyResource): AnyDeclared {
  const { name, labels, annotations } = metadata;
  return { ...rest, metadata: { name, ...(labels ? { labels } : {}), ...(annotations ? { annotations } : {}) } };
}

export const sameSpec = (a: { readonly spec: object }, b: { readonly spec: object }): boolean =>
  a.spec === b.spec || textOf(a.spec) === textOf(b.spec);

function child<K extends Kind>(kind: K, name: string, spec: Kinds[K]['spec']): Declared<K> {
  return { apiVersion: API_VERSION, kind, metadata: { name }, spec };
}

/** Returns the exact image of each service among an App's children, by service name. Pure. */
export function imagesOfRelease(children: readonly AnyResource[]): Readonly<Record<string, string>> {
  const images = new Map(children.flatMap((one) => (one.kind === 'Image' ? [[one.spec.image, one] as const] : [])));
  return Object.fromEntries(
    children.flatMap(({ kind, spec }) => {
      if (kind !== 'Service') return [];
      const image = images.get(spec.image);
      const exact = image && exactImage(image);
      return exact === undefined ? [] : [[spec.serviceName, exact]];
    }),
  );
}

/** Names an image by its digest, or by its id when no registry knows it; undefined while it is not known. Pure. */
export const exactImage = ({ spec, status }: Image): string | undefined =>
  status?.digest ? `${repositoryOf(spec.image)}@${status.digest}` : status?.dockerImageId;
