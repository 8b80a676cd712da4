import type { Logger } from 'pino';
import type { Keys } from '../../api/store/keys.js';
import type { LogStream } from '../../api/store/logs.js';
import type { Store } from '../../api/store/store.js';
import { isReady, isStalled } from '../../crds/conditions.js';
import type { App, Network, Service } from '../../crds/kinds.js';
import { API_NETWORK, DEFAULT_DEVICE_NAME, networkName, volumeName } from '../../crds/names.js';
import { begun } from '../../crds/requests.js';
import type { Engine, SeenContainer } from '../docker/engine.js';
import { type EngineTraits, UNKNOWN_TRAITS } from '../docker/engine-traits.js';
import { seenUpdatable } from '../docker/seen.js';
import type { World } from '../docker/world.js';
import type { DeviceFacts } from '../host/facts.js';
import type { Handovers } from '../host/handovers.js';
import type { UpdateLocks } from '../host/update-locks.js';
import { boundsLogs, refuseForeign, refuseHostPaths } from './circumstances.js';
import { type Blueprint, blueprintOf, type Surroundings } from './container-options.js';
import { type Definition, readDefinition } from './definition.js';
import type { Departures } from './departures.js';
import { namesWaitedFor, type Sibling, sharedNetwork, unmetDependencies } from './dependencies.js';
import { type ApiAccess, type CloudAccess, hasFeature, joinsApiNetwork } from './features.js';
import { HOST_DEFAULTS } from './host-options.js';
import { containerNameOf, type Identity, identityOf } from './identity.js';
import { isOn, REQUIRES_REBOOT, withCurrentNames, withImageLabels } from './labels.js';
import { volumeNames } from './mounts.js';
import { endpointSettings } from './networks.js';
import { madeAfter, ordersOf } from './orders.js';
import type { Needed, NeededNetwork, Overlap, Situation, Wanted } from './situation.js';
import { specHash } from './spec-hash.js';
import type { Stops } from './stops.js';
import { courseOf } from './strategy/course.js';
import { isOpen, timeOf } from './strategy/record.js';

export interface ServiceDeps {
  readonly store: Store;
  readonly world: World;
  readonly engine: Engine;
  readonly locks: UpdateLocks;
  readonly handovers: Handovers;
  readonly keys: Keys;
  readonly logs: LogStream;
  readonly facts: DeviceFacts;
  readonly traits?: () => EngineTraits;
  /** Where containers reach our API while `supervisor0` does not say otherwise. */
  readonly apiAddress: () => { readonly host: string; readonly port: number };
  /** Where containers reach the cloud, on a device that has one. */
  readonly cloud?: () => CloudAccess | undefined;
  readonly log: Logger;
  /** ms since the epoch */
  readonly now: () => number;
}

/** What the controller remembers while the process lives; a crash loses nothing but the waiting, and the stops. */
export interface Memory {
  readonly departures: Departures;
  readonly stops: Stops;
}

/** One service as a pass sees it. */
export interface Sight {
  readonly situation: Situation;
  readonly appId: number;
  readonly serviceName: string;
  /** Makes the create options; throws without a sibling's container where one is needed. Undefined while there is no image, and for a deleted document. */
  readonly blueprint: (() => Blueprint) | undefined;
}

/**
 * All that a pass needs to know. Undefined: the document needs an App that does not exist. Throws `InvalidSpecError` for
 * what cannot be understood.
 */
export async function observe(
  deps: ServiceDeps,
  { departures, stops }: Memory,
  service: Service,
): Promise<Sight | undefined> {
  const { store, locks } = deps;
  const app = store.get('App', service.spec.app);
  const identity = identityOf(service, app);
  const deleted = service.metadata.deletionTimestamp !== undefined;
  if (!identity && !deleted) return undefined;
  const containers = containersOf(deps, service, identity);
  const appId = identity?.appId ?? containers[0]?.appId ?? 0;
  const { wanted, blueprint } = identity && !deleted ? await resolve(deps, service, identity) : {};
  return {
    appId,
    serviceName: service.spec.serviceName,
    situation: {
      wanted,
      containers,
      leaving: departures.leaving,
      closing: closingNetworks(deps),
      lockHeld: locks.isHeld(appId),
      orders: ordersOf(service, app, stops, wanted?.image?.specHash, wanted?.running ?? false),
      dependents: deleted ? dependentsOf(deps, service) : [],
      overlap: await overlapOf(deps, service, appId, containers),
    },
    blueprint,
  };
}

/** The containers of a service; of a document without an app, the one that its status knows. */
export function containersOf(
  { world }: ServiceDeps,
  service: Service,
  identity: Identity | undefined,
): readonly SeenContainer[] {
  if (identity) return world.containersOf(identity.appId, identity.serviceName);
  const id = service.status?.container?.id;
  return world.containers().filter((container) => container.id === id);
}

/** What the document of a service that is to stay comes to on this device, now. */
async function resolve(
  deps: ServiceDeps,
  service: Service,
  identity: Identity,
): Promise<{ wanted: Wanted; blueprint: Sight['blueprint'] }> {
  const { world, locks, facts, store } = deps;
  const app = store.get('App', service.spec.app);
  const { definition, warnings } = readDefinition(service.spec);
  const image = world.image(definition.image);
  refuseHostPaths(definition, service, app);
  const traits = deps.traits?.() ?? UNKNOWN_TRAITS;
  refuseForeign(definition, image, traits, containersOf(deps, service, identity));
  const labels = withImageLabels(definition.labels, image);
  const api = hasFeature(labels, 'supervisor-api') ? await apiAccess(deps, identity, definition) : undefined;
  const cloud = hasFeature(labels, 'balena-api') ? deps.cloud?.() : undefined;
  const siblingOf = siblings(deps, service);
  const sharing = definition.network.is === 'service' ? definition.network.service : undefined;
  const siblingContainer = sharing === undefined ? undefined : siblingOf(sharing)?.container?.id;
  const networks = [
    ...networkNames(definition, identity),
    ...(joinsApiNetwork(labels, definition.network) ? [API_NETWORK] : []),
  ];
  const aliases = aliasesOf(definition, identity);
  const boot = isOn(labels[REQUIRES_REBOOT]) ? facts.bootId : undefined;
  const wanted: Wanted = {
    containerName: containerNameOf(identity),
    reference: definition.image,
    image: image && { id: image.id, specHash: specHash({ definition, imageId: image.id, identity, api, cloud }) },
    running: definition.running,
    restart: definition.host.RestartPolicy?.Name ?? 'always',
    tuning: {
      ...seenUpdatable({ ...HOST_DEFAULTS, ...definition.host }),
      MemorySwap: definition.host.MemorySwap,
    },
    networks: networks.map((name) => neededNetwork(deps, name, aliases.get(name) ?? [])),
    volumes: volumeNames(definition.volumes).map((name) => neededVolume(deps, app, volumeName(identity.appId, name))),
    sharing: sharing === undefined ? undefined : { service: sharing, container: siblingContainer },
    unmet: unmetDependencies(definition.dependencies, siblingOf),
    course: courseOf({
      definition,
      field: service.spec.updateStrategy,
      imageLabels: withCurrentNames(image?.config.Labels ?? {}),
      guests: guestsOf(deps, service),
    }),
    boot,
    staging: service.metadata.owner !== undefined && app?.status?.phase === 'Staging',
  };
  const surroundings: Surroundings = {
    identity,
    image,
    facts,
    deviceName: store.get('HostConfig', 'device')?.spec.name ?? DEFAULT_DEVICE_NAME,
    lockDirectory: locks.directory(identity.appId, identity.serviceName),
    api,
    cloud,
    siblingContainer,
    ...(wanted.image ? { specHash: wanted.image.specHash } : {}),
    boot,
    madeAfter: madeAfter(service, app),
    boundLogs: boundsLogs(app, traits),
  };
  return { wanted, blueprint: image && (() => ({ ...blueprintOf(definition, surroundings), warnings })) };
}

async function apiAccess(
  { keys, world, apiAddress }: ServiceDeps,
  identity: Identity,
  { network }: Definition,
): Promise<ApiAccess> {
  const { host, port } = apiAddress();
  const onHost = network.is === 'engine' && network.mode === 'host';
  return {
    key: await keys.ofService(identity.appId, identity.serviceName),
    host: onHost ? '127.0.0.1' : (world.network(API_NETWORK)?.gateway ?? host),
    port,
  };
}

/** By name of the network on the engine. */
const aliasesOf = (
  { network }: Definition,
  { appUuid, serviceName }: Identity,
): ReadonlyMap<string, readonly string[]> =>
  new Map(
    Object.entries(network.is === 'joined' ? network.endpoints : {}).map(([name, endpoint]) => [
      networkName(appUuid, name),
      endpointSettings(endpoint, serviceName).Aliases,
    ]),
  );

const networkNames = ({ network }: Definition, { appUuid }: Identity): readonly string[] =>
  network.is === 'joined' ? Object.keys(network.endpoints).map((name) => networkName(appUuid, name)) : [];

/** A network that stalls as it is keeps serving; one that is on its way out, or not settled yet, is waited for. */
function neededNetwork({ store, world }: ServiceDeps, name: string, aliases: readonly string[]): NeededNetwork {
  const documents = store.list('Network').filter(({ spec }) => spec.networkName === name);
  const staying = documents.find(({ metadata }) => metadata.deletionTimestamp === undefined);
  const id = world.network(name)?.id;
  return { name, id, aliases, trouble: networkTrouble(staying, documents.length > 0, id) };
}

function networkTrouble(document: Network | undefined, leaving: boolean, id: string | undefined): string | undefined {
  if (!document) return leaving ? 'it is being removed' : 'no document declares it';
  if (document.status?.rebuilding) return 'it is being made anew';
  if (id === undefined) return 'it does not exist yet';
  return isReady(document) || isStalled(document) ? undefined : 'it is not settled yet';
}

/** A volume that no document declares is made by the engine itself (composition reference §1.8). */
function neededVolume({ store, world }: ServiceDeps, app: App | undefined, name: string): Needed {
  const documents = store.list('Volume').filter(({ spec }) => spec.volumeName === name);
  const purge = begun(app, 'purge');
  if (purge && documents.some(({ status }) => status?.handled?.['app.purge'] !== purge.id)) {
    return { name, trouble: 'it is being emptied' };
  }
  if (documents.length === 0) return { name, trouble: undefined };
  if (documents.every(({ metadata }) => metadata.deletionTimestamp !== undefined)) {
    return { name, trouble: 'it is being removed' };
  }
  return { name, trouble: world.volume(name) ? undefined : 'it does not exist yet' };
}

function closingNetworks({ store }: ServiceDeps): Situation['closing'] {
  const closing = new Map<string, 'made anew' | 'removed'>();
  for (const { metadata, spec, status } of store.list('Network')) {
    if (status?.rebuilding) closing.set(spec.networkName, 'made anew');
    else if (metadata.deletionTimestamp !== undefined) closing.set(spec.networkName, 'removed');
  }
  return closing;
}

/** Services of the app that live in the network of this one. */
const guestsOf = ({ store }: ServiceDeps, { spec }: Service): readonly string[] =>
  store
    .list('Service')
    .filter((one) => one.spec.app === spec.app && sharedNetwork(one.spec) === spec.serviceName)
    .map((one) => one.spec.serviceName);

/** Who waits for this one, is deleted as well, and has a container still. */
const dependentsOf = (deps: ServiceDeps, { spec, metadata }: Service): readonly string[] =>
  deps.store
    .list('Service')
    .filter((one) => one.spec.app === spec.app && one.metadata.name !== metadata.name)
    .filter(
      (one) => one.metadata.deletionTimestamp !== undefined && namesWaitedFor(one.spec).includes(spec.serviceName),
    )
    .filter((one) => containersOf(deps, one, identityOf(one, deps.store.get('App', spec.app))).length > 0)
    .map((one) => one.spec.serviceName);

/**
 * How far the younger of two containers has come. Times are our own where the status has them: an engine elsewhere may
 * have another clock.
 */
async function overlapOf(
  { handovers, now }: ServiceDeps,
  { status, spec }: Service,
  appId: number,
  [newer, older]: readonly SeenContainer[],
): Promise<Overlap> {
  if (!newer || !older) return { signalled: false, waitedMs: undefined, steadyMs: undefined };
  const noted = isOpen(status?.update) ? timeOf(status.update, 'Started') : undefined;
  const since = (at: number | undefined): number | undefined => (at === undefined ? undefined : now() - at);
  const waitedMs = since(noted ?? Date.parse(newer.createdAt));
  const ranMs = since(newer.startedAt === undefined ? undefined : Date.parse(newer.startedAt));
  const isPlausible = ranMs !== undefined && ranMs >= 0 && (noted === undefined || ranMs <= now() - noted + SKEW_MS);
  return {
    signalled: await handovers.isComplete(appId, spec.serviceName),
    waitedMs,
    steadyMs: isPlausible ? ranMs : since(noted),
  };
}
/** Clocks of one device agree that well. */
const SKEW_MS = 2_000;

/** The other services of the app, as far as they have come. */
function siblings(deps: ServiceDeps, service: Service): (name: string) => Sibling | undefined {
  const { store } = deps;
  const { app } = service.spec;
  return (name) => {
    const document = store
      .list('Service')
      .find(
        ({ spec, metadata }) =>
          spec.app === app && spec.serviceName === name && metadata.deletionTimestamp === undefined,
      );
    if (!document) return undefined;
    const identity = identityOf(document, store.get('App', app));
    return {
      ready: isReady(document),
      stalled: isStalled(document),
      container: containersOf(deps, document, identity)[0],
    };
  };
}
