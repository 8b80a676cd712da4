import type { Logger } from 'pino';
import type { Keys } from '../../api/device-state/keys.js';
import type { LogStream } from '../../api/device-state/logs.js';
import type { SecretFiles } from '../../api/device-state/secret-files.js';
import type { Tags } from '../../api/device-state/tag-file.js';
import type { ApiServer } from '../../api/http/server.js';
import type { FolderSource } from '../../api/sources/files/folder.js';
import type { Store } from '../../api/store/store.js';
import type { DeviceVariables } from '../../crds/model/device-variables.js';
import type { OrphanedVolumes } from '../../crds/model/orphans.js';
import type { Informer } from '../engine/cache/informer.js';
import type { Engine } from '../engine/engine.js';
import type { DeviceFacts } from '../host/facts/facts.js';
import type { UpdateLocks } from '../host/locks/update-locks.js';
import type { Host } from '../host/open-host.js';
import type { ApiReach } from '../network/observe.js';
import type { Loop } from '../runtime/loop.js';
import type { Settings } from './settings.js';
import type { Voice } from './terminal.js';

/** What the parts that act are handed by the one that starts everything. */
export interface ActorDeps {
  readonly settings: Settings;
  readonly voice: Voice;
  readonly signal: AbortSignal;
  readonly store: Store;
  readonly variables: () => DeviceVariables;
  readonly keys: Keys;
  readonly locks: UpdateLocks;
  readonly host: Host;
  readonly server: Pick<ApiServer, 'addresses'>;
  readonly apiReach: ApiReach;
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
  readonly found: { engine?: Engine; world?: Informer; orphans?: OrphanedVolumes };
}
