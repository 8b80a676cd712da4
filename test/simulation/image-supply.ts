import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { LogStream } from '../../api/device-state/logs.js';
import type { Clock } from '../../api/platform/clock.js';
import type { Disk } from '../../api/platform/disk.js';
import type { Store } from '../../api/store/store.js';
import type { Informer } from '../../controllers/engine/cache/informer.js';
import type { Engine } from '../../controllers/engine/engine.js';
import { diskSpace } from '../../controllers/engine/images/disk-space.js';
import { PullQueue } from '../../controllers/engine/images/pull-queue.js';
import { SideLoader } from '../../controllers/image/side-loader.js';

/** What is kept free of a disk that is looked after. */
const MIN_FREE_BYTES = 100;

/** The engine's disk, and what images of registries would take of it. */
export interface EngineDisk {
  /** Bytes. */
  readonly free: () => number;
  /** Bytes that travel; undefined: the registry does not tell. */
  readonly sizeOf?: (reference: string) => number | undefined;
}

/** Files of images on a device: whoever puts one there, and the agent that notices it. */
export class ImageFiles {
  #noticed: () => void = () => undefined;

  constructor(private readonly folder: string) {}

  /** As a tool copies it, in one piece. */
  put(name: string, bytes: Buffer): void {
    const folder = join(this.folder, 'images');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `.${name}`), bytes);
    renameSync(join(folder, `.${name}`), join(folder, name));
    this.#noticed();
  }

  /** Stands for watching the folder: no real time is involved. The last agent hears of it. */
  readonly notice = (_folder: string, changed: () => void) => {
    this.#noticed = changed;
    return { close: async () => undefined };
  };
}

export interface SupplyParts {
  readonly folder: string;
  readonly store: Store;
  readonly engine: Engine;
  readonly cache: Informer;
  readonly logs: LogStream;
  readonly log: Logger;
  readonly clock: Clock;
  readonly disk: Disk;
  /** Undefined: nobody looks for files. */
  readonly files: ImageFiles | undefined;
  /** Undefined: pulls may fill the disk. */
  readonly room: (() => EngineDisk) | undefined;
}

/** Where an agent's images come from. */
export function imageSupply({ files, room, folder, ...parts }: SupplyParts): {
  readonly archives: SideLoader | undefined;
  readonly pulls: PullQueue;
} {
  const { engine, cache, log, clock } = parts;
  const common = { dataFolder: folder, architecture: () => 'amd64', ...parts };
  const archives = files ? new SideLoader({ ...common, notice: files.notice }) : undefined;
  const describe = async (reference: string) => {
    const bytes = room?.().sizeOf?.(reference);
    return bytes === undefined ? undefined : { layers: [bytes], diffIds: [] };
  };
  const free = async () => room?.().free();
  const ofDisk = { hostRoot: folder, minFreeBytes: room ? MIN_FREE_BYTES : 0, freeBytes: free, describe, clock };
  const space = diskSpace({ engine, ...ofDisk });
  return { archives, pulls: new PullQueue({ engine, cache, ...(archives ? { archives } : {}), space, log }) };
}
