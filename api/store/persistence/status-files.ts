import { dirname } from 'node:path';
import type { Logger } from 'pino';
import { type Key, splitKey } from '../../../crds/model/kinds.js';
import { type Disk, replaceFile, storageError, syncFolders } from '../../platform/disk.js';
import { toError } from '../../platform/errors.js';
import { textOf } from '../frozen.js';
import { pathOf, renderStatus, type StoredStatus } from './document-files.js';
import { openFolders } from './folders.js';

export interface StatusFilesDeps {
  readonly root: string;
  readonly disk: Disk;
  readonly log: Pick<Logger, 'error' | 'info'>;
  /** Returns what the file of a document has to hold now; undefined for no file. */
  readonly wanted: (key: Key) => StoredStatus | undefined;
  /** How long changes are collected before they are written, ms. */
  readonly delayMs: number;
  /** How soon a disk that refused is tried again when nothing else changes, ms. */
  readonly retryMs: number;
}

/**
 * Writes statuses later: changes within the delay become one write of the latest form, and one batch is written at a
 * time. A disk that refuses is reported once; what it refused is written later.
 */
export class StatusFiles {
  readonly #due = new Set<Key>();
  /** What each file holds, as far as it matters: uid and text of the status. */
  readonly #onDisk = new Map<Key, string>();
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;
  #refusal: Error | undefined;
  #stopped = false;

  constructor(private readonly deps: StatusFilesDeps) {}

  /** Notes what was read from a file at the start. */
  found(key: Key, stored: StoredStatus): void {
    this.#onDisk.set(key, contentOf(stored));
  }

  /** Notes that the status of that document may have changed. */
  changed(key: Key): void {
    this.#due.add(key);
    this.#writeIn(this.deps.delayMs);
  }

  /** The error with which the disk last refused, unless it has taken something since. */
  get refusal(): Error | undefined {
    return this.#refusal;
  }

  /** Resolves when every change is on disk; rejects with `StorageError` when the disk refuses. */
  async flush(): Promise<void> {
    while (this.#writing || this.#due.size > 0) {
      if (this.#writing) await this.#writing;
      else if (this.#due.size > 0) {
        const failure = await this.#write();
        if (failure) throw failure;
      }
    }
  }

  /** Nothing is written from now on. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#due.clear();
  }

  #writeIn(delayMs: number): void {
    if (this.#timer || this.#writing || this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#write();
    }, delayMs);
    this.#timer.unref(); // a process that wants to end calls flush
  }

  /** Notes that the files of a folder that was missing are gone, and have to be written again. */
  #forget(folder: string): void {
    for (const key of this.#onDisk.keys()) {
      if (dirname(pathOf(this.deps.root, 'status', key)) !== folder) continue;
      this.#onDisk.delete(key);
      this.#due.add(key);
    }
  }

  /** Writes one batch. Reports and returns a failure; never rejects. */
  #write(): Promise<Error | undefined> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const keys = [...this.#due];
    this.#due.clear();
    const batch = this.#writeAll(keys);
    this.#writing = batch.then(() => {
      this.#writing = undefined;
      if (this.#due.size > 0) this.#writeIn(this.#refusal ? this.deps.retryMs : this.deps.delayMs);
    });
    return batch;
  }

  async #writeAll(keys: readonly Key[]): Promise<Error | undefined> {
    const { root, disk, log, wanted } = this.deps;
    const written = new Map<Key, string | undefined>();
    const failures: Error[] = [];
    const failed = (key: Key, error: unknown): void => {
      this.#due.add(key);
      failures.push(toError(error));
    };
    await Promise.all(
      keys.map(async (key) => {
        const stored = wanted(key);
        const content = stored && contentOf(stored);
        if (content === this.#onDisk.get(key)) return;
        const path = pathOf(root, 'status', key);
        try {
          if (openFolders(root, 'status', [splitKey(key).kind]).length > 0) this.#forget(dirname(path));
          if (stored) await replaceFile(disk, path, renderStatus(stored));
          else await disk.remove(path).catch((error: unknown) => Promise.reject(storageError('remove', path, error)));
          written.set(key, content);
        } catch (error) {
          failed(key, error);
        }
      }),
    );
    try {
      await syncFolders(
        disk,
        [...written.keys()].map((key) => dirname(pathOf(root, 'status', key))),
      );
      for (const [key, content] of written) {
        if (content === undefined) this.#onDisk.delete(key);
        else this.#onDisk.set(key, content);
      }
    } catch (error) {
      for (const key of written.keys()) failed(key, error);
    }
    const [first] = failures;
    if (first && !this.#refusal)
      log.error({ err: first, documents: failures.length }, 'Could not save status; keeping it in memory');
    if (!first && this.#refusal && written.size > 0) log.info('Status can be saved again');
    if (first || written.size > 0) this.#refusal = first;
    return first;
  }
}

/** Returns a text that is equal for files with the same content: the version is left out, because it differs each time. Pure. */
const contentOf = ({ uid, status }: StoredStatus): string => `${uid} ${textOf(status)}`;
