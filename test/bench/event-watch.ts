import { httpClient } from './http-client.js';

/** What the engine said happened to a container, and when. */
export interface ContainerEvent {
  readonly action: string;
  readonly id: string;
  readonly name: string;
  /** Labels of the container, among other attributes. */
  readonly attributes: Readonly<Record<string, string>>;
  /** The engine's time, ms since 1970; engine and benchmark share the machine's clock. */
  readonly atMs: number;
}

export interface EventWatch {
  /** Forgets what was heard so far. */
  reset(): void;
  /** Resolves with the first `count` events that fit, those already heard since `reset` included. */
  seen(count: number, fits: (event: ContainerEvent) => boolean, limitMs?: number): Promise<readonly ContainerEvent[]>;
  close(): void;
}

interface RawEvent {
  readonly Action: string;
  readonly timeNano: number;
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> };
}

/** Listens to the engine itself: when something runs is the engine's word, neither the agent's nor the benchmark's. */
export async function watchEvents(socketPath: string): Promise<EventWatch> {
  const filters = encodeURIComponent(JSON.stringify({ type: ['container'], event: ['start', 'die', 'destroy'] }));
  const client = httpClient({ socketPath });
  const stream = await client.open(`/events?filters=${filters}`);
  const received: ContainerEvent[] = [];
  const listeners = new Set<() => void>();
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const { Action, Actor, timeNano } = JSON.parse(line) as RawEvent;
      const attributes = Actor.Attributes;
      received.push({ action: Action, id: Actor.ID, name: attributes.name ?? '', attributes, atMs: timeNano / 1e6 });
    }
    for (const listener of listeners) listener();
  });

  return {
    reset: () => {
      received.length = 0;
    },
    seen: (count, fits, limitMs = 120_000) =>
      new Promise((resolve, reject) => {
        const look = (): boolean => {
          const found = received.filter(fits);
          if (found.length < count) return false;
          clearTimeout(timer);
          listeners.delete(look);
          resolve(found.slice(0, count));
          return true;
        };
        const timer = setTimeout(() => {
          listeners.delete(look);
          reject(new Error(`Only ${received.filter(fits).length} of ${count} events within ${limitMs} ms`));
        }, limitMs);
        listeners.add(look);
        look();
      }),
    close: () => {
      stream.destroy();
      client.close();
    },
  };
}

/** When the last of them happened, ms since 1970. */
export const lastOf = (events: readonly ContainerEvent[]): number => Math.max(...events.map(({ atMs }) => atMs));
