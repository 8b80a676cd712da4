import type { Cancel, Clock } from '../../runtime/delays.js';

const RETRY_FIRST_MS = 1_000;
const RETRY_LONGEST_MS = 30_000;
/** Failing so often in a row is no hiccup. An inspection that was not answered in time is none either. */
const FAILURES_TOLD = 3;

/** An object that cannot be looked at. */
export interface Failing {
  readonly times: number;
  /** When the first look that failed began, by the time of day, ms. */
  readonly sinceMs: number;
  readonly error: unknown;
}

/**
 * Refreshes marked keys after `delayMs`, once however often a key was marked. A key that is marked while it is refreshed
 * is refreshed once more. A failed refresh is repeated with growing delays.
 */
export class RefreshQueue {
  /** Marked, not begun; and how to take the mark back. */
  readonly #marked = new Map<string, Cancel>();
  /** Marked and due, in their order, while as many as may be are being looked at. */
  readonly #due = new Set<string>();
  /** Being looked at; true: marked again meanwhile. */
  readonly #running = new Map<string, boolean>();
  readonly #failures = new Map<string, Failing>();
  #stopped = false;

  constructor(
    private readonly options: {
      readonly look: (key: string) => Promise<void>;
      readonly failed: (key: string, error: unknown) => void;
      /** What `failing` says of the key has changed. */
      readonly told?: (key: string) => void;
      readonly delayMs: number;
      readonly atOnce: number;
      readonly clock: Clock;
    },
  ) {}

  mark(key: string): void {
    if (this.#stopped || this.#marked.has(key)) return;
    if (this.#running.has(key)) this.#running.set(key, true);
    else {
      this.#failures.delete(key); // of another time: somebody has looked since
      this.#schedule(key, this.options.delayMs);
    }
  }

  /** How it fails, where looking at it goes on failing or hangs; undefined when it does not, and when somebody else has looked since. */
  failing(key: string): Failing | undefined {
    const failing = this.#failures.get(key);
    return failing && isTold(failing) && this.has(key) ? failing : undefined;
  }

  /** Keys that are failing. */
  get allFailing(): readonly string[] {
    return [...this.#failures.keys()].filter((key) => this.failing(key) !== undefined);
  }

  /** Takes a mark back: somebody else is looking right now. */
  unmark(key: string): void {
    this.#marked.get(key)?.();
    this.#marked.delete(key);
  }

  /** Takes back the marks that begin with `prefix`. */
  unmarkAll(prefix: string): void {
    for (const key of [...this.#marked.keys()]) if (key.startsWith(prefix)) this.unmark(key);
  }

  /** Marked or being looked at. */
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

  /** Looks at what is due, as many at once as may be. */
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
    if (isTold(before) !== isTold(after)) this.options.told?.(key);
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

const isTold = (failing: Failing | undefined): boolean =>
  failing !== undefined &&
  (failing.times >= FAILURES_TOLD || (failing.error instanceof Error && failing.error.name === 'TimeoutError'));
