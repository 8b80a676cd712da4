import type { SecretFiles } from '../../device-state/secret-files.js';
import type { Clock } from '../../platform/clock.js';
import type { Store } from '../../store/store.js';
import type { Log, Parse } from '../documents.js';
import type { DeviceScope } from './device-scope.js';
import type { FileLimits } from './project-files.js';
import type { Limits } from './repository.js';

/** What the origins `git/<name>` are created with. */
export interface GitOriginDeps {
  readonly store: Pick<Store, 'list' | 'propose' | 'previewSet' | 'report' | 'request'>;
  readonly secrets: SecretFiles;
  readonly dataFolder: string;
  readonly parse: Parse;
  /** Read at every sync, because name and tags may change. */
  readonly device: () => DeviceScope;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  readonly now: () => number;
  /** The program; `git` when absent. */
  readonly git?: string;
  readonly limits?: Limits;
  readonly fileLimits?: Partial<FileLimits>;
  readonly clock?: Pick<Clock, 'monotonic' | 'after'>;
}
