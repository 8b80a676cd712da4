import type { Logger } from 'pino';
import type { Clock } from '../../../api/platform/clock.js';
import { errorMessage } from '../../../api/platform/errors.js';
import { withTimeout } from '../../../api/platform/time-limit.js';
import type { Vitals } from '../../runtime/health.js';
import { type Engine, EngineUnreachable } from '../engine.js';
import type { EngineCache } from '../engine-cache.js';
import { type CacheDeps, CachedEngine, type EngineSnapshot } from './cached-engine.js';

/** How long the engine may take to accept the subscription, and again to answer the lists, ms. */
const LIST_LIMIT_MS = 60_000;
const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 5_000;
const COALESCE_MS = 15;

export interface Informer extends EngineCache {
  /** Everything that is known, at this moment. Asks nobody. */
  snapshot(): EngineSnapshot;
  /** For the health check. */
  readonly vitals: Vitals;

  /** Resolves after the first full list or the first failed attempt: an engine that is down keeps nobody from starting. */
  start(): Promise<void>;
  /**
   * Lists everything again and announces what differs. Never throws: `syncError` says what failed. While disconnected
   * it tries to connect at once.
   */
  relist(): Promise<void>;
  /**
   * Sets what the keeper of the engine knows to be wrong with it: it becomes the `syncError` in place of what a
   * connection shows, and an open connection is dropped. Until it is cleared (undefined) the cache is not synced, even
   * if a new connection could be; then everything is listed again, or a connection is tried at once.
   */
  explain(why: string | undefined): void;
  stop(): Promise<void>;
}

/** Returns the delay after that many failed attempts in a row, ms. Pure. */
export const reconnectDelayMs = (failures: number): number =>
  Math.min(FIRST_DELAY_MS * 2 ** Math.min(failures - 1, 20), LONGEST_DELAY_MS);

/** Creates the cache of one engine. Nothing is requested before `start`. */
export function startInformer(deps: {
  readonly engine: Engine;
  readonly log: Logger;
  readonly clock: Clock;
  /** False for an engine on another machine, whose clock may differ. */
  readonly sameClock?: boolean;
  readonly coalesceMs?: number;
  readonly wanted?: () => Iterable<string>;
  readonly requests?: CacheDeps['requests'];
}): Informer {
  return new EngineInformer({ sameClock: true, coalesceMs: COALESCE_MS, ...deps });
}

/** Returns the vitals of an engine that has not been asked yet. */
function unasked(clock: Clock): Vitals {
  const nowMs = clock.monotonic();
  return { listedAtMs: undefined, triedAtMs: nowMs, lostAtMs: nowMs, engineAnswers: true };
}

/** The state of the connection, by which `relist` decides. */
interface Connection {
  /** Serializes the lists of one connection. */
  listing: Promise<void>;
  readonly broken: AbortController;
}

class EngineInformer extends CachedEngine implements Informer {
  readonly #ending = new AbortController();
  /** Callers that wait until the present attempt has listed everything or failed. */
  #attempted: (() => void)[] = [];
  #connection: Connection | undefined;
  /** Ends the pause between two attempts. */
  #hurry: (() => void) | undefined;
  #loop: Promise<void> | undefined;
  #vitals: Vitals;
  #explanation: string | undefined;
  /** When the explanation was first set, ms. */
  #explainedAtMs = 0;
  /** Ends the present connection, or the attempt to open one. */
  #attempt: AbortController | undefined;

  constructor(private readonly own: CacheDeps) {
    super(own);
    this.#vitals = unasked(own.clock);
  }

  get vitals(): Vitals {
    if (this.#explanation === undefined) return this.#vitals;
    return { ...this.#vitals, lostAtMs: this.#vitals.lostAtMs ?? this.#explainedAtMs, engineAnswers: false };
  }

  override get hasSynced(): boolean {
    return this.#explanation === undefined && super.hasSynced;
  }

  override lost(why: string): void {
    const nowMs = this.own.clock.monotonic();
    this.#vitals = { ...this.#vitals, triedAtMs: nowMs, lostAtMs: this.#vitals.lostAtMs ?? nowMs };
    super.lost(why);
  }

  override get syncError(): string | undefined {
    return this.hasSynced ? undefined : (this.#explanation ?? super.syncError);
  }

  explain(why: string | undefined): void {
    const before = this.#explanation;
    if (why === before) return;
    this.#explanation = why;
    if (why === undefined) {
      if (this.hasSynced) this.announce({ type: 'all' });
      // What was seen meanwhile was seen of an engine that was not well.
      void this.relist();
      return;
    }
    if (before === undefined) this.#explainedAtMs = this.own.clock.monotonic();
    // A connection that is dropped announces it itself.
    if (before !== undefined || !super.hasSynced) this.announce({ type: 'all' });
    if (before === undefined) this.#attempt?.abort(new DOMException(why, 'TimeoutError'));
  }

  start(): Promise<void> {
    if (!this.#loop) this.#vitals = unasked(this.own.clock);
    const attempted = this.#nextAttempt();
    this.#loop ??= this.#keepConnected();
    return attempted;
  }

  async relist(): Promise<void> {
    if (this.#ending.signal.aborted) return;
    const connection = this.#connection;
    if (!connection || !this.hasSynced) {
      const attempted = this.#nextAttempt();
      this.#hurry?.();
      return attempted;
    }
    connection.listing = connection.listing.then(() => this.#list(connection));
    await connection.listing.catch((error: unknown) => this.lost(sentence(error)));
  }

  override async stop(): Promise<void> {
    this.#ending.abort();
    super.stop();
    this.#hurry?.();
    await this.#loop;
    this.#endAttempt();
  }

  #nextAttempt(): Promise<void> {
    return new Promise((resolve) => this.#attempted.push(resolve));
  }

  #endAttempt(): void {
    for (const resolve of this.#attempted.splice(0)) resolve();
  }

  async #keepConnected(): Promise<void> {
    let failures = 0;
    let logged: string | undefined;
    while (!this.#ending.signal.aborted) {
      try {
        await this.#connect(() => {
          failures = 0;
          logged = undefined;
          this.own.log.info('Following the Docker engine');
          this.#endAttempt();
        });
      } catch (error) {
        if (this.#ending.signal.aborted) return;
        failures += 1;
        const why = sentence(error);
        if (why !== logged) this.own.log.warn({ err: error }, why);
        logged = why;
        this.#vitals = { ...this.#vitals, engineAnswers: !isSilence(error) };
        this.lost(why);
      }
      this.#endAttempt();
      await this.#pause(reconnectDelayMs(failures));
    }
  }

  /** Runs one connection, from subscribing to the end of its events; always ends by throwing. */
  async #connect(listed: () => void): Promise<never> {
    const broken = new AbortController();
    this.#attempt = broken;
    const end = () => broken.abort(this.#ending.signal.reason);
    this.#ending.signal.addEventListener('abort', end, { once: true });
    const connection: Connection = { listing: Promise.resolve(), broken };
    try {
      // Events first: nothing that happens while the lists are made may be missed.
      await this.#follow(connection, () => {
        this.#connection = connection;
        connection.listing = this.#list(connection).then(listed);
        connection.listing.catch((error: unknown) => broken.abort(error));
      });
      throw new Error('it closed its stream of events');
    } catch (error) {
      // Ended by us: the cause is why.
      throw broken.signal.aborted ? broken.signal.reason : error;
    } finally {
      this.#connection = undefined;
      this.#ending.signal.removeEventListener('abort', end);
      broken.abort(new Error('The connection has ended'));
    }
  }

  async #follow({ broken }: Connection, opened: () => void): Promise<void> {
    const tooLate = this.own.clock.after(LIST_LIMIT_MS, () => {
      const why = `it did not accept a subscription to its events within ${LIST_LIMIT_MS / 1000} s`;
      broken.abort(new DOMException(why, 'TimeoutError'));
    });
    const onOpen = () => {
      tooLate();
      opened();
    };
    try {
      for await (const event of this.own.engine.events(undefined, onOpen, broken.signal)) this.handleEvent(event);
    } finally {
      tooLate();
    }
  }

  async #list({ broken }: Connection): Promise<void> {
    try {
      await withTimeout(LIST_LIMIT_MS, broken.signal, (signal) => this.list(signal), 'Docker did not answer');
      const nowMs = this.own.clock.monotonic();
      this.#vitals = { listedAtMs: nowMs, triedAtMs: nowMs, lostAtMs: undefined, engineAnswers: true };
    } catch (error) {
      broken.abort(error);
      throw error;
    }
  }

  #pause(ms: number): Promise<void> {
    if (this.#ending.signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.own.clock.after(ms, resolve);
      this.#hurry = () => {
        cancel();
        resolve();
      };
    });
  }
}

/** Tells whether nobody answered in time; anything else is an answer. */
const isSilence = (error: unknown): boolean =>
  error instanceof EngineUnreachable || (error instanceof Error && error.name === 'TimeoutError');

/** Returns why the engine cannot be followed, in one sentence. */
function sentence(error: unknown): string {
  const message = errorMessage(error)
    .split('\n', 1)[0]
    ?.replace(/[.\s]+$/, '');
  return `The Docker engine cannot be followed: ${message || 'no reason given'}`;
}
