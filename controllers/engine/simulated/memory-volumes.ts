import { EngineError, type SeenVolume, type VolumeOptions } from '../engine.js';
import { SPEC_HASH } from '../labels.js';
import type { MemoryEvents } from './memory-events.js';

/** The volumes of an engine in memory. */
export class MemoryVolumes {
  readonly #volumes = new Map<string, SeenVolume>();

  constructor(readonly events: MemoryEvents) {}

  get all(): readonly SeenVolume[] {
    return [...this.#volumes.values()];
  }

  find(name: string): SeenVolume | undefined {
    return this.#volumes.get(name);
  }

  /** Has these in the place of what it had. Nothing is announced. */
  adopt(volumes: readonly SeenVolume[]): void {
    this.#volumes.clear();
    for (const one of volumes) this.#volumes.set(one.name, one);
  }

  /** An existing one stays as it is, and is announced as created all the same. */
  create(name: string, options: VolumeOptions): SeenVolume {
    const driver = options.Driver || 'local';
    const existing = this.#volumes.get(name);
    if (existing !== undefined && existing.driver !== driver) {
      throw new EngineError(`create ${name}: conflict: volume name must be unique`, 409);
    }
    if (driver === 'local' && name.length < 2) {
      const message = `create ${name}: volume name is too short, names should be at least two alphanumeric characters`;
      throw new EngineError(message, 400);
    }
    const volume = existing ?? {
      name,
      driver,
      options: { ...options.DriverOpts },
      labels: { ...options.Labels },
      specHash: options.Labels[SPEC_HASH],
      mountpoint: `/var/lib/docker/volumes/${name}/_data`,
    };
    this.#volumes.set(name, volume);
    this.events.emit('volume', 'create', name, { driver });
    return volume;
  }

  /** `users`: ids of the containers that mount it, which refuse the removal. */
  remove(name: string, users: readonly string[]): void {
    const volume = this.#volumes.get(name);
    if (volume === undefined) throw new EngineError(`get ${name}: no such volume`, 404);
    if (users.length > 0) throw new EngineError(`remove ${name}: volume is in use - [${users.join(', ')}]`, 409);
    this.#volumes.delete(name);
    this.events.emit('volume', 'destroy', name, { driver: volume.driver });
  }
}
