import type { Logger } from 'pino';
import type { LogStream } from '../../api/device-state/logs.js';
import { runCommand } from '../../api/platform/run-program.js';
import { lostFiles, recordLostFiles } from '../../api/store/persistence/lost-files.js';
import { appIdOf } from '../../api/store/proposal/derived-names.js';
import type { Store } from '../../api/store/store.js';
import type { DeviceVariables } from '../../crds/model/device-variables.js';
import type { DeviceFacts } from '../host/facts/facts.js';
import { SystemReader } from '../host/facts/system-facts.js';
import type { UpdateLocks } from '../host/locks/update-locks.js';
import { answersAt } from '../host/network/api-answer.js';
import { readDefaultRoute } from '../host/network/default-route.js';
import { interfaceReader } from '../host/network/interfaces.js';
import { type Host, openHost } from '../host/open-host.js';
import { type HostConfigControllerDeps, hostConfigController } from '../host-config/controller.js';
import { systemClock } from '../runtime/delays.js';
import { Loop } from '../runtime/loop.js';
import type { Part } from '../runtime/manager.js';
import type { ActorDeps } from './actor-deps.js';
import { working } from './parts.js';
import type { Settings } from './settings.js';

interface HostParts {
  readonly settings: Settings;
  readonly facts: DeviceFacts;
  readonly store: Store;
  readonly variables: () => DeviceVariables;
  readonly locks: UpdateLocks;
  readonly logs: LogStream;
  readonly log: Logger;
}

export function hostOf({ settings, facts, store, variables, locks, logs, log }: HostParts): Host {
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
    say: (message, isStdErr = false) => logs.system(message, 'device', { isStdErr }),
    log,
    after: (ms, call) => systemClock.after(ms, call),
    now: Date.now,
    lost: (aside) =>
      recordLostFiles(
        store,
        lostFiles(settings.dataFolder).filter(({ source }) => source?.file === aside),
      ),
  });
}

/**
 * Makes the settings of the host true. Needs no engine and does not wait for one: a change of boot files that keeps Docker
 * from starting has to be judged, and taken back, all the same.
 */
export function hostSettings(deps: ActorDeps): Part {
  const { store, log, host, loops } = deps;
  const controller = hostConfigController(hostConfigDeps(deps), host.watchFiles);
  const loop = new Loop(controller, { store, clock: systemClock, random: Math.random, log });
  loops.push(loop);
  return working(loop);
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
  loops,
}: ActorDeps): HostConfigControllerDeps {
  const { hostRoot, dataFolder } = settings;
  const { clock, run, units } = host;
  const reader = new SystemReader({
    hostRoot,
    dataFolder,
    facts,
    interfaces: interfaceReader(systemClock.monotonic),
    clock,
    run,
    ...{ now: Date.now, monotonic: systemClock.monotonic },
  });
  return {
    ...{ store, units, clock, facts },
    device: { deviceType: facts.deviceType, metaVersion: facts.metaVersion },
    ...{ network: host.files, boot: host.boot, state: host.state, marker: host.marker },
    localMode: settings.localMode,
    proofs: {
      hasDefaultRoute: () => readDefaultRoute(hostRoot),
      addresses: () => server.addresses,
      answers: answersAt,
      appsAreKnown: () => loops.some(({ controller, hasLooked }) => controller.kind === 'App' && hasLooked),
    },
    ...{ now: Date.now, monotonic: systemClock.monotonic },
    obstacle: () => host.obstacle('reboot'),
    reboot: () => host.requestPower('reboot', false),
    say: (message, isStdErr = false) => logs.system(message, 'device', { isStdErr }),
    async system() {
      const system = await reader.facts();
      return variables().SUPERVISOR_HARDWARE_METRICS ? { system, metrics: await reader.metrics() } : { system };
    },
  };
}
