import type { Cancel, Clock } from '../../api/platform/clock.js';
import type { UpdateLocks } from '../../controllers/host/locks/update-locks.js';
import type { FaultPlan } from './fault-plan.js';

/** Whoever is told of what a process does. */
export interface StepObserver {
  /** A call that is about to be carried out. */
  beforeStep?(what: string, args: readonly unknown[]): void;
  /** It has been carried out. */
  afterStep?(what: string, args: readonly unknown[]): void;
}

/** What a killed process awaits. Each time its own, so that what waits for it can be collected. */
export const never = (): Promise<never> => new Promise<never>(() => undefined);

/** One process: what it has under way, what befalls it, and whether it was killed. */
export class CrashableProcess {
  /** Resolves when the process is killed. */
  readonly end: Promise<void>;
  /** Calls under way, also those that wait for somebody else. */
  readonly open = new Set<{ readonly what: string }>();
  /** Engine calls, disk writes and lock calls so far. */
  readonly steps: string[] = [];
  readonly #files = new Set<Promise<unknown>>();
  readonly #cancels = new Set<Cancel>();
  #kill: () => void = () => undefined;
  #dead = false;

  constructor(
    private readonly surroundings: {
      faultPlan: FaultPlan;
      observer: StepObserver | undefined;
      /** Lets time pass: on the way to the other side, and on the way back. */
      elapse(what: string): void;
    },
  ) {
    this.end = new Promise((resolve) => {
      this.#kill = resolve;
    });
  }

  get dead(): boolean {
    return this.#dead;
  }

  kill(): void {
    this.#dead = true;
    for (const cancel of this.#cancels) cancel();
    this.#kill();
  }

  /** Resolves when nothing of the process touches files any more, as is the case at once when a real one dies. */
  async leftFiles(): Promise<void> {
    await Promise.allSettled(this.#files);
  }

  #file<T>(work: Promise<T>): Promise<T> {
    this.#files.add(work);
    return work.finally(() => this.#files.delete(work));
  }

  /** One step of the process, with whatever befalls it. */
  async perform<T>(what: string, args: readonly unknown[], act: () => Promise<T>): Promise<T> {
    if (this.#dead) return never();
    const { observer } = this.surroundings;
    this.steps.push(what);
    const fault = this.surroundings.faultPlan(what);
    if (fault === 'kill-before') {
      this.kill();
      return never();
    }
    const call = { what };
    this.open.add(call);
    try {
      if (fault === 'fail') throw new Error(`${what} failed, as the test wished`);
      this.surroundings.elapse(what);
      observer?.beforeStep?.(what, args);
      const result = await act();
      this.surroundings.elapse(what);
      if (!this.#dead) observer?.afterStep?.(what, args);
      if (fault === 'kill-after') this.kill();
      if (fault === 'lose') throw new Error(`The reply to ${what} was lost, as the test wished`);
      return this.#dead ? await never() : result;
    } catch (error) {
      if (this.#dead) return await never();
      throw error;
    } finally {
      this.open.delete(call);
    }
  }

  /** The clock as this process sees it: its timers die with it. */
  clock(clock: Clock): Clock {
    return {
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      after: (ms, call) => {
        if (this.#dead) return () => undefined;
        const cancel = clock.after(ms, () => {
          this.#cancels.delete(stop);
          call();
        });
        const stop = (): void => {
          this.#cancels.delete(stop);
          cancel();
        };
        this.#cancels.add(stop);
        return stop;
      },
    };
  }

  /** The lock files as this process sees them. What it held stays on disk when it dies. */
  locks(locks: UpdateLocks): UpdateLocks {
    return {
      claim: (...args) => this.perform('lock.claim', args, () => this.#file(locks.claim(...args))),
      release: (appId) => this.perform('lock.release', [appId], () => this.#file(locks.release(appId))),
      isHeld: (appId) => locks.isHeld(appId),
      during: (appId, action) => (this.#dead ? never() : locks.during(appId, action)),
      directory: (appId, service) => locks.directory(appId, service),
    };
  }
}
