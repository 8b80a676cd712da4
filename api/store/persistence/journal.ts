import { dirname, join } from 'node:path';
import type { Logger } from 'pino';
import { type Key, KINDS } from '../../../crds/model/kinds.js';
import { isMap } from '../../../crds/model/maps.js';
import { type Disk, replaceFile, StorageError, storageError, syncFolders } from '../../platform/disk.js';
import { jsonOf, readOwnFile } from '../../platform/quarantine.js';
import { pathOf } from './document-files.js';
import { openFolders } from './folders.js';

/** Text of each document of one commit; `undefined` removes it. */
export type Commit = ReadonlyMap<Key, string | undefined>;

/** Largest commit, bytes: one that a start could not read back must not be written. */
const LIMIT_BYTES = 256 * 1024 * 1024;

export const journalPath = (root: string): string => join(root, 'commit.json');

/**
 * Makes commits of any number of documents all-or-nothing. A commit is one file, `commit.json`; once its name is
 * durable the commit has happened. The documents' own files are written after that, and the next commit starts only
 * when they are: a crash or a full disk in between loses nothing, because the next start or commit writes them again.
 */
export class Journal {
  /** A commit whose documents' files are not all written. */
  #open: Commit | undefined;
  #settling: Promise<void> | undefined;

  constructor(
    private readonly deps: {
      readonly root: string;
      readonly disk: Disk;
      readonly log: Pick<Logger, 'warn'>;
      /** Returns every document as the last commit left it in memory. */
      readonly all: () => Commit;
    },
  ) {}

  /** Continues a commit that was found at the start. */
  resume(commit: Commit): void {
    this.#open = commit;
    this.#settleLater();
  }

  /**
   * Commits; durable when it resolves. When it rejects, with `StorageError`, it did not happen. One at a time. A commit
   * is not started before the files of the last one are written.
   */
  async commit(commit: Commit): Promise<void> {
    await this.settle();
    await this.#restore();
    const { root, disk, log } = this.deps;
    const path = journalPath(root);
    const text = renderCommit(commit);
    if (Buffer.byteLength(text) > LIMIT_BYTES) {
      throw new StorageError(
        `${commit.size} documents at once are more than ${LIMIT_BYTES / 1024 ** 2} MiB, the most that is read back`,
      );
    }
    await replaceFile(disk, path, text);
    try {
      await syncFolders(disk, [root]);
    } catch (error) {
      // Renamed, but perhaps not durably. Left in place it would happen at the next start after it was refused.
      await disk.remove(path).catch((cause: unknown) => {
        log.warn({ err: cause, path }, 'A refused commit could not be withdrawn; a restart may carry it out');
      });
      throw error;
    }
    this.#open = commit;
    this.#settleLater();
  }

  /**
   * Resolves when every committed document is in its own file; rejects with `StorageError`. One attempt at a time,
   * shared by everybody who asks meanwhile: a second one could end by removing the journal of a later commit.
   */
  settle(): Promise<void> {
    this.#settling ??= this.#carryOut().finally(() => {
      this.#settling = undefined;
    });
    return this.#settling;
  }

  #settleLater(): void {
    this.settle().catch((error: unknown) => {
      this.deps.log.warn(
        { err: error },
        'A commit is safe, but its files are not; they are written before the next one',
      );
    });
  }

  async #carryOut(): Promise<void> {
    const { root, disk } = this.deps;
    const commit = this.#open;
    if (!commit) return;
    await this.#restore();
    const paths = [...commit].map(([key, text]) => ({ path: pathOf(root, 'documents', key), text }));
    await Promise.all(
      paths.map(({ path, text }) => (text === undefined ? remove(disk, path) : replaceFile(disk, path, text))),
    );
    await syncFolders(
      disk,
      paths.map(({ path }) => dirname(path)),
    );
    await remove(disk, journalPath(root));
    this.#open = undefined;
  }

  /** Writes all documents again when somebody has removed folders while the agent ran: those in memory are all there is. */
  async #restore(): Promise<void> {
    const { root, disk, log, all } = this.deps;
    if (openFolders(root, 'documents', KINDS).length === 0) return;
    const documents = all();
    const files = [...documents].flatMap(([key, text]) => (text === undefined ? [] : [[key, text] as const]));
    await Promise.all(files.map(([key, text]) => replaceFile(disk, pathOf(root, 'documents', key), text)));
    const folders = files.map(([key]) => dirname(pathOf(root, 'documents', key)));
    await syncFolders(disk, [root, join(root, 'documents'), ...folders]);
    log.warn(
      { folder: join(root, 'documents'), documents: files.length },
      'Folders of documents were gone; all documents are written again',
    );
  }
}

const remove = (disk: Disk, path: string): Promise<void> =>
  disk.remove(path).catch((error: unknown) => {
    throw storageError('remove', path, error);
  });

/** Returns JSON text that contains the documents' texts as they are. */
const renderCommit = (commit: Commit): string =>
  `{${[...commit].map(([key, text]) => `${JSON.stringify(key)}: ${text ?? 'null'}`).join(',\n')}}\n`;

/** Reads the commit that a killed process left, as parsed JSON by key; undefined when there is none. Throws when it cannot be parsed. */
export function readJournal(root: string): ReadonlyMap<string, unknown> | undefined {
  const file = readOwnFile(journalPath(root), LIMIT_BYTES);
  if (!file) return undefined;
  const value = jsonOf(file);
  if (!isMap(value)) throw new Error('not an object');
  return new Map(Object.entries(value));
}
