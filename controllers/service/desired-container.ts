import { CONTENTS_LABEL, composeContainerLabels } from '../../crds/model/compose.js';
import { unusualNames } from '../../crds/model/engine-names.js';
import { isOn } from '../../crds/model/host-access.js';
import type { App, Service } from '../../crds/model/kinds.js';
import { API_NETWORK, DEFAULT_DEVICE_NAME } from '../../crds/model/names.js';
import { restartBudget } from '../../crds/model/restart-budget.js';
import { UNKNOWN_TRAITS } from '../engine/engine-traits.js';
import { seenUpdatable } from '../engine/seen.js';
import { madeAfter } from './commands/commands.js';
import { boundsLogs, refuseForeign, refuseHostAccess } from './container/admission.js';
import { type ContainerContext, type ContainerSpec, containerSpecOf } from './container/container-options.js';
import { type Definition, readDefinition } from './container/definition.js';
import { fitToEngine } from './container/engine-support.js';
import { HOST_DEFAULTS } from './container/host-options.js';
import { specHash } from './container/spec-hash.js';
import type { Shared } from './dependencies/namespaces.js';
import { networkDependency, volumeDependency } from './dependencies/networks-and-volumes.js';
import { containersOf, guestsOf, siblingLookup, unsatisfiedDependencies } from './dependencies/siblings.js';
import type { ServiceDeps } from './deps.js';
import type { DesiredContainer } from './service-state.js';
import { networkNamer, volumeNamer } from './spec/engine-names.js';
import { type ApiAccess, hasFeature, joinsApiNetwork } from './spec/features.js';
import { containerNameOf, type Identity } from './spec/identity.js';
import { REQUIRES_REBOOT, withCurrentNames, withImageLabels } from './spec/labels.js';
import { volumeNames } from './spec/mounts.js';
import { namedService } from './spec/namespaces.js';
import { endpointSettings } from './spec/networks.js';
import { updatePolicyOf } from './update/update-policy.js';

/** Resolves a Service spec against this device: image id, networks, volumes, dependencies, spec hash. Throws `InvalidSpecError`. */
export async function resolveService(
  deps: ServiceDeps,
  service: Service,
  identity: Identity,
): Promise<{ desired: DesiredContainer; containerSpec: (() => ContainerSpec) | undefined }> {
  const { cache, locks, facts, store } = deps;
  const app = store.get('App', service.spec.app);
  const said = readDefinition(withNames(service, app, identity));
  const image = cache.image(said.definition.image);
  const traits = deps.traits?.() ?? UNKNOWN_TRAITS;
  const containers = containersOf(deps, service);
  refuseHostAccess(service, app, image, containers);
  refuseForeign(said.definition, image, traits, containers);
  const labels = withImageLabels(said.definition.labels, image);
  const api = hasFeature(labels, 'supervisor-api') ? await apiAccess(deps, identity, said.definition) : undefined;
  const cloud = hasFeature(labels, 'balena-api') ? deps.cloud?.() : undefined;
  const hashOf = (one: Definition): string | undefined =>
    image && specHash({ definition: one, imageId: image.id, identity, api, cloud });
  const isPresent = (one: Definition): boolean => containers.some((container) => container.specHash === hashOf(one));
  const { definition, warnings } = fitToEngine(said.definition, traits, isPresent);
  const siblingOf = siblingLookup(deps, service);
  const shares = sharesOf(definition).map(
    ([namespace, name]): Shared => ({ namespace, service: name, container: siblingOf(name)?.container }),
  );
  const networks = [
    ...networkNames(definition, identity),
    ...(joinsApiNetwork(labels, definition.network) ? [API_NETWORK] : []),
  ];
  const aliases = aliasesOf(definition, identity);
  const boot = isOn(labels[REQUIRES_REBOOT]) ? facts.bootId : undefined;
  const wantedName = service.spec.containerName ?? containerNameOf(identity);
  const desired: DesiredContainer = {
    containerName: wantedName,
    isNameTaken: cache.containers().some((one) => one.name === wantedName && !containers.includes(one)),
    reference: definition.image,
    image: image && { id: image.id, specHash: hashOf(definition) ?? '' },
    contents: definition.labels[CONTENTS_LABEL],
    running: definition.running,
    tuning: {
      ...seenUpdatable({ ...HOST_DEFAULTS, ...definition.host }),
      MemorySwap: definition.host.MemorySwap,
    },
    networks: networks.map((name) => networkDependency(deps, name, aliases.get(name) ?? [])),
    volumes: volumeNames(definition.volumes).map((name) =>
      volumeDependency(deps, app, volumeNamer(definition, identity)(name)),
    ),
    shares,
    unsatisfied: unsatisfiedDependencies(definition.dependencies, siblingOf),
    updatePolicy: updatePolicyOf({
      definition,
      field: service.spec.updateStrategy,
      containerName: service.spec.containerName,
      imageLabels: withCurrentNames(image?.config.Labels ?? {}),
      guests: guestsOf(deps, service),
    }),
    restartUnhealthy: restartBudget(service.spec.restart_unhealthy),
    boot,
    staging: service.metadata.owner !== undefined && app?.status?.phase === 'Staging',
  };
  const containerContext: ContainerContext = {
    identity,
    image,
    facts,
    deviceName: store.get('HostConfig', 'device')?.spec.name ?? DEFAULT_DEVICE_NAME,
    lockDirectory: locks.directory(identity.appId, identity.serviceName),
    api,
    cloud,
    siblingContainers: new Map(
      shares.flatMap(({ service: name, container }) => (container ? [[name, container.id]] : [])),
    ),
    ...(desired.image ? { specHash: desired.image.specHash } : {}),
    compose: composeContainerLabels(app, identity.serviceName, desired.image?.specHash ?? ''),
    boot,
    madeAfter: madeAfter(service, app),
    boundLogs: boundsLogs(app, traits),
  };
  return {
    desired,
    containerSpec:
      image &&
      (() => ({ ...containerSpecOf(definition, containerContext), warnings: [...said.warnings, ...warnings] })),
  };
}

const sharesOf = ({ network, host }: Definition): readonly (readonly [Shared['namespace'], string])[] => {
  const [pid, ipc] = [namedService(host.PidMode), namedService(host.IpcMode)];
  return [
    ...(network.is === 'service' ? [['network', network.service] as const] : []),
    ...(pid === undefined ? [] : [['PID', pid] as const]),
    ...(ipc === undefined ? [] : [['IPC', ipc] as const]),
  ];
};

async function apiAccess(
  { keys, cache, apiAddress }: ServiceDeps,
  identity: Identity,
  { network }: Definition,
): Promise<ApiAccess> {
  const { host, port } = apiAddress();
  const onHost = network.is === 'engine' && network.mode === 'host';
  return {
    key: await keys.ofService(identity.appId, identity.serviceName),
    host: onHost ? '127.0.0.1' : (cache.network(API_NETWORK)?.gateway ?? host),
    port,
  };
}

/** Returns the aliases of the service by name of the network on the engine. */
const aliasesOf = (definition: Definition, identity: Identity): ReadonlyMap<string, readonly string[]> =>
  new Map(
    Object.entries(endpointsOf(definition)).map(([name, endpoint]) => [
      networkNamer(definition, identity)(name),
      endpointSettings(endpoint, identity.serviceName).Aliases,
    ]),
  );

const networkNames = (definition: Definition, identity: Identity): readonly string[] =>
  Object.keys(endpointsOf(definition)).map(networkNamer(definition, identity));

const endpointsOf = ({ network }: Definition) => (network.is === 'joined' ? network.endpoints : {});

/** Returns the spec with the names of the App's networks and volumes, which a standalone Service takes from its App. Pure. */
const withNames = ({ spec, metadata }: Service, app: App | undefined, { appId, appUuid }: Identity): Service['spec'] =>
  app && metadata.owner === undefined ? { ...unusualNames(spec, app.spec, { appId, uuid: appUuid }), ...spec } : spec;
