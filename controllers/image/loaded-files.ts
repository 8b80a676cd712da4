import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Logger } from 'pino';
import { type Disk, nodeDisk, replaceFile, syncFolders } from '../../api/platform/disk.js';
import { jsonOf, readOwnFile } from '../../api/platform/quarantine.js';
import { isMap } from '../../crds/model/maps.js';

/** A file of images as it was when it was read, and the result. */
export interface LoadedFile {
  readonly size: number;
  readonly mtimeMs: number;
  /** References of its images, or their ids when none has a reference. */
  readonly images: readonly string[];
  /** The engine had begun to load it, and may have: images of these references came from the file. */
  readonly loading?: true;
  /** The number of times that a process of ours has begun to read the file and not come to an end. Includes the present reading. */
  readonly reading?: number;
  /** Why nothing of it could be used. */
  readonly error?: string;
}

/** Records which files have been read, across restarts. Losing it costs reading them again. */
export interface LoadedFiles {
  get(name: string): LoadedFile | undefined;
  entries(): readonly (readonly [name: string, file: LoadedFile])[];
  set(name: string, file: LoadedFile): Promise<void>;
  /** Forgets all other files. */
  keep(names: ReadonlySet<string>): Promise<void>;
}

/** Reads the list; an unusable one is replaced by an empty one. */
export function openLoadedFiles(path: string, log: Pick<Logger, 'warn'>, disk: Disk = nodeDisk): LoadedFiles {
  let files = read(path, log);
  const write = async (next: ReadonlyMap<string, LoadedFile>): Promise<void> => {
    files = next;
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    await replaceFile(disk, path, `${JSON.stringify({ files: Object.fromEntries(next) }, null, 2)}\n`);
    await syncFolders(disk, [dirname(path)]);
  };
  return {
    get: (name) => files.get(name),
    entries: () => [...files],
    set: (name, file) => write(new Map([...files, [name, file]])),
    async keep(names) {
      const kept = new Map([...files].filter(([name]) => names.has(name)));
      if (kept.size < files.size) await write(kept);
    },
  };
}

function read(path: string, log: Pick<Logger, 'warn'>): ReadonlyMap<string, LoadedFile> {
  try {
    const found = readOwnFile(path);
    if (!found) return new Map();
    const value = jsonOf(found);
    if (!isMap(value) || !isMap(value.files)) throw new Error('it is not a map of files');
    return new Map(
      Object.entries(value.files).filter((entry): entry is [string, LoadedFile] => isLoadedFile(entry[1])),
    );
  } catch (error) {
    log.warn({ err: error, path }, 'The list of loaded files cannot be used; files of images are read again');
    return new Map();
  }
}

function isLoadedFile(value: unknown): value is LoadedFile {
  if (typeof value !== 'object' || value === null) return false;
  const { size, mtimeMs, images } = value as Partial<Record<keyof LoadedFile, unknown>>;
  const areTexts = Array.isArray(images) && images.every((image) => typeof image === 'string');
  return typeof size === 'number' && typeof mtimeMs === 'number' && areTexts;
}
