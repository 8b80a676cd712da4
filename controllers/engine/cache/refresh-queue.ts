import type { Cancel, Clock } from '../../../api/platform/clock.js';

const RETRY_FIRST_MS = 1_000;
const RETRY_LONGEST_MS = 30_000;
/** Number of failures in a row that count as failing; one inspection without an answer in time does as well. */
const FAILURES_LIMIT = 3;

/** An object that cannot be refreshed. */
export interface Failing {
  readonly times: number;
  /** When the first failed refresh began, time of day, ms. */
  readonly sinceMs: number;
  readonly error: unknown;
}

/**
 * Refreshes marked keys after `delayMs`, once however often a key was marked. A key that is marked while it is refreshed
 * is refreshed once more. A failed refresh is repeated with growing delays.
 */
export class RefreshQueue {
  /** Keys that are marked and not due yet, with how to cancel them. */
  readonly #marked = new Map<string, Cancel>();
  /** Keys that are due, in order, while the limit of refreshes is reached. */
  readonly #due = new Set<string>();
  /** Keys that are being refreshed; true: marked again meanwhile. */
  readonly #running = new Map<string, boolean>();
  readonly #failures = new Map<string, Failing>();
  #stopped = false;

  constructor(
    private readonly options: {
      readonly look: (key: string) => Promise<void>;
      readonly failed: (key: string, error: unknown) => void;
      /** Called when the result of `failing` for the key has changed. */
      readonly failingChanged?: (key: string) => void;
      readonly delayMs: number;
      readonly atOnce: number;
      readonly clock: Clock;
    },
  ) {}

  mark(key: string): void {
    if (this.#stopped || this.#marked.has(key)) return;
    if (this.#running.has(key)) this.#running.set(key, true);
    else {
      this.#failures.delete(key); // somebody has refreshed it since
      this.#schedule(key, this.options.delayMs);
    }
  }

  /** Returns how refreshing a key keeps failing or hangs; undefined when it does not, and when somebody else has refreshed it since. */
  failing(key: string): Failing | undefined {
    const failing = this.#failures.get(key);
    return failing && isFailing(failing) && this.has(key) ? failing : undefined;
  }

  /** Keys that are failing. */
  get allFailing(): readonly string[] {
    return [...this.#failures.keys()].filter((key) => this.failing(key) !== undefined);
  }

  /** Removes a mark: somebody else is refreshing the key. */
  unmark(key: string): void {
    this.#marked.get(key)?.();
    this.#marked.delete(key);
  }

  /** Removes the marks that begin with `prefix`. */
  unmarkAll(prefix: string): void {
    for (const key of [...this.#marked.keys()]) if (key.startsWith(prefix)) this.unmark(key);
  }

  /** Tells whether the key is marked or being refreshed. */
  has(key: string): boolean {
    return this.#marked.has(key) || this.#running.has(key);
  }

  stop(): void {
    this.#stopped = true;
    this.unmarkAll('');
  }

  #schedule(key: string, delayMs: number): void {
    const begin = () => {
      this.#due.add(key);
      this.#marked.set(key, () => this.#due.delete(key));
      this.#fill();
    };
    this.#marked.set(key, this.options.clock.after(delayMs, begin));
  }

  /** Starts refreshes that are due, up to the limit. */
  #fill(): void {
    for (const key of this.#due) {
      if (this.#running.size >= this.options.atOnce) return;
      this.#due.delete(key);
      this.#marked.delete(key);
      void this.#look(key);
    }
  }

  async #look(key: string): Promise<void> {
    this.#running.set(key, false);
    const beganMs = this.options.clock.now();
    const before = this.#failures.get(key);
    try {
      await this.options.look(key);
      this.#failures.delete(key);
    } catch (error) {
      this.#retry(key, { times: (before?.times ?? 0) + 1, sinceMs: before?.sinceMs ?? beganMs, error });
    }
    const again = this.#running.get(key) === true;
    this.#running.delete(key);
    if (again) this.mark(key);
    const after = this.#failures.get(key);
    if (isFailing(before) !== isFailing(after)) this.options.failingChanged?.(key);
    this.#fill();
  }

  #retry(key: string, failing: Failing): void {
    if (this.#stopped) return;
    this.#failures.set(key, failing);
    this.options.failed(key, failing.error);
    if (this.#marked.has(key)) return;
    this.#schedule(key, Math.min(RETRY_FIRST_MS * 2 ** (failing.times - 1), RETRY_LONGEST_MS));
  }
}

const isFailing = (failing: Failing | undefined): boolean =>
  failing !== undefined &&
  (failing.times >= FAILURES_LIMIT || (failing.error instanceof Error && failing.error.name === 'TimeoutError'));
