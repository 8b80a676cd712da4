import semver from 'semver';
import type { GitSourceSpec } from '../../../crds/types.js';
import { final } from './source-error.js';

type Choice = Pick<GitSourceSpec, 'branch' | 'tag' | 'commit' | 'semver'>;

/** What a source follows, and what the server has for it. */
export interface PickedRef {
  /** For people and for comparing: `branch main`, `v1.4.2 of ^1.4`. */
  readonly name: string;
  /** What to fetch: a ref or a hash. */
  readonly what: string;
  /** The object that it is now; the same object means that nothing has changed. */
  readonly oid: string;
  readonly version?: string;
}

/** What to ask the server for; nothing for a fixed commit, which it has or has not. Pure. */
export function refPatterns({ branch, tag, commit, semver: range }: Choice): readonly string[] | undefined {
  if (commit !== undefined) return undefined;
  if (tag !== undefined) return [`refs/tags/${tag}`];
  if (range !== undefined) return ['refs/tags/*'];
  return [branch === undefined ? 'HEAD' : `refs/heads/${branch}`];
}

/** What of the server's refs counts. Throws a SourceError when there is nothing. Pure. */
export function pickRef(choice: Choice, refs: ReadonlyMap<string, string>): PickedRef {
  const { branch, tag, commit, semver: range } = choice;
  if (commit !== undefined) return { name: `commit ${commit.slice(0, 12)}`, what: commit, oid: commit };
  if (range !== undefined) return pickVersion(range, refs);
  const [name, what] =
    tag !== undefined
      ? [`tag ${tag}`, `refs/tags/${tag}`]
      : branch !== undefined
        ? [`branch ${branch}`, `refs/heads/${branch}`]
        : ['HEAD', 'HEAD'];
  const oid = refs.get(what);
  if (oid === undefined) throw final('RefNotFound', `The repository has no ${name}`);
  return { name, what, oid };
}

function pickVersion(range: string, refs: ReadonlyMap<string, string>): PickedRef {
  if (semver.validRange(range) === null) {
    throw final('InvalidSpec', `spec.semver: "${range}" is not a range of versions such as ^1.4`);
  }
  const versions = [...refs].flatMap(([what, oid]) => {
    const [, tag] = /^refs\/tags\/(.+?)(?<!\^\{\})$/.exec(what) ?? [];
    const version = tag === undefined ? null : semver.valid(tag);
    return version === null || tag === undefined ? [] : [{ what, oid, tag, version }];
  });
  const best = semver.maxSatisfying(
    versions.map(({ version }) => version),
    range,
  );
  const found = versions.find(({ version }) => version === best);
  if (!found) throw final('RefNotFound', `None of the ${versions.length} tags that are versions is in ${range}`);
  return { name: `${found.tag} of ${range}`, what: found.what, oid: found.oid, version: found.version };
}
