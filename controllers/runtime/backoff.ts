/** Exponential back-off with jitter, for each key on its own: one bad image slows nobody else. */
export class Backoff {
  readonly #failures = new Map<string, number>();

  constructor(
    private readonly options: {
      readonly firstMs: number;
      readonly maxMs: number;
      /** 0 ≤ x < 1 */
      readonly random: () => number;
    },
  ) {}

  /** Counts a failure and returns how long to wait, ms: doubled each time up to the maximum, less up to a quarter of jitter. */
  next(key: string): number {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    const full = Math.min(this.options.firstMs * 2 ** Math.min(failures, 30), this.options.maxMs);
    return Math.round(full * (1 - this.options.random() / 4));
  }

  failures(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  forget(key: string): void {
    this.#failures.delete(key);
  }
}
