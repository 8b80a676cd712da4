import type { Logger } from 'pino';
import type { LogStream } from '../../api/store/logs.js';
import type { Clock } from '../runtime/delays.js';
import type { ContainerLogLine, Engine, SeenContainer } from './engine.js';
import { type LogPosition, LogReader } from './log-position.js';
import type { World } from './world.js';

const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 5_000;
/** How long a removed container's stream may take to end by itself, ms: its last lines are still on the way. */
const LAST_LINES_MS = 1_000;

/** What of a container's output is shown. */
export type LogLevel = 'all' | 'err' | 'none';

export interface LogFollowerDeps {
  readonly engine: Engine;
  readonly world: World;
  readonly logs: LogStream;
  /** Whose lines a container writes; undefined: nobody's, it is not followed. */
  readonly serviceOf: (
    container: SeenContainer,
  ) => { readonly serviceName: string; readonly serviceId: number } | undefined;
  /** Calls back when the answers of `serviceOf` may be others than before. Returns how to stop. */
  readonly onOwners: (changed: () => void) => () => void;
  /** From the service's environment, `BALENA_LOGS_LEVEL`. Everything by default. */
  readonly levelOf?: (container: SeenContainer) => LogLevel;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What is known about one container's log while somebody listens. */
interface Followed {
  position: LogPosition;
  failures: number;
  /** `startedAt` of the run whose output was read to its end. */
  finishedRun: string | undefined;
  /** The stream under way, or the pause before the next. */
  stream: AbortController | undefined;
}

/**
 * Copies the output of our containers to the log stream while somebody listens to it, from the moment that the first
 * one does. Without an audience there is no request and no open stream.
 */
export function startLogFollower(deps: LogFollowerDeps): { stop(): Promise<void> } {
  const follower = new LogFollower(deps);
  const unsubscribe = deps.logs.onAudience((listening) => {
    if (listening) follower.open();
    else void follower.close();
  });
  return {
    async stop() {
      unsubscribe();
      await follower.close();
    },
  };
}

class LogFollower {
  readonly #followed = new Map<string, Followed>();
  readonly #streams = new Map<Promise<void>, AbortController>();
  /** Undefined while nobody listens. */
  #audience: { readonly sinceMs: number; readonly unsubscribe: () => void } | undefined;

  constructor(private readonly deps: LogFollowerDeps) {}

  open(): void {
    if (this.#audience) return;
    const ends = [
      this.deps.world.onChange((change) => {
        if (change.type === 'container') this.#look(change.id);
        if (change.type === 'all') this.#lookAtAll();
      }),
      this.deps.onOwners(() => this.#lookAtAll()),
    ];
    const unsubscribe = (): void => {
      for (const end of ends) end();
    };
    this.#audience = { sinceMs: this.deps.clock.now(), unsubscribe };
    this.#lookAtAll();
  }

  async close(): Promise<void> {
    this.#audience?.unsubscribe();
    this.#audience = undefined;
    for (const { stream } of this.#followed.values()) stream?.abort();
    this.#followed.clear();
    for (const stream of this.#streams.values()) stream.abort();
    await Promise.all(this.#streams.keys());
  }

  #lookAtAll(): void {
    for (const { id } of this.deps.world.containers()) this.#look(id);
    for (const id of [...this.#followed.keys()]) this.#look(id);
  }

  /** Follows a container that has something to say, lets go of one that went. */
  #look(id: string): void {
    const { world, serviceOf, levelOf } = this.deps;
    if (!this.#audience || !world.fresh) return;
    const container = world.containers().find((one) => one.id === id);
    if (!container) {
      this.#letGo(id);
      return;
    }
    const service = serviceOf(container);
    const level = levelOf?.(container) ?? 'all';
    const followed = this.#followed.get(id);
    if (!service || level === 'none' || followed?.stream) return;
    if (!hasOutput(container, followed, this.#audience.sinceMs)) {
      if (followed) followed.failures = 0;
      return;
    }
    this.#follow(container, followed ?? this.#begin(id, this.#audience.sinceMs), (line) => {
      if (level === 'all' || line.isStdErr) this.deps.logs.write(lineOf(line, service));
    });
  }

  #begin(id: string, sinceMs: number): Followed {
    const followed: Followed = {
      position: { atMs: sinceMs, count: 0 },
      failures: 0,
      finishedRun: undefined,
      stream: undefined,
    };
    this.#followed.set(id, followed);
    return followed;
  }

  #letGo(id: string): void {
    const followed = this.#followed.get(id);
    if (!followed) return;
    this.#followed.delete(id);
    const { stream } = followed;
    if (stream) this.deps.clock.after(LAST_LINES_MS, () => stream.abort());
  }

  #follow(container: SeenContainer, followed: Followed, write: (line: ContainerLogLine) => void): void {
    const stream = new AbortController();
    followed.stream = stream;
    const work = this.#read(container, followed, write, stream.signal).then((delayMs) => {
      this.#streams.delete(work);
      if (stream.signal.aborted || this.#followed.get(container.id) !== followed) return;
      // The pause gives the world time to hear that the container stopped, and a failing engine its rest.
      const cancel = this.deps.clock.after(delayMs, () => {
        followed.stream = undefined;
        this.#look(container.id);
      });
      stream.signal.addEventListener('abort', cancel, { once: true });
    });
    this.#streams.set(work, stream);
  }

  /** Reads one stream to its end; returns how long to wait before another look, ms. Never throws. */
  async #read(
    { id, name, startedAt }: SeenContainer,
    followed: Followed,
    write: (line: ContainerLogLine) => void,
    signal: AbortSignal,
  ): Promise<number> {
    const reader = new LogReader(followed.position);
    try {
      for await (const line of this.deps.engine.followLogs(id, reader.position.atMs / 1000, signal)) {
        if (signal.aborted) break;
        if (!reader.isNew(line.timestamp)) continue;
        followed.failures = 0;
        followed.position = reader.position;
        write(line);
      }
      followed.finishedRun = startedAt;
    } catch (error) {
      if (signal.aborted) return 0;
      if (followed.failures === 0)
        this.deps.log.warn({ err: error, container: name }, 'Lost the output of a container');
    }
    // A stream that ends without a line counts too: an engine that cannot read a log may end it at once, again and again.
    followed.failures += 1;
    return Math.min(FIRST_DELAY_MS * 2 ** Math.min(followed.failures - 1, 20), LONGEST_DELAY_MS);
  }
}

/** Whether there may be lines that were not read: it runs, or a whole run has passed since we looked. */
function hasOutput({ state, startedAt }: SeenContainer, followed: Followed | undefined, sinceMs: number): boolean {
  if (state === 'running' || state === 'paused') return true;
  if (startedAt === undefined || followed?.finishedRun === startedAt) return false;
  return followed !== undefined || Date.parse(startedAt) >= sinceMs;
}

/** Members in the Supervisor's order, which clients see (HTTP reference §9). */
const lineOf = (
  { message, isStdErr, timestamp }: ContainerLogLine,
  { serviceName, serviceId }: { readonly serviceName: string; readonly serviceId: number },
) => ({ serviceName, message, isStdErr, timestamp, serviceId });
