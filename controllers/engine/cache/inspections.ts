import type { Cancel, Clock } from '../../runtime/delays.js';

const RETRY_FIRST_MS = 1_000;
const RETRY_LONGEST_MS = 30_000;

/**
 * Looks at marked keys a moment later, once however often they were marked; marked while being looked at: once more.
 * A failed look is repeated with growing delays.
 */
export class Inspections {
  /** Marked, not begun; and how to take the mark back. */
  readonly #marked = new Map<string, Cancel>();
  /** Being looked at; true: marked again meanwhile. */
  readonly #running = new Map<string, boolean>();
  readonly #failures = new Map<string, number>();
  #stopped = false;

  constructor(
    private readonly options: {
      readonly look: (key: string) => Promise<void>;
      readonly failed: (key: string, error: unknown) => void;
      readonly delayMs: number;
      readonly atOnce: number;
      readonly clock: Clock;
    },
  ) {}

  mark(key: string): void {
    if (this.#stopped || this.#marked.has(key)) return;
    if (this.#running.has(key)) this.#running.set(key, true);
    else this.#schedule(key, this.options.delayMs);
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
      this.#marked.delete(key);
      if (this.#running.size < this.options.atOnce) void this.#look(key);
      else this.#schedule(key, this.options.delayMs);
    };
    this.#marked.set(key, this.options.clock.after(delayMs, begin));
  }

  async #look(key: string): Promise<void> {
    this.#running.set(key, false);
    try {
      await this.options.look(key);
      this.#failures.delete(key);
    } catch (error) {
      this.#retry(key, error);
    }
    const again = this.#running.get(key) === true;
    this.#running.delete(key);
    if (again) this.mark(key);
  }

  #retry(key: string, error: unknown): void {
    if (this.#stopped) return;
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    this.options.failed(key, error);
    if (!this.#marked.has(key)) this.#schedule(key, Math.min(RETRY_FIRST_MS * 2 ** failures, RETRY_LONGEST_MS));
  }
}
