import type { Logger } from 'pino';
import { errorMessage } from '../../../api/platform/errors.js';
import { Backoff } from '../../runtime/backoff.js';
import type { Cancel, Clock } from '../../runtime/delays.js';
import type { Informer } from '../cache/informer.js';

/** How often the daemon is looked at while it is well, and while it is not, ms. */
const LOOK_MS = 10_000;
const TROUBLED_LOOK_MS = 1_000;
/** A daemon that takes longer than this over a ping hangs; one that unpacks images on a small device takes seconds, ms. */
const ANSWER_LIMIT_MS = 15_000;
/** Between two starts, ms. */
const RESTART_MS = { firstMs: 1_000, maxMs: 60_000 };
/** One that has run for so long has not ended because of how it was started, ms. */
const STEADY_MS = 60_000;

/** The daemon of an engine of our own. */
export interface Daemon {
  /** Its process is there. */
  isRunning(): Promise<boolean>;
  /** Its API answers. */
  answers(signal: AbortSignal): Promise<boolean>;
  /** Resolves when it answers; rejects with why it did not start. */
  start(signal?: AbortSignal): Promise<void>;
}

export interface EngineKeeperDeps {
  readonly daemon: Daemon;
  readonly world: Pick<Informer, 'fresh' | 'explain' | 'onChange'>;
  readonly clock: Clock;
  /** Monotonic, ms. */
  readonly elapsedMs: () => number;
  readonly random: () => number;
  /** Tells people what happened to the engine. */
  readonly tell: (type: 'Normal' | 'Warning', reason: string, message: string) => void;
  readonly log: Pick<Logger, 'error'>;
}

/**
 * Looks after the daemon of an engine of our own: starts it again when it has ended, with back-off, and says while it hangs.
 * A hanging one is left alone: it may hold the only way to its containers, and most go on by themselves.
 */
export class EngineKeeper {
  readonly name = 'the engine of our own';
  readonly #backoff: Backoff;
  readonly #stopping = new AbortController();
  #trouble: string | undefined;
  /** Since when the daemon is known to run, monotonic ms; undefined while it does not. */
  #runsSinceMs: number | undefined;
  /** Before this it is not started again, monotonic ms. */
  #notBeforeMs = 0;
  #isLooking = false;
  #turn: Promise<void> = Promise.resolve();
  #cancel: Cancel = () => undefined;
  #unwatch: Cancel = () => undefined;

  constructor(private readonly deps: EngineKeeperDeps) {
    this.#backoff = new Backoff({ ...RESTART_MS, random: deps.random });
  }

  start(): void {
    const { world } = this.deps;
    // The stream of events breaks as soon as the daemon ends.
    this.#unwatch = world.onChange(({ type }) => {
      if (type === 'all' && !world.fresh) this.#look();
    });
    this.#look();
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error('The agent is stopping'));
    this.#unwatch();
    this.#cancel();
    await this.#turn;
  }

  /** What is wrong with the daemon, in one sentence; undefined while nothing is. */
  get trouble(): string | undefined {
    return this.#trouble;
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
        const isWell = this.#trouble === undefined && this.deps.world.fresh;
        this.#cancel = this.deps.clock.after(isWell ? LOOK_MS : TROUBLED_LOOK_MS, () => this.#look());
      });
  }

  async #examine(): Promise<void> {
    const { daemon, elapsedMs, tell } = this.deps;
    if (!(await daemon.isRunning())) return this.#startAgain();
    const limit = new AbortController();
    const cancel = this.deps.clock.after(ANSWER_LIMIT_MS, () => limit.abort());
    const signal = AbortSignal.any([limit.signal, this.#stopping.signal]);
    const isAnswering = await daemon.answers(signal).finally(cancel);
    if (this.#stopping.signal.aborted) return;
    this.#runsSinceMs ??= elapsedMs();
    if (isAnswering) {
      if (this.#trouble !== undefined) tell('Normal', 'EngineAnswers', 'The Docker engine of our own answers again');
      this.#say(undefined);
    } else if (await daemon.isRunning()) {
      const words = `The Docker engine of our own runs, but does not answer within ${ANSWER_LIMIT_MS / 1000} s`;
      if (this.#trouble !== words) tell('Warning', 'EngineHangs', words);
      this.#say(words);
    }
  }

  async #startAgain(): Promise<void> {
    const { daemon, elapsedMs, tell } = this.deps;
    if (this.#runsSinceMs !== undefined || this.#trouble === undefined) {
      if (elapsedMs() - (this.#runsSinceMs ?? elapsedMs()) >= STEADY_MS) this.#backoff.forget(this.name);
      this.#runsSinceMs = undefined;
      tell('Warning', 'EngineEnded', 'The Docker engine of our own has ended');
      this.#postpone('The Docker engine of our own has ended');
    }
    if (elapsedMs() < this.#notBeforeMs) return;
    try {
      await daemon.start(this.#stopping.signal);
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      // How it ended stands in the first line, and why in the last one that it printed.
      const lines = errorMessage(error).split('\n');
      const why = [lines[0], ...lines.slice(1).slice(-1)].join(': ');
      tell('Warning', 'EngineNotStarted', why);
      this.#postpone(why);
      return;
    }
    this.#runsSinceMs = elapsedMs();
    tell('Normal', 'EngineStarted', 'Started the Docker engine of our own again');
    this.#say(undefined);
  }

  #postpone(why: string): void {
    const waitMs = this.#backoff.next(this.name);
    this.#notBeforeMs = this.deps.elapsedMs() + waitMs;
    this.#say(`${why}; it is started again in ${Math.ceil(waitMs / 1000)} s`);
  }

  #say(trouble: string | undefined): void {
    this.#trouble = trouble;
    this.deps.world.explain(trouble);
  }
}
