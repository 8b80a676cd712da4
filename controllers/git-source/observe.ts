import type { Clock } from '../../api/platform/clock.js';
import type { Store } from '../../api/store/store.js';
import { type GitSource, keyOf } from '../../crds/model/kinds.js';
import type { Delays } from '../runtime/delays.js';
import type { GitSourceFacts } from './plan.js';
import type { Repositories } from './repositories.js';
import type { Schedule } from './schedule.js';
import { type DeviceFile, renderStatusFile } from './status-file.js';

/** What the controller of GitSources is given. */
export interface GitSourceDeps {
  readonly store: Store;
  readonly repositories: Repositories;
  readonly clock: Clock;
  /** 0 ≤ x < 1 */
  readonly random: () => number;
  readonly device: () => DeviceFile;
}

/** State that the controller keeps in memory; after a start every source is looked at anyway. */
export interface Memory {
  /** By uid: what the documents of a source depend on besides the commit. */
  readonly inputs: Map<string, string>;
  /** Uids of sources whose last try failed in a way that may pass. */
  readonly retrying: Set<string>;
  /** By uid: the status file that was pushed last. */
  readonly pushed: Map<string, string>;
  readonly schedule: Schedule;
  /** Wakes each source for its next look, by name. */
  readonly due: Delays;
}

/** Reads whether a look at the repository is due, and whether something else requires one. */
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

/** Returns the status file that has to be pushed; undefined without a status branch, and while the pushed one is equal. */
export function unpushed({ store, device }: GitSourceDeps, { pushed }: Memory, source: GitSource): string | undefined {
  if (source.spec.statusBranch === undefined) return undefined;
  const text = renderStatusFile(device(), source, store.list('App'));
  return pushed.get(source.metadata.uid) === text ? undefined : text;
}
