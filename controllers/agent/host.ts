import type { Logger } from 'pino';
import type { LogStream } from '../../api/device-state/logs.js';
import { systemClock } from '../../api/platform/clock.js';
import { runCommand } from '../../api/platform/run-program.js';
import { lostFiles, recordLostFiles } from '../../api/store/persistence/lost-files.js';
import { appIdOf } from '../../api/store/proposal/derived-names.js';
import type { Store } from '../../api/store/store.js';
import type { DeviceVariables } from '../../crds/model/device-variables.js';
import type { DeviceFacts } from '../host/facts/facts.js';
import type { UpdateLocks } from '../host/locks/update-locks.js';
import { type Host, openHost } from '../host/open-host.js';
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
    logLine: (message, isStdErr = false) => logs.system(message, 'device', { isStdErr }),
    log,
    after: (ms, call) => systemClock.after(ms, call),
    now: systemClock.now,
    lost: (aside) =>
      recordLostFiles(
        store,
        lostFiles(settings.dataFolder).filter(({ source }) => source?.file === aside),
      ),
  });
}
