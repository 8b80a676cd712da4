import semver from 'semver';
import type { GitSourceSpec, GitSourceStatus } from '../../../crds/model/types.js';
import type { PickedRef } from './pick-ref.js';
import type { Repository } from './repository.js';
import { final } from './source-error.js';

/**
 * Throws a `SourceError` when a branch or tag was moved to a commit without the applied one among its ancestors, or
 * when a range has a lower version than before. A source that now follows something else may go anywhere.
 */
export async function checkRewind(
  {
    repository,
    spec,
    applied,
    commit,
    ref,
  }: {
    readonly repository: Pick<Repository, 'follows'>;
    readonly spec: Pick<GitSourceSpec, 'allowRewind' | 'semver' | 'commit'>;
    readonly applied: GitSourceStatus['applied'];
    readonly commit: string;
    readonly ref: PickedRef;
  },
  signal: AbortSignal,
): Promise<void> {
  if (spec.allowRewind || spec.commit !== undefined || applied === undefined || applied.commit === commit) return;
  const before = versionOf(applied.ref, spec.semver);
  if (ref.version !== undefined && before !== undefined && semver.gt(ref.version, before)) return;
  if (ref.version !== undefined && before !== undefined && semver.lt(ref.version, before)) {
    throw final(
      'HistoryRewound',
      `${ref.name} is older than ${before}, which was applied; set spec.allowRewind to go back`,
    );
  }
  if (applied.ref !== ref.name) return;
  if (await repository.follows(commit, applied.commit, ref.what, signal)) return;
  const [to, from] = [commit.slice(0, 12), applied.commit.slice(0, 12)];
  throw final(
    'HistoryRewound',
    `${ref.name} was moved to ${to}, which does not contain ${from}, the applied commit; set spec.allowRewind to follow it`,
  );
}

/** Returns the version that was applied from the same range. Pure. */
function versionOf(name: string | undefined, range: string | undefined): string | undefined {
  const [, tag, of] = /^(\S+) of (.+)$/.exec(name ?? '') ?? [];
  return tag !== undefined && range !== undefined && of === range ? (semver.valid(tag) ?? undefined) : undefined;
}
