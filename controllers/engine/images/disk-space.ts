import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { type Cancel, type Clock, systemClock } from '../../../api/platform/clock.js';
import { timeoutSignal } from '../../../api/platform/time-limit.js';
import type { Engine, PullOptions } from '../engine.js';
import { architectureOf } from '../platform.js';
import { type RemoteImage, remoteImage } from './registry-client.js';

/** An image is not pulled because the disk would be full. */
export class NotEnoughDisk extends Error {
  override readonly name = 'NotEnoughDisk';
}

export interface DiskSpaceDeps {
  readonly engine: Pick<Engine, 'info' | 'listImages' | 'inspectImage'>;
  /** Path under which the host's root is mounted for the agent. */
  readonly hostRoot: string;
  /** Bytes that a pull leaves free; 0: pulls may use all of them. */
  readonly minFreeBytes: number;
  /** Returns the bytes that are free at the path; undefined when that is unknown. */
  readonly freeBytes?: (path: string) => Promise<number | undefined>;
  readonly describe?: typeof remoteImage;
  /** Times the checks of the disk while a pull runs; the machine's own clock when absent. */
  readonly clock?: Pick<Clock, 'after'>;
}

/** Makes pulls leave room for what runs. */
export interface DiskSpace {
  /**
   * Pulls while there is room: throws `NotEnoughDisk` when the image does not fit, before anything of it has come, and
   * when the room runs out on the way.
   */
  within(
    reference: string,
    options: PullOptions,
    signal: AbortSignal,
    pull: (signal: AbortSignal) => Promise<void>,
  ): Promise<void>;
  /** Returns the bytes that may still be filled; undefined where that is unknown, or not limited. */
  room(signal: AbortSignal): Promise<number | undefined>;
  /** Runs something else that fills the disk, named `what`; throws `NotEnoughDisk` when the room runs out on the way. */
  watched<T>(what: string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T>;
}

/** Size of an unpacked layer compared with its download: both are on the disk for a moment. */
const UNPACKED = 2;
/** Free bytes from which the registry is not asked: hubs count requests. */
const PLENTY_BYTES = 8 * 1024 ** 3;
const ASK_LIMIT_MS = 10_000;
const LOOK_EVERY_MS = 500;

/** Creates the `DiskSpace` of one engine. Where its disk cannot be seen, as of a remote one, pulls are not limited. */
export function diskSpace(deps: DiskSpaceDeps): DiskSpace {
  const { engine, hostRoot, minFreeBytes, freeBytes = freeAt, describe = remoteImage, clock = systemClock } = deps;

  return {
    async within(reference, options, signal, pull) {
      const disk = await look(signal);
      if (!disk) return pull(signal);
      const { folder, free, machine } = disk;
      if (free < minFreeBytes) throw new NotEnoughDisk(sentence(reference, undefined, free, folder));
      if (free < PLENTY_BYTES) {
        const architecture = options.platform?.split('/')[1] ?? architectureOf(machine);
        const patience = timeoutSignal(ASK_LIMIT_MS, signal);
        const remote = await describe(reference, options.auth, architecture, patience).catch(() => undefined);
        signal.throwIfAborted();
        const needed = remote && UNPACKED * (await missingBytes(remote, free, signal));
        if (needed !== undefined && free - needed < minFreeBytes) {
          throw new NotEnoughDisk(sentence(reference, needed, free, folder));
        }
      }
      return watched(reference, folder, signal, pull);
    },
    async room(signal) {
      const disk = await look(signal);
      return disk && Math.max(0, disk.free - minFreeBytes);
    },
    async watched(what, signal, work) {
      const disk = await look(signal);
      return disk ? watched(what, disk.folder, signal, work) : work(signal);
    },
  };

  /** Reads the free space of the engine's disk; undefined where it cannot be seen, or is not limited. */
  async function look(
    signal: AbortSignal,
  ): Promise<{ readonly folder: string; readonly free: number; readonly machine: string } | undefined> {
    if (minFreeBytes === 0) return undefined;
    const { rootDir, machine } = await engine.info(signal);
    const folder = join(hostRoot, rootDir);
    const free = rootDir === '' ? undefined : await freeBytes(folder);
    return free === undefined ? undefined : { folder, free, machine };
  }

  /**
   * Returns the bytes that have to be downloaded. Which layers are here already is found out only when it matters: that
   * takes a request for each image.
   */
  async function missingBytes({ layers, diffIds }: RemoteImage, free: number, signal: AbortSignal): Promise<number> {
    const all = sum(layers);
    if (free - UNPACKED * all >= minFreeBytes || diffIds.length !== layers.length) return all;
    let shared = 0;
    for (const { id } of await engine.listImages(signal)) {
      const local = (await engine.inspectImage(id, signal))?.layers ?? [];
      const differs = diffIds.findIndex((diffId, index) => local[index] !== diffId);
      shared = Math.max(shared, differs < 0 ? diffIds.length : differs);
    }
    return sum(layers.slice(shared));
  }

  /**
   * Watches the disk while something fills it: other programs write as well, and a size is an estimate, so it is
   * aborted before the disk is full.
   */
  async function watched<T>(
    reference: string,
    folder: string,
    signal: AbortSignal,
    pull: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const short = new AbortController();
    let ended = false;
    const check = async (): Promise<void> => {
      const free = await freeBytes(folder);
      if (free !== undefined && free < minFreeBytes)
        short.abort(new NotEnoughDisk(sentence(reference, undefined, free, folder)));
      else if (!ended) timer = plan();
    };
    const plan = (): Cancel => clock.after(LOOK_EVERY_MS, () => void check());
    let timer = plan();
    try {
      return await pull(AbortSignal.any([signal, short.signal]));
    } finally {
      ended = true;
      timer();
    }
  }

  function sentence(reference: string, needed: number | undefined, free: number, folder: string): string {
    const need = needed === undefined ? '' : `it takes about ${megabytes(needed)}, and `;
    return `not enough room for ${reference}: ${need}${megabytes(free)} are free in ${folder}, of which ${megabytes(minFreeBytes)} are kept free`;
  }
}

async function freeAt(path: string): Promise<number | undefined> {
  try {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize;
  } catch {
    return undefined; // on another machine, or not ours to see
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);
const megabytes = (bytes: number): string => `${Math.ceil(bytes / 1024 ** 2)} MB`;
