import type { Logger } from 'pino';
import type { LogStream } from '../../../api/device-state/logs.js';
import type { Clock } from '../../../api/platform/clock.js';
import { watchClock } from '../../runtime/clock-watch.js';
import type { ContainerLogLine, Engine, SeenContainer } from '../engine.js';
import type { EngineCache } from '../engine-cache.js';
import { intoRun, LOG_START, type LogPosition, LogReader, resumed, sinceOf } from './log-position.js';

const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 5_000;
/**
 * A container that is followed within this time after the first listener is followed from now on: its engine may have
 * another clock, ms.
 */
const AT_ONCE_MS = 1_000;
/** How long a removed container's stream may take to end by itself, ms: its last lines are still on the way. */
const LAST_LINES_MS = 1_000;

/** Which part of a container's output is shown. */
export type LogLevel = 'all' | 'err' | 'none';

export interface LogFollowerDeps {
  readonly engine: Engine;
  readonly cache: EngineCache;
  readonly logs: LogStream;
  /** Returns the service that a container belongs to; undefined: it is not followed. */
  readonly serviceOf: (
    container: SeenContainer,
  ) => { readonly serviceName: string; readonly serviceId: number; readonly appId: number } | undefined;
  /** Calls back when `serviceOf` may have other answers. Returns how to stop. */
  readonly onOwners: (changed: () => void) => () => void;
  /** From the service's environment, `BALENA_LOGS_LEVEL`. Everything by default. */
  readonly levelOf?: (container: SeenContainer) => LogLevel;
  readonly clock: Clock;
  readonly log: Logger;
}

interface Audience {
  /** When it came; monotonic clock, ms. */
  readonly openedMs: number;
  /** `startedAt` of every container at the first look with a synced cache, by id: what those runs had printed by then is not wanted. */
  runs: ReadonlyMap<string, string | undefined> | undefined;
  readonly unsubscribe: () => void;
  readonly unwatch: () => void;
}

/** The state of one container's log while somebody listens. */
interface Followed {
  position: LogPosition;
  /** `startedAt` of the run that is read. */
  run: string | undefined;
  /** When it was first followed, or from now on again; monotonic clock, ms. */
  openedMs: number;
  /** The open stream was requested with a start time. */
  isTimed: boolean;
  failures: number;
  /** `startedAt` of the run whose output was read to its end. */
  finishedRun: string | undefined;
  /** The open stream, or the pause before the next. */
  stream: AbortController | undefined;
}

/**
 * Copies the output of our containers to the log stream while somebody listens to it, from the moment of the first
 * listener. Without one there is no request and no open stream.
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
  #audience: Audience | undefined;

  constructor(private readonly deps: LogFollowerDeps) {}

  open(): void {
    if (this.#audience) return;
    const ends = [
      this.deps.cache.onChange((change) => {
        if (change.type === 'container') this.#look(change.id);
        if (change.type === 'all') this.#lookAtAll();
      }),
      this.deps.onOwners(() => this.#lookAtAll()),
    ];
    const unsubscribe = (): void => {
      for (const end of ends) end();
    };
    // The engine holds back lines with an earlier time than the requested one.
    const unwatch = watchClock(this.deps.clock, (byMs) => byMs < 0 && this.#restartFromNow());
    this.#audience = { openedMs: this.deps.clock.monotonic(), runs: undefined, unsubscribe, unwatch };
    this.#lookAtAll();
  }

  async close(): Promise<void> {
    this.#audience?.unsubscribe();
    this.#audience?.unwatch();
    this.#audience = undefined;
    for (const { stream } of this.#followed.values()) stream?.abort();
    this.#followed.clear();
    for (const stream of this.#streams.values()) stream.abort();
    await Promise.all(this.#streams.keys());
  }

  #lookAtAll(): void {
    if (this.#audience && this.deps.cache.hasSynced)
      this.#audience.runs ??= new Map(this.deps.cache.containers().map((one) => [one.id, one.startedAt]));
    for (const { id } of this.deps.cache.containers()) this.#look(id);
    for (const id of [...this.#followed.keys()]) this.#look(id);
  }

  /** Follows a container that has something to say; stops following one that is gone. */
  #look(id: string): void {
    const { cache, serviceOf, levelOf } = this.deps;
    if (!this.#audience?.runs || !cache.hasSynced) return;
    const container = cache.containers().find((one) => one.id === id);
    if (!container) {
      this.#letGo(id);
      return;
    }
    const service = serviceOf(container);
    const level = levelOf?.(container) ?? 'all';
    const followed = this.#followed.get(id);
    if (!service || level === 'none' || followed?.stream) return;
    if (!hasOutput(container, followed, this.#audience.runs.get(id))) {
      if (followed) followed.failures = 0;
      return;
    }
    this.#follow(
      container,
      followed ?? this.#begin(container, this.#audience.runs, this.#audience.openedMs),
      (line) => {
        if (level === 'all' || line.isStdErr) this.deps.logs.write(lineOf(line, service), { app: service.appId });
      },
    );
  }

  /** Begins in a run that existed when the first listener came at that moment, in any other at its beginning. */
  #begin(
    { id, startedAt }: SeenContainer,
    runs: ReadonlyMap<string, string | undefined>,
    listenedMs: number,
  ): Followed {
    const { clock } = this.deps;
    const isUnheard = startedAt !== undefined && runs.get(id) !== startedAt;
    const isLate = clock.monotonic() - listenedMs > AT_ONCE_MS;
    const sinceListened = isLate ? resumed('now', listenedMs, clock) : 'now';
    const followed: Followed = {
      position: !isUnheard ? sinceListened : runs.has(id) ? intoRun('now', startedAt) : LOG_START,
      run: startedAt,
      openedMs: clock.monotonic(),
      isTimed: false,
      failures: 0,
      finishedRun: undefined,
      stream: undefined,
    };
    this.#followed.set(id, followed);
    return followed;
  }

  /** Reads on from now after the clock was set back: streams with a start time would be silent until it is reached again. */
  #restartFromNow(): void {
    for (const [id, followed] of this.#followed) {
      if (!followed.isTimed || followed.stream === undefined) continue;
      followed.stream.abort();
      Object.assign(followed, { stream: undefined, position: 'now', openedMs: this.deps.clock.monotonic() });
      this.#look(id);
    }
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
    if (followed.run !== container.startedAt && container.startedAt !== undefined) {
      followed.position = intoRun(followed.position, container.startedAt);
      followed.run = container.startedAt;
    }
    followed.isTimed = followed.position !== 'now';
    const work = this.#read(container, followed, write, stream.signal).then((delayMs) => {
      this.#streams.delete(work);
      if (stream.signal.aborted || this.#followed.get(container.id) !== followed) return;
      // The pause gives the cache time to hear that the container stopped, and a failing engine its rest.
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
      for await (const line of this.deps.engine.followLogs(id, sinceOf(reader.position), signal)) {
        if (signal.aborted) break;
        if (!reader.isNew(line.timestamp)) continue;
        followed.failures = 0;
        followed.position = reader.position;
        write(line);
      }
      if (!signal.aborted) followed.finishedRun = startedAt;
    } catch (error) {
      if (signal.aborted) return 0;
      followed.position = resumed(followed.position, followed.openedMs, this.deps.clock);
      if (followed.failures === 0)
        this.deps.log.warn({ err: error, container: name }, 'Lost the output of a container');
    }
    // A stream that ends without a line counts too: an engine that cannot read a log may end it at once, again and
    // again.
    followed.failures += 1;
    return Math.min(FIRST_DELAY_MS * 2 ** Math.min(followed.failures - 1, 20), LONGEST_DELAY_MS);
  }
}

/**
 * Tells whether there may be lines that were not read: it runs, or a whole run has passed since the last look. `lastStart`:
 * the run that existed when the first listener came.
 */
function hasOutput(
  { state, startedAt }: SeenContainer,
  followed: Followed | undefined,
  lastStart: string | undefined,
): boolean {
  if (state === 'running' || state === 'paused') return true;
  if (startedAt === undefined || followed?.finishedRun === startedAt) return false;
  return followed !== undefined || startedAt !== lastStart;
}

/** Members in the Supervisor's order, which clients see (docs/reference/http-api.md §9). */
const lineOf = (
  { message, isStdErr, timestamp }: ContainerLogLine,
  { serviceName, serviceId }: { readonly serviceName: string; readonly serviceId: number },
) => ({ serviceName, message, isStdErr, timestamp, serviceId });
