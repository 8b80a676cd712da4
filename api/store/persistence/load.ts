import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Key, KINDS, keyOf, splitKey } from '../../../crds/model/kinds.js';
import { isTemporary, storageError } from '../../platform/disk.js';
import { errorMessage } from '../../platform/errors.js';
import { jsonOf, quarantine, readOwnFile } from '../../platform/quarantine.js';
import { type Entry, keyOfEntry } from '../entry.js';
import { frozen } from '../frozen.js';
import { folderOf, parseDocument, parseStatus, pathOf, renderDocument, type StoredStatus } from './document-files.js';
import { fileNameOf, guessName } from './file-names.js';
import { type Commit, journalPath, readJournal } from './journal.js';
import { type LostDocument, lostDocuments } from './lost-documents.js';

/** A file that could not be used. */
export interface Unusable {
  readonly path: string;
  /** Its new path; undefined when it could not be moved. */
  readonly aside: string | undefined;
  readonly reason: string;
  /** Key of its document, as far as its path tells. */
  readonly key: Key | undefined;
  readonly part: 'document' | 'status' | 'commit';
}

export interface Loaded {
  /** In order of creation, without status. */
  readonly entries: readonly Entry[];
  readonly statuses: ReadonlyMap<Key, StoredStatus>;
  /** A commit that happened but whose files are not all written; `entries` has it already. */
  readonly unfinished: Commit | undefined;
  readonly unusable: readonly Unusable[];
  /** Documents that are missing because their files were unusable, now or at an earlier start. */
  readonly lost: readonly LostDocument[];
  /** The highest version on disk. */
  readonly version: number;
}

/**
 * Reads both trees, creating them when they are missing. Unusable files are set aside and reported; temporary files and
 * statuses without a document are removed. Synchronous, because it runs once, before anything else, and is fastest so.
 * Throws `StorageError` only when there is no folder to work in.
 */
export function load(root: string, nowMs: number): Loaded {
  const unusable: Unusable[] = [];
  const spoil = (path: string, reason: string, key: Key | undefined, part: Unusable['part']): void => {
    unusable.push({ path, aside: tryToSetAside(path, nowMs), reason, key, part });
  };
  sweep(root, nowMs);
  const documents = new Map<Key, Entry>();
  for (const kind of KINDS) {
    for (const { path, fileName, value, failure } of filesOf(folderOf(root, 'documents', kind))) {
      try {
        if (failure) throw failure;
        const entry = parseDocument(value, kind, fileName);
        documents.set(keyOfEntry(entry), entry);
      } catch (error) {
        spoil(path, errorMessage(error), keyOf(kind, guessName(fileName)), 'document');
      }
    }
  }
  const unfinished = overlay(root, documents, spoil);
  const statuses = new Map<Key, StoredStatus>();
  const byFile = new Map([...documents.keys()].map((key) => [pathOf(root, 'status', key), key]));
  for (const kind of KINDS) {
    for (const { path, fileName, value, failure } of filesOf(folderOf(root, 'status', kind))) {
      const key = byFile.get(path);
      try {
        if (failure) throw failure;
        const stored = parseStatus(value);
        if (key && documents.get(key)?.resource.metadata.uid === stored.uid) statuses.set(key, frozen(stored));
        else removeIfPossible(path);
      } catch (error) {
        spoil(path, errorMessage(error), key ?? keyOf(kind, guessName(fileName)), 'status');
      }
    }
  }
  const versions = [
    ...[...documents.values()].map(({ resource }) => resource.metadata.resourceVersion),
    ...[...statuses.values()].map(({ resourceVersion }) => resourceVersion),
  ];
  return {
    entries: [...documents.values()].sort((a, b) => a.order - b.order),
    statuses,
    unfinished,
    unusable: unusable.filter(({ key, part }) => part !== 'document' || key === undefined || !documents.has(key)),
    lost: lostDocuments(root, new Set([...documents.keys()].map((key) => pathOf(root, 'documents', key)))),
    version: versions.reduce((highest, version) => Math.max(highest, Number(version)), 0),
  };
}

/** Replaces documents that were read by those of a commit that was not finished. */
function overlay(
  root: string,
  documents: Map<Key, Entry>,
  spoil: (path: string, reason: string, key: Key | undefined, part: 'commit') => void,
): Commit | undefined {
  const path = journalPath(root);
  const commit = new Map<Key, string | undefined>();
  try {
    for (const [text, value] of readJournal(root) ?? []) {
      const { kind, name } = splitKey(text as Key); // throws on any other text
      const key = keyOf(kind, name);
      if (value === null) {
        documents.delete(key);
        commit.set(key, undefined);
      } else {
        const entry = parseDocument(value, kind, fileNameOf(name));
        documents.set(key, entry);
        commit.set(key, renderDocument(entry, entry.resource.metadata.resourceVersion));
      }
    }
  } catch (error) {
    spoil(path, errorMessage(error), undefined, 'commit');
  }
  return commit.size > 0 ? commit : undefined;
}

interface Read {
  readonly path: string;
  readonly fileName: string;
  readonly value?: unknown;
  readonly failure?: unknown;
}

function* filesOf(folder: string): Generator<Read> {
  for (const fileName of readdirSync(folder)) {
    if (!fileName.endsWith('.json') || fileName.startsWith('.')) continue;
    const path = join(folder, fileName);
    try {
      yield { path, fileName, value: read(path) };
    } catch (failure) {
      yield { path, fileName, failure };
    }
  }
}

function read(path: string): unknown {
  const file = readOwnFile(path);
  if (!file) throw new Error('it leads nowhere');
  return jsonOf(file);
}

/** Creates the folders and removes what killed writers have left in them. */
function sweep(root: string, nowMs: number): void {
  const folders = (['documents', 'status'] as const).flatMap((tree) => KINDS.map((kind) => folderOf(root, tree, kind)));
  for (const folder of [root, ...folders]) {
    try {
      if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === false) quarantine(folder, nowMs);
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      for (const name of readdirSync(folder)) if (isTemporary(name)) removeIfPossible(join(folder, name));
    } catch (error) {
      throw storageError('write', folder, error);
    }
  }
}

/** Removes a file that nobody reads: left on a read-only disk it does no harm, and the next start tries again. */
function removeIfPossible(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    return;
  }
}

function tryToSetAside(path: string, nowMs: number): string | undefined {
  try {
    return quarantine(path, nowMs);
  } catch {
    return undefined; // the report says that it has no new path
  }
}
