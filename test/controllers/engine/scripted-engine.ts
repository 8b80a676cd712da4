import { setImmediate as turn } from 'node:timers/promises';
import { type Logger, pino } from 'pino';
import {
  type ContainerLogLine,
  type Engine,
  type EngineEvent,
  EngineUnreachable,
  type SeenContainer,
  type SeenImage,
  type SeenNetwork,
  type SeenVolume,
} from '../../../controllers/engine/engine.js';
import { APP_ID, SERVICE_NAME, SUPERVISED } from '../../../controllers/engine/labels.js';

export const silent: Logger = pino({ level: 'silent' });
export const never = new AbortController().signal;

/** Lets everything that is due run, as far as it goes without a timer. */
export async function flush(): Promise<void> {
  for (let round = 0; round < 12; round++) await turn();
}

export function aContainer(over: Partial<SeenContainer> = {}): SeenContainer {
  const appId = 'appId' in over ? over.appId : 1;
  const serviceName = 'serviceName' in over ? over.serviceName : 'web';
  return {
    id: 'c1',
    name: 'web_1_1_local',
    appId,
    serviceName,
    specHash: 'h',
    labels: {
      [SUPERVISED]: '',
      ...(appId === undefined ? {} : { [APP_ID]: String(appId) }),
      ...(serviceName === undefined ? {} : { [SERVICE_NAME]: serviceName }),
    },
    state: 'running',
    health: undefined,
    exitCode: 0,
    error: '',
    createdAt: '2026-01-02T03:00:00.000Z',
    startedAt: '2026-01-02T03:00:01.000Z',
    finishedAt: undefined,
    image: 'sha256:a',
    networkMode: 'net',
    networks: {},
    volumes: [],
    ...over,
  };
}

export const aNetwork = (over: Partial<SeenNetwork> = {}): SeenNetwork => ({
  id: 'n1',
  name: 'net',
  labels: {},
  specHash: undefined,
  gateway: undefined,
  ...over,
});

export const aVolume = (over: Partial<SeenVolume> = {}): SeenVolume => ({
  name: '1_data',
  driver: 'local',
  options: {},
  labels: {},
  specHash: undefined,
  mountpoint: '/m',
  ...over,
});

export const anImage = (over: Partial<SeenImage> = {}): SeenImage => ({
  id: 'sha256:a',
  tags: ['busybox:latest'],
  digests: [],
  config: {},
  ...over,
});

type Gate = { readonly open: Promise<void>; release(): void };
const gate = (): Gate => {
  let release = (): void => undefined;
  const open = new Promise<void>((resolve) => {
    release = resolve;
  });
  return { open, release };
};

/** Waits for the gate unless the signal fires first. */
const passing = ({ open }: Gate, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    void open.then(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    });
  });

interface Stream<T> {
  readonly queue: T[];
  wake: () => void;
  ended: Error | 'end' | undefined;
}

/** As Docker does, lines under an earlier time than was asked for are kept back, however late they come. */
interface LogOutput extends Stream<ContainerLogLine> {
  readonly fromMs: number;
}

async function* drain<T>(stream: Stream<T>, signal: AbortSignal): AsyncIterable<T> {
  const stop = () => stream.wake();
  signal.addEventListener('abort', stop);
  try {
    for (;;) {
      if (signal.aborted) return;
      const next = stream.queue.shift();
      if (next !== undefined) yield next;
      else if (stream.ended instanceof Error) throw stream.ended;
      else if (stream.ended) return;
      else
        await new Promise<void>((resolve) => {
          stream.wake = resolve;
        });
    }
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/**
 * An engine whose every answer and event the test decides: objects are put into its maps, nothing is told by itself,
 * and any request can be held until the test lets it go. It answers with what was true when the request came.
 */
export class ScriptedEngine implements Engine {
  readonly containers = new Map<string, SeenContainer>();
  readonly networks = new Map<string, SeenNetwork>();
  readonly volumes = new Map<string, SeenVolume>();
  readonly images = new Map<string, SeenImage>();
  /** Every request: `inspectContainer c1`. */
  requests: string[] = [];
  /** Fails requests whose text it returns an error for. */
  fault: (request: string) => Error | undefined = () => undefined;
  readonly #gates = new Map<string, Gate>();
  readonly #streams = new Set<Stream<EngineEvent>>();
  readonly logs = new Map<string, { readonly lines: ContainerLogLine[]; readonly open: Set<LogOutput> }>();
  /** Pulls under way, by reference. */
  readonly pulls = new Map<string, { progress(percent: number): void; done(error?: Error): void }>();

  constructor(private readonly nowMs: () => number) {}

  down = false;
  /** Lists say of known containers what the caller knows. */
  trusting = false;

  takeRequests(): string[] {
    const taken = this.requests;
    this.requests = [];
    return taken;
  }

  /** Holds requests of that text until the returned function is called. */
  hold(request: string): () => void {
    const held = gate();
    this.#gates.set(request, held);
    return () => {
      this.#gates.delete(request);
      held.release();
    };
  }

  get listeners(): number {
    return this.#streams.size;
  }

  /** Says that something happened; to a container, as one of ours. */
  emit(event: Omit<EngineEvent, 'attributes' | 'timeNano'> & Partial<EngineEvent>, atMs = this.nowMs()): void {
    const labels: Record<string, string> = event.type === 'container' ? { [SUPERVISED]: '' } : {};
    this.emitRaw({ timeNano: `${Math.floor(atMs)}000000`, ...event, attributes: { ...labels, ...event.attributes } });
  }

  emitRaw(event: EngineEvent): void {
    for (const stream of this.#streams) {
      stream.queue.push(event);
      stream.wake();
    }
  }

  /** Ends every event stream. */
  breakStreams(error: Error = new EngineUnreachable('connect ECONNREFUSED /run/docker.sock')): void {
    for (const stream of this.#streams) {
      stream.ended = error;
      stream.wake();
    }
    this.#streams.clear();
  }

  async #answer<T>(request: string, signal: AbortSignal, answer: () => T): Promise<T> {
    this.requests.push(request);
    signal.throwIfAborted();
    if (this.down) throw new EngineUnreachable('connect ECONNREFUSED /run/docker.sock');
    const fault = this.fault(request);
    if (fault) throw fault;
    const reported = structuredClone(answer());
    const held = this.#gates.get(request);
    if (held) await passing(held, signal);
    return reported;
  }

  async *events(_since: string | undefined, onOpen: () => void, signal: AbortSignal): AsyncIterable<EngineEvent> {
    await this.#answer('events', signal, () => undefined);
    const stream: Stream<EngineEvent> = { queue: [], wake: () => undefined, ended: undefined };
    this.#streams.add(stream);
    onOpen();
    try {
      yield* drain(stream, signal);
    } finally {
      this.#streams.delete(stream);
    }
  }

  listContainers(
    signal: AbortSignal,
    known?: (id: string) => SeenContainer | undefined,
  ): Promise<readonly SeenContainer[]> {
    const rows = () =>
      [...this.containers.values()].map(
        (container) => (this.trusting ? known?.(container.id) : undefined) ?? container,
      );
    return this.#answer('listContainers', signal, rows);
  }
  inspectContainer(id: string, signal: AbortSignal): Promise<SeenContainer | undefined> {
    return this.#answer(`inspectContainer ${id}`, signal, () => this.containers.get(id));
  }
  listNetworks(signal: AbortSignal): Promise<readonly SeenNetwork[]> {
    return this.#answer('listNetworks', signal, () => [...this.networks.values()]);
  }
  inspectNetwork(id: string, signal: AbortSignal): Promise<SeenNetwork | undefined> {
    return this.#answer(`inspectNetwork ${id}`, signal, () => this.networks.get(id));
  }
  listVolumes(signal: AbortSignal): Promise<readonly SeenVolume[]> {
    return this.#answer('listVolumes', signal, () => [...this.volumes.values()]);
  }
  inspectVolume(name: string, signal: AbortSignal): Promise<SeenVolume | undefined> {
    return this.#answer(`inspectVolume ${name}`, signal, () => this.volumes.get(name));
  }
  listImages(signal: AbortSignal): Promise<readonly SeenImage[]> {
    return this.#answer('listImages', signal, () => [...this.images.values()]);
  }
  inspectImage(reference: string, signal: AbortSignal): Promise<SeenImage | undefined> {
    const names = ({ id, tags, digests }: SeenImage) => [id, ...tags, ...digests];
    return this.#answer(`inspectImage ${reference}`, signal, () =>
      [...this.images.values()].find((image) => names(image).includes(reference)),
    );
  }

  async pullImage(
    reference: string,
    _auth: unknown,
    onProgress: (percent: number) => void,
    signal: AbortSignal,
  ): Promise<void> {
    await this.#answer(`pullImage ${reference}`, signal, () => undefined);
    await new Promise<void>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      this.pulls.set(reference, {
        progress: onProgress,
        done: (error) => (error ? reject(error) : resolve()),
      });
    }).finally(() => this.pulls.delete(reference));
  }

  #logOf(id: string) {
    const log = this.logs.get(id) ?? { lines: [], open: new Set<LogOutput>() };
    this.logs.set(id, log);
    return log;
  }

  /** The container writes a line. */
  printLine(id: string, message: string, isStdErr = false, timestamp = this.nowMs()): void {
    const { lines, open } = this.#logOf(id);
    const line = { message, isStdErr, timestamp };
    lines.push(line);
    for (const stream of open) {
      if (timestamp < stream.fromMs) continue;
      stream.queue.push(line);
      stream.wake();
    }
  }

  /** Ends the log streams of a container: it stopped, or (with an error) the connection broke. */
  endLog(id: string, ended: Error | 'end' = 'end'): void {
    for (const stream of this.#logOf(id).open) {
      stream.ended = ended;
      stream.wake();
    }
  }

  get openLogs(): string[] {
    return [...this.logs].flatMap(([id, { open }]) => [...open].map(() => id)).sort();
  }

  async *followLogs(id: string, since: number | 'now', signal: AbortSignal): AsyncIterable<ContainerLogLine> {
    await this.#answer(`followLogs ${id}`, signal, () => undefined);
    const { lines, open } = this.#logOf(id);
    const runs = this.containers.get(id)?.state === 'running';
    const fromMs = since === 'now' ? Number.NEGATIVE_INFINITY : Math.round(since * 1000);
    const past = since === 'now' ? [] : lines.filter(({ timestamp }) => timestamp >= fromMs);
    const stream: LogOutput = { fromMs, queue: past, wake: () => undefined, ended: runs ? undefined : 'end' };
    open.add(stream);
    try {
      yield* drain(stream, signal);
    } finally {
      open.delete(stream);
    }
  }

  pastLogs(): AsyncIterable<ContainerLogLine> {
    throw new Error('This engine only watches');
  }

  info = unscripted;
  containerStats = unscripted;
  createContainer = unscripted;
  startContainer = unscripted;
  stopContainer = unscripted;
  publishedPorts = unscripted;
  removeContainer = unscripted;
  renameContainer = unscripted;
  updateContainer = unscripted;
  unpauseContainer = unscripted;
  restartContainer = unscripted;
  networkUsers = unscripted;
  releaseEndpoint = unscripted;
  createNetwork = unscripted;
  removeNetwork = unscripted;
  connectNetwork = unscripted;
  disconnectNetwork = unscripted;
  createVolume = unscripted;
  removeVolume = unscripted;
  volumeUsers = unscripted;
  listLabelled = unscripted;
  listNamed = unscripted;
  loadImages = unscripted;
  tagImage = unscripted;
  removeImage = unscripted;
}

async function unscripted(): Promise<never> {
  throw new Error('This engine only watches');
}
