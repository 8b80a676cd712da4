import type { Logger } from 'pino';
import { closeDataFolder } from '../../api/device-state/data-folder.js';
import { lockFolder } from '../../api/device-state/folder-lock.js';
import { openKeys } from '../../api/device-state/key-file.js';
import type { Keys } from '../../api/device-state/keys.js';
import { LogStream } from '../../api/device-state/logs.js';
import { openSecretFiles, type SecretFiles } from '../../api/device-state/secret-files.js';
import { openTags, type Tags } from '../../api/device-state/tag-file.js';
import { SUPERVISOR_VERSION } from '../../api/http/supervisor/version.js';
import { systemClock } from '../../api/platform/clock.js';
import { openStore } from '../../api/store/document-store.js';
import { lostFiles, recordLostFiles } from '../../api/store/persistence/lost-files.js';
import type { Store } from '../../api/store/store.js';
import type { DeviceVariables } from '../../crds/model/device-variables.js';
import { DEFAULT_SOCKET } from '../engine/client/docker-address.js';
import { type Capability, readCapabilities } from '../host/facts/capabilities.js';
import { readDeviceFacts } from '../host/facts/device-facts.js';
import type { DeviceFacts } from '../host/facts/facts.js';
import { openUpdateLocks } from '../host/locks/lock-files.js';
import { overridingLocks, type UpdateLocks } from '../host/locks/update-locks.js';
import type { Host } from '../host/open-host.js';
import { bootVariables } from '../host-config/device/compare-boot.js';
import { deviceVariables } from '../runtime/variables.js';
import { hostOf } from './host.js';
import type { Following, Reporter } from './reporter.js';
import type { Settings } from './settings.js';

/** The opened data folder and everything that was read before the parts are wired: settings, store, keys, facts of the host. */
export interface AgentContext {
  readonly settings: Settings;
  readonly reporter: Reporter;
  readonly log: Logger;
  readonly store: Store;
  /** Reports what happens in the store. */
  readonly following: Following;
  readonly keys: Keys;
  readonly tags: Tags;
  readonly secrets: SecretFiles;
  readonly logs: LogStream;
  readonly variables: () => DeviceVariables;
  readonly facts: DeviceFacts;
  readonly offers: readonly Capability[];
  readonly locks: UpdateLocks;
  readonly host: Host;
  /** Identifies the present boot of the device. */
  readonly bootId: string;
  /** Variables that the boot files set when the agent started. */
  readonly bootConfig: Readonly<Record<string, string>>;
  /** Releases the data folder for another agent. */
  unlockFolder(): void;
}

/** Opens the data folder and reads the host. Rejects when another agent has the folder, or when it cannot be read. */
export async function openAgent(settings: Settings, reporter: Reporter): Promise<AgentContext> {
  const { log } = reporter;
  const { dataFolder, hostRoot } = settings;
  const { now } = systemClock;
  closeDataFolder(dataFolder, log);
  const unlockFolder = await lockFolder(dataFolder);
  const store = await openStore({ folder: dataFolder, now, log });
  const following = reporter.follow(store);
  const keys = await openKeys({ folder: dataFolder, globalKey: settings.apiKey, now, log });
  const facts = await readDeviceFacts({ ...settings, engineSocket: DEFAULT_SOCKET, now });
  const offers = await readCapabilities(hostRoot, { facts, supervisorVersion: SUPERVISOR_VERSION });
  const variables = deviceVariables(store, settings);
  const logs = new LogStream(() => variables().SUPERVISOR_LOG_CONTROL);
  const locks = overridingLocks(
    openUpdateLocks({ ...settings, log, now: systemClock.monotonic }),
    () => variables().SUPERVISOR_OVERRIDE_LOCK,
  );
  const host = hostOf({ settings, facts, store, variables, locks, logs, log });
  const boot = await host.boot.see();
  await host.loadTables(boot);
  const tags = openTags({ folder: dataFolder, now, log });
  const secrets = openSecretFiles(settings);
  recordLostFiles(store, lostFiles(dataFolder));
  return {
    ...{ settings, reporter, log, store, following, keys, tags, secrets, logs, variables, facts, offers, locks, host },
    bootConfig: bootVariables(boot),
    bootId: (await host.clock.read()).bootId,
    unlockFolder,
  };
}
