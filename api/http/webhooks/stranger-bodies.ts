import type { Readable } from 'node:stream';
import { HeldBytes, readBytes } from '../transport/body.js';

/** As much as GitHub sends at most; the other servers send less. */
const BODY_BYTES = 25 * 1024 * 1024;
/** Bodies that are read at once. A server that calls sends its own in a moment, so true ones seldom meet. */
const AT_ONCE = 20;

/**
 * Reads bodies of which only their signature can tell who sends them. Few at once and none for long, because a request
 * that is under way keeps its connection; where there are too many the oldest goes, so slow ones shut nobody out.
 */
export class StrangerBodies {
  readonly #held = new HeldBytes(2 * BODY_BYTES); // what strangers send leaves room for others
  /** How to give up each body that is being read, the oldest first. */
  readonly #reading = new Set<() => void>();

  constructor(private readonly bodyMs: number) {}

  /** `late`: it did not come in time, and what is left of it is not to be waited for. */
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
    const timer = setTimeout(giveUp, this.bodyMs);
    const whole = readBytes(source, BODY_BYTES, BODY_BYTES, this.#held);
    whole.catch(() => undefined); // given up, it fails when its connection is closed
    try {
      return (await Promise.race([whole, late])) ?? 'too large';
    } finally {
      clearTimeout(timer);
      this.#reading.delete(giveUp);
    }
  }
}
