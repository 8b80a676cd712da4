import { machine } from 'node:os';
import { join } from 'node:path';
import { type ApiServer, createServer } from '../../api/http/server.js';
import { systemClock } from '../../api/platform/clock.js';
import { openLocalPeers } from '../../api/platform/processes/local-peers.js';
import { holderOfPort, holderText } from '../../api/platform/processes/port-holder.js';
import { watchFolders } from '../../api/sources/files/folder.js';
import { gitOrigins } from '../../api/sources/git/git-origin.js';
import { localOrigin } from '../../api/sources/target-state/local.js';
import { keyOf } from '../../crds/model/kinds.js';
import { API_NETWORK, DEFAULT_DEVICE_NAME, DEVICE_DOCUMENT } from '../../crds/model/names.js';
import { isSuspended } from '../../crds/model/suspend.js';
import { parseDocument } from '../../crds/schema/parse.js';
import { isElsewhere } from '../engine/client/docker-address.js';
import { TraitsReader } from '../engine/engine-traits.js';
import { diskSpace } from '../engine/images/disk-space.js';
import { PullQueue } from '../engine/images/pull-queue.js';
import { remoteImage } from '../engine/images/registry-client.js';
import { registryCredentials } from '../engine/images/registry-credentials.js';
import { architectureOf } from '../engine/platform.js';
import type { GitSourceDeps } from '../git-source/observe.js';
import { hasEmulator } from '../host/facts/capabilities.js';
import { readDeviceCredentials } from '../host/facts/device-credentials.js';
import { readUsage } from '../host/facts/usage.js';
import { openHandovers } from '../host/locks/handovers.js';
import { applicationLock } from '../host/locks/lock-files.js';
import { interfaceReader } from '../host/network/interfaces.js';
import { containerProcesses } from '../host/processes/container-processes.js';
import { SideLoader } from '../image/side-loader.js';
import { healthChecks, healthFacts } from '../runtime/health.js';
import { type Loop, loopsOf } from '../runtime/loop.js';
import { StopLedger } from '../service/commands/stop-ledger.js';
import { serviceStats, shownEnvironment } from '../service/output/container-readings.js';
import { serviceLogs } from '../service/output/service-logs.js';
import { orphanedVolumes } from '../volume/orphans.js';
import type { AgentContext } from './agent-context.js';
import { CONTROLLERS, type ControllerContext } from './controllers.js';
import { EngineHandle } from './engine-handle.js';
import { Gateway } from './gateway.js';
import { hostConfigDeps } from './host-config-deps.js';
import { DevicePlanner } from './rehearsal/planner.js';
import { AGENT_VERSION } from './version.js';

/** Where containers reach the API before the network is known. */
const API_GATEWAY = '10.114.104.1';

/** All parts of an agent, wired and not started. */
export type Wiring = Awaited<ReturnType<typeof wire>>;

/**
 * Wires the parts of the agent. Starts nothing, asks nobody and listens nowhere: what a part is given may be used once
 * that part has been started, in the order of `startAgent`. Rejects for an invalid address of the engine.
 */
export async function wire(context: AgentContext) {
  const { settings, reporter, store, variables, keys, locks, host, logs, facts, tags, secrets, log } = context;
  const clock = systemClock;
  const { now, monotonic } = clock;
  const handle = new EngineHandle({ settings, store, clock, print: (text) => reporter.print(text), log });
  const { engine, cache, requests } = handle;
  const space = diskSpace({ engine, hostRoot: settings.hostRoot, minFreeBytes: settings.minFreeDiskBytes });
  const traits = new TraitsReader({ engine, cache, clock, log, emulates: () => hasEmulator(settings.hostRoot) });
  const archives = new SideLoader({
    ...{ dataFolder: settings.dataFolder, store, engine, cache, logs, log, clock, space },
    architecture: () => architectureOf(traits.traits.machine ?? machine()),
  });
  const credentials = registryCredentials({
    readSecret: (name) => secrets.read(name),
    env: process.env,
    device: () => readDeviceCredentials(settings.hostRoot),
    log,
  });
  const pulls = new PullQueue({ engine, cache, archives, credentials, space, log });
  const folders = watchFolders({
    ...{ folders: settings.manifestFolders, store, parse: parseDocument, deviceUuid: facts.uuid, log },
  });
  const peers = openLocalPeers({ log });
  const interfaces = interfaceReader(monotonic);

  /** Reads every source again; does nothing before they have been read once. */
  const rescan = async (): Promise<void> => {
    if (!folders.hasSynced) return;
    for (const source of store.list('GitSource'))
      if (!isSuspended(source)) store.touch(keyOf('GitSource', source.metadata.name));
    await folders.rescan();
  };

  const server: ApiServer = await createServer({
    ...{ store, logs, keys, peers, host, tags, secrets, now, log },
    target: localOrigin({
      store,
      device: {
        uuid: facts.uuid,
        get localMode() {
          return variables().SUPERVISOR_LOCAL_MODE;
        },
        bootConfig: () => context.bootConfig,
      },
      parse: parseDocument,
      log,
    }),
    updates: { rereadSources: rescan, instant: () => variables().SUPERVISOR_INSTANT_UPDATE_TRIGGER },
    device: {
      ...facts,
      identity: () => ({ ...facts, interfaces: interfaces() }),
      usage: () => readUsage([settings.dataFolder, join(settings.hostRoot, 'var/lib/docker')]),
    },
    containers: {
      logs: (choice, ending) => serviceLogs({ store, engine: handle.reachable(), clock }, choice, ending),
      stats: async (ending) => serviceStats({ store, engine: handle.reachable() }, ending),
      environment: (id) => shownEnvironment(cache.containers(), id),
    },
    planner: {
      plan: (declare, signal) => planner.plan(declare, signal),
      failure: () => handle.failure ?? cache.syncError,
    },
    volumes: orphanedVolumes({ store, cache, engine, logs, isDeclared: () => folders.hasSynced }),
    settings: {
      ...{ development: settings.development, appKeys: settings.appKeys, listen: settings.listen },
      version: AGENT_VERSION,
      get localMode() {
        return variables().SUPERVISOR_LOCAL_MODE;
      },
    },
    engineFailure: () => handle.failure,
    checks: () =>
      healthChecks(
        healthFacts({
          ...{ ...settings, store, loops, vitals: handle.vitals },
          engineFailure: handle.vitals && cache.syncError,
          engineUnanswered: handle.vitals && cache.unanswered(),
          apiFailure: gateway.failure,
        }),
      ),
  });
  const gateway = new Gateway({
    ...{ store, server, clock, port: settings.apiPort, isElsewhere: isElsewhere(settings.dockerHost) },
    ...{ elapsedMs: monotonic, random: Math.random },
  });

  const controllerContext: ControllerContext = {
    ...{ store, engine, cache, pulls, archives, locks, keys, logs, log, now, monotonic, random: Math.random },
    ...{ offers: context.offers, imageGraceMs: settings.imageGraceMs, minReadySeconds: settings.minReadySeconds },
    ...{ hostRoot: settings.hostRoot, bootId: context.bootId },
    traits: () => traits.traits,
    handovers: openHandovers(settings),
    processes: containerProcesses(),
    stopLedger: new StopLedger(),
    restartEngine: (why: string) => handle.restarts.ask(why),
    portProxy: (at: { readonly address: string; readonly port: number }) => handle.daemon.process?.portProxy?.(at),
    portHolder: (at: { readonly address: string; readonly port: number }) => {
      // The ports of an engine elsewhere are not those of this machine.
      const holder = handle.socketPath === undefined ? undefined : holderOfPort(at.address, at.port);
      return holder && holderText(holder);
    },
    facts: {
      ...facts,
      get engineSocket() {
        return handle.socketPath;
      },
    },
    apiAddress: () => ({
      host: store.get('Network', API_NETWORK)?.status?.gateway ?? API_GATEWAY,
      port: settings.apiPort,
    }),
    apiReach: gateway,
    hostConfig: hostConfigDeps(context, {
      addresses: () => server.addresses,
      appsAreKnown: () => loopOf('App').hasSynced,
    }),
    watchHostFiles: host.watchFiles,
    gitSource: gitSourceDeps(context),
  };
  const planner = new DevicePlanner({
    ...{ context: controllerContext, cache, clock, credentials },
    lockedBy: (appId) => (variables().SUPERVISOR_OVERRIDE_LOCK ? undefined : applicationLock(settings, appId)),
    describe: (reference, { auth, platform }, signal) => {
      const architecture = platform?.split('/')[1] ?? architectureOf(traits.traits.machine ?? machine());
      return remoteImage(reference, auth, architecture, signal);
    },
  });
  const controllers = Object.values(CONTROLLERS).map((make) => make(controllerContext));
  const loops = loopsOf(controllers, { store, clock, random: Math.random, log, heldUp: requests });
  const loopOf = (kind: Loop['controller']['kind']): Loop => {
    const found = loops.find(({ controller }) => controller.kind === kind);
    if (!found) throw new Error(`No controller of ${kind}`);
    return found;
  };
  return { context, handle, traits, archives, pulls, folders, rescan, peers, server, gateway, loops, loopOf };
}

/** Wires the git sources, and what this device says of itself. */
function gitSourceDeps({ settings, store, secrets, facts, tags, log }: AgentContext): GitSourceDeps {
  const name = (): string => store.get('HostConfig', DEVICE_DOCUMENT)?.spec.name ?? DEFAULT_DEVICE_NAME;
  const { uuid, deviceType, arch } = facts;
  const repositories = gitOrigins({
    ...{
      store,
      secrets,
      dataFolder: settings.dataFolder,
      parse: parseDocument,
      env: process.env,
      log,
      now: systemClock.now,
    },
    device: () => ({
      ...{ name: name(), uuid, type: deviceType, arch },
      tags: Object.fromEntries(tags.list().map((tag) => [tag.name, tag.value])),
    }),
  });
  const device = () => ({ name: name(), uuid, deviceType, arch, version: AGENT_VERSION });
  return { store, repositories, clock: systemClock, random: Math.random, device };
}
