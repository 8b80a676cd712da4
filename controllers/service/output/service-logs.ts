import type { Clock } from '../../../api/platform/clock.js';
import { messageWithCauses } from '../../../api/platform/errors.js';
import type { Reader } from '../../../api/store/store.js';
import { runContainerName } from '../../../crds/model/jobs.js';
import type { Service } from '../../../crds/model/kinds.js';
import type { ContainerLogLine, Engine } from '../../engine/engine.js';
import { intoRun, LOG_START, LogReader, resumed, sinceOf } from '../../engine/logs/log-position.js';
import { watchClock } from '../../runtime/clock-watch.js';

export interface ServiceLogsDeps {
  readonly store: Pick<Reader, 'list' | 'get' | 'watch'>;
  readonly engine: Pick<Engine, 'followLogs' | 'pastLogs'>;
  readonly clock: Clock;
}

export interface ServiceLogsChoice {
  readonly app: string;
  readonly service?: string;
  readonly sinceMs?: number;
  readonly tailLines?: number;
  /** Of a job: only what the run with that id has printed. */
  readonly run?: string;
  readonly follow: boolean;
}

export interface ServiceLine {
  readonly app: string;
  readonly service: string;
  readonly message: string;
  readonly isStdErr: boolean;
  readonly timestamp: string;
}

/** Time before a broken stream is opened again, ms. */
const AGAIN_MS = 1_000;

/**
 * Yields what the containers of an app, or of one service, have printed; with `follow` also what they and their
 * successors print from now on. Without `follow` the lines of all services are sorted by time, and a container whose
 * output cannot be read does not hide that of the others: its name is thrown at the end. With `follow` a stream that
 * breaks is continued where it was.
 */
export async function* serviceLogs(
  deps: ServiceLogsDeps,
  choice: ServiceLogsChoice,
  signal: AbortSignal,
): AsyncIterable<ServiceLine> {
  const chosen = (): readonly Service[] =>
    deps.store
      .list('Service')
      .filter(({ spec }) => spec.app === choice.app && (!choice.service || spec.serviceName === choice.service));
  if (choice.run !== undefined) {
    for (const service of chosen()) yield* linesOfRun(deps, service, { ...choice, run: choice.run }, signal);
    return;
  }
  const followed = new Map<string, Follower>();
  const failures: Failure[] = [];
  const past = chosen().map((service) => {
    const follower = new Follower(deps, choice, service.metadata.name);
    followed.set(service.metadata.name, follower);
    return linesOf(service, follower.past(signal), failures);
  });
  yield* inOrder(past);
  if (!choice.follow && failures.length > 0) throw unreadable(failures);
  if (choice.follow) yield* followAll(deps, choice, chosen, followed, signal);
}

/** Yields what one run of a job has printed; with `follow` until it is over. */
async function* linesOfRun(
  { engine }: Pick<ServiceLogsDeps, 'engine'>,
  service: Service,
  { run, follow, sinceMs, tailLines }: ServiceLogsChoice & { readonly run: string },
  signal: AbortSignal,
): AsyncIterable<ServiceLine> {
  const container = runContainerName(service.spec, run);
  const since = sinceMs === undefined ? {} : { since: sinceMs / 1000 };
  const lines = follow
    ? engine.followLogs(container, sinceMs === undefined ? 0 : sinceMs / 1000, signal)
    : engine.pastLogs(container, { ...since, ...(tailLines === undefined ? {} : { tail: tailLines }) }, signal);
  for await (const line of lines) yield lineOf(line, service);
}

async function* linesOf(
  service: Service,
  lines: AsyncIterable<ContainerLogLine>,
  failures: Failure[],
): AsyncIterable<ServiceLine> {
  try {
    for await (const line of lines) yield lineOf(line, service);
  } catch (error) {
    failures.push({ service: service.spec.serviceName, error });
  }
}

interface Failure {
  readonly service: string;
  readonly error: unknown;
}

function unreadable(failures: readonly Failure[]): Error {
  const each = failures.map(({ service, error }) => `${service} (${messageWithCauses(error)})`);
  return new Error(`The output of ${each.join(', ')} cannot be read`);
}

/** Merges streams that are each sorted by time into one sorted stream; holds one line of each. */
async function* inOrder(streams: readonly AsyncIterable<ServiceLine>[]): AsyncIterable<ServiceLine> {
  const open = streams.map((stream) => stream[Symbol.asyncIterator]());
  const heads = new Map<AsyncIterator<ServiceLine>, ServiceLine>();
  const advance = async (stream: AsyncIterator<ServiceLine>): Promise<void> => {
    const { done, value } = await stream.next();
    if (done) heads.delete(stream);
    else heads.set(stream, value);
  };
  try {
    await Promise.all(open.map(advance));
    for (;;) {
      const first = [...heads].reduce<[AsyncIterator<ServiceLine>, ServiceLine] | undefined>(
        (best, head) => (best && best[1].timestamp <= head[1].timestamp ? best : head),
        undefined,
      );
      if (!first) return;
      yield first[1];
      await advance(first[0]);
    }
  } finally {
    await Promise.all(open.map((stream) => stream.return?.()));
  }
}

/** Yields all further lines of every chosen service, also of services that are declared later. */
async function* followAll(
  deps: ServiceLogsDeps,
  choice: ServiceLogsChoice,
  chosen: () => readonly Service[],
  followed: Map<string, Follower>,
  signal: AbortSignal,
): AsyncIterable<ServiceLine> {
  const lines: ServiceLine[] = [];
  let wake = (): void => undefined;
  const look = (): void => {
    for (const service of chosen()) {
      const { name } = service.metadata;
      const follower = followed.get(name) ?? new Follower(deps, choice, name);
      followed.set(name, follower);
      follower.go((line) => {
        lines.push(lineOf(line, service));
        wake();
      }, signal);
    }
  };
  const stop = deps.store.watch(({ object, type }) => {
    if (object.kind === 'Service' && type !== 'DELETED') look();
  });
  const unwatch = watchClock(deps.clock, (byMs) => {
    if (byMs < 0) for (const follower of followed.values()) follower.restartFromNow();
  });
  const ended = (): void => wake();
  signal.addEventListener('abort', ended);
  try {
    look();
    while (!signal.aborted) {
      yield* lines.splice(0);
      if (lines.length > 0 || signal.aborted) continue;
      await new Promise<void>((go) => {
        wake = go;
      });
    }
  } finally {
    stop();
    unwatch();
    signal.removeEventListener('abort', ended);
  }
}

/** Reads the containers of one service, one after the other, no line twice. */
class Follower {
  #reader: LogReader;
  #container: string | undefined;
  /** `startedAt` of the run that was read to its end. */
  #finished: string | undefined;
  #isReading = false;
  /** The open stream, and whether it was requested with a start time. */
  #stream: AbortController | undefined;
  #isTimed = false;

  constructor(
    private readonly deps: ServiceLogsDeps,
    private readonly choice: ServiceLogsChoice,
    private readonly name: string,
  ) {
    this.#reader = new LogReader(choice.sinceMs === undefined ? LOG_START : { atMs: choice.sinceMs, count: 0 });
  }

  /** Yields what the present container has printed until now. */
  async *past(signal: AbortSignal): AsyncIterable<ContainerLogLine> {
    const { sinceMs, tailLines } = this.choice;
    const container = this.#present;
    if (!container) return;
    this.#container = container.id;
    const range = {
      ...(sinceMs === undefined ? {} : { since: sinceMs / 1000 }),
      ...(tailLines === undefined ? {} : { tail: tailLines }),
    };
    // A tail of 0 lines still says where to go on: after what is there now.
    if (tailLines === 0) this.#reader = new LogReader('now');
    else
      for await (const line of this.deps.engine.pastLogs(container.id, range, signal))
        if (this.#isNew(line)) yield line;
  }

  /** Reads on, unless a stream is open or there is nothing to read. */
  go(write: (line: ContainerLogLine) => void, signal: AbortSignal): void {
    const container = this.#present;
    if (this.#isReading || !container || signal.aborted) return;
    if (container.id === this.#container && container.startedAt === this.#finished) return;
    if (container.startedAt === undefined) return;
    if (container.id !== this.#container) {
      this.#container = container.id;
      this.#reader = new LogReader(LOG_START); // a container that came since is new from its first line
    } else if (this.#finished !== undefined) {
      this.#reader = new LogReader(intoRun(this.#reader.position, container.startedAt));
    }
    this.#isReading = true;
    const stream = new AbortController();
    this.#stream = stream;
    this.#read(container.id, write, AbortSignal.any([signal, stream.signal]))
      .then(
        () => {
          if (!stream.signal.aborted) this.#finished = container.startedAt;
          return 0;
        },
        // The engine is down, or this container's log driver cannot be read: the next look shows which.
        () => AGAIN_MS,
      )
      .then((delayMs) => {
        this.#isReading = false;
        this.deps.clock.after(delayMs, () => this.go(write, signal));
      });
  }

  /** Reads on from now after the clock was set back: the engine would hold back lines that are older than the requested start time. */
  restartFromNow(): void {
    if (!this.#isTimed) return;
    this.#reader = new LogReader('now');
    this.#stream?.abort();
  }

  async #read(id: string, write: (line: ContainerLogLine) => void, signal: AbortSignal): Promise<void> {
    this.#reader = new LogReader(this.#reader.position);
    this.#isTimed = this.#reader.position !== 'now';
    const openedMs = this.deps.clock.monotonic();
    try {
      await this.#take(id, write, signal);
    } catch (error) {
      this.#reader = new LogReader(resumed(this.#reader.position, openedMs, this.deps.clock));
      throw error;
    }
  }

  async #take(id: string, write: (line: ContainerLogLine) => void, signal: AbortSignal): Promise<void> {
    for await (const line of this.deps.engine.followLogs(id, sinceOf(this.#reader.position), signal)) {
      if (this.#isNew(line)) write(line);
    }
  }

  #isNew = ({ timestamp }: ContainerLogLine): boolean => this.#reader.isNew(timestamp);

  get #present() {
    return this.deps.store.get('Service', this.name)?.status?.container;
  }
}

const lineOf = ({ message, isStdErr, timestamp }: ContainerLogLine, { spec }: Service): ServiceLine => ({
  app: spec.app,
  service: spec.serviceName,
  message,
  isStdErr,
  timestamp: new Date(timestamp).toISOString(),
});
