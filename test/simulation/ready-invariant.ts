import { RUN, SERVICE_NAME } from '../../controllers/engine/labels.js';
import { isAlive, type MemoryContainer } from '../../controllers/engine/simulated/memory-container.js';
import { differenceOf, networkHash } from '../../controllers/network/options.js';
import { isReady } from '../../crds/model/conditions.js';
import { isJob } from '../../crds/model/jobs.js';
import type { AnyResource, App, Service } from '../../crds/model/kinds.js';
import { API_NETWORK, containerName, networkName } from '../../crds/model/names.js';
import { releaseOf } from '../../crds/model/release.js';
import type { Agent, Device } from './device.js';
import { containersOfApp } from './device-view.js';

/**
 * What keeps `Ready=True` of a document from being true on the engine at this moment; undefined when it is true. Looks
 * at the engine itself and at the document, not at what the controllers make of them.
 */
export function readyViolation(device: Device, agent: Agent, document: AnyResource): string | undefined {
  const { docker, images } = device.engine;
  switch (document.kind) {
    case 'Service':
      return document.metadata.deletionTimestamp ? undefined : serviceViolation(device, agent, document);
    case 'App':
      return document.metadata.deletionTimestamp ? undefined : appViolation(device, agent, document);
    case 'Network': {
      const there = docker.networks.filter(({ name }) => name === document.spec.networkName);
      if (document.metadata.deletionTimestamp) return undefined;
      if (there.length !== 1) return `there are ${there.length} networks of its name`;
      if (document.spec.external) return undefined; // it is whatever its maker made it
      if (there[0]?.specHash === undefined && there[0])
        return differenceOf(document.spec, there[0], { mayBeAttachable: true }); // another agent's, or docker compose's
      return there[0]?.specHash === networkHash(document.spec) ? undefined : 'it is another network';
    }
    case 'Volume':
      return document.metadata.deletionTimestamp || docker.volume(document.spec.volumeName) ? undefined : 'no volume';
    case 'Image':
      return document.metadata.deletionTimestamp || images.find(document.spec.image) ? undefined : 'no image';
    case 'HostConfig':
    case 'GitSource':
      return undefined;
  }
}

function appViolation(device: Device, agent: Agent, app: App): string | undefined {
  const { appId = 0, services = {}, release } = app.spec;
  // No contract in a test is met if it belongs to an optional service.
  const mayBeLeftOut = (name: string): boolean =>
    services[name]?.contract !== undefined && JSON.stringify(services[name]?.labels).includes('features.optional');
  const wanted = release === null ? [] : Object.keys(services).filter((name) => !mayBeLeftOut(name));
  for (const name of wanted) {
    const child = agent.store.get('Service', `${app.metadata.name}.${name}`);
    if (!child) return `no document of ${name}`;
    for (const field of ['environment', 'networks', 'ports', 'restart', 'running', 'network_mode'] as const) {
      if (JSON.stringify(child.spec[field]) !== JSON.stringify(services[name]?.[field])) {
        return `${name} has not been told its ${field}`;
      }
    }
    const violation = serviceViolation(device, agent, child);
    if (violation) return `${name}: ${violation}`;
  }
  const spare = containersOfApp(device, appId).find((one) => !wanted.includes(serviceOf(one)));
  if (spare) return `${spare.name} is not in the release`;
  return undefined;
}

const serviceOf = ({ options }: MemoryContainer): string => options.Labels?.[SERVICE_NAME] ?? '';

function serviceViolation(device: Device, agent: Agent, { spec }: Service): string | undefined {
  const { images } = device.engine;
  const mine = containersOfApp(device, spec.appId ?? 0).filter((one) => serviceOf(one) === spec.serviceName);
  if (isJob(spec)) return jobViolation(device, spec, mine);
  const [container, another] = mine;
  if (!container) return 'it has no container';
  if (another) return `it has ${mine.length} containers`;
  const { id, commit } = releaseOf(spec.release ?? { commit: 'local' });
  const name = spec.containerName ?? containerName(spec.serviceName, spec.imageId ?? 0, id, commit);
  if (container.name !== name) return `its container is called ${container.name}, not ${name}`;
  if (container.image !== images.find(spec.image)?.id) return 'its container runs another image';
  const variables = Object.entries({ ...(spec.environment as Record<string, string>) }).map(([k, v]) => `${k}=${v}`);
  const told = (container.options.Env ?? []).filter((one) => one.startsWith('V='));
  if (told.join() !== variables.join()) return `its container was told ${told.join() || 'nothing'}`;
  if (spec.running === false) return /^(created|exited)$/.test(container.state) ? undefined : 'it runs';
  if (spec.restart === 'no' && container.state === 'exited') return undefined;
  if (!/^(running|restarting)$/.test(container.state)) return `its container is ${container.state}`;
  return networkViolation(device, agent, spec, container);
}

/** A job is Ready while its image is there, whether it runs or not; every container is a run, and one goes on unless more may. */
function jobViolation({ engine }: Device, spec: Service['spec'], mine: readonly MemoryContainer[]): string | undefined {
  if (!engine.images.find(spec.image)) return 'its image is not there';
  const stranger = mine.find(({ options }) => options.Labels?.[RUN] === undefined);
  if (stranger) return `${stranger.name} is no run of it`;
  const going = mine.filter(isAlive).length;
  return going > 1 && spec.schedule?.concurrencyPolicy !== 'Allow' ? `${going} runs go on at once` : undefined;
}

function networkViolation(device: Device, agent: Agent, spec: Service['spec'], container: MemoryContainer) {
  const { docker } = device.engine;
  const shared = /^service:(.*)$/.exec(spec.network_mode ?? '')?.[1];
  if (shared !== undefined) {
    const parent = containersOfApp(device, spec.appId ?? 0).find((one) => serviceOf(one) === shared);
    if (container.networkMode === `container:${parent?.id}`) return undefined;
    // A sibling that is being replaced says so itself; who shares its network learns it a moment later.
    const sibling = agent.store.get('Service', `${spec.app}.${shared}`);
    return sibling && isReady(sibling) ? `it is not in the network of ${shared}` : undefined;
  }
  const { networks = ['default'], appUuid = '' } = spec;
  const wanted = (Array.isArray(networks) ? networks : Object.keys(networks ?? {})).map(
    (one) => spec.networkNames?.[one] ?? networkName(appUuid, one),
  );
  const labels = { ...(spec.labels as Record<string, string>) };
  if (labels['io.balena.features.supervisor-api']) wanted.push(API_NETWORK);
  for (const name of wanted) {
    const there = docker.networks.filter((one) => one.name === name);
    const joined = container.networks.get(name)?.id;
    if (joined === '' && !isAlive(container)) continue; // looked up at its next start
    if (!there.some(({ id }) => id === joined)) return `it is not on network ${name}`;
  }
  return undefined;
}
