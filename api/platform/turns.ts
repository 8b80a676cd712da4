/** Runs actions one after another, in the order of their calls. A failure concerns its own caller only. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  run<T>(action: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(action);
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  /** Resolves when everything that was enqueued until now has ended. */
  async idle(): Promise<void> {
    await this.#last;
  }
}

/** Runs that many actions at once; the others wait, in the order of their calls. */
export class Limiter {
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(private readonly atOnce: number) {}

  /** Starts within the call when there is room. */
  async run<T>(action: () => Promise<T>): Promise<T> {
    if (this.#running < this.atOnce) this.#running += 1;
    else await new Promise<void>((go) => this.#waiting.push(go));
    try {
      return await action();
    } finally {
      // The next one takes the place over, so that nobody who comes meanwhile is one too many.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running -= 1;
    }
  }
}
