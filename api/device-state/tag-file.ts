import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { type Disk, nodeDisk, replaceFile, syncFolders } from '../platform/disk.js';
import { quarantine, readOwnFile } from '../platform/quarantine.js';
import { Turns } from '../platform/turns.js';

interface Tag {
  readonly id: number;
  readonly name: string;
  readonly value: string;
}

/** The device's tags while no cloud keeps them. */
export interface Tags {
  /** In the order in which they were first set. */
  list(): readonly Tag[];
  /** Sets these and leaves the others. On disk when it resolves; an equal value is not written. */
  merge(tags: Readonly<Record<string, string>>): Promise<void>;
}

export interface TagsDeps {
  /** Holds `tags.json`; made when missing, at the first tag. */
  readonly folder: string;
  /** ms since the epoch. */
  readonly now: () => number;
  readonly log: Pick<Logger, 'error'>;
  readonly disk?: Disk;
}

/** Reads the tags; a file that cannot be used is set aside. */
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
        mkdirSync(folder, { recursive: true, mode: 0o700 });
        await replaceFile(disk, path, `${JSON.stringify({ tags: next }, null, 2)}\n`);
        await syncFolders(disk, [folder]);
        tags = next;
      }),
  };
}

/** The same list when nothing changes. */
function merged(tags: readonly Tag[], changes: Readonly<Record<string, string>>): readonly Tag[] {
  const wanted = new Map(Object.entries(changes));
  const kept = tags.map((tag) => {
    const value = wanted.get(tag.name);
    wanted.delete(tag.name);
    return value === undefined || value === tag.value ? tag : { ...tag, value };
  });
  const last = Math.max(0, ...tags.map(({ id }) => id));
  const fresh = [...wanted].map(([name, value], index) => ({ id: last + 1 + index, name, value }));
  const same = fresh.length === 0 && kept.every((tag, index) => tag === tags[index]);
  return same ? tags : [...kept, ...fresh];
}

function read(path: string, nowMs: number, log: TagsDeps['log']): readonly Tag[] {
  const text = readOwnFile(path);
  if (text === undefined) return [];
  const tags = parse(text);
  if (!tags) log.error({ path, aside: quarantine(path, nowMs) }, 'The tags cannot be used; beginning without any');
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
