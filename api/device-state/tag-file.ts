import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { type Disk, nodeDisk, replaceFile, StorageError, syncFolders } from '../platform/disk.js';
import { quarantine, readOwnFile } from '../platform/quarantine.js';
import { Turns } from '../platform/turns.js';

interface Tag {
  readonly id: number;
  readonly name: string;
  readonly value: string;
}

/** Keeps the device's tags where no cloud does. */
export interface Tags {
  /** Returns the tags in the order in which they were first set. */
  list(): readonly Tag[];
  /**
   * Sets these tags and keeps the others. On disk when it resolves; an equal value is not written. Rejects with
   * `StorageError`, also when they would take too much space.
   */
  merge(tags: Readonly<Record<string, string>>): Promise<void>;
}

/** Largest size of all tags together, bytes: every service with a key may set some, and nobody can remove one. */
const LIMIT_BYTES = 1024 * 1024;
const TOO_MUCH = 'The tags would take more than 1 MiB; they stay as they were';

export interface TagsDeps {
  /** Folder of `tags.json`; created when missing, with the first tag. */
  readonly folder: string;
  /** ms since the epoch. */
  readonly now: () => number;
  readonly log: Pick<Logger, 'error'>;
  readonly disk?: Disk;
}

/** Reads the tags; an unusable file is set aside. */
export function openTags({ folder, now, log, disk = nodeDisk }: TagsDeps): Tags {
  const path = join(folder, 'tags.json');
  let tags = read(path, now(), log);
  const turns = new Turns();
  return {
    list: () => tags,
    merge: (changes) =>
      turns.run(async () => {
        const next = merged(tags, changes);
        if (next === tags) return;
        const text = `${JSON.stringify({ tags: next }, null, 2)}\n`;
        if (Buffer.byteLength(text) > LIMIT_BYTES) throw new StorageError(TOO_MUCH);
        mkdirSync(folder, { recursive: true, mode: 0o700 });
        await replaceFile(disk, path, text);
        await syncFolders(disk, [folder]);
        tags = next;
      }),
  };
}

/** Returns the tags with the changes; the same list when nothing changes. */
function merged(tags: readonly Tag[], changes: Readonly<Record<string, string>>): readonly Tag[] {
  const wanted = new Map(Object.entries(changes));
  const kept = tags.map((tag) => {
    const value = wanted.get(tag.name);
    wanted.delete(tag.name);
    return value === undefined || value === tag.value ? tag : { ...tag, value };
  });
  const last = tags.reduce((highest, { id }) => Math.max(highest, id), 0);
  const fresh = [...wanted].map(([name, value], index) => ({ id: last + 1 + index, name, value }));
  const same = fresh.length === 0 && kept.every((tag, index) => tag === tags[index]);
  return same ? tags : [...kept, ...fresh];
}

function read(path: string, nowMs: number, log: TagsDeps['log']): readonly Tag[] {
  const found = readOwnFile(path);
  if (!found) return [];
  const { unfit } = found;
  const tags = unfit === undefined ? parse(found.text) : undefined;
  if (!tags) {
    const aside = quarantine(path, nowMs);
    const why = unfit === undefined ? '' : ` (${unfit})`;
    log.error({ path, aside }, `The tags cannot be used${why}; beginning without any`);
  }
  return tags ?? [];
}

function parse(text: string): readonly Tag[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || !('tags' in value) || !Array.isArray(value.tags))
      return undefined;
    return value.tags.every(isTag) ? value.tags : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function isTag(value: unknown): value is Tag {
  if (typeof value !== 'object' || value === null) return false;
  const { id, name, value: text } = value as Partial<Record<keyof Tag, unknown>>;
  return Number.isSafeInteger(id) && typeof name === 'string' && typeof text === 'string';
}
