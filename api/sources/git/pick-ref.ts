import semver from 'semver';
import type { GitSourceSpec } from '../../../crds/model/types.js';
import { final } from './source-error.js';

type Choice = Pick<GitSourceSpec, 'branch' | 'tag' | 'commit' | 'semver'>;

/** The ref that a source follows, and what the server has for it. */
export interface PickedRef {
  /** For people and for comparing: `branch main`, `v1.4.2 of ^1.4`. */
  readonly name: string;
  /** What to fetch: a ref or a hash. */
  readonly what: string;
  readonly version?: string;
}

/** Returns the patterns of refs that are needed to decide what to fetch. Pure. */
export const refPatterns = ({ semver: range }: Choice): readonly string[] =>
  range === undefined ? [] : ['refs/tags/*'];

/** Picks one of the server's refs. Throws a `SourceError` when no version matches. Pure. */
export function pickRef({ branch, tag, commit, semver: range }: Choice, refs: ReadonlyMap<string, string>): PickedRef {
  if (commit !== undefined) return { name: `commit ${commit.slice(0, 12)}`, what: commit };
  if (range !== undefined) return pickVersion(range, refs);
  if (tag !== undefined) return { name: `tag ${tag}`, what: `refs/tags/${tag}` };
  return branch === undefined
    ? { name: 'HEAD', what: 'HEAD' }
    : { name: `branch ${branch}`, what: `refs/heads/${branch}` };
}

function pickVersion(range: string, refs: ReadonlyMap<string, string>): PickedRef {
  if (semver.validRange(range) === null) {
    throw final('InvalidSpec', `spec.semver: "${range}" is not a range of versions such as ^1.4`);
  }
  const versions = [...refs.keys()].flatMap((what) => {
    const [, tag] = /^refs\/tags\/(.+?)(?<!\^\{\})$/.exec(what) ?? [];
    const version = tag === undefined ? null : semver.valid(tag);
    return version === null || tag === undefined ? [] : [{ what, tag, version }];
  });
  const best = semver.maxSatisfying(
    versions.map(({ version }) => version),
    range,
  );
  const found = versions.find(({ version }) => version === best);
  if (!found) throw final('RefNotFound', `None of the ${versions.length} tags that are versions is in ${range}`);
  return { name: `${found.tag} of ${range}`, what: found.what, version: found.version };
}
