import type { Logger } from 'pino';
import type { Clock } from '../../api/platform/clock.js';
import type { Store } from '../../api/store/store.js';
import { type Informer, startInformer } from '../engine/cache/informer.js';
import { DEFAULT_SOCKET, parseDockerHost } from '../engine/client/docker-address.js';
import { connectEngine } from '../engine/client/dockerode-engine.js';
import { foreignDaemon } from '../engine/daemon-look.js';
import { type Engine, EngineUnreachable } from '../engine/engine.js';
import type { Daemon } from '../engine/engine-keeper.js';
import { EngineRestarts } from '../engine/engine-restarts.js';
import { findEngine, privateDaemon } from '../engine/local/private-engine.js';
import { RequestWatch } from '../engine/request-watch.js';
import type { Vitals } from '../runtime/health.js';
import type { Settings } from './settings.js';

/** How long callers wait while the engine is being found, ms: its start or ours takes a moment. */
const PATIENCE_MS = 1_000;
const SEARCHING = 'The engine is still being looked for; ask again in a moment';

export interface EngineHandleDeps {
  readonly settings: Pick<Settings, 'engine' | 'dockerHost' | 'dataFolder'>;
  readonly store: Pick<Store, 'list'>;
  readonly clock: Clock;
  /** Prints for people what is about to be done on their machine. */
  readonly print: (text: string) => void;
  readonly log: Logger;
}

/** An engine that was found, and where it listens. */
interface Found {
  readonly dockerHost: string;
  /** The engine's process. */
  readonly daemon: Daemon;
}

/**
 * The engine of this device, usable before it is known where it listens. Until `find` has resolved, every verb rejects
 * with `EngineUnreachable`, and `failure` says that it is being looked for.
 */
export class EngineHandle {
  /** Sends requests; they are watched for missing answers. */
  readonly engine: Engine;
  readonly requests: RequestWatch;
  /** Cache of what it has. Nothing is requested before it is started. */
  readonly cache: Informer;
  /** Requests for a restart of its process. */
  readonly restarts: EngineRestarts;
  #found: Found | undefined;

  constructor(private readonly deps: EngineHandleDeps) {
    const { settings, store, clock, log } = deps;
    this.requests = new RequestWatch({
      clock,
      container: (id) => this.cache.containers().find((one) => one.id === id),
    });
    this.restarts = new EngineRestarts({
      isOurs: () => this.#found?.daemon.process !== undefined,
      elapsedMs: () => clock.monotonic(),
    });
    this.engine = this.requests.watch(connectEngine({ dockerHost: () => this.dockerHost }));
    this.cache = startInformer({
      engine: this.engine,
      ...{ log, clock, requests: this.requests },
      wanted: () => [...store.list('Image'), ...store.list('Service')].map(({ spec }) => spec.image),
      // An engine that was found on this machine, or is our own, shares our clock.
      sameClock: settings.engine === 'private' || 'socketPath' in parseDockerHost(settings.dockerHost),
    });
  }

  /**
   * Resolves when it is known where the engine listens. An engine that may be our own has to answer, or to start,
   * before that; an installed agent goes on with an engine that is down. Rejects with a way out when there is none.
   */
  async find(signal: AbortSignal): Promise<void> {
    const { settings, print } = this.deps;
    if (settings.engine === 'external') {
      const dockerHost = settings.dockerHost ?? `unix://${DEFAULT_SOCKET}`;
      this.#found = { dockerHost, daemon: foreignDaemon(dockerHost) };
      return;
    }
    const own = { env: process.env, print };
    const search = { ...own, mode: settings.engine, dataFolder: settings.dataFolder, signal };
    const { dockerHost, started } = await findEngine(search);
    print(`  engine   ${dockerHost}${started ? ' (our own)' : ''}`);
    const daemon = started ? privateDaemon(settings.dataFolder, own) : foreignDaemon(dockerHost);
    this.#found = { dockerHost, daemon };
  }

  /** Its address as in the variable `DOCKER_HOST`. Throws before it is found. */
  get dockerHost(): string {
    return this.#require().dockerHost;
  }

  /** Path of its socket on the host; Docker's usual one while it is not found, and for an engine without a socket. */
  get socketPath(): string {
    const address = parseDockerHost(this.#found?.dockerHost);
    return 'socketPath' in address ? address.socketPath : DEFAULT_SOCKET;
  }

  /** Its process. Throws before it is found. */
  get daemon(): Daemon {
    return this.#require().daemon;
  }

  /** How well the cache follows it; undefined before it is found. */
  get vitals(): Vitals | undefined {
    return this.#found && this.cache.vitals;
  }

  /** Why it cannot be used, once that has lasted for more than a moment; undefined when it can. */
  get failure(): string | undefined {
    if (!this.#found) return SEARCHING;
    const { lostAtMs } = this.cache.vitals;
    const isLost = lostAtMs !== undefined && this.deps.clock.monotonic() - lostAtMs > PATIENCE_MS;
    return isLost ? this.cache.syncError : undefined;
  }

  /** Returns the engine, for a caller who waits for an answer. Throws `EngineUnreachable` when there is a `failure`. */
  reachable(): Engine {
    const { failure } = this;
    if (failure !== undefined) throw new EngineUnreachable(failure);
    return this.engine;
  }

  #require(): Found {
    if (!this.#found) throw new EngineUnreachable(SEARCHING);
    return this.#found;
  }
}
