import type { Store } from '../../api/store/store.js';
import { type GitSource, keyOf } from '../../crds/model/kinds.js';
import type { Clock, Delays } from '../runtime/delays.js';
import type { GitSourceFacts } from './plan.js';
import type { Repositories } from './repositories.js';
import type { Schedule } from './schedule.js';
import { type DeviceFile, renderStatusFile } from './status-file.js';

/** What a pass over a git source works with. */
export interface GitSourceDeps {
  readonly store: Store;
  readonly repositories: Repositories;
  readonly clock: Clock;
  /** 0 ≤ x < 1 */
  readonly random: () => number;
  readonly device: () => DeviceFile;
}

/** What is known only while this process lives; after a start every source is looked at anyway. */
export interface Memory {
  /** What the documents of a source were made from, besides the commit; by uid. */
  readonly inputs: Map<string, string>;
  /** Sources whose last try failed in a way that may pass; by uid. */
  readonly retrying: Set<string>;
  /** The status file as it was pushed last; by uid. */
  readonly pushed: Map<string, string>;
  readonly schedule: Schedule;
  /** Wakes each when it is looked at next, by name. */
  readonly due: Delays;
}

/** Whether it is time to look at the repository, and whether something else calls for a look. */
export function observeGitSource(deps: GitSourceDeps, memory: Memory, source: GitSource): GitSourceFacts {
  const { store, repositories } = deps;
  const { name, uid } = source.metadata;
  const inputs = repositories.inputs(source);
  return {
    isDue: memory.schedule.leftMs(source) <= 0,
    isPending: store.isPending(keyOf('GitSource', name)),
    isOther: (memory.inputs.get(uid) ?? inputs) !== inputs,
    isRetry: memory.retrying.has(uid),
    inputs,
    isUnpushed: unpushed(deps, memory, source) !== undefined,
  };
}

/** The status file that has to be pushed; undefined without a branch for it, and while the pushed one says the same. */
export function unpushed({ store, device }: GitSourceDeps, { pushed }: Memory, source: GitSource): string | undefined {
  if (source.spec.statusBranch === undefined) return undefined;
  const text = renderStatusFile(device(), source, store.list('App'));
  return pushed.get(source.metadata.uid) === text ? undefined : text;
}
