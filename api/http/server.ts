import { Server as HttpServer, type IncomingMessage } from 'node:http';
import { hostname } from 'node:os';
import { performance } from 'node:perf_hooks';
import Hapi, { type RouteOptionsApp, type Server } from '@hapi/hapi';
import type { Logger } from 'pino';
import type { HealthCheck } from '../../crds/model/health.js';
import type { LocalPeers } from '../../crds/model/local-peers.js';
import type { OrphanedVolumes } from '../../crds/model/orphans.js';
import type { DeviceUsage } from '../../crds/model/stats.js';
import type { Keys } from '../device-state/keys.js';
import type { LogStream } from '../device-state/logs.js';
import type { SecretFiles } from '../device-state/secret-files.js';
import type { Tags } from '../device-state/tag-file.js';
import type { Store } from '../store/store.js';
import type { ContainerReader } from './container-reader.js';
import { openApiRoutes } from './openapi/route.js';
import { containerRoutes } from './resources/containers.js';
import { deviceResourceRoutes } from './resources/device.js';
import { eventRoutes } from './resources/events.js';
import { healthRoutes } from './resources/health.js';
import { orphanedVolumeRoutes } from './resources/orphaned-volumes.js';
import { type Planner, planRoutes } from './resources/plan.js';
import { requestRoutes } from './resources/requests.js';
import { resourceRoutes } from './resources/resources.js';
import { commander } from './supervisor/commands.js';
import type { DeviceIdentity } from './supervisor/device-view.js';
import type { HostPorts } from './supervisor/host-ports.js';
import { appRoutes } from './supervisor/v1-apps.js';
import { deviceCommandRoutes, type Updates } from './supervisor/v1-device.js';
import { hostRoutes } from './supervisor/v1-host.js';
import { actionRoutes } from './supervisor/v2-actions.js';
import { applicationRoutes } from './supervisor/v2-applications.js';
import { deviceRoutes } from './supervisor/v2-device.js';
import { hostFactRoutes } from './supervisor/v2-host.js';
import { localRoutes, type TargetState } from './supervisor/v2-local.js';
import { parseAddress, parseAddresses } from './transport/address.js';
import type { AppKeyReach } from './transport/app-keys.js';
import { auth } from './transport/auth.js';
import { bodies, HeldBytes } from './transport/body.js';
import { failures } from './transport/failures.js';
import { CONNECTION_LIMITS, type ConnectionLimits, Listeners } from './transport/listeners.js';
import { Owners } from './transport/owners.js';
import { ResponseCache } from './transport/response-cache.js';
import { type Route, serve } from './transport/routes.js';
import { Streams } from './transport/streams.js';
import type { ListenerKind } from './transport/trust.js';
import { hookRoutes } from './webhooks/hooks.js';

declare module '@hapi/hapi' {
  interface RequestApplicationState {
    /** When the request arrived, monotonic clock, ms; only while the access log is on. */
    beganMs?: number;
  }
}

/** Longest time that a stopping server waits for requests in flight, ms. */
const STOP_MS = 5_000;

export interface ServerDeps {
  readonly store: Store;
  readonly logs: LogStream;
  readonly keys: Pick<Keys, 'scopeOf' | 'regenerate'>;
  /** Finds out who calls from this machine. */
  readonly peers: LocalPeers;
  readonly target: TargetState;
  readonly host: HostPorts;
  readonly tags: Tags;
  readonly updates: Updates;
  /** Secrets of webhooks; without it there are no hooks. */
  readonly secrets?: Pick<SecretFiles, 'read'>;
  /** Returns why no command can be carried out at present; undefined when that is not known. */
  engineFailure?(): string | undefined;
  /** How long an answer waits for the end of a command, ms. */
  readonly commandDeadlineMs?: number;
  readonly containers: ContainerReader;
  readonly volumes: OrphanedVolumes;
  /** Rehearses documents. */
  readonly planner: Planner;
  readonly device: {
    readonly uuid?: string;
    readonly arch: string;
    readonly deviceType: string;
    /** Returns how much of the device is in use; left out when absent. */
    usage?(): Promise<DeviceUsage>;
    /** Returns what `/v1/device` shows of it. */
    identity(): DeviceIdentity;
    /** Returns the names that the `Host` header may have, besides `localhost`; the system's host name when absent. */
    hostNames?(): readonly string[];
    /** Returns the IP addresses of this device, besides the one that a request reached. */
    addresses?(): readonly string[];
  };
  readonly settings: {
    readonly localMode: boolean;
    readonly development: boolean;
    readonly appKeys?: AppKeyReach;
    /** Version of the agent. */
    readonly version: string;
    /** `host:port` or `unix:/path`, several of them separated by commas or blanks. */
    readonly listen: string;
  };
  /** Returns every health check with its state, at once. */
  checks(): readonly HealthCheck[];
  readonly now: () => number;
  readonly log: Logger;
  /** Limits other than those of CONNECTION_LIMITS. */
  readonly limits?: Partial<ConnectionLimits>;
}

/** The API server: everything that can be reached over HTTP. */
export interface ApiServer {
  /** Listens on every address of the settings. */
  start(): Promise<void>;
  /**
   * Listens on one more address, such as the gateway of `supervisor0`, whose callers never count as this machine.
   * Returns how to end that.
   */
  listen(address: string, kind: ListenerKind): Promise<() => Promise<void>>;
  /** Where it listens, with the actual ports. */
  readonly addresses: readonly string[];
  /** Ends streams, finishes requests in flight, cuts what is left after the deadline. */
  stop(deadlineMs?: number): Promise<void>;
  /** Number of answers that are still being streamed. */
  readonly streams: number;
  /** All routes, without the answers for unknown paths. */
  readonly routes: readonly (RouteOptionsApp & { readonly method: string; readonly path: string })[];
  /** Sends a request without a socket, for tests and for callers in this process. */
  readonly inject: Server['inject'];
}

/** Creates the server. Nothing listens before `start`. */
export async function createServer(deps: ServerDeps): Promise<ApiServer> {
  const { store, logs, keys, target, device, settings, log, now } = deps;
  // hapi serves a hub that never listens itself; each real socket passes its requests on.
  const hub = new HttpServer();
  const hapi = Hapi.server({
    listener: hub,
    autoListen: false,
    compression: false,
    debug: false,
    operations: { cleanStop: false },
    router: { isCaseSensitive: false, stripTrailingSlash: true },
    routes: {
      cache: false,
      response: { ranges: false },
      state: { parse: false, failAction: 'ignore' },
      // Bodies are read by our own plugin, with the Supervisor's limits and errors; hapi only passes the stream on.
      payload: {
        parse: false,
        output: 'stream',
        override: 'application/octet-stream',
        maxBytes: Number.MAX_SAFE_INTEGER,
        timeout: false,
      },
    },
  });
  const limits = { ...CONNECTION_LIMITS, ...deps.limits };
  const listeners: Listeners = new Listeners(
    (request, response) => {
      if (!cache.answer(request, response)) hub.emit('request', request, response);
    },
    limits,
    (message) => log.warn(message),
    (request, serve) => owners.whenKnown(request, serve),
  );
  const streams = new Streams();
  const authDeps = {
    rules: {
      get localMode() {
        return settings.localMode;
      },
      get development() {
        return settings.development;
      },
      scopeOf: (key: string) => keys.scopeOf(key),
      hostNames: () => device.hostNames?.() ?? [hostname()],
      addresses: () => device.addresses?.() ?? [],
    },
    appKeys: settings.appKeys ?? 'device',
    listenerKindOf: (request: IncomingMessage) => listeners.listenerKindOf(request),
    isOwner: (request: IncomingMessage) => owners.isOwner(request),
  };

  const cache = new ResponseCache(authDeps, log.isLevelEnabled('debug') ? 'routes' : 'ready');
  const owners = new Owners({
    ...authDeps,
    peers: deps.peers,
    fileOf: (request) => listeners.fileOf(request),
    isOpen: (url) => cache.isOpen(url),
  });

  const { commandDeadlineMs: deadlineMs } = deps;
  const command = commander({
    store,
    failure: () => deps.engineFailure?.(),
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
  });

  accessLog(hapi, log);
  await hapi.register([
    { plugin: auth, options: authDeps },
    { plugin: bodies, options: { held: new HeldBytes() } },
    { plugin: failures, options: { auth: authDeps, log } },
  ]);
  const hooks = deps.secrets
    ? hookRoutes({ store, secrets: deps.secrets, auth: authDeps, log, bodyMs: limits.signedBodyMs })
    : undefined;
  if (hooks) hapi.ext('onPostStop', () => hooks.stop());
  const checks = () => deps.checks();
  const routes: readonly Route[] = [
    ...healthRoutes({ checks, log }),
    ...applicationRoutes({ store }),
    ...deviceRoutes({ store, version: settings.version }),
    ...localRoutes({ store, target, device, settings, logs, streams, now }),
    ...appRoutes({ store, command, containers: deps.containers }),
    ...actionRoutes({ store, command, volumes: deps.volumes }),
    ...deviceCommandRoutes({ store, keys, updates: deps.updates, device, log }),
    ...hostRoutes({ store, host: deps.host, log }),
    ...hostFactRoutes({ host: deps.host, tags: deps.tags, streams, log }),
    ...resourceRoutes({ store, streams }),
    ...requestRoutes({ store }),
    ...planRoutes({ planner: deps.planner }),
    ...eventRoutes({ store, streams }),
    ...containerRoutes({ store, streams, containers: deps.containers, now }),
    ...orphanedVolumeRoutes({ volumes: deps.volumes }),
    ...(hooks?.routes ?? []),
    ...deviceResourceRoutes({ store, device, settings, checks }),
    ...openApiRoutes(settings),
  ];
  serve(hapi, cache, routes);
  await hapi.initialize();

  return {
    inject: hapi.inject.bind(hapi),
    get streams() {
      return streams.count;
    },
    get routes() {
      return hapi
        .table()
        .filter(({ method }) => method !== '*')
        .map(({ method, path, settings }) => ({ method: method.toUpperCase(), path, ...settings.app }));
    },
    get addresses() {
      return listeners.addresses;
    },
    async start() {
      await hapi.start();
      for (const address of parseAddresses(settings.listen)) await listeners.add(address, address.is);
    },
    async listen(address, kind) {
      return listeners.add(parseAddress(address), kind);
    },
    async stop(deadlineMs = STOP_MS) {
      streams.endAll();
      await listeners.close(deadlineMs);
      await hapi.stop();
    },
  };
}

/** Logs one line for each request, at debug level, without the query string: keys never reach the log. */
function accessLog(hapi: Server, log: Logger): void {
  if (!log.isLevelEnabled('debug')) return;
  hapi.ext('onRequest', (request, h) => {
    request.app.beganMs = performance.now();
    return h.continue;
  });
  hapi.events.on('response', (request) => {
    const tookMs = performance.now() - (request.app.beganMs ?? performance.now());
    log.debug(
      `${request.method.toUpperCase()} ${request.path} ${request.raw.res.statusCode} - ${tookMs.toFixed(3)} ms`,
    );
  });
}
