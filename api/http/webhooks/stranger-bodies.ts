import type { Readable } from 'node:stream';
import { type Clock, systemClock } from '../../platform/clock.js';
import { HeldBytes, readBytes } from '../transport/body.js';

/** Largest body, bytes: GitHub sends that much at most; other servers send less. */
const BODY_BYTES = 25 * 1024 * 1024;
/** Number of bodies that are read at a time. A server sends its own in a moment, so genuine ones seldom meet. */
const AT_ONCE = 20;

/**
 * Reads bodies whose sender only their signature can prove. Few at a time and none for long, because a request under
 * way keeps its connection; where there are too many the oldest is given up, so slow ones shut nobody out.
 */
export class StrangerBodies {
  readonly #held = new HeldBytes(2 * BODY_BYTES); // leaves room for bodies of others
  /** How to give up each body that is being read, the oldest first. */
  readonly #reading = new Set<() => void>();

  constructor(
    private readonly bodyMs: number,
    private readonly clock: Pick<Clock, 'after'> = systemClock,
  ) {}

  /** Reads a body. `late`: it did not arrive in time, and the rest is not awaited. */
  async read(source: Readable): Promise<Buffer | 'late' | 'too large'> {
    const [oldest] = this.#reading;
    if (this.#reading.size >= AT_ONCE) oldest?.();
    let giveUp = (): void => undefined;
    const late = new Promise<'late'>((resolve) => {
      giveUp = () => {
        this.#reading.delete(giveUp);
        resolve('late');
      };
    });
    this.#reading.add(giveUp);
    const cancel = this.clock.after(this.bodyMs, giveUp);
    const whole = readBytes(source, BODY_BYTES, BODY_BYTES, this.#held);
    whole.catch(() => undefined); // when it is given up, it fails once its connection is closed
    try {
      return (await Promise.race([whole, late])) ?? 'too large';
    } finally {
      cancel();
      this.#reading.delete(giveUp);
    }
  }
}
