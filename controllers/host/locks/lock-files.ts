import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { Logger } from 'pino';
import { errorCode, errorMessage } from '../../../api/platform/errors.js';
import { asidesIn, drop, foldersIn, look, makeAside, take } from './lock-file.js';
import { checkFolders, openToAll } from './lock-folders.js';
import type { UpdateLocks } from './update-locks.js';

/** Either name locks a service, as with the Supervisor (docs/reference/http-api.md §4.1). */
const LOCK_NAMES = ['updates.lock', 'resin-updates.lock'] as const;
/** Number of services after which other work has its turn. */
const AT_ONCE = 50;

export interface LockFilesOptions {
  /** As the host sees it, `/tmp/balena-supervisor/services`. */
  readonly lockRoot: string;
  /** Path under which the host's root is mounted for the agent, `/` or `/mnt/root`. */
  readonly hostRoot: string;
  readonly log: Pick<Logger, 'info'>;
  /** Time of a clock that is never set, ms: measures how long a lock was held. */
  readonly now: () => number;
}

interface LockFile {
  readonly service: string;
  readonly name: (typeof LOCK_NAMES)[number];
  readonly path: string;
}

/** The lock files of one app that this process holds. */
interface HeldLock {
  readonly files: ReadonlySet<string>;
  readonly since: number;
}

/** Opens update locks as files. Touches nothing before the first call; calls for one app are carried out one after another. */
export function openUpdateLocks({ lockRoot, hostRoot, log, now }: LockFilesOptions): UpdateLocks {
  const held = new Map<number, HeldLock>();
  const users = new Map<number, number>();
  const turns = new Map<number, Promise<unknown>>();
  const appFolder = (appId: number): string => join(hostRoot, lockRoot, String(appId));
  const check = (appId: number, make: boolean): boolean =>
    checkFolders(hostRoot, join(lockRoot, String(appId)), { make });

  /** Runs claims and releases of an app one after another. */
  function inTurn<T>(appId: number, action: () => Promise<T>): Promise<T> {
    const mine = (turns.get(appId) ?? Promise.resolve()).then(action, action);
    turns.set(appId, mine);
    return mine;
  }

  return {
    claim: (appId, services, { force }) =>
      inTurn(appId, async () => {
        const folder = appFolder(appId);
        const before = held.get(appId)?.files ?? new Set<string>();
        const taken: string[] = [];
        const asides = new Map<string, string>();
        const locked = ({ service, name }: LockFile) =>
          ({ is: 'locked', service, path: join(lockRoot, String(appId), service, name) }) as const;
        try {
          const named = services.map(plainName);
          const isThere = check(appId, named.length > 0);
          const folders = [...new Set([...(isThere ? foldersIn(folder) : []), ...named])].sort();
          await forEach(folders, (service) => openToAll(join(folder, service)));
          const files = folders.flatMap((service) =>
            LOCK_NAMES.map((name): LockFile => ({ service, name, path: join(folder, service, name) })),
          );
          const missing = new Set<string>();
          for (const file of files) {
            const seen = look(file.path);
            if (seen === 'other' && !force) return locked(file);
            if (seen !== 'ours') missing.add(file.service);
          }
          await forEach([...missing], (service) => void asides.set(service, makeAside(folder)));
          for (const file of files) {
            if (!take(file.path, asides.get(file.service), force)) {
              for (const path of taken) drop(path);
              return locked(file);
            }
            if (!before.has(file.path)) taken.push(file.path);
          }
        } catch (error) {
          dropAll(taken);
          throw new Error(`Could not take the update lock of app ${appId}: ${inWords(error)}`, { cause: error });
        } finally {
          dropAll([...asides.values()]);
        }
        held.set(appId, { files: new Set([...before, ...taken]), since: held.get(appId)?.since ?? now() });
        return { is: 'held' };
      }),

    isHeld: (appId) => held.has(appId),

    async during(appId, action) {
      if (!held.has(appId)) return undefined;
      users.set(appId, (users.get(appId) ?? 0) + 1);
      try {
        return await action();
      } finally {
        users.set(appId, (users.get(appId) ?? 1) - 1);
      }
    },

    release: (appId) =>
      inTurn(appId, async () => {
        if ((users.get(appId) ?? 0) > 0) return 'busy';
        const mine = held.get(appId);
        // From here on `during` refuses: nobody may start a step under a lock that is being released.
        held.delete(appId);
        try {
          if (!check(appId, false)) return 'released';
          const files = new Set(mine?.files);
          for (const service of foldersIn(appFolder(appId))) {
            for (const name of LOCK_NAMES) files.add(join(appFolder(appId), service, name));
          }
          await forEach([...files], (file) => (look(file) === 'ours' ? drop(file) : undefined));
          await forEach(asidesIn(appFolder(appId)), drop);
        } catch (error) {
          if (mine) held.set(appId, mine);
          throw new Error(`Could not release the update lock of app ${appId}: ${inWords(error)}`, { cause: error });
        }
        if (mine) log.info({ appId, heldForMs: Math.round(now() - mine.since) }, 'Released the update lock');
        return 'released';
      }),

    directory: (appId, serviceName) => join(lockRoot, String(appId), plainName(serviceName)),
  };
}

/** The lock file of an application in the way of a claim, as the host sees it; undefined when there is none. Changes nothing. */
export function applicationLock(
  { lockRoot, hostRoot }: Pick<LockFilesOptions, 'lockRoot' | 'hostRoot'>,
  appId: number,
): { readonly service: string; readonly path: string } | undefined {
  const folder = join(hostRoot, lockRoot, String(appId));
  if (!checkFolders(hostRoot, join(lockRoot, String(appId)), { make: false })) return undefined;
  for (const service of [...foldersIn(folder)].sort()) {
    const name = LOCK_NAMES.find((one) => look(join(folder, service, one)) === 'other');
    if (name) return { service, path: join(lockRoot, String(appId), service, name) };
  }
  return undefined;
}

/** Acts on all, one after the other, with room for other work in between; stops at the first failure. */
async function forEach<T>(all: readonly T[], act: (one: T) => void): Promise<void> {
  for (const [index, one] of all.entries()) {
    if (index % AT_ONCE === AT_ONCE - 1) await setImmediate();
    act(one);
  }
}

/** Removes as many of them as possible: what stays is recognized as ours by its owner, and goes with the next release. */
function dropAll(paths: readonly string[]): void {
  for (const path of paths) {
    try {
      drop(path);
    } catch {
      // the cause was reported already
    }
  }
}

/** Refuses a name that leads out of the app's folder: names come from documents. */
function plainName(service: string): string {
  if (service === '' || service === '.' || service === '..' || /[/\0]/.test(service)) {
    throw new Error(`Not a service name: ${JSON.stringify(service)}`);
  }
  return service;
}

function inWords(error: unknown): string {
  const words: Readonly<Record<string, string>> = {
    EROFS: 'the file system is read-only',
    ENOSPC: 'the file system is full',
    EACCES: 'permission denied',
    EPERM: 'operation not permitted',
    ENOTDIR: 'a file is in the place of a folder',
  };
  const path = error instanceof Error && 'path' in error ? ` (${String(error.path)})` : '';
  const known = words[errorCode(error) ?? ''];
  return known ? `${known}${path}` : errorMessage(error);
}
