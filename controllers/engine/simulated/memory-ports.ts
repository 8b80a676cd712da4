import { bareAddress, portParts } from '../../../crds/model/port-text.js';
import { EngineError, type PublishedPort } from '../engine.js';
import { seenPublished } from '../seen.js';
import { hostPorts, isAlive, type MemoryContainer, portsCollide } from './memory-container.js';

/** Ports of the host in an engine in memory: who has them, and which are held for nobody. */
export class MemoryPorts {
  /** Ports that are held for no container, and the name that their endpoint bears; undefined where nobody knows that. */
  readonly #held = new Map<string, string | undefined>();

  /** The daemon was killed while a container with that port (`tcp/0.0.0.0:80`) was being started: it keeps the port for nobody. */
  leak(port: string, container?: string): void {
    this.#held.set(port, container);
  }

  /** The daemon was started again: nothing is held any more. */
  forget(): void {
    this.#held.clear();
  }

  /** Gives up what is held under the name of a container that is gone; returns whether there was any. */
  release(container: string): boolean {
    const held = [...this.#held].filter(([, one]) => one === container);
    for (const [port] of held) this.#held.delete(port);
    return held.length > 0;
  }

  /** Throws as Docker does when a port that the container wants is taken, by one of the others or for nobody. */
  refuseTaken(container: MemoryContainer, others: readonly MemoryContainer[]): void {
    for (const port of hostPorts(container)) {
      const taken =
        [...this.#held.keys()].some((one) => portsCollide(one, port)) ||
        others.some(
          (other) => other !== container && isAlive(other) && hostPorts(other).some((one) => portsCollide(one, port)),
        );
      if (!taken) continue;
      const endpoint = `driver failed programming external connectivity on endpoint ${container.name}`;
      throw new EngineError(`${endpoint}: Bind for ${port.split('/')[1]} failed: port is already allocated`, 500);
    }
  }

  /** Returns the ports that a container publishes from now on; a free one is the lowest that nobody has. */
  publish({ options, networkMode }: MemoryContainer, others: readonly MemoryContainer[]): readonly string[] {
    if (networkMode === 'host' || networkMode === 'none' || networkMode.startsWith('container:')) return [];
    const bindings = (options.HostConfig?.PortBindings ?? {}) as Readonly<Record<string, readonly Binding[] | null>>;
    const taken = new Set(others.filter(isAlive).flatMap((one) => one.published.map(hostPortOf)));
    let next = FIRST_FREE;
    const free = (): string => {
      while (taken.has(String(next))) next += 1;
      taken.add(String(next));
      return String(next);
    };
    const ports = Object.entries(bindings).map(([port, hosts]) => [
      port,
      (hosts ?? []).map(({ HostIp, HostPort }) => ({ ...(HostIp ? { HostIp } : {}), HostPort: HostPort || free() })),
    ]);
    return seenPublished(Object.fromEntries(ports)).published ?? [];
  }
}

interface Binding {
  readonly HostIp?: string;
  readonly HostPort?: string;
}

/** Where Docker begins to look for a free port. */
const FIRST_FREE = 49_153;

/** The port of the host in a text such as `127.0.0.1:8080:80/udp`. */
const hostPortOf = (text: string): string => portParts(text)?.host ?? '';

/** Ports that running containers publish. */
export function publishedPorts(containers: readonly MemoryContainer[]): readonly PublishedPort[] {
  return containers.filter(isAlive).flatMap(({ name, published }) =>
    published.flatMap((text) => {
      const { address, host, protocol } = portParts(text) ?? {};
      return {
        container: name,
        address: bareAddress(address || '0.0.0.0'),
        port: Number(host),
        protocol: protocol ?? 'tcp',
      };
    }),
  );
}
