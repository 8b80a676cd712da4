import type { Logger } from 'pino';
import type { Cancel, Clock } from '../../api/platform/clock.js';
import { errorMessage } from '../../api/platform/errors.js';
import type { EventReason } from '../../crds/model/event-reasons.js';
import { Backoff } from '../runtime/backoff.js';
import type { Informer } from './cache/informer.js';
import type { EngineRestarts } from './engine-restarts.js';
import type { PortProxy } from './local/port-proxy.js';
import { type RequestWatch, timeText } from './request-watch.js';

/** How often the engine is checked while it is well, and while it is not, ms. */
const LOOK_MS = 10_000;
const FAILING_LOOK_MS = 1_000;
/** An engine that takes longer than this to answer hangs, ms; one that unpacks images on a small device takes seconds. */
const ANSWER_LIMIT_MS = 15_000;
/** Delay between two starts, ms. */
const RESTART_MS = { firstMs: 1_000, maxMs: 60_000 };
/** A daemon that has run for this long has not ended because of its start, ms. */
const MIN_READY_MS = 60_000;

/**
 * How an engine answers. `half`: it accepts connections, but something that it needs for its work does not answer;
 * `what` names that. `unreachable`: nobody listens at its address.
 */
export type Finding =
  | { readonly is: 'answers' | 'hangs' }
  | { readonly is: 'half'; readonly what: string }
  | { readonly is: 'unreachable'; readonly why: string };

/** The daemon of an engine. */
export interface Daemon {
  /** Name for people: the beginning of a sentence. */
  readonly name: string;
  /**
   * Checks whether it answers; until the signal fires. `closely`: requests are overdue, so it is worth a request to
   * find out whether all of it hangs. Otherwise none is sent.
   */
  look(signal: AbortSignal, closely: boolean): Promise<Finding>;
  /** The process of an engine that is ours to start; undefined for any other. */
  readonly process?: {
    /** Tells whether it exists. */
    isRunning(): Promise<boolean>;
    /** Starts it; resolves when it answers, rejects with why it did not start. Ends one first that runs and cannot be reached. */
    start(signal?: AbortSignal): Promise<void>;
    /** Ends it and starts it; its containers run on. Resolves and rejects like `start`. */
    restart(signal?: AbortSignal): Promise<void>;
    /** Returns the ids of the containers that its containerd runs, whether the engine knows them or not. */
    tasks(): Promise<readonly string[]>;
    /** Returns its process that listens at a port of the host; undefined when none of its own does. */
    portProxy?(at: { readonly address: string; readonly port: number }): PortProxy | undefined;
  };
}

export interface EngineKeeperDeps {
  readonly daemon: Daemon;
  readonly cache: Pick<Informer, 'hasSynced' | 'explain' | 'onChange'>;
  /** Knows whether requests are overdue, and when one becomes so. */
  readonly requests?: Pick<RequestWatch, 'isOverdue' | 'onChange'>;
  /** Requests for a restart although it is well. */
  readonly restarts?: Pick<EngineRestarts, 'take'>;
  readonly clock: Clock;
  /** Monotonic clock, ms. */
  readonly elapsedMs: () => number;
  readonly random: () => number;
  /** Records what happened to the engine. */
  readonly emit: (type: 'Normal' | 'Warning', reason: EventReason, message: string) => void;
  readonly log: Pick<Logger, 'error'>;
}

/**
 * Watches an engine: reports while it hangs or cannot be reached, and since when; starts the daemon again, with
 * back-off, where it is ours and has ended or has lost its socket. A hanging one is left alone: it may hold the only
 * way to its containers, and most go on by themselves.
 */
export class EngineKeeper {
  readonly name = 'the watch over the engine';
  readonly #backoff: Backoff;
  readonly #stopping = new AbortController();
  #failure: string | undefined;
  /** What is wrong, and since when (time of day, ms), while it does not answer. */
  #found: { readonly what: string; readonly sinceMs: number } | undefined;
  /** Since when the daemon is known to run, monotonic clock, ms; undefined while it does not. */
  #runsSinceMs: number | undefined;
  /** Before this it is not started again, monotonic clock, ms. */
  #notBeforeMs = 0;
  #isLooking = false;
  #turn: Promise<void> = Promise.resolve();
  #cancel: Cancel = () => undefined;
  readonly #unwatch: Cancel[] = [];

  constructor(private readonly deps: EngineKeeperDeps) {
    this.#backoff = new Backoff({ ...RESTART_MS, random: deps.random });
  }

  start(): void {
    const { cache, requests } = this.deps;
    // The event stream breaks as soon as the daemon ends.
    this.#unwatch.push(
      cache.onChange(({ type }) => {
        if (type === 'all' && !cache.hasSynced) this.#look();
      }),
    );
    if (requests) this.#unwatch.push(requests.onChange(() => this.#look()));
    this.#look();
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error('The agent is stopping'));
    for (const unwatch of this.#unwatch.splice(0)) unwatch();
    this.#cancel();
    await this.#turn;
  }

  /** What is wrong with the daemon, in one sentence; undefined when nothing is. */
  get failure(): string | undefined {
    return this.#failure;
  }

  #look(): void {
    if (this.#isLooking || this.#stopping.signal.aborted) return;
    this.#isLooking = true;
    this.#cancel();
    this.#turn = this.#examine()
      .catch((error: unknown) => {
        if (!this.#stopping.signal.aborted) this.deps.log.error({ err: error }, 'Could not look after the engine');
      })
      .then(() => {
        this.#isLooking = false;
        if (this.#stopping.signal.aborted) return;
        const isWell = this.#failure === undefined && this.deps.cache.hasSynced;
        this.#cancel = this.deps.clock.after(isWell ? LOOK_MS : FAILING_LOOK_MS, () => this.#look());
      });
  }

  async #examine(): Promise<void> {
    const { daemon, requests, clock, elapsedMs } = this.deps;
    const { name, process } = daemon;
    if (process && !(await process.isRunning())) return this.#startAgain('EngineEnded', `${name} has ended`);
    const beganMs = clock.now();
    const limit = new AbortController();
    const cancel = clock.after(ANSWER_LIMIT_MS, () => limit.abort());
    const signal = AbortSignal.any([limit.signal, this.#stopping.signal]);
    const finding = await daemon.look(signal, requests?.isOverdue === true).finally(cancel);
    if (this.#stopping.signal.aborted) return;
    // One that ends meanwhile is seen at the next check.
    if (process && finding.is !== 'answers' && !(await process.isRunning())) return;
    if (finding.is === 'unreachable') return this.#lost(finding.why, beganMs);
    this.#runsSinceMs ??= elapsedMs();
    if (finding.is === 'answers') {
      this.#well();
      const why = process && this.deps.restarts?.take();
      if (why !== undefined) await this.#restart(why);
    } else this.#fail('EngineHangs', finding.is === 'half' ? halfText(name, finding.what) : hangText(daemon), beganMs);
  }

  #well(): void {
    const { daemon, emit } = this.deps;
    this.#found = undefined;
    if (this.#failure !== undefined) emit('Normal', 'EngineAnswers', `${daemon.name} answers again`);
    this.#explain(undefined);
  }

  #lost(why: string, beganMs: number): Promise<void> | void {
    const { name, process } = this.deps.daemon;
    if (process) return this.#startAgain('EngineUnreachable', `${name} runs, but cannot be reached: ${why}`);
    this.#fail('EngineUnreachable', `${name} cannot be reached: ${why}`, beganMs);
  }

  #fail(reason: EventReason, what: string, beganMs: number): void {
    if (this.#found?.what !== what) {
      this.#found = { what, sinceMs: beganMs };
      this.deps.emit('Warning', reason, what);
    }
    this.#explain(`${what}, since ${timeText(this.#found.sinceMs)}`);
  }

  async #startAgain(reason: EventReason, why: string): Promise<void> {
    const { daemon, elapsedMs, emit } = this.deps;
    this.#found = undefined;
    if (this.#runsSinceMs !== undefined || this.#failure === undefined) {
      if (elapsedMs() - (this.#runsSinceMs ?? elapsedMs()) >= MIN_READY_MS) this.#backoff.forget(this.name);
      this.#runsSinceMs = undefined;
      emit('Warning', reason, why);
      this.#postpone(why);
    }
    if (elapsedMs() < this.#notBeforeMs) return;
    await this.#begin(() => daemon.process?.start(this.#stopping.signal));
  }

  async #restart(why: string): Promise<void> {
    const { daemon, emit } = this.deps;
    const what = `${daemon.name} is restarted, its containers run on`;
    emit('Warning', 'EngineRestarting', `${what}: ${why}`);
    this.#explain(what);
    this.#runsSinceMs = undefined;
    await this.#begin(() => daemon.process?.restart(this.#stopping.signal));
  }

  async #begin(start: () => Promise<void> | undefined): Promise<void> {
    const { daemon, elapsedMs, emit } = this.deps;
    try {
      await start();
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      // The first line says how it ended, and its own last one why.
      const lines = errorMessage(error).split('\n');
      const cause = [lines[0], ...lines.slice(1).slice(-1)].join(': ');
      emit('Warning', 'EngineNotStarted', cause);
      this.#postpone(cause);
      return;
    }
    this.#runsSinceMs = elapsedMs();
    emit('Normal', 'EngineStarted', `Started ${daemon.name.replace(/^The /, 'the ')} again`);
    this.#explain(undefined);
  }

  #postpone(why: string): void {
    const waitMs = this.#backoff.next(this.name);
    this.#notBeforeMs = this.deps.elapsedMs() + waitMs;
    this.#explain(`${why}; it is started again in ${Math.ceil(waitMs / 1000)} s`);
  }

  #explain(failure: string | undefined): void {
    this.#failure = failure;
    this.deps.cache.explain(failure);
  }
}

const hangText = ({ name, process }: Daemon): string =>
  `${name} ${process ? 'runs' : 'takes connections'}, but does not answer within ${ANSWER_LIMIT_MS / 1000} s`;

const halfText = (name: string, what: string): string =>
  `${name} takes connections, but ${what} does not answer within ${ANSWER_LIMIT_MS / 1000} s`;
