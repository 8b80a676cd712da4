/** How far a container's log was read: lines up to `atMs`, and `count` of those at `atMs` itself. */
export interface LogPosition {
  /** ms since the epoch */
  readonly atMs: number;
  readonly count: number;
}

/**
 * Tells new lines from repeated ones on a stream that begins at `from.atMs`: the engine repeats that millisecond, in the
 * same order. `isNew` is asked once for each line; `position` is where to go on after it.
 */
export class LogReader {
  /** Lines of the first millisecond that were read before. */
  #repeated: number;
  #position: LogPosition;

  constructor(private readonly from: LogPosition) {
    this.#repeated = from.count;
    this.#position = from;
  }

  get position(): LogPosition {
    return this.#position;
  }

  isNew(timestamp: number): boolean {
    if (timestamp < this.from.atMs) return false;
    if (timestamp === this.from.atMs && this.#repeated > 0) {
      this.#repeated -= 1;
      return false;
    }
    const { atMs, count } = this.#position;
    // A line that is older than its predecessor (stdout and stderr may change places) does not move the position back.
    if (timestamp === atMs) this.#position = { atMs, count: count + 1 };
    else if (timestamp > atMs) this.#position = { atMs: timestamp, count: 1 };
    return true;
  }
}
