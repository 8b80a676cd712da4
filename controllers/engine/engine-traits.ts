import type { Logger } from 'pino';
import type { Cancel, Clock } from '../../api/platform/clock.js';
import { withTimeout } from '../../api/platform/time-limit.js';
import type { Engine } from './engine.js';
import type { EngineCache } from './engine-cache.js';

/** Traits of an engine, as far as they are known. */
export interface EngineTraits {
  /** Log driver of containers without one. */
  readonly logDriver: string | undefined;
  /** As `uname -m` of its machine: `x86_64`, `armv7l`. Also unknown where programs for other machines are emulated. */
  readonly machine: string | undefined;
  /** Newest version of its API, as in `1.41`. */
  readonly apiVersion: string | undefined;
}

/** The traits of an engine that was not asked yet. */
export const UNKNOWN_TRAITS: EngineTraits = { logDriver: undefined, machine: undefined, apiVersion: undefined };

const ANSWER_LIMIT_MS = 10_000;
/** How soon a connected engine is asked again that did not answer, ms. */
const AGAIN_MS = 30_000;

/** Reads the traits of one engine at the start and after each time that it was away: it may have another configuration then. */
export class TraitsReader {
  #traits = UNKNOWN_TRAITS;
  #hadSynced = false;
  #cancel: Cancel = () => undefined;
  readonly #stopping = new AbortController();

  constructor(
    private readonly deps: {
      readonly engine: Pick<Engine, 'info'>;
      readonly cache: EngineCache;
      /** Tells whether programs for other machines run on the engine's as well. */
      readonly emulates: () => Promise<boolean>;
      readonly clock: Clock;
      readonly log: Logger;
    },
  ) {}

  get traits(): EngineTraits {
    return this.#traits;
  }

  /** Resolves when the engine has answered, or failed to: whoever starts after it knows what can be known. */
  async start(): Promise<void> {
    const { cache } = this.deps;
    const end = cache.onChange(({ type }) => {
      if (type !== 'all') return;
      if (cache.hasSynced && !this.#hadSynced) void this.#ask();
      else if (!cache.hasSynced) this.#cancel(); // it is asked when it is back
      this.#hadSynced = cache.hasSynced;
    });
    this.#stopping.signal.addEventListener('abort', end, { once: true });
    this.#hadSynced = cache.hasSynced;
    if (cache.hasSynced) await this.#ask();
  }

  stop(): void {
    this.#cancel();
    this.#stopping.abort();
  }

  /** Asks the engine. Never throws: unknown traits stay undefined. */
  async #ask(): Promise<void> {
    const { engine, emulates, clock, log } = this.deps;
    this.#cancel();
    try {
      const { logDriver, machine, apiVersion } = await withTimeout(
        ANSWER_LIMIT_MS,
        this.#stopping.signal,
        (signal) => engine.info(signal),
        'Docker did not answer',
      );
      this.#traits = { logDriver, machine: (await emulates()) ? undefined : machine, apiVersion };
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      log.warn({ err: error }, 'The engine does not say what it is like, asking again');
      this.#cancel = clock.after(AGAIN_MS, () => void this.#ask());
    }
  }
}
