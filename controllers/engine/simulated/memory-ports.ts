import { EngineError, type PublishedPort } from '../engine.js';
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
}

/** Ports that running containers publish. */
export function publishedPorts(containers: readonly MemoryContainer[]): readonly PublishedPort[] {
  return containers.filter(isAlive).flatMap((one) =>
    hostPorts(one).flatMap((text) => {
      const [, protocol = '', address = '', port] = /^(\w+)\/(.*):(\d+)$/.exec(text) ?? [];
      return { container: one.name, address, port: Number(port), protocol };
    }),
  );
}
