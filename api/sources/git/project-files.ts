import { chmod, lstat, mkdir, open, readdir, readFile, rename, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { KINDS } from '../../../crds/model/kinds.js';
import type { Clock } from '../../platform/clock.js';
import { storageError, syncPath } from '../../platform/disk.js';
import { hasCode } from '../../platform/errors.js';
import type { Store } from '../../store/store.js';
import type { Log } from '../documents.js';
import { exists } from './cache-folder.js';
import { grouped, type PlacedEntry } from './commit-files.js';
import type { MountedContent } from './read-projects.js';
import type { Repository } from './repository.js';
import { final, transient } from './source-error.js';

export interface ProjectFilesDeps {
  /** `<data>/projects`. */
  readonly folder: string;
  readonly store: Pick<Store, 'list'>;
  readonly clock: Pick<Clock, 'monotonic' | 'after'>;
  readonly log: Log;
  readonly limits?: Partial<FileLimits>;
}

export interface FileLimits {
  /** Largest file that is written for a service, bytes. */
  readonly fileBytes: number;
  /** Largest size of all that the services of one commit mount, bytes. */
  readonly totalBytes: number;
}

const LIMITS: FileLimits = { fileBytes: 16 * 1024 * 1024, totalBytes: 64 * 1024 * 1024 };
/** How much is read from the repository at a time, bytes. */
const BATCH_BYTES = 8 * 1024 * 1024;
/**
 * How long something is kept that no document names, ms: a container that is just replaced may still have it mounted, and a
 * proposal that is just made may name it again.
 */
const GRACE_MS = 3_600_000;
/** How often it is looked for, though no source has changed a document, ms: Revisions go by themselves. */
const LOOK_MS = 5 * 60_000;
const CONTENT = /^[0-9a-f]{32}$/;
const UNFINISHED = /^\.new-[0-9a-f]{32}$/;
const MANIFEST = 'manifest.json';

/** Sizes and times of the files that were written, by path. */
type Manifest = Readonly<Record<string, readonly [sizeBytes: number, changedMs: number]>>;

/**
 * The files of commits that services mount, below `<data>/projects/<source>/<project>/<contents>/`. A folder is named by
 * what is in it, and never changed: a commit that changes nothing of it mounts the same path, and what an older Revision
 * mounts is there when it is gone back to. Beside them, in `state`, is what services wrote; that is never removed.
 */
export class ProjectFiles {
  /** Since when something is not named by any document; monotonic, ms. */
  readonly #unused = new Map<string, number>();
  readonly #told = new Set<string>();
  /** Monotonic, ms. */
  #collectedMs = Number.NEGATIVE_INFINITY;
  readonly #writing = new Set<string>();

  constructor(private readonly deps: ProjectFilesDeps) {}

  folderOf(source: string): string {
    return join(this.deps.folder, source);
  }

  /** Tells whether all of it is on the disk. */
  async has(folders: readonly string[]): Promise<boolean> {
    for (const folder of folders) if (!(await exists(folder))) return false;
    return true;
  }

  /** Writes what is not on the disk yet, makes it durable, and returns it. Throws `SourceError` for what is too large. */
  async write(
    mounted: readonly MountedContent[],
    commit: string,
    signal: AbortSignal,
  ): Promise<readonly MountedContent[]> {
    const missing: MountedContent[] = [];
    for (const one of new Map(mounted.map((each) => [each.folder, each])).values()) {
      this.#unused.delete(one.folder); // a document is about to name it
      if (!(await exists(one.folder))) missing.push(one);
    }
    if (missing.length === 0) return [];
    const sizes = await this.#sizes(mounted, missing, signal);
    for (const one of missing) {
      this.#writing.add(one.folder);
      try {
        await this.#writeOne(one, sizes, commit, signal);
      } finally {
        this.#writing.delete(one.folder);
      }
    }
    return missing;
  }

  /** Returns the sizes of all blobs, by hash, once they are found to be within the limits. */
  async #sizes(
    mounted: readonly MountedContent[],
    missing: readonly MountedContent[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, number>> {
    const { fileBytes, totalBytes } = { ...LIMITS, ...this.deps.limits };
    const sizes = new Map<string, number>();
    const entries = missing.flatMap(({ files }) => files.map(({ entry }) => entry));
    for (const [repository, byCommit] of grouped(entries)) {
      for (const [commit, oids] of byCommit) {
        const what = `what services mount (${shownList(missing)})`;
        for (const [oid, size] of await repository.sizes(commit, oids, totalBytes, what, signal)) sizes.set(oid, size);
      }
    }
    let total = 0;
    for (const { files, shown, isFolder } of missing) {
      for (const { path, entry } of files) {
        const size = sizes.get(entry.oid) ?? 0;
        total += size;
        if (size > fileBytes) {
          const file = isFolder ? `${shown}/${path}` : shown;
          throw final(
            'TooLarge',
            `${file}, which a service mounts, is ${mebibytes(size)}: a file from a repository has at most ${mebibytes(fileBytes)}; put it into an image or a volume`,
          );
        }
      }
    }
    if (total <= totalBytes) return sizes;
    throw final(
      'TooLarge',
      `What services mount is ${mebibytes(total)} (${shownList(mounted)}): at most ${mebibytes(totalBytes)} of a repository; put large files into an image or a volume`,
    );
  }

  async #writeOne(
    { folder, name, isFolder, files }: MountedContent,
    sizes: ReadonlyMap<string, number>,
    commit: string,
    signal: AbortSignal,
  ): Promise<void> {
    const parent = dirname(folder);
    const unfinished = join(parent, `.new-${folder.slice(parent.length + 1)}`);
    try {
      await rm(unfinished, { recursive: true, force: true });
      await makeFolders(unfinished, this.deps.folder);
      const manifest: Record<string, readonly [number, number]> = {};
      const folders = new Set([unfinished]);
      for (const batch of batchesOf(files, sizes)) {
        const contents = await contentsOf(batch, sizes, signal);
        for (const { path, entry } of batch) {
          signal.throwIfAborted();
          const below = isFolder ? join(name, path) : name;
          const file = join(unfinished, below);
          for (let at = dirname(file); !folders.has(at); at = dirname(at)) folders.add(at);
          await makeFolders(dirname(file), unfinished);
          manifest[below] = await writeFile(file, contents.get(entry.oid), entry.isExecutable ? 0o755 : 0o644);
        }
      }
      await writeFile(join(unfinished, MANIFEST), Buffer.from(JSON.stringify({ commit, files: manifest })), 0o600);
      for (const one of folders) await syncPath(one);
      await rename(unfinished, folder);
      // The names of this folder and of those above it, which may be new.
      for (let at = parent; at !== dirname(dirname(this.deps.folder)); at = dirname(at)) await syncPath(at);
    } catch (error) {
      await rm(unfinished, { recursive: true, force: true }).catch(() => undefined);
      if (signal.aborted || !(error instanceof Error) || !('code' in error)) throw error;
      throw transient('Failed', storageError('write', folder, error).message, { cause: error });
    }
  }

  /**
   * Removes what no document names any more, an hour after it was first seen to be so, and never what a service has written
   * into. `hasChanged`: documents have changed since the last time. Never throws.
   */
  async collect(hasChanged: boolean): Promise<void> {
    const { clock, log } = this.deps;
    // What documents name is looked up in all of them.
    const isKnown = !hasChanged && this.#unused.size === 0 && clock.monotonic() - this.#collectedMs < LOOK_MS;
    if (isKnown) return;
    this.#collectedMs = clock.monotonic();
    try {
      const found = await this.#found();
      const used = found.length === 0 ? new Set<string>() : this.#used();
      for (const path of this.#unused.keys()) if (!found.includes(path)) this.#unused.delete(path);
      for (const path of found) {
        const isUsed = used.has(path) || this.#writing.has(path.replace(/\.new-([^/]*)$/, '$1'));
        if (isUsed) this.#unused.delete(path);
        else if (await this.#isDue(path)) await this.#remove(path);
      }
    } catch (error) {
      log.warn({ err: error }, 'Could not look through the files of Compose projects');
    }
  }

  /** Collects now, and once more when what is not named now may be removed. */
  async collectLater(): Promise<void> {
    await this.collect(true);
    this.deps.clock.after(GRACE_MS + 1000, () => void this.collect(true));
  }

  async #isDue(path: string): Promise<boolean> {
    const sinceMs = this.#unused.get(path) ?? this.deps.clock.monotonic();
    this.#unused.set(path, sinceMs);
    return this.deps.clock.monotonic() - sinceMs >= GRACE_MS;
  }

  /** Returns the folders of contents, and unfinished ones. */
  async #found(): Promise<readonly string[]> {
    const found: string[] = [];
    for (const source of await namesIn(this.deps.folder)) {
      for (const project of await namesIn(join(this.deps.folder, source))) {
        const folder = join(this.deps.folder, source, project);
        for (const name of await namesIn(folder)) {
          if (CONTENT.test(name) || UNFINISHED.test(name)) found.push(join(folder, name));
        }
      }
    }
    return found;
  }

  /** Returns the folders that documents name: Apps, their services, and Revisions that may be gone back to. */
  #used(): ReadonlySet<string> {
    const { folder, store } = this.deps;
    const used = new Set<string>();
    const prefix = JSON.stringify(`${folder}/`).slice(1, -1);
    for (const kind of KINDS) {
      for (const { spec } of store.list(kind)) {
        const text = JSON.stringify(spec);
        for (let at = text.indexOf(prefix); at >= 0; at = text.indexOf(prefix, at + 1)) {
          const [path] =
            /^[^/"]+\/[^/"]+\/[0-9a-f]{32}/.exec(text.slice(at + prefix.length, at + prefix.length + 600)) ?? [];
          if (path !== undefined) used.add(join(folder, path));
        }
      }
    }
    return used;
  }

  async #remove(path: string): Promise<void> {
    if (CONTENT.test(path.slice(dirname(path).length + 1)) && (await isWrittenInto(path))) {
      if (!this.#told.has(path))
        this.deps.log.info({}, `${path} is not mounted any more, and kept: services have written into it`);
      this.#told.add(path);
      return;
    }
    await rm(path, { recursive: true, force: true });
    this.#unused.delete(path);
    // The folders of the project and of the source go with the last that is in them.
    for (const folder of [dirname(path), dirname(dirname(path))]) {
      await rmdir(folder).catch((error: unknown) => {
        if (!hasCode(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT')) throw error;
      });
    }
  }
}

/** Tells whether files in a folder of contents are not those that were written there. */
async function isWrittenInto(folder: string): Promise<boolean> {
  const files = await readFile(join(folder, MANIFEST), 'utf8')
    .then((text) => (JSON.parse(text) as { readonly files: Manifest }).files)
    .catch(() => undefined);
  if (files === undefined) return true;
  for (const name of await readdir(folder, { recursive: true })) {
    if (name === MANIFEST) continue;
    const stats = await lstat(join(folder, name));
    if (stats.isDirectory()) continue; // the engine makes some to mount on
    const [sizeBytes, changedMs] = files[name] ?? [];
    if (!stats.isFile() || stats.size !== sizeBytes || stats.mtimeMs !== changedMs) return true;
  }
  return false;
}

const namesIn = (folder: string): Promise<readonly string[]> =>
  readdir(folder).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  });

/** Makes a folder, and those above it up to `top`, whatever the umask says. */
async function makeFolders(folder: string, top: string): Promise<void> {
  if (folder === top) {
    await mkdir(folder, { recursive: true, mode: 0o755 });
    return;
  }
  await makeFolders(dirname(folder), top);
  try {
    await mkdir(folder);
    await chmod(folder, 0o755);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  }
}

/** Writes a new file and makes it durable; returns its size and time. Never follows a link. */
async function writeFile(path: string, content: Buffer | undefined, mode: number): Promise<readonly [number, number]> {
  if (content === undefined) throw transient('Corrupt', `The contents of ${path} are missing`);
  const file = await open(path, 'wx', mode);
  try {
    await file.chmod(mode); // whatever the umask says
    await file.writeFile(content);
    await file.sync();
    const { size, mtimeMs } = await file.stat();
    return [size, mtimeMs];
  } finally {
    await file.close();
  }
}

type File = MountedContent['files'][number];

/** Parts files so that each part is small enough to be held in memory. Pure. */
function batchesOf(files: readonly File[], sizes: ReadonlyMap<string, number>): readonly (readonly File[])[] {
  const batches: File[][] = [];
  let bytes = 0;
  for (const file of files) {
    const size = sizes.get(file.entry.oid) ?? 0;
    const last = batches.at(-1);
    if (last === undefined || bytes + size > BATCH_BYTES) {
      batches.push([file]);
      bytes = size;
    } else {
      last.push(file);
      bytes += size;
    }
  }
  return batches;
}

async function contentsOf(
  files: readonly File[],
  sizes: ReadonlyMap<string, number>,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Buffer>> {
  const found = new Map<string, Buffer>();
  const entries: readonly PlacedEntry[] = files.map(({ entry }) => entry);
  const largest = Math.max(...entries.map(({ oid }) => sizes.get(oid) ?? 0));
  for (const [repository, byCommit] of grouped(entries)) {
    for (const [commit, oids] of byCommit) {
      for (const [oid, content] of await contents(repository, commit, oids, largest, signal)) found.set(oid, content);
    }
  }
  return found;
}

async function contents(
  repository: Repository,
  commit: string,
  oids: readonly string[],
  limitBytes: number,
  signal: AbortSignal,
): Promise<readonly (readonly [string, Buffer])[]> {
  const read = await repository.contents(commit, oids, limitBytes, signal);
  return [...read].flatMap(([oid, content]) => (typeof content === 'object' ? [[oid, content] as const] : []));
}

const mebibytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MiB`;

/** Names the first few. Pure. */
const shownList = (mounted: readonly MountedContent[]): string => {
  const names = mounted.slice(0, 3).map(({ shown }) => shown);
  return `${names.join(', ')}${mounted.length > 3 ? ` and ${mounted.length - 3} more` : ''}`;
};
