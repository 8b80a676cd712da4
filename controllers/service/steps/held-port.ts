import { keyOf } from '../../../crds/model/kinds.js';
import { EngineError, type PublishedPort, type SeenContainer } from '../../engine/engine.js';
import type { PortProxy } from '../../engine/local/port-proxy.js';
import { type Outcome, TransientError } from '../../runtime/outcome.js';
import type { ServiceDeps } from '../deps.js';
import type { StepContext } from './step-context.js';

/**
 * How long a port must stay held before the engine counts as the cause, ms: a container that is just starting has its
 * ports before it runs.
 */
const LASTING_MS = 10_000;

/** An address and port of the host that the engine lists as allocated. */
export type AllocatedPort = Pick<PublishedPort, 'address' | 'port'>;

/**
 * Reads the port from Docker's message about an allocated port; undefined when another program has it, which Docker
 * reports in other words. Pure.
 */
export function allocatedPort(message: string): AllocatedPort | undefined {
  const [, address, port] = /Bind for (\S+):(\d+) failed: port is already allocated/i.exec(message) ?? [];
  return address === undefined ? undefined : { address: address.replace(/^\[(.*)\]$/, '$1'), port: Number(port) };
}

/**
 * Reads the port from Docker's message about a port that another process listens at; undefined for other messages. Words
 * of Docker 20.10 and of 28. Pure.
 */
export function listenedPort(message: string): AllocatedPort | undefined {
  const [, address = '', port] =
    /listen tcp[46]? (\S+):(\d+): bind: address already in use/i.exec(message) ??
    /failed to bind host port (?:for )?(\[[^\]]*\]|[^\s:]+):(\d+)\S*: address already in use/i.exec(message) ??
    [];
  return port === undefined ? undefined : { address: address.replace(/^\[(.*)\]$/, '$1'), port: Number(port) };
}

/** Returns the container that publishes that port on an address in common, in one of these protocols. Pure. */
export function holderOf(
  { address, port }: AllocatedPort,
  protocols: readonly string[],
  published: readonly PublishedPort[],
): string | undefined {
  return published.find(
    (one) =>
      one.port === port &&
      protocols.includes(one.protocol) &&
      (one.address === address || isEvery(one.address) || isEvery(address)),
  )?.container;
}
const isEvery = (address: string): boolean => address === '0.0.0.0' || address === '::';

/**
 * Handles a start that failed because of a taken port. Throws `PortInUse` with the name of the running container that
 * publishes it, or with the process of somebody else that listens there. When neither does, a killed engine has kept the port: a container of ours that has never run is removed
 * with its endpoints and recreated, once; after that it throws `PortLeaked`, and restarts an engine of our own. So it does
 * where a process of that engine still listens at the port. Returns undefined for every other failure, and when neither
 * the engine nor this machine tells who it is.
 */
export async function settleHeldPort(
  { cache, engine, store, restartEngine, portProxy, portHolder }: ServiceDeps,
  { service, serviceName, containerSpec, heldPorts }: StepContext,
  container: SeenContainer,
  error: unknown,
  say: (due: string) => void,
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  const message = error instanceof EngineError ? error.message : '';
  const allocated = allocatedPort(message);
  const taken = allocated ?? listenedPort(message);
  const published = taken && (await engine.publishedPorts(signal).catch(() => undefined)); // the failure itself is thrown
  if (!taken || !published) return undefined;
  const port = `${taken.address}:${taken.port}`;
  const { name } = service.metadata;
  const refuse = (reason: 'PortInUse' | 'PortLeaked', due: string): never => {
    say(due);
    throw new TransientError(reason, `Could not start service ${serviceName}: ${due}`);
  };

  const holder = holderOf(
    taken,
    protocolsOf(containerSpec?.().options.HostConfig?.PortBindings, taken.port),
    published,
  );
  if (holder !== undefined) {
    heldPorts.forget(name);
    return refuse('PortInUse', takenBy(taken, holder));
  }
  const proxy = allocated ? undefined : portProxy?.(taken);
  if (!allocated && !proxy) {
    const listener = portHolder?.(taken);
    if (listener === undefined) return undefined;
    const way = 'end that, or publish another port';
    return refuse('PortInUse', `port ${port} of the host is taken: ${listener} listens there; ${way}`);
  }
  const forMs = heldPorts.met(name);
  // A container that has never run has nothing of its own to lose.
  if (allocated && forMs === undefined && container.state === 'created' && container.startedAt === undefined) {
    await engine.removeContainer(container.id, signal);
    // The endpoint has the container's name and the port; the engine releases it only when the container has gone.
    for (const network of Object.keys(container.networks)) {
      await engine.releaseEndpoint(network, container.name, signal);
    }
    await cache.refreshContainer(container.id, signal);
    const message = `Container ${container.name} cannot be started: the engine holds port ${port} for no running container; it is recreated`;
    store.record(keyOf('Service', name), { type: 'Warning', reason: 'LeftBehind', message });
    return { is: 'progressing', reason: 'LeftBehind', message };
  }
  const held = `the engine holds port ${port} of the host for no running container${proxy ? proxyText(proxy) : ''}`;
  const isRestarted = (forMs ?? 0) >= LASTING_MS && restartEngine?.(held) === true;
  return refuse(
    'PortLeaked',
    isRestarted ? `${held}; it is restarted, containers run on` : `${held}; restarting the engine frees it`,
  );
}

const takenBy = ({ address, port }: AllocatedPort, holder: string): string =>
  `port ${address}:${port} of the host is taken: container ${holder} publishes it; stop that one, or publish another port`;

/** Tells which port of a definition one of the published ones is; undefined while all of them are free. Pure. */
export function heldByOthers(bindings: unknown, published: readonly PublishedPort[]): string | undefined {
  for (const [name, hosts] of Object.entries((bindings ?? {}) as Bindings)) {
    for (const { HostIp, HostPort } of hosts) {
      const wanted = { address: HostIp === undefined || HostIp === '' ? '0.0.0.0' : HostIp, port: Number(HostPort) };
      const holder = holderOf(wanted, [name.split('/')[1] ?? 'tcp'], published);
      if (holder !== undefined) return takenBy(wanted, holder);
    }
  }
  return undefined;
}

type Bindings = Readonly<Record<string, readonly { readonly HostIp?: string; readonly HostPort?: string }[]>>;

/** Returns which process of the engine still listens at a port, for the end of a clause. Pure. */
function proxyText({ pid, target }: PortProxy): string {
  if (target === undefined) return ` (the daemon itself listens there, process ${pid})`;
  return ` (its docker-proxy, process ${pid}, still forwards it to ${target})`;
}

/** Returns the protocols in which the service publishes that port of the host; all when its definition does not say. Pure. */
function protocolsOf(bindings: unknown, port: number): readonly string[] {
  const found = Object.entries((bindings ?? {}) as Bindings).flatMap(([name, hosts]) =>
    hosts.some(({ HostPort }) => HostPort === String(port)) ? [name.split('/')[1] ?? 'tcp'] : [],
  );
  return found.length > 0 ? found : ['tcp', 'udp', 'sctp'];
}
