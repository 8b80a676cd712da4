import type { BigIntStats, Dirent } from 'node:fs';
import { opendir, readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Problem } from '../../../crds/model/kinds.js';
import { errorCode, errorMessage, hasCode } from '../../platform/errors.js';
import { isMadeUp } from '../../platform/read-file.js';
import { visibleName } from '../../platform/visible.js';

/** Limits of a scan: enough for any device, so that it ends on any mistake. */
export const SCAN_LIMITS = { depth: 16, files: 5000, folders: 2000, entries: 20_000 } as const;
/** The character that replaces invalid bytes in a text. */
const REPLACEMENT = '\ufffd';
const NO_FILE = 'This is not a file but a pipe, a socket or a device; it is left out';
/** Number of names that are read from a folder at a time. */
const READ_AHEAD = 256;

export interface SeenFile {
  /** For people: the folder as it was given, and the path below it. */
  readonly file: string;
  readonly size: number;
  /** Differs after every change of the file. */
  readonly stamp: string;
  /** When content, name or rights last changed, ms since the epoch. */
  readonly changedAtMs: number;
}

/** One of the watched folders as it was seen. */
export interface SeenFolder {
  readonly folder: string;
  /** Device and inode; they change when something was mounted, unmounted or moved. Undefined: it does not exist. */
  readonly identity: string | undefined;
  readonly files: readonly SeenFile[];
  /** Directories that could be listed; a file that is missing in one of them is gone. */
  readonly listed: readonly string[];
  /** Device and inode of each of them. */
  readonly identities: ReadonlyMap<string, string>;
  /** Directories that could not be listed, and why: nothing is known of their contents. */
  readonly failures: readonly Problem[];
  /** There is more than the limits permit, such as behind a link to the root of the system. `files` has a part of it. */
  readonly isTooLarge: boolean;
  /** Entries that cannot be read, and links that lead nowhere or in a circle: nothing is known of them, nor of what is below. */
  readonly problems: readonly Problem[];
  /** Folders of Compose projects, with the names of everything in them. What lies in folders below them is not looked at. */
  readonly projects: ReadonlyMap<string, ReadonlySet<string>>;
  /** Real paths that have to be watched. */
  readonly watch: readonly string[];
}

/** Tells whether a name is that of a document: dot-files and leftovers of editors are not. Pure. */
export const isDocumentFile = (name: string): boolean => /^[^.#].*\.(yaml|yml|json)$/i.test(name);

/** Tells whether a folder is a Compose project, by the names in it. Never throws. */
export type IsProject = (directory: string, names: ReadonlySet<string>) => Promise<boolean>;

/** Scans a folder and everything below it, but for folders in Compose projects. Never throws, never loops; reads no file. */
export async function scanFolder(folder: string, isProject: IsProject = async () => false): Promise<SeenFolder> {
  const walk = new Walk(await ancestorsOf(folder), isProject);
  const identity = await walk.enter(folder, folder, 0);
  return { folder, identity, ...walk.seen() };
}

const identityOf = ({ dev, ino }: BigIntStats): string => `${dev}:${ino}`;

/** Returns the folders above a folder, by device and inode. */
async function ancestorsOf(folder: string): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  let at = await realpath(folder).catch(() => undefined);
  while (at !== undefined && dirname(at) !== at) {
    at = dirname(at);
    const stats = await stat(at, { bigint: true }).catch(() => undefined);
    if (stats) found.set(identityOf(stats), at);
  }
  return found;
}

class Walk {
  readonly #files: SeenFile[] = [];
  /** Directories that could be listed, with their identities. */
  readonly #listed = new Map<string, string>();
  readonly #failures: Problem[] = [];
  readonly #problems: Problem[] = [];
  readonly #projects = new Map<string, ReadonlySet<string>>();
  readonly #watch = new Set<string>();
  /** Directories by identity, so that no link leads twice to one. */
  readonly #entered = new Map<string, string>();
  #entries = 0;
  /** A limit is reached: the scan has ended. */
  #isOver = false;

  constructor(
    private readonly ancestors: ReadonlyMap<string, string>,
    private readonly isProject: IsProject,
  ) {}

  seen(): Omit<SeenFolder, 'folder' | 'identity'> {
    return {
      files: this.#files,
      listed: [...this.#listed.keys()],
      identities: this.#listed,
      failures: this.#failures,
      isTooLarge: this.#isOver,
      problems: this.#problems,
      projects: this.#projects,
      watch: this.#isOver ? [] : [...this.#watch], // watching would mean walking through all of it
    };
  }

  /**
   * Scans a directory. `linked`: the path that was written to get here, when that is a link or the top. `device`: the
   * file system of the link that led here; what is mounted below it is not followed.
   */
  async enter(
    directory: string,
    linked: string | undefined,
    depth: number,
    device?: bigint,
  ): Promise<string | undefined> {
    try {
      const stats = await stat(directory, { bigint: true });
      const identity = identityOf(stats);
      if (device !== undefined && stats.dev !== device) {
        this.#report(directory, 'Another file system is mounted there, behind a link; it is left out');
        return identity;
      }
      if (linked !== undefined && depth > 0 && (await isMadeUp(directory))) {
        this.#report(directory, 'The link leads to a file system of the kernel, which keeps no files; it is left out');
        return identity;
      }
      const before = this.#entered.get(identity);
      if (before !== undefined) {
        this.#report(directory, `The link leads to ${before}, which is looked through already; it is left out`);
        return identity;
      }
      const holder = depth === 0 ? undefined : this.ancestors.get(identity);
      if (holder !== undefined) {
        this.#report(directory, `The link leads to ${holder}, in which the folder itself lies; it is left out`);
        return identity;
      }
      if (depth > SCAN_LIMITS.depth) {
        this.#fail(directory, `The folder is too deep: at most ${SCAN_LIMITS.depth} levels`);
        return identity;
      }
      if (this.#entered.size >= SCAN_LIMITS.folders) {
        this.#stop(directory, `There are more than ${SCAN_LIMITS.folders} folders`);
        return identity;
      }
      this.#entered.set(identity, directory);
      if (linked !== undefined) this.#watch.add(await realpath(directory));
      const entries = await this.#list(directory);
      if (entries === undefined) return identity;
      this.#listed.set(directory, identity);
      const names = new Set(entries.map(({ name }) => name));
      if (depth > 0 && (await this.isProject(directory, names))) {
        this.#projects.set(directory, names);
        await this.#visitProject(directory, entries, depth, device);
        return identity;
      }
      const filesBefore = this.#files.length;
      const misnamed = await this.#reportMisnamed(directory, entries);
      // Real directories first, so that a link to a sibling is the one that is left out.
      entries.sort((a, b) => Number(a.isSymbolicLink()) - Number(b.isSymbolicLink()) || (a.name < b.name ? -1 : 1));
      const below = linked !== undefined && depth > 0 ? stats.dev : device;
      for (const entry of entries) if (!misnamed.has(entry.name)) await this.#visit(directory, entry, depth, below);
      // Docker creates such a folder when it is to mount a file that is missing.
      if (depth > 0 && isDocumentFile(basename(directory)) && this.#files.length === filesBefore)
        this.#report(directory, 'This is a folder, with the name of a file and no document in it');
      return identity;
    } catch (error) {
      const isMisnamed = directory.includes(REPLACEMENT);
      this.#fail(directory, `${reasonOf(error, 'folder')}${isMisnamed ? '; its name, as given, is no UTF-8' : ''}`);
      return undefined;
    }
  }

  /** Lists a directory; undefined when that exceeds the limits. */
  async #list(directory: string): Promise<Dirent[] | undefined> {
    const entries: Dirent[] = [];
    for await (const entry of await opendir(directory, { bufferSize: READ_AHEAD })) {
      this.#entries += 1;
      if (this.#entries > SCAN_LIMITS.entries) {
        this.#stop(directory, `There are more than ${SCAN_LIMITS.entries} files and folders of any kind`);
        return undefined;
      }
      entries.push(entry);
    }
    return entries;
  }

  /**
   * Reports names that are not UTF-8: such a file cannot be opened by its name as text, nor be named in any document or
   * answer. Returns them as they came. Nothing can be known of the documents in a folder with such a name.
   */
  async #reportMisnamed(directory: string, entries: readonly Dirent[]): Promise<ReadonlySet<string>> {
    const misnamed = new Set<string>();
    if (!entries.some(({ name }) => name.includes(REPLACEMENT))) return misnamed;
    for (const entry of await readdir(directory, { encoding: 'buffer', withFileTypes: true })) {
      const name = entry.name.toString();
      if (name.startsWith('.') || Buffer.from(name).equals(entry.name)) continue;
      misnamed.add(name);
      const path = join(directory, visibleName(entry.name));
      const advice = 'rename it; until then it is left out';
      if (entry.isDirectory()) this.#fail(path, `The name of the folder is no UTF-8: ${advice}`);
      else if (isDocumentFile(name) || entry.isSymbolicLink())
        this.#report(path, `The name of the file is no UTF-8: ${advice}`);
    }
    return misnamed;
  }

  /** Looks at the YAML files of a project, and at nothing below: there may be all the data of its services. */
  async #visitProject(
    directory: string,
    entries: readonly Dirent[],
    depth: number,
    device: bigint | undefined,
  ): Promise<void> {
    for (const entry of [...entries].sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (isDocumentFile(entry.name) && !entry.isDirectory() && /ml$/i.test(entry.name))
        await this.#visit(directory, entry, depth, device);
    }
  }

  async #visit(directory: string, entry: Dirent, depth: number, device: bigint | undefined): Promise<void> {
    if (this.#isOver || entry.name.startsWith('.')) return;
    const path = join(directory, entry.name);
    if (entry.isDirectory()) {
      await this.enter(path, undefined, depth + 1, device);
    } else if (entry.isFile() && isDocumentFile(entry.name)) {
      await this.#look(path);
    } else if (entry.isSymbolicLink()) {
      await this.#follow(path, entry.name, depth, device);
    } else if (isDocumentFile(entry.name)) {
      this.#report(path, NO_FILE);
    }
  }

  /** `device`: the file system of the link that led here. A link behind a link is to lead no further than that one. */
  async #follow(path: string, name: string, depth: number, device: bigint | undefined): Promise<void> {
    try {
      const stats = await stat(path, { bigint: true });
      if (stats.isDirectory()) {
        await this.enter(path, path, depth + 1, device);
      } else if (stats.isFile() && isDocumentFile(name)) {
        if (device !== undefined && stats.dev !== device) {
          this.#report(path, 'The link, itself behind a link, leads to another file system; it is left out');
          return;
        }
        this.#watch.add(await realpath(path));
        this.#add(path, stats);
      } else if (isDocumentFile(name)) {
        this.#report(path, NO_FILE);
      }
    } catch (error) {
      // The target may be on a disk that is missing, so a broken link does not end what it declared: a file, or a
      // folder with everything in it, which its name does not tell.
      this.#report(path, reasonOf(error, 'link'));
    }
  }

  async #look(path: string): Promise<void> {
    try {
      this.#add(path, await stat(path, { bigint: true }));
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) this.#report(path, reasonOf(error, 'file')); // ENOENT: deleted meanwhile
    }
  }

  #add(file: string, stats: BigIntStats): void {
    if (this.#files.length >= SCAN_LIMITS.files) {
      this.#stop(dirname(file), `There are more than ${SCAN_LIMITS.files} files with documents`);
      return;
    }
    this.#files.push({ file, size: Number(stats.size), stamp: stampOf(stats), changedAtMs: Number(stats.ctimeMs) });
  }

  /** Ends the scan: everything that is not known now counts as not read. */
  #stop(file: string, message: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#fail(file, `${message}: what lies beyond is not looked at`);
  }

  #fail(file: string, message: string): void {
    if (!this.#failures.some(({ source }) => source?.file === file)) this.#failures.push({ message, source: { file } });
  }

  #report(file: string, message: string): void {
    this.#problems.push({ message, source: { file } });
  }
}

/** Returns a text that differs after every change of a file. Pure. */
export const stampOf = ({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string =>
  `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`;

/** Describes a system error for a folder, file or link. Pure. */
export function reasonOf(error: unknown, what: 'folder' | 'file' | 'link'): string {
  switch (errorCode(error)) {
    case 'ENOENT':
      return what === 'link' ? 'The link leads nowhere' : `The ${what} does not exist`;
    case 'ENOTDIR':
      return 'This is not a folder';
    case 'EACCES':
    case 'EPERM':
      return `No permission to read the ${what}`;
    case 'ELOOP':
      return 'The link leads in a circle';
    default:
      return `The ${what} cannot be read: ${errorMessage(error)}`;
  }
}
