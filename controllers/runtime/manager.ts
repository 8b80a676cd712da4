import type { Logger } from 'pino';
import { settledWithin } from '../../api/platform/time-limit.js';

/** A part of the process that is started and stopped in order. */
export interface Component {
  readonly name: string;
  start(): Promise<void> | void;
  stop(): Promise<void> | void;
}

/** Creates a component that runs from `begin` until the function which that returned is called. */
export function ongoing(name: string, begin: () => () => Promise<void> | void): Component {
  const ends: (() => Promise<void> | void)[] = [];
  return {
    name,
    start: () => void ends.push(begin()),
    stop: async () => {
      for (const end of ends.splice(0)) await end();
    },
  };
}

/** How long a component may take to stop, ms: loops let passes run for 5 s and then abort them. */
const STOP_MS = 8000;

/**
 * Starts components one after another and stops them in reverse. When one fails to start, those before it are stopped
 * again and the error is thrown. One that fails to stop, or has not stopped within `stopMs`, is logged and does not
 * keep the others from stopping.
 */
export class Manager {
  readonly #started: Component[] = [];

  constructor(
    private readonly log: Logger,
    private readonly stopMs = STOP_MS,
  ) {}

  async start(components: readonly Component[]): Promise<void> {
    for (const component of components) {
      try {
        await component.start();
      } catch (error) {
        await this.stop();
        throw new Error(`Could not start ${component.name}`, { cause: error });
      }
      this.#started.push(component);
    }
  }

  async stop(): Promise<void> {
    for (const component of this.#started.splice(0).reverse()) {
      try {
        const late = () => new Error(`Not stopped within ${this.stopMs} ms`);
        await settledWithin(this.stopMs, Promise.resolve(component.stop()), late);
      } catch (error) {
        this.log.error({ err: error, component: component.name }, `Could not stop ${component.name}`);
      }
    }
  }
}
