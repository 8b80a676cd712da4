import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { DeviceScope } from './device-scope.js';
import type { Repository } from './repository.js';
import { transient } from './source-error.js';

export interface StatusPush {
  readonly repository: Repository;
  readonly branch: string;
  readonly device: Pick<DeviceScope, 'name' | 'uuid'>;
  /** The whole file. */
  readonly text: string;
  readonly folder: string;
  readonly now: () => number;
}

/** How often a push is tried: others of the fleet push to the same branch at the same time. */
const TRIES = 5;
const REF = 'refs/supercargo/status';

/**
 * Writes the text to `devices/<uuid>.yaml` of a branch, on top of what others have pushed. Returns the new commit;
 * undefined, without a push, when the branch has the text already.
 */
export async function pushStatus(push: StatusPush, signal: AbortSignal): Promise<string | undefined> {
  const { repository, branch } = push;
  const ref = `refs/heads/${branch}`;
  for (let attempt = 1; ; attempt += 1) {
    const tip = (await repository.remoteRefs([ref], signal)).get(ref);
    if (tip !== undefined) {
      await repository.talk(
        [
          'fetch',
          '--quiet',
          '--no-tags',
          '--no-write-fetch-head',
          '--no-filter',
          '--depth=1',
          'origin',
          `+${ref}:${REF}`,
        ],
        signal,
      );
    }
    const commit = await commitOn(tip, push, signal);
    if (commit === undefined) return undefined;
    const lease = `--force-with-lease=${ref}:${tip ?? ''}`;
    const { code, stderr } = await repository.talk(
      ['push', '--quiet', '--no-verify', lease, 'origin', `${commit}:${ref}`],
      signal,
      { codes: [0, 1] },
    );
    if (code === 0) return commit;
    if (attempt === TRIES)
      throw transient('Failed', `The status could not be pushed to ${branch}: ${lastLine(stderr)}`);
  }
}

const lastLine = (text: string): string => text.trim().split('\n').at(-1)?.slice(0, 200) ?? '';

/** Creates a commit with our file on top of that one; undefined when it has that file. */
async function commitOn(
  tip: string | undefined,
  { repository, device, text, folder, now }: StatusPush,
  signal: AbortSignal,
): Promise<string | undefined> {
  const path = `devices/${device.uuid}.yaml`;
  const index = { GIT_INDEX_FILE: join(folder, 'status-index') };
  const git = async (args: readonly string[], input?: string): Promise<string> =>
    (
      await repository.run(args, signal, {
        env: { ...index, ...identity(device, now()) },
        ...(input === undefined ? {} : { input }),
      })
    ).stdout
      .toString()
      .trim();

  await git(['read-tree', ...(tip === undefined ? ['--empty'] : [tip])]);
  const blob = await git(['hash-object', '-w', '--stdin', '--no-filters'], text);
  if ((await git(['ls-files', '-s', '--', path])).split(/\s/)[1] === blob) return undefined;
  await git(['update-index', '--add', '--cacheinfo', `100644,${blob},${path}`]);
  const tree = await git(['write-tree', '--missing-ok']);
  const parent = tip === undefined ? [] : ['-p', tip];
  return git(['commit-tree', ...parent, '-m', `Status of ${device.name}`, tree]);
}

function identity({ name, uuid }: StatusPush['device'], nowMs: number): Record<string, string> {
  const date = `${Math.floor(nowMs / 1000)} +0000`;
  const email = `${createHash('sha256').update(uuid).digest('hex').slice(0, 12)}@device.invalid`;
  return Object.fromEntries(
    ['AUTHOR', 'COMMITTER'].flatMap((who) => [
      [`GIT_${who}_NAME`, name],
      [`GIT_${who}_EMAIL`, email],
      [`GIT_${who}_DATE`, date],
    ]),
  );
}
