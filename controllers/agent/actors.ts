import { machine } from 'node:os';
import { SUPERVISOR_VERSION } from '../../api/http/supervisor/version.js';
import { watchFolders } from '../../api/sources/files/folder.js';
import { gitOrigins } from '../../api/sources/git/git-origin.js';
import type { Store } from '../../api/store/store.js';
import { keyOf } from '../../crds/model/kinds.js';
import { API_NETWORK, DEFAULT_DEVICE_NAME, DEVICE_DOCUMENT } from '../../crds/model/names.js';
import { isSuspended } from '../../crds/model/suspend.js';
import { parseDocument } from '../../crds/schema/parse.js';
import { appController } from '../app/app-controller.js';
import { type Informer, startWorld } from '../engine/cache/informer.js';
import { DEFAULT_SOCKET, parseDockerHost } from '../engine/client/docker-address.js';
import { connectEngine } from '../engine/client/dockerode-engine.js';
import { TraitsReader } from '../engine/engine-traits.js';
import { diskSpace } from '../engine/images/disk-space.js';
import { PullQueue } from '../engine/images/pull-queue.js';
import { registryCredentials } from '../engine/images/registry-credentials.js';
import { findEngine } from '../engine/local/private-engine.js';
import { seedImage } from '../engine/local/seed-image.js';
import { startLogFollower } from '../engine/logs/log-follower.js';
import { architectureOf } from '../engine/platform.js';
import { RequestWatch } from '../engine/request-watch.js';
import { gitSourceController } from '../git-source/controller.js';
import { readCapabilities } from '../host/facts/capabilities.js';
import { readDeviceCredentials } from '../host/facts/device-credentials.js';
import { hasEmulator } from '../host/facts/emulators.js';
import { openHandovers } from '../host/locks/handovers.js';
import { containerProcesses } from '../host/processes/container-processes.js';
import { imageController } from '../image/controller.js';
import { SideLoader } from '../image/side-loader.js';
import { networkController } from '../network/controller.js';
import { watchClock } from '../runtime/clock-watch.js';
import type { Controller } from '../runtime/controller.js';
import { systemClock } from '../runtime/delays.js';
import { Loop } from '../runtime/loop.js';
import { Manager, type Part } from '../runtime/manager.js';
import { repeat } from '../runtime/variables.js';
import { logOwnerOf } from '../service/output/log-owner.js';
import { serviceController } from '../service/service-controller.js';
import { watchStrays } from '../service/strays.js';
import { volumeController } from '../volume/controller.js';
import { orphanedVolumes } from '../volume/orphans.js';
import type { ActorDeps } from './actor-deps.js';
import { keeper, poll, reboots, working } from './parts.js';
import { AGENT_VERSION } from './version.js';

/** A server that is down is asked again after seconds at first, then after minutes, ms. */
const GIT_BACKOFF_MS = { first: 2_000, max: 10 * 60_000 };
/** Everything is looked at again this often, should an event have been lost, ms. */
const RELIST_MS = 5 * 60_000;
/** For parts that plan no timers of their own. */
const TIME = { now: systemClock.now, monotonic: systemClock.monotonic };
/** Where containers reach the API while the network's own answer is not known yet. */
const API_GATEWAY = '10.114.104.1';

/** Engine, world, sources and controllers: one part, because the later ones need the engine that the first one finds. */
export function actors(deps: ActorDeps): Part {
  const manager = new Manager(deps.log);
  return {
    name: 'the controllers',
    start: async () => manager.start(await actingParts(deps)),
    stop: () => manager.stop(),
  };
}

async function actingParts(deps: ActorDeps): Promise<readonly Part[]> {
  const { settings, store, secrets, locks, logs, log, loops } = deps;
  const { dockerHost, started: isOurs } = await engineAddress(deps);
  const requests = new RequestWatch({
    clock: systemClock,
    container: (id) => world.containers().find((one) => one.id === id),
  });
  const engine = requests.watch(connectEngine({ dockerHost }));
  deps.found.engine = engine;
  const address = parseDockerHost(dockerHost);
  const facts = { ...deps.facts, engineSocket: 'socketPath' in address ? address.socketPath : DEFAULT_SOCKET };
  const wanted = () => [...store.list('Image'), ...store.list('Service')].map(({ spec }) => spec.image);
  const sameClock = 'socketPath' in address;
  const world: Informer = startWorld({ engine, log, clock: systemClock, wanted, sameClock, requests });
  deps.found.world = world;
  const credentials = registryCredentials({
    readSecret: (name) => secrets.read(name),
    env: process.env,
    device: () => readDeviceCredentials(settings.hostRoot),
    log,
  });
  const space = diskSpace({ engine, hostRoot: settings.hostRoot, minFreeBytes: settings.minFreeDiskBytes });
  const archives = new SideLoader({
    ...{ dataFolder: settings.dataFolder, store, engine, world, logs, log, clock: systemClock, space },
    architecture: () => architectureOf(reader.traits.machine ?? machine()),
  });
  const pulls = new PullQueue({ engine, world, archives, credentials, space, log });
  const apiAddress = () => ({
    host: store.get('Network', API_NETWORK)?.status?.gateway ?? API_GATEWAY,
    port: settings.apiPort,
  });
  const handovers = openHandovers(settings);
  const reader = new TraitsReader({
    engine,
    world,
    clock: systemClock,
    log,
    emulates: () => hasEmulator(settings.hostRoot),
  });
  const offers = await readCapabilities(settings.hostRoot, { facts, supervisorVersion: SUPERVISOR_VERSION });
  const processes = containerProcesses();
  const ofHost = {
    offers,
    locks,
    handovers,
    processes,
    logs,
    keys: deps.keys,
    facts,
    traits: () => reader.traits,
    apiAddress,
  };
  const common = {
    store,
    engine,
    world,
    pulls,
    archives,
    ...ofHost,
    apiReach: deps.apiReach,
    log,
    ...TIME,
    random: Math.random,
  };
  const children: readonly Controller[] = [
    imageController(common),
    networkController(common),
    volumeController(common),
    serviceController(common),
  ];
  const ofLoops = { store, clock: systemClock, random: Math.random, log, heldUp: requests };
  const ofChildren = children.map((one) => new Loop(one, ofLoops));
  const apps = appController({ ...common, imageGraceMs: settings.imageGraceMs });
  const own = [
    ...ofChildren,
    new Loop(apps, { ...ofLoops, after: ofChildren }),
    new Loop(gitSources(deps), { ...ofLoops, backoffMs: GIT_BACKOFF_MS }),
  ];
  loops.push(...own);
  const folders = watchFolders({
    folders: settings.manifestFolders,
    store,
    parse: parseDocument,
    deviceUuid: facts.uuid,
    log,
  });

  const follower: { stop?: () => Promise<void>; strays?: () => void } = {};
  return [
    // Before the first list, which an engine that hangs would hold up.
    keeper(deps, { world, requests, dockerHost, isOurs }),
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
        // An engine that hangs would hold up everything else.
        if (world.fresh) await seed(deps, dockerHost);
        await folders.start();
        deps.sources.push(folders, { rescan: async () => lookAtRepositories(store) });
      },
      stop: () => folders.stop(),
    },
    ...own.map(working),
    {
      name: 'the strays',
      start: () => {
        follower.strays = watchStrays({ store, world, clock: systemClock });
        // Not before the folders have been read: an app that is not known yet is not gone.
        deps.found.orphans = orphanedVolumes({ store, world, engine, logs });
      },
      stop: () => follower.strays?.(),
    },
    reboots(deps),
    relist(world, archives, loops),
    clockWatch(deps),
    poll(deps),
  ];
}

/** Lists and looks at everything again and again; by the monotonic clock, so that a clock that is set back does not end it. */
function relist(world: Informer, archives: SideLoader, loops: readonly Loop[]): Part {
  const action = async (): Promise<void> => {
    await world.relist();
    archives.look();
    for (const loop of loops) loop.wakeAll();
  };
  const part: { stop?: () => void } = {};
  return {
    name: 'the relist',
    start: () => {
      part.stop = repeat({ clock: systemClock, intervalMs: () => RELIST_MS, action: () => void action() });
    },
    stop: () => part.stop?.(),
  };
}

/** Has everything looked at when the clock has been set, or the machine has slept: what is due by the time of day is due by another. */
function clockWatch({ loops, log }: ActorDeps): Part {
  const part: { stop?: () => void } = {};
  return {
    name: 'the watch over the clock',
    start: () => {
      part.stop = watchClock(systemClock, (byMs) => {
        const seconds = Math.round(Math.abs(byMs) / 1000);
        log.warn({ byMs: Math.round(byMs) }, `The clock was set ${byMs < 0 ? 'back' : 'forward'} by ${seconds} s`);
        for (const loop of loops) loop.wakeAll();
      });
    },
    stop: () => part.stop?.(),
  };
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
  for (const source of store.list('GitSource'))
    if (!isSuspended(source)) store.touch(keyOf('GitSource', source.metadata.name));
}

/** An installed agent goes on with an engine that is down; one that may bring its own needs an answer first. */
async function engineAddress({ settings, voice, signal }: ActorDeps): ReturnType<typeof findEngine> {
  if (settings.engine === 'external')
    return { dockerHost: settings.dockerHost ?? `unix://${DEFAULT_SOCKET}`, started: false };
  const found = await findEngine({
    mode: settings.engine,
    dataFolder: settings.dataFolder,
    env: process.env,
    say: (text) => voice.say(text),
    signal,
  });
  voice.say(`  engine   ${found.dockerHost}${found.started ? ' (our own)' : ''}`);
  return found;
}

async function seed({ settings, voice, log }: ActorDeps, dockerHost: string): Promise<void> {
  if (settings.seedImage === undefined) return;
  try {
    await seedImage({ dockerHost, reference: settings.seedImage, say: (text) => voice.say(text) });
  } catch (error) {
    log.warn({ err: error }, `Could not make ${settings.seedImage}; it will be pulled`);
  }
}
