import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { timeoutSignal } from '../../../api/platform/time-limit.js';
import { type Cancel, type Clock, systemClock } from '../../runtime/delays.js';
import type { Engine, PullOptions } from '../engine.js';
import { architectureOf } from '../platform.js';
import { type RemoteImage, remoteImage } from './registry-client.js';

/** An image that is not pulled because the disk would be full. */
export class NotEnoughDisk extends Error {
  override readonly name = 'NotEnoughDisk';
}

export interface DiskSpaceDeps {
  readonly engine: Pick<Engine, 'info' | 'listImages' | 'inspectImage'>;
  /** Where the host's root is mounted for us. */
  readonly hostRoot: string;
  /** Bytes that a pull leaves free; 0: pulls may use the last one. */
  readonly minFreeBytes: number;
  /** The bytes that are free where the path is; undefined when that cannot be told. */
  readonly freeBytes?: (path: string) => Promise<number | undefined>;
  readonly describe?: typeof remoteImage;
  /** By which the disk is looked at while a pull runs; the machine's own when not said. */
  readonly clock?: Pick<Clock, 'after'>;
}

/** Sees to it that a pull leaves room for what runs. */
export interface DiskSpace {
  /** Pulls while there is room: throws `NotEnoughDisk` when the image does not fit, before anything of it has come, and when the room runs out on the way. */
  within(
    reference: string,
    options: PullOptions,
    signal: AbortSignal,
    pull: (signal: AbortSignal) => Promise<void>,
  ): Promise<void>;
  /** Bytes that may still be filled; undefined where that cannot be told, or is left to whoever fills them. */
  room(signal: AbortSignal): Promise<number | undefined>;
  /** Does what fills the disk by `what`; throws `NotEnoughDisk` when the room runs out on the way. */
  watched<T>(what: string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T>;
}

/** An unpacked layer is about twice as large as what travels, and both are on the disk for a moment. */
const UNPACKED = 2;
/** With so much to spare the registry is not asked: hubs count questions. */
const PLENTY_BYTES = 8 * 1024 ** 3;
const ASK_LIMIT_MS = 10_000;
const LOOK_EVERY_MS = 500;

/** `DiskSpace` of one engine. Where its disk cannot be seen, a remote one's, pulls go unwatched. */
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

  /** The engine's disk; undefined where it cannot be seen, or is not looked after. */
  async function look(
    signal: AbortSignal,
  ): Promise<{ readonly folder: string; readonly free: number; readonly machine: string } | undefined> {
    if (minFreeBytes === 0) return undefined;
    const { rootDir, machine } = await engine.info(signal);
    const folder = join(hostRoot, rootDir);
    const free = rootDir === '' ? undefined : await freeBytes(folder);
    return free === undefined ? undefined : { folder, free, machine };
  }

  /** What has to travel. Which layers are here already is found out only when it matters: that takes a request for each image. */
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

  /** Other programs write as well, and a size is an estimate: the pull is broken off before the disk is full. */
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
    return undefined; // not of this machine, or not for us to see
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);
const megabytes = (bytes: number): string => `${Math.ceil(bytes / 1024 ** 2)} MB`;
