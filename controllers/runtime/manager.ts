import type { Logger } from 'pino';
import { settledWithin } from '../../api/platform/time-limit.js';

/** One part of the process with a place in the order of things. */
export interface Part {
  readonly name: string;
  start(): Promise<void> | void;
  stop(): Promise<void> | void;
}

/** A part that goes on from `begin` until what that returned is called. */
export function ongoing(name: string, begin: () => () => Promise<void> | void): Part {
  const ends: (() => Promise<void> | void)[] = [];
  return {
    name,
    start: () => void ends.push(begin()),
    stop: async () => {
      for (const end of ends.splice(0)) await end();
    },
  };
}

/** Loops let passes run for 5 s and abort them then, ms. */
const STOP_MS = 8000;

/**
 * Starts parts one after another and stops them in reverse. A part that fails to start: those before it are stopped
 * again and the error is thrown. A part that fails to stop, or has not
 * stopped within `stopMs`, is logged and does not keep the others from stopping.
 */
export class Manager {
  readonly #started: Part[] = [];

  constructor(
    private readonly log: Logger,
    private readonly stopMs = STOP_MS,
  ) {}

  async start(parts: readonly Part[]): Promise<void> {
    for (const part of parts) {
      try {
        await part.start();
      } catch (error) {
        await this.stop();
        throw new Error(`Could not start ${part.name}`, { cause: error });
      }
      this.#started.push(part);
    }
  }

  async stop(): Promise<void> {
    for (const part of this.#started.splice(0).reverse()) {
      try {
        const late = () => new Error(`Not stopped within ${this.stopMs} ms`);
        await settledWithin(this.stopMs, Promise.resolve(part.stop()), late);
      } catch (error) {
        this.log.error({ err: error, part: part.name }, `Could not stop ${part.name}`);
      }
    }
  }
}
