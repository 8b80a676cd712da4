import { setTimeout as pause } from 'node:timers/promises';
import { systemClock } from '../../platform/clock.js';
import { CommandError, EXIT } from '../failure.js';
import { ApiError, type Client } from './client.js';

/** The fields of every object in the resource API. */
export interface Item {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly resourceVersion: string };
}

interface List<T> {
  readonly metadata: { readonly resourceVersion: string };
  readonly items: readonly T[];
}

export type Seen<T> =
  | { readonly is: 'list'; readonly items: readonly T[] }
  | { readonly is: 'change'; readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T };

/** Delay before a broken watch is opened again, ms. */
const AGAIN_MS = 500;

/**
 * Yields a whole list, then its changes; after a watch that ended (an agent that restarts, a version no longer kept) a
 * whole list again. Ends with the signal. Throws when the agent refuses, and when the very first list has no answer.
 */
export async function* watchList<T extends Item>(
  client: Client,
  path: string,
  signal: AbortSignal,
): AsyncIterable<Seen<T>> {
  for (let isFirst = true; !signal.aborted; isFirst = false) {
    try {
      const list = await client.ask<List<T>>('GET', path);
      yield { is: 'list', items: list.items };
      const query = `watch=true&resourceVersion=${list.metadata.resourceVersion}`;
      const url = `${path}${path.includes('?') ? '&' : '?'}${query}`;
      for await (const { type, object } of client.lines<WatchLine<T>>(url, signal)) {
        if (type === 'ERROR') break;
        yield { is: 'change', type, object };
      }
    } catch (error) {
      if (signal.aborted) return;
      if (isFirst || (error instanceof ApiError && error.code !== 410 && error.code < 500)) throw error;
    }
    if (!signal.aborted) await pause(AGAIN_MS, undefined, { signal }).catch(() => undefined);
  }
}

interface WatchLine<T> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'ERROR';
  readonly object: T;
}

/** Keeps all documents of some lists, by key, up to date until it is stopped. */
export class Mirror<T extends Item> {
  readonly #items = new Map<string, T>();
  readonly #listed = new Set<string>();
  readonly #closing = new AbortController();
  #failure: unknown;
  #changed: () => void = () => undefined;

  constructor(
    private readonly client: Client,
    private readonly paths: readonly string[],
  ) {}

  get(kind: string, name: string): T | undefined {
    return this.#items.get(`${kind}/${name}`);
  }

  /** Returns the documents in the order in which they came. */
  all(kind: string): readonly T[] {
    return [...this.#items.values()].filter((item) => item.kind === kind);
  }

  /**
   * Looks at once and after every change until there is a result. Undefined when time is up; throws what broke the
   * watch, or what the look throws.
   */
  async until<R>(look: (mirror: Mirror<T>) => R | undefined, withinMs: number | undefined): Promise<R | undefined> {
    const cancel = withinMs === undefined ? undefined : systemClock.after(withinMs, () => this.close());
    for (const path of this.paths) void this.#follow(path);
    try {
      for (;;) {
        const change = new Promise<void>((go) => {
          this.#changed = go;
        });
        if (this.#failure !== undefined) throw this.#failure;
        const result = this.#listed.size === this.paths.length ? look(this) : undefined;
        if (result !== undefined || this.#closing.signal.aborted) return result;
        await change;
      }
    } finally {
      cancel?.();
      this.close();
    }
  }

  /** Takes in a list that was requested separately, later than everything that the watches have shown. */
  take(items: readonly T[]): void {
    for (const item of items) this.#items.set(`${item.kind}/${item.metadata.name}`, item);
  }

  /** Looks once more although nothing has changed. */
  lookAgain(): void {
    this.#changed();
  }

  close(): void {
    this.#closing.abort();
    this.#changed();
  }

  async #follow(path: string): Promise<void> {
    const mine = new Set<string>();
    try {
      for await (const seen of watchList<T>(this.client, path, this.#closing.signal)) {
        if (seen.is === 'list') {
          for (const key of mine) this.#items.delete(key);
          mine.clear();
        }
        for (const item of seen.is === 'list' ? seen.items : [seen.object]) {
          const key = `${item.kind}/${item.metadata.name}`;
          if (seen.is === 'change' && seen.type === 'DELETED') this.#items.delete(key);
          else this.#items.set(key, item);
          mine.add(key);
        }
        this.#listed.add(path);
        this.#changed();
      }
    } catch (error) {
      this.#failure = error;
      this.#changed();
    }
  }
}

export const lateError = (what: string, seconds: number): CommandError =>
  new CommandError(`${what} after ${seconds} s`, {
    exit: EXIT.late,
    hint: 'The agent goes on trying; see `supercargo status`. More time: --timeout 10m; none: --no-wait.',
  });
