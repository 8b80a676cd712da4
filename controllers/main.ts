import { machine } from 'node:os';
import { join } from 'node:path';
import cron from 'node-cron';
import type { Logger } from 'pino';
import { type ApiServer, createServer } from '../api/http/server.js';
import { SUPERVISOR_VERSION } from '../api/http/version.js';
import { type FolderSource, watchFolders } from '../api/sources/folder.js';
import { gitOrigins } from '../api/sources/git/git-origin.js';
import { localOrigin } from '../api/sources/local.js';
import { appIdOf } from '../api/store/app-ids.js';
import { openStore } from '../api/store/document-store.js';
import { lockFolder } from '../api/store/folder-lock.js';
import { openKeys } from '../api/store/key-file.js';
import type { Keys } from '../api/store/keys.js';
import { LogStream } from '../api/store/logs.js';
import { openSecretFiles, type SecretFiles } from '../api/store/secret-files.js';
import type { Store } from '../api/store/store.js';
import { openTags, type Tags } from '../api/store/tag-file.js';
import { isReady } from '../crds/conditions.js';
import type { DeviceVariables } from '../crds/device-variables.js';
import { keyOf } from '../crds/kinds.js';
import { API_NETWORK, DEFAULT_DEVICE_NAME, DEVICE_DOCUMENT } from '../crds/names.js';
import { parseDocument } from '../crds/parse.js';
import { appController } from './app/app-controller.js';
import { runCommand } from './docker/command.js';
import { diskSpace } from './docker/disk-space.js';
import { DEFAULT_SOCKET, parseDockerHost } from './docker/docker-address.js';
import { connectEngine } from './docker/dockerode-engine.js';
import { type Engine, EngineUnreachable } from './docker/engine.js';
import { TraitsReader } from './docker/engine-traits.js';
import { type Informer, startWorld } from './docker/informer.js';
import { startLogFollower } from './docker/log-follower.js';
import { architectureOf } from './docker/platform.js';
import { findEngine } from './docker/private-engine.js';
import { PullQueue } from './docker/pull-queue.js';
import { registryCredentials } from './docker/registry-credentials.js';
import { seedImage } from './docker/seed-image.js';
import { gitSourceController } from './git-source/git-source-controller.js';
import { answersAt } from './host/api-answer.js';
import { readCapabilities } from './host/capabilities.js';
import { readDefaultRoute } from './host/default-route.js';
import { readDeviceCredentials } from './host/device-credentials.js';
import { readDeviceFacts } from './host/device-facts.js';
import { hasEmulator } from './host/emulators.js';
import type { DeviceFacts } from './host/facts.js';
import { openHandovers } from './host/handovers.js';
import { interfaceReader } from './host/interfaces.js';
import { openUpdateLocks } from './host/lock-files.js';
import { type Host, openHost } from './host/open-host.js';
import { overridingLocks } from './host/overriding-locks.js';
import { SystemReader } from './host/system-facts.js';
import type { UpdateLocks } from './host/update-locks.js';
import { readUsage } from './host/usage.js';
import { bootVariables } from './host-config/compare-boot.js';
import { type HostConfigControllerDeps, hostConfigController } from './host-config/host-config-controller.js';
import { imageController } from './image/image-controller.js';
import { SideLoader } from './image/side-loader.js';
import { networkController } from './network/network-controller.js';
import type { Controller } from './runtime/controller.js';
import { systemClock } from './runtime/delays.js';
import { healthChecks, healthFacts } from './runtime/health.js';
import { Loop } from './runtime/loop.js';
import { Manager, type Part } from './runtime/manager.js';
import { deviceVariables, onVariables, repeat } from './runtime/variables.js';
import { logOwnerOf } from './service/log-owner.js';
import { rebootWhenSettled } from './service/reboots.js';
import { serviceController } from './service/service-controller.js';
import { serviceLogs } from './service/service-logs.js';
import { serviceStats } from './service/service-stats.js';
import { watchStrays } from './service/strays.js';
import { printable, type Settings } from './settings.js';
import type { Voice } from './terminal.js';
import { AGENT_VERSION } from './version.js';
import { volumeController } from './volume/volume-controller.js';

/** A server that is down is asked again after seconds at first, then after minutes, ms. */
const GIT_BACKOFF_MS = { first: 2_000, max: 10 * 60_000 };
/** Everything is looked at again this often, should an event have been lost. */
const RELIST_CRON = '*/5 * * * *';
/** Where containers reach the API while the network's own answer is not known yet. */
const API_GATEWAY = '10.114.104.1';

export interface Agent {
  /** Addresses on which the API answers. */
  readonly addresses: readonly string[];
  /** Stops in reverse order of the start: passes drain, status goes to disk. Containers keep running. */
  stop(): Promise<void>;
}

/**
 * The whole agent: store, then HTTP (so that it answers while an engine is still looked for), engine, world, sources,
 * controllers. Rejects when a part cannot start; what had started is stopped again.
 */
export async function startAgent(settings: Settings, voice: Voice, signal: AbortSignal): Promise<Agent> {
  const { log } = voice;
  log.info({ settings: printable(settings) }, `supercargo ${AGENT_VERSION}`);
  const now = Date.now;
  const unlockFolder = await lockFolder(settings.dataFolder);
  const store = await openStore({ folder: settings.dataFolder, now, log });
  const stopFollowing = voice.follow(store);
  const keys = await openKeys({ folder: settings.dataFolder, globalKey: settings.apiKey, now, log });
  const facts = await readDeviceFacts({ ...settings, engineSocket: DEFAULT_SOCKET });
  const variables = deviceVariables(store, settings);
  const logs = new LogStream(() => variables().SUPERVISOR_LOG_CONTROL);
  const booted: { config?: Readonly<Record<string, string>> } = {};
  const targetDevice = {
    uuid: facts.uuid,
    get localMode() {
      return variables().SUPERVISOR_LOCAL_MODE;
    },
    bootConfig: () => booted.config ?? {},
  };
  const local = localOrigin({ store, device: targetDevice, parse: parseDocument, log });

  const locks = overridingLocks(openUpdateLocks({ ...settings, log, now }), () => variables().SUPERVISOR_OVERRIDE_LOCK);
  const host = hostOf({ settings, facts, store, variables, locks, logs, log });
  const boot = await host.boot.see();
  booted.config = bootVariables(boot);
  await host.loadTables(boot);

  const loops: Loop[] = [];
  const sources: Pick<FolderSource, 'rescan'>[] = [];
  const interfaces = interfaceReader(now);
  const found: { engine?: Engine; world?: Informer } = {};
  const tags = openTags({ folder: settings.dataFolder, now, log });
  const secrets = openSecretFiles(settings);
  const server = await createServer({
    store,
    logs,
    keys,
    target: local,
    host,
    tags,
    secrets,
    updates: {
      rereadSources: async () => void (await Promise.all(sources.map((source) => source.rescan()))),
      instant: () => variables().SUPERVISOR_INSTANT_UPDATE_TRIGGER,
    },
    device: {
      ...facts,
      identity: () => ({ ...facts, interfaces: interfaces() }),
      usage: () => readUsage([settings.dataFolder, join(settings.hostRoot, 'var/lib/docker')]),
    },
    containers: {
      logs: (choice, ending) => serviceLogs({ store, engine: engineOf(found), clock: systemClock }, choice, ending),
      stats: async (ending) => serviceStats({ store, engine: engineOf(found) }, ending),
    },
    settings: {
      ...{ development: settings.development, listen: settings.listen, version: AGENT_VERSION },
      get localMode() {
        return variables().SUPERVISOR_LOCAL_MODE;
      },
    },
    engineTrouble: () => engineTrouble(found.world, now()),
    checks: () => healthChecks(healthFacts({ ...settings, store, loops, vitals: found.world?.vitals })),
    now,
    log,
  });

  const manager = new Manager(log);
  await manager.start([
    { name: 'the data folder', start: () => undefined, stop: unlockFolder },
    { name: 'the store', start: () => undefined, stop: () => store.close() },
    { name: 'the terminal', start: () => undefined, stop: stopFollowing },
    { name: 'the API', start: () => server.start(), stop: () => server.stop() },
    { name: 'the greeting', start: () => greet(settings, voice, server), stop: () => undefined },
    ...gateway(store, server, settings, log),
    firewall({ settings, store, variables, host }),
    actors({
      settings,
      variables,
      voice,
      signal,
      store,
      keys,
      locks,
      host,
      server,
      logs,
      facts,
      tags,
      secrets,
      log,
      loops,
      sources,
      found,
    }),
  ]);
  return {
    get addresses() {
      return server.addresses;
    },
    stop: () => manager.stop(),
  };
}

function greet(settings: Settings, voice: Voice, server: ApiServer): void {
  voice.say(`supercargo ${AGENT_VERSION}`);
  voice.say(`  API      ${server.addresses.map((address) => address.replace(/^(?!unix)/, 'http://')).join('  ')}`);
  voice.say(`  key      ${settings.apiKey ? 'SUPERCARGO_API_KEY' : `${settings.dataFolder}/keys.json`}`);
  voice.say(`  watching ${settings.manifestFolders.join('  ')}`);
}

interface ActorDeps {
  readonly settings: Settings;
  readonly voice: Voice;
  readonly signal: AbortSignal;
  readonly store: Store;
  readonly variables: () => DeviceVariables;
  readonly keys: Keys;
  readonly locks: UpdateLocks;
  readonly host: Host;
  readonly server: Pick<ApiServer, 'addresses'>;
  readonly logs: LogStream;
  readonly facts: DeviceFacts;
  readonly tags: Tags;
  readonly secrets: SecretFiles;
  readonly log: Logger;
  /** Filled in, so that the health check sees them. */
  readonly loops: Loop[];
  /** Filled in, so that an update can be asked for. */
  readonly sources: Pick<FolderSource, 'rescan'>[];
  /** Filled in, so that logs can be read, and the health check sees the world. */
  readonly found: { engine?: Engine; world?: Informer };
}

/** Engine, world, sources and controllers: one part, because the later ones need the engine that the first one finds. */
function actors(deps: ActorDeps): Part {
  const manager = new Manager(deps.log);
  return {
    name: 'the controllers',
    start: async () => manager.start(await actingParts(deps)),
    stop: () => manager.stop(),
  };
}

async function actingParts(deps: ActorDeps): Promise<readonly Part[]> {
  const { settings, store, locks, host, logs, log, loops } = deps;
  const dockerHost = await engineAddress(deps);
  const engine = connectEngine({ dockerHost });
  deps.found.engine = engine;
  const address = parseDockerHost(dockerHost);
  const facts = { ...deps.facts, engineSocket: 'socketPath' in address ? address.socketPath : DEFAULT_SOCKET };
  const wanted = () => [...store.list('Image'), ...store.list('Service')].map(({ spec }) => spec.image);
  const world = startWorld({ engine, log, clock: systemClock, wanted, sameClock: 'socketPath' in address });
  deps.found.world = world;
  const credentials = registryCredentials({
    dataFolder: settings.dataFolder,
    env: process.env,
    device: () => readDeviceCredentials(settings.hostRoot),
    log,
  });
  const archives = new SideLoader({
    ...{ dataFolder: settings.dataFolder, store, engine, world, logs, log, clock: systemClock },
    architecture: () => architectureOf(reader.traits.machine ?? machine()),
  });
  const space = diskSpace({ engine, hostRoot: settings.hostRoot, minFreeBytes: settings.minFreeDiskBytes });
  const pulls = new PullQueue({ engine, world, archives, credentials, space, log });
  const apiAddress = () => ({
    host: store.get('Network', API_NETWORK)?.status?.gateway ?? API_GATEWAY,
    port: settings.apiPort,
  });
  const handovers = openHandovers(settings);
  const reader = new TraitsReader({ engine, world, log, emulates: () => hasEmulator(settings.hostRoot) });
  const offers = await readCapabilities(settings.hostRoot, { facts, supervisorVersion: SUPERVISOR_VERSION });
  const ofHost = { offers, locks, handovers, logs, keys: deps.keys, facts, traits: () => reader.traits, apiAddress };
  const common = { store, engine, world, pulls, archives, ...ofHost, log, now: Date.now, random: Math.random };
  const children: readonly Controller[] = [
    imageController(common),
    networkController(common),
    volumeController(common),
    serviceController(common),
  ];
  const ofLoops = { store, clock: systemClock, random: Math.random, log };
  loops.push(...children.map((one) => new Loop(one, ofLoops)));
  loops.push(new Loop(appController(common), { ...ofLoops, after: [...loops] }));
  loops.push(new Loop(hostConfigController(hostConfigDeps(deps), host.watchFiles), ofLoops));
  loops.push(new Loop(gitSources(deps), { ...ofLoops, backoffMs: GIT_BACKOFF_MS }));
  const folders = watchFolders({
    folders: settings.manifestFolders,
    store,
    parse: parseDocument,
    deviceUuid: facts.uuid,
    log,
    now: Date.now,
  });

  const relist = cron.createTask(RELIST_CRON, async () => {
    await world.relist();
    archives.look();
    for (const loop of loops) loop.wakeAll();
  });
  const follower: { stop?: () => Promise<void>; strays?: () => void } = {};
  return [
    { name: 'the world', start: () => world.start(), stop: () => world.stop() },
    { name: 'the traits of the engine', start: () => reader.start(), stop: () => reader.stop() },
    { name: 'the files of images', start: () => archives.start(), stop: () => archives.stop() },
    { name: 'the pulls', start: () => undefined, stop: () => pulls.stop() },
    {
      name: 'the container logs',
      start: () => {
        follower.stop = startLogFollower({ engine, world, logs, clock: systemClock, log, ...logOwnerOf(store) }).stop;
      },
      stop: () => follower.stop?.(),
    },
    {
      name: 'the folders',
      start: async () => {
        await seed(deps, dockerHost);
        await folders.start();
        deps.sources.push(folders, { rescan: async () => lookAtRepositories(store) });
      },
      stop: () => folders.stop(),
    },
    ...loops.map((loop) => ({
      name: `the ${loop.controller.kind} controller`,
      start: () => loop.start(),
      stop: () => loop.stop(),
    })),
    {
      name: 'the strays',
      start: () => {
        follower.strays = watchStrays({ store, world, clock: systemClock });
      },
      stop: () => follower.strays?.(),
    },
    reboots(deps),
    { name: 'the relist', start: () => relist.start(), stop: () => relist.destroy() },
    poll(deps),
  ];
}

/** The engine, once it has been found. */
function engineOf({ engine, world }: { readonly engine?: Engine; readonly world?: Informer }): Engine {
  const trouble = engineTrouble(world, Date.now());
  if (!engine || trouble !== undefined) throw new EngineUnreachable(trouble);
  return engine;
}

/** A start of the engine or of ours takes a moment; after that nobody is to wait for what may not come. */
const PATIENCE_MS = 1_000;

function engineTrouble(world: Informer | undefined, nowMs: number): string | undefined {
  if (!world) return 'The engine is still being looked for; ask again in a moment';
  const { lostAtMs } = world.vitals;
  return lostAtMs !== undefined && nowMs - lostAtMs > PATIENCE_MS ? world.trouble : undefined;
}

/** The GitSource controller, and the origins that do for it what git can do. */
function gitSources({ settings, store, secrets, facts, tags, log }: ActorDeps): Controller {
  const name = (): string => store.get('HostConfig', DEVICE_DOCUMENT)?.spec.name ?? DEFAULT_DEVICE_NAME;
  const { uuid, deviceType, arch } = facts;
  const repositories = gitOrigins({
    store,
    secrets,
    dataFolder: settings.dataFolder,
    parse: parseDocument,
    device: () => ({
      name: name(),
      uuid,
      type: deviceType,
      arch,
      tags: Object.fromEntries(tags.list().map((tag) => [tag.name, tag.value])),
    }),
    env: process.env,
    log,
    now: Date.now,
  });
  const device = () => ({ name: name(), uuid, deviceType, arch, version: AGENT_VERSION });
  return gitSourceController({ store, repositories, clock: systemClock, random: Math.random, device });
}

function lookAtRepositories(store: Store): void {
  for (const { metadata, spec } of store.list('GitSource'))
    if (!spec.suspend) store.touch(keyOf('GitSource', metadata.name));
}

/** Boots the device for services that start only then, where the agent may. */
function reboots({ store, host, logs }: ActorDeps): Part {
  const part: { stop?: () => void } = {};
  return {
    name: 'the reboots',
    start: () => {
      part.stop = rebootWhenSettled({
        store,
        reboot: () => host.leave('reboot', false),
        after: (ms, call) => systemClock.after(ms, call),
        say: (message) => logs.system(message),
      });
    },
    stop: () => part.stop?.(),
  };
}

/** What the settings of the host are made true with. */
function hostConfigDeps({
  settings,
  store,
  variables,
  host,
  server,
  facts,
  logs,
}: ActorDeps): HostConfigControllerDeps {
  const { hostRoot, dataFolder } = settings;
  const { clock, run, units } = host;
  const reader = new SystemReader({
    hostRoot,
    dataFolder,
    facts,
    interfaces: interfaceReader(Date.now),
    clock,
    run,
    now: Date.now,
  });
  return {
    ...{ store, units, clock, facts },
    device: { deviceType: facts.deviceType, metaVersion: facts.metaVersion },
    ...{ network: host.files, boot: host.boot, state: host.state, breadcrumb: host.breadcrumb },
    localMode: settings.localMode,
    proofs: {
      hasDefaultRoute: () => readDefaultRoute(hostRoot),
      addresses: () => server.addresses,
      answers: answersAt,
    },
    now: Date.now,
    obstacle: () => host.obstacle('reboot'),
    reboot: () => host.leave('reboot', false),
    say: (message, isStdErr = false) => logs.system(message, { isStdErr }),
    async system() {
      const system = await reader.facts();
      return variables().SUPERVISOR_HARDWARE_METRICS ? { system, metrics: await reader.metrics() } : { system };
    },
  };
}

/** Reads every source anew at the interval of the device's settings, though nothing was announced. */
function poll({ store, variables, sources, log }: ActorDeps): Part {
  const stops: (() => void)[] = [];
  const action = (): void => {
    Promise.all(sources.map((source) => source.rescan())).catch((error: unknown) =>
      log.warn({ err: error }, 'Could not read every source anew'),
    );
  };
  const intervalMs = (): number => variables().SUPERVISOR_POLL_INTERVAL;
  const changes = (changed: () => void): (() => void) => onVariables(store, changed);
  return {
    name: 'the poll',
    start: () => void stops.push(repeat({ clock: systemClock, intervalMs, changes, action })),
    stop: () => {
      for (const stop of stops) stop();
    },
  };
}

/** Keeps the host's firewall as the settings say, where the agent may: services on the host's network count too. */
function firewall({
  settings,
  store,
  variables,
  host,
}: Pick<ActorDeps, 'settings' | 'store' | 'variables' | 'host'>): Part {
  const stops: (() => void)[] = [];
  let last: Promise<void> = Promise.resolve();
  const apply = (): void => {
    const { HOST_FIREWALL_MODE: mode, SUPERVISOR_LOCAL_MODE: localMode } = variables();
    const hasHostService = store.list('Service').some(({ spec }) => spec.network_mode === 'host');
    last = last.then(() => host.firewall.apply({ mode, localMode, hasHostService, apiPort: settings.apiPort }));
  };
  return {
    name: 'the firewall',
    start: () => {
      apply();
      stops.push(
        store.watch(({ object, parts, type }) => {
          const concerned = object.kind === 'HostConfig' || object.kind === 'Service';
          if (concerned && (type === 'DELETED' || parts.includes('spec'))) apply();
        }),
      );
    },
    stop: () => {
      for (const stop of stops) stop();
    },
  };
}

interface HostParts {
  readonly settings: Settings;
  readonly facts: DeviceFacts;
  readonly store: Store;
  readonly variables: () => DeviceVariables;
  readonly locks: UpdateLocks;
  readonly logs: LogStream;
  readonly log: Logger;
}

function hostOf({ settings, facts, store, variables, locks, logs, log }: HostParts): Host {
  const { DBUS_SYSTEM_BUS_ADDRESS: bus } = process.env;
  const hostBus = bus ?? `unix:path=${settings.hostRoot}/run/dbus/system_bus_socket`;
  const env = settings.hostRoot === '/' ? process.env : { ...process.env, DBUS_SYSTEM_BUS_ADDRESS: hostBus };
  return openHost({
    settings,
    device: { deviceType: facts.deviceType, metaVersion: facts.metaVersion },
    locks,
    appIds: () => store.list('App').flatMap((app) => appIdOf(app) ?? []),
    overrides: () => variables().SUPERVISOR_OVERRIDE_LOCK,
    run: (program, args, { signal, input }) => runCommand(program, args, { env, signal, input }),
    say: (message, isStdErr = false) => logs.system(message, { isStdErr }),
    log,
    after: (ms, call) => systemClock.after(ms, call),
  });
}

/** An installed agent goes on with an engine that is down; one that may bring its own needs an answer first. */
async function engineAddress({ settings, voice, signal }: ActorDeps): Promise<string> {
  if (settings.engine === 'external') return settings.dockerHost ?? `unix://${DEFAULT_SOCKET}`;
  const found = await findEngine({
    mode: settings.engine,
    dataFolder: settings.dataFolder,
    env: process.env,
    say: (text) => voice.say(text),
    signal,
  });
  voice.say(`  engine   ${found.dockerHost}${found.started ? ' (our own)' : ''}`);
  return found.dockerHost;
}

async function seed({ settings, voice, log }: ActorDeps, dockerHost: string): Promise<void> {
  if (settings.seedImage === undefined) return;
  try {
    await seedImage({ dockerHost, reference: settings.seedImage, say: (text) => voice.say(text) });
  } catch (error) {
    log.warn({ err: error }, `Could not make ${settings.seedImage}; it will be pulled`);
  }
}

/** Listens on the gateway of `supervisor0` once that network exists, so that containers reach the API. */
function gateway(store: Store, server: ApiServer, settings: Settings, log: Logger): readonly Part[] {
  const listening = new Set<string>();
  const stops: (() => void)[] = [];
  const look = async (): Promise<void> => {
    const network = store.get('Network', API_NETWORK);
    const address = network?.status?.gateway;
    if (!network || !isReady(network) || address === undefined || listening.has(address)) return;
    if (settings.listen.startsWith('0.0.0.0:')) return;
    listening.add(address);
    try {
      await server.listen(`${address}:${settings.apiPort}`, 'gateway');
      log.info(`Containers reach the API at http://${address}:${settings.apiPort}`);
    } catch (error) {
      listening.delete(address);
      log.warn({ err: error }, `Could not listen on the gateway of ${API_NETWORK}`);
    }
  };
  return [
    {
      name: `the API on ${API_NETWORK}`,
      start: () => {
        stops.push(store.watch(({ key }) => void (key === `Network/${API_NETWORK}` && look())));
      },
      stop: () => {
        for (const stop of stops) stop();
      },
    },
  ];
}
