import { type EngineEvent, EngineUnreachable } from '../engine.js';

/** Docker keeps this many for `since`. */
const KEPT_EVENTS = 256;

interface Subscriber {
  readonly queue: EngineEvent[];
  broken: boolean;
  wake: () => void;
}

/** Docker's event log: what happened last, and who listens. */
export class MemoryEvents {
  readonly #log: EngineEvent[] = [];
  readonly #subscribers = new Set<Subscriber>();
  #lastNano = 0n;
  /** Events that it picks are told to nobody. */
  drops: ((event: EngineEvent) => boolean) | undefined;
  /** Told of everything that happens, in the same moment. */
  onEvent: (() => void) | undefined;

  constructor(readonly now: () => number) {}

  get listeners(): number {
    return this.#subscribers.size;
  }

  emit(type: EngineEvent['type'], action: string, id: string, attributes: Readonly<Record<string, string>> = {}): void {
    const nano = BigInt(this.now()) * 1_000_000n;
    this.#lastNano = nano > this.#lastNano ? nano : this.#lastNano + 1n;
    const event: EngineEvent = { type, action, id, attributes, timeNano: String(this.#lastNano) };
    this.onEvent?.();
    this.#log.push(event);
    if (this.#log.length > KEPT_EVENTS) this.#log.shift();
    if (this.drops?.(event)) return;
    for (const subscriber of this.#subscribers) {
      subscriber.queue.push(event);
      subscriber.wake();
    }
  }

  /** Ends every stream as a lost connection does: what was said before is still heard. */
  breakStreams(): void {
    for (const subscriber of this.#subscribers) {
      subscriber.broken = true;
      subscriber.wake();
    }
  }

  /** As a restarted daemon. */
  forget(): void {
    this.#log.length = 0;
  }

  async *follow(since: string | undefined, onOpen: () => void, signal: AbortSignal): AsyncIterable<EngineEvent> {
    if (signal.aborted) return;
    const missed = since === undefined ? [] : this.#log.filter(({ timeNano }) => BigInt(timeNano) >= BigInt(since));
    const subscriber: Subscriber = { queue: missed, broken: false, wake: () => undefined };
    const onAbort = (): void => subscriber.wake();
    this.#subscribers.add(subscriber);
    signal.addEventListener('abort', onAbort);
    try {
      onOpen();
      while (!signal.aborted) {
        const event = subscriber.queue.shift();
        if (event !== undefined) yield event;
        else if (subscriber.broken) throw new EngineUnreachable('The engine ended its event stream');
        else {
          await new Promise<void>((resolve) => {
            subscriber.wake = resolve;
          });
        }
      }
    } finally {
      this.#subscribers.delete(subscriber);
      signal.removeEventListener('abort', onAbort);
    }
  }
}
