import { join } from 'node:path';
import { closeDataFolder } from '../../api/device-state/data-folder.js';
import { lockFolder } from '../../api/device-state/folder-lock.js';
import { openKeys } from '../../api/device-state/key-file.js';
import { LogStream } from '../../api/device-state/logs.js';
import { openSecretFiles } from '../../api/device-state/secret-files.js';
import { openTags } from '../../api/device-state/tag-file.js';
import { type ApiServer, createServer } from '../../api/http/server.js';
import { openLocalPeers } from '../../api/platform/processes/local-peers.js';
import type { FolderSource } from '../../api/sources/files/folder.js';
import { localOrigin } from '../../api/sources/target-state/local.js';
import { openStore } from '../../api/store/document-store.js';
import { lostFiles, recordLostFiles } from '../../api/store/persistence/lost-files.js';
import type { OrphanedVolumes } from '../../crds/model/orphans.js';
import { parseDocument } from '../../crds/schema/parse.js';
import type { Informer } from '../engine/cache/informer.js';
import { DEFAULT_SOCKET, isElsewhere } from '../engine/client/docker-address.js';
import { type Engine, EngineUnreachable } from '../engine/engine.js';
import { readDeviceFacts } from '../host/facts/device-facts.js';
import { readUsage } from '../host/facts/usage.js';
import { openUpdateLocks } from '../host/locks/lock-files.js';
import { overridingLocks } from '../host/locks/update-locks.js';
import { interfaceReader } from '../host/network/interfaces.js';
import { bootVariables } from '../host-config/device/compare-boot.js';
import { systemClock } from '../runtime/delays.js';
import { healthChecks, healthFacts } from '../runtime/health.js';
import { collectAtRest } from '../runtime/heap-rest.js';
import type { Loop } from '../runtime/loop.js';
import { Manager } from '../runtime/manager.js';
import { deviceVariables } from '../runtime/variables.js';
import { serviceLogs } from '../service/output/service-logs.js';
import { serviceStats } from '../service/output/service-stats.js';
import { shownEnvironment } from '../service/output/shown-environment.js';
import type { ActorDeps } from './actor-deps.js';
import { actors } from './actors.js';
import { Gateway } from './gateway.js';
import { hostOf, hostSettings } from './host.js';
import { firewall } from './parts.js';
import { printable, type Settings } from './settings.js';
import type { Voice } from './terminal.js';
import { AGENT_VERSION } from './version.js';

/** Longest that one part may take to stop, ms: more than what acts, which stops part by part, usually takes in all. */
const STOP_MS = 15_000;

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
  closeDataFolder(settings.dataFolder, log);
  const unlockFolder = await lockFolder(settings.dataFolder);
  const store = await openStore({ folder: settings.dataFolder, now, log });
  const following = voice.follow(store);
  const keys = await openKeys({ folder: settings.dataFolder, globalKey: settings.apiKey, now, log });
  const facts = await readDeviceFacts({ ...settings, engineSocket: DEFAULT_SOCKET, now });
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

  const locks = overridingLocks(
    openUpdateLocks({ ...settings, log, now: systemClock.monotonic }),
    () => variables().SUPERVISOR_OVERRIDE_LOCK,
  );
  const host = hostOf({ settings, facts, store, variables, locks, logs, log });
  const boot = await host.boot.see();
  booted.config = bootVariables(boot);
  await host.loadTables(boot);

  const loops: Loop[] = [];
  const sources: Pick<FolderSource, 'rescan'>[] = [];
  const interfaces = interfaceReader(systemClock.monotonic);
  const found: { engine?: Engine; world?: Informer; gateway?: Gateway; orphans?: OrphanedVolumes } = {};
  const tags = openTags({ folder: settings.dataFolder, now, log });
  const secrets = openSecretFiles(settings);
  recordLostFiles(store, lostFiles(settings.dataFolder));
  const peers = openLocalPeers({ log });
  const server = await createServer({
    store,
    logs,
    keys,
    peers,
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
      environment: (id) => shownEnvironment(found.world?.containers() ?? [], id),
    },
    volumes: {
      lastSeen: () => orphansOf(found).lastSeen(),
      list: () => orphansOf(found).list(),
      unsure: () => orphansOf(found).unsure(),
      remove: (name, ending) => orphansOf(found).remove(name, ending),
    },
    settings: {
      ...{
        development: settings.development,
        appKeys: settings.appKeys,
        listen: settings.listen,
        version: AGENT_VERSION,
      },
      get localMode() {
        return variables().SUPERVISOR_LOCAL_MODE;
      },
    },
    engineTrouble: () => engineTrouble(found.world),
    checks: () =>
      healthChecks(
        healthFacts({
          ...settings,
          store,
          loops,
          vitals: found.world?.vitals,
          engineTrouble: found.world?.trouble,
          engineUnanswered: found.world?.unanswered(),
          apiTrouble: found.gateway?.trouble,
        }),
      ),
    now,
    log,
  });

  const gateway = new Gateway({
    ...{ store, server, port: settings.apiPort, isElsewhere: isElsewhere(settings.dockerHost), clock: systemClock },
    ...{ elapsedMs: systemClock.monotonic, random: Math.random },
  });
  found.gateway = gateway;
  const deps: ActorDeps = {
    ...{ settings, variables, voice, signal, store, keys, locks, host, server, logs, facts, tags, secrets, log },
    apiReach: gateway,
    ...{ loops, sources, found },
  };
  const manager = new Manager(log, STOP_MS);
  await manager.start([
    { name: 'the data folder', start: () => undefined, stop: unlockFolder },
    { name: 'the heap', start: () => undefined, stop: collectAtRest() },
    { name: 'the store', start: () => undefined, stop: () => store.close() },
    { name: 'the terminal', start: () => undefined, stop: () => following.stop() },
    { name: 'the API', start: () => server.start(), stop: () => server.stop() },
    { name: 'the greeting', start: () => greet(settings, voice, server, peers.blindness), stop: () => undefined },
    gateway,
    firewall({ settings, store, variables, host, clock: systemClock }),
    hostSettings(deps),
    actors(deps),
  ]);
  // An app that is as the agent before left it changes nothing that would be told.
  void loops.find(({ controller }) => controller.kind === 'App')?.firstRound.then(() => following.look());
  return {
    get addresses() {
      return server.addresses;
    },
    stop: () => manager.stop(),
  };
}

function greet(settings: Settings, voice: Voice, server: ApiServer, blindness: string | undefined): void {
  voice.say(`supercargo ${AGENT_VERSION}`);
  voice.say(`  API      ${server.addresses.map((address) => address.replace(/^(?!unix)/, 'http://')).join('  ')}`);
  voice.say(`  key      ${settings.apiKey ? 'SUPERCARGO_API_KEY' : `${settings.dataFolder}/keys.json`}`);
  voice.say(`  watching ${settings.manifestFolders.join('  ')}`);
  if (blindness !== undefined && !settings.development) {
    voice.log.warn(`Callers on this machine need a key when the agent cannot tell who they are: ${blindness}`);
  }
}

/** The engine, once it has been found. */
function engineOf({ engine, world }: { readonly engine?: Engine; readonly world?: Informer }): Engine {
  const trouble = engineTrouble(world);
  if (!engine || trouble !== undefined) throw new EngineUnreachable(trouble);
  return engine;
}

function orphansOf({ orphans }: { readonly orphans?: OrphanedVolumes }): OrphanedVolumes {
  if (!orphans) throw new Error('The agent is still reading what is declared; try again in a moment');
  return orphans;
}

/** A start of the engine or of ours takes a moment; after that nobody is to wait for what may not come. */
const PATIENCE_MS = 1_000;

function engineTrouble(world: Informer | undefined): string | undefined {
  if (!world) return 'The engine is still being looked for; ask again in a moment';
  const { lostAtMs } = world.vitals;
  return lostAtMs !== undefined && systemClock.monotonic() - lostAtMs > PATIENCE_MS ? world.trouble : undefined;
}
