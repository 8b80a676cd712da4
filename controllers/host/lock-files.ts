import { randomBytes } from 'node:crypto';
import { chmod, chown, link, lstat, mkdir, readdir, readFile, rmdir, stat, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { UpdateLocks } from './update-locks.js';

/** Either name locks a service, as the Supervisor has it (HTTP reference §4.1). */
const LOCK_NAMES = ['updates.lock', 'resin-updates.lock'] as const;
/** Owner of the files that an agent made: that is how they are told from an application's. */
const AGENT_UID = 65534;
/** Only root may give files away. Without root our files say this instead, and belong to the user we run as. */
const MARK = 'held by supercargo\n';
/** Begins the name of a lock file that is not in place yet. */
const ASIDE = '.lock-';
/** Sticky and open to all: applications of any user put their own lock files there. */
const DIRECTORY_MODE = 0o1777;
/** An application may drop its file between our two looks; then we try again, but not for ever. */
const TRIES = 5;

export interface LockFilesOptions {
  /** As the host sees it, `/tmp/balena-supervisor/services`. */
  readonly lockRoot: string;
  /** Where the host's root is mounted for us, `/` or `/mnt/root`. */
  readonly hostRoot: string;
  readonly log: Pick<Logger, 'info'>;
  /** ms since the epoch */
  readonly now: () => number;
}

interface LockFile {
  readonly service: string;
  readonly name: (typeof LOCK_NAMES)[number];
  readonly path: string;
}

/** What this process holds of one app. */
interface Held {
  readonly files: ReadonlySet<string>;
  readonly since: number;
}

/** Update locks as files. Nothing is touched before the first call; calls for one app are carried out one after another. */
export function openUpdateLocks({ lockRoot, hostRoot, log, now }: LockFilesOptions): UpdateLocks {
  const held = new Map<number, Held>();
  const users = new Map<number, number>();
  const turns = new Map<number, Promise<unknown>>();
  const appFolder = (appId: number): string => join(hostRoot, lockRoot, String(appId));

  /** One claim or release of an app at a time. */
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
          const folders = [...new Set([...(await foldersIn(folder)), ...services.map(plainName)])].sort();
          await allOf(folders, (service) => openToAll(join(folder, service)));
          const files = folders.flatMap((service) =>
            LOCK_NAMES.map((name): LockFile => ({ service, name, path: join(folder, service, name) })),
          );
          const seen = await allOf(files, ({ path }) => look(path));
          const inTheWay = files.find((_, index) => seen[index] === 'other');
          if (inTheWay && !force) return locked(inTheWay);
          const missing = new Set(files.filter((_, index) => seen[index] !== 'ours').map(({ service }) => service));
          await allOf([...missing], async (service) => void asides.set(service, await makeAside(folder)));
          for (const file of files) {
            if (!(await take(file.path, asides.get(file.service), force))) {
              await allOf(taken, drop);
              return locked(file);
            }
            if (!before.has(file.path)) taken.push(file.path);
          }
        } catch (error) {
          await Promise.allSettled(taken.map(drop));
          throw new Error(`Could not take the update lock of app ${appId}: ${inWords(error)}`, { cause: error });
        } finally {
          await Promise.allSettled([...asides.values()].map(drop));
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
        // From here on `during` refuses: nobody may start a step under a lock that is on its way out.
        held.delete(appId);
        try {
          const files = new Set(mine?.files);
          for (const service of await foldersIn(appFolder(appId))) {
            for (const name of LOCK_NAMES) files.add(join(appFolder(appId), service, name));
          }
          await allOf([...files], async (file) => ((await look(file)) === 'ours' ? drop(file) : undefined));
          await allOf(await asidesIn(appFolder(appId)), drop);
        } catch (error) {
          if (mine) held.set(appId, mine);
          throw new Error(`Could not release the update lock of app ${appId}: ${inWords(error)}`, { cause: error });
        }
        if (mine) log.info({ appId, heldForMs: now() - mine.since }, 'Released the update lock');
        return 'released';
      }),

    directory: (appId, serviceName) => join(lockRoot, String(appId), plainName(serviceName)),
  };
}

/** Makes the file at `path` ours, or says that it belongs to an application. Without `aside` it is ours already. */
async function take(path: string, aside: string | undefined, force: boolean): Promise<boolean> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    if (aside !== undefined && (await linkTo(path, aside))) return true;
    const seen = await look(path);
    if (seen === 'ours') return true;
    if (seen === 'other' && !(force && (await clear(path)))) return false;
  }
  return false;
}

/**
 * A lock file with its owner already set, where no container looks: a crash between `open(wx)` and `chown` would leave
 * one in place that looks like an application's, and the app locked until the next boot. One for each service, so that
 * whoever uses `flock` on it meets nobody of another service.
 */
async function makeAside(folder: string): Promise<string> {
  const aside = join(folder, `${ASIDE}${randomBytes(6).toString('hex')}`);
  await writeFile(aside, MARK, { flag: 'wx', mode: 0o644 });
  if (isRoot()) await chown(aside, AGENT_UID, AGENT_UID);
  return aside;
}

/** Puts the file into place; false when something is there: `link` refuses an existing name as `wx` does. */
async function linkTo(path: string, aside: string): Promise<boolean> {
  try {
    await link(aside, path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** The same for all of them side by side; the first failure is thrown when every one has ended. */
async function allOf<T, R>(all: readonly T[], act: (one: T) => Promise<R>): Promise<readonly R[]> {
  const ended = await Promise.allSettled(all.map(act));
  return ended.map((one) => {
    if (one.status === 'rejected') throw one.reason;
    return one.value;
  });
}

/** Anything at the path counts: a file, a folder, a symbolic link to nowhere. */
async function look(path: string): Promise<'none' | 'ours' | 'other'> {
  const seen = await lstat(path).catch(unlessAbsent);
  if (!seen) return 'none';
  if (!seen.isFile()) return 'other';
  if (seen.uid === AGENT_UID) return 'ours';
  if (isRoot() || seen.uid !== process.getuid?.() || seen.size !== MARK.length) return 'other';
  return (await readFile(path, 'utf8').catch(unlessAbsent)) === MARK ? 'ours' : 'other';
}

/** Removes an application's file or empty folder. A folder with something in it stays, and locks. */
async function clear(path: string): Promise<boolean> {
  const seen = await lstat(path).catch(unlessAbsent);
  if (!seen?.isDirectory()) {
    await drop(path);
    return true;
  }
  try {
    await rmdir(path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOTEMPTY' || codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

async function drop(path: string): Promise<void> {
  await unlink(path).catch(unlessAbsent);
}

async function openToAll(folder: string): Promise<void> {
  const there = await stat(folder).catch(unlessAbsent);
  if (!there) await mkdir(folder, { recursive: true });
  const { mode } = there ?? (await stat(folder));
  if ((mode & 0o7777) !== DIRECTORY_MODE) await chmod(folder, DIRECTORY_MODE);
}

async function foldersIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(unlessAbsent);
  return (entries ?? []).filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

/** What a process that was killed has left aside. */
async function asidesIn(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(unlessAbsent);
  return (names ?? []).filter((name) => name.startsWith(ASIDE)).map((name) => join(folder, name));
}

/** Names come from documents: one that climbs out of the app's folder is refused. */
function plainName(service: string): string {
  if (service === '' || service === '.' || service === '..' || /[/\0]/.test(service)) {
    throw new Error(`Not a service name: ${JSON.stringify(service)}`);
  }
  return service;
}

const isRoot = (): boolean => process.getuid?.() === 0;
const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error ? String(error.code) : undefined;

function unlessAbsent(error: unknown): undefined {
  if (codeOf(error) !== 'ENOENT') throw error;
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
  const known = words[codeOf(error) ?? ''];
  return known ? `${known}${path}` : error instanceof Error ? error.message : String(error);
}
