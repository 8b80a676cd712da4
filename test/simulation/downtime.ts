import { isAlive } from '../../controllers/engine/simulated/memory-container.js';
import type { Device } from './device.js';
import { serviceText } from './device-view.js';

/** How long services that were up have had no running container, on the device's clock. */
export class Downtime {
  readonly #device: Device;
  /** Services that were up at the beginning: since when they are down, if they are. */
  readonly #downSince = new Map<string, number | undefined>();
  readonly #totals = new Map<string, number>();

  /** From now on, for what runs now. */
  constructor(device: Device) {
    this.#device = device;
    for (const service of this.#up()) this.#downSince.set(service, undefined);
    device.engine.docker.events.onEvent = () => this.#look();
  }

  /** The longest of all services that are up again, in ms; 0 when none was ever down. */
  get longestMs(): number {
    const back = [...this.#totals].filter(([service]) => this.#downSince.get(service) === undefined);
    return Math.max(0, ...back.map(([, ms]) => ms));
  }

  #up(): ReadonlySet<string> {
    return new Set(
      this.#device.engine.docker.containers.filter(isAlive).map(({ options }) => serviceText(options.Labels)),
    );
  }

  #look(): void {
    const up = this.#up();
    const now = this.#device.clock.now();
    for (const [service, since] of this.#downSince) {
      if (!up.has(service)) this.#downSince.set(service, since ?? now);
      else if (since !== undefined) {
        this.#downSince.set(service, undefined);
        this.#totals.set(service, (this.#totals.get(service) ?? 0) + now - since);
      }
    }
  }
}
