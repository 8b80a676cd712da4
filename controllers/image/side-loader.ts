import { createReadStream, mkdirSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { watch } from 'chokidar';
import type { Logger } from 'pino';
import type { LineOwner, LogStream } from '../../api/device-state/logs.js';
import type { Disk } from '../../api/platform/disk.js';
import { errorMessage } from '../../api/platform/errors.js';
import { timeoutSignal } from '../../api/platform/time-limit.js';
import type { Store } from '../../api/store/store.js';
import { keyOf } from '../../crds/model/kinds.js';
import { type Engine, EngineUnreachable } from '../engine/engine.js';
import { imageKey } from '../engine/image-reference.js';
import type { Archives } from '../engine/images/archives.js';
import { type ArchiveContent, readArchive } from '../engine/images/image-archive.js';
import { asDockerArchive } from '../engine/images/oci-layout.js';
import { ArchiveError } from '../engine/images/tar-file.js';
import type { World } from '../engine/world.js';
import type { Cancel, Clock } from '../runtime/delays.js';
import { type LoadedFile, openLoadedFiles } from './loaded-files.js';

/** A file that has not changed for so long has been copied as a whole. */
const SETTLE_MS = 2_000;
/** When to try again what failed for a reason that may pass. */
const RETRY_MS = 60_000;
/** An engine that keeps refusing a file, after twice the time each time, is not asked again before the file changes. */
const REFUSALS = 5;
/** A file in whose reading the agent has ended so often is not read again: once may be the power, twice is the file. */
const ENDS_IN_READING = 2;
/** An engine that takes longer than this to unpack an archive will not. */
const LOAD_LIMIT_MS = 30 * 60_000;

export interface SideLoaderDeps {
  /** Holds `images/` and the list of what was read, `images.json`. */
  readonly dataFolder: string;
  readonly store: Store;
  readonly engine: Engine;
  readonly world: World;
  readonly logs: LogStream;
  readonly log: Logger;
  readonly clock: Clock;
  /** Of the engine, as images name it; '' while unknown. */
  readonly architecture: () => string;
  /** Where the list is kept; the machine's own disk when not said. */
  readonly disk?: Disk;
  /** How changes in the folder are noticed; by watching it when not said. */
  readonly notice?: typeof watchFolder;
}

/** A file as it was last seen. */
interface Sighting {
  readonly size: number;
  readonly mtimeMs: number;
  /** Since when it looks like this, by the monotonic clock, ms. */
  readonly sinceMs: number;
}

/** A file that could not be loaded, as it was then. */
interface Failure extends Pick<LoadedFile, 'size' | 'mtimeMs'> {
  readonly why: string;
  /** How often the engine has refused it; 0: for a reason that passes by itself. */
  readonly refusals: number;
  /** When to try again, by the monotonic clock, ms. */
  readonly dueMs: number;
}

/**
 * Loads archives of images that somebody puts into `<data>/images`, each once; what they held is on the engine
 * afterwards, and in the log. A broken one is a problem that names it, until it is replaced or taken away. One after the
 * other: they are large, and devices are small.
 */
export class SideLoader implements Archives {
  readonly #folder: string;
  readonly #loaded;
  /** Files that an earlier process was reading when it ended. */
  readonly #unfinished: ReadonlyMap<string, LoadedFile>;
  readonly #sightings = new Map<string, Sighting>();
  /** Files that could not be loaded and are tried again. */
  readonly #failing = new Map<string, Failure>();
  readonly #stopping = new AbortController();
  #watcher: ReturnType<typeof watchFolder> | undefined;
  #timer: Cancel | undefined;
  #turn: Promise<void> = Promise.resolve();
  #ofWorld: Cancel = () => undefined;

  constructor(private readonly deps: SideLoaderDeps) {
    this.#folder = join(deps.dataFolder, 'images');
    this.#loaded = openLoadedFiles(join(deps.dataFolder, 'images.json'), deps.log, deps.disk);
    this.#unfinished = new Map(this.#loaded.entries().filter(([, { reading = 0 }]) => reading > 0));
  }

  /** Begins to watch. What is there already is read in the background; pulls wait for it. */
  start(): void {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const { notice = watchFolder, world, log } = this.deps;
    this.#watcher = notice(this.#folder, () => this.look(), log);
    this.#ofWorld = world.onChange(({ type }) => void (type === 'all' && this.look()));
    this.look();
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error('The agent is stopping'));
    this.#ofWorld();
    this.#timer?.();
    await this.#watcher?.close();
    await this.#turn;
  }

  /** Looks at the folder when all that was asked for before is done. Hints that come together are one look. */
  look(): void {
    this.#enqueue(() => this.#look());
  }

  /** Resolves when what is in the folder and settled has been read. */
  get idle(): Promise<void> {
    return this.#turn;
  }

  holds(reference: string): boolean {
    return this.#filesWith(reference).length > 0;
  }

  async bring(reference: string, signal: AbortSignal): Promise<boolean> {
    await this.#turn;
    const { world } = this.deps;
    if (world.image(reference)) return true; // it was in what has just been read
    // One that has just failed has a time of its own, or is of no use.
    const name = this.#filesWith(reference).find((one) => !this.#failing.has(one) && !this.#loaded.get(one)?.error);
    if (name === undefined) return false;
    this.#enqueue(async () => {
      const seen = await this.#stat(name);
      if (seen) await this.#load(name, seen);
      if (this.#failing.has(name)) this.look();
    });
    await this.#turn;
    return (await world.refreshImage(reference, signal)) !== undefined;
  }

  #filesWith(reference: string): readonly string[] {
    const key = imageKey(reference);
    const files = this.#loaded.entries().filter(([, { images }]) => images.some((one) => imageKey(one) === key));
    return files.map(([name]) => name);
  }

  #enqueue(work: () => Promise<void>): void {
    this.#turn = this.#turn.then(async () => {
      if (this.#stopping.signal.aborted) return;
      await work().catch((error: unknown) => {
        if (!this.#stopping.signal.aborted)
          this.deps.log.warn({ err: error }, 'Could not look at the folder of images');
      });
    });
  }

  async #look(): Promise<void> {
    const { clock, world } = this.deps;
    this.#timer?.();
    if (!world.fresh) return; // its return is announced
    const names = (await readdir(this.#folder)).filter((name) => /^[^.].*\.(tar|tar\.gz|tgz)$/.test(name)).sort();
    const there = new Set(names);
    for (const name of [...this.#sightings.keys()]) if (!there.has(name)) this.#sightings.delete(name);
    for (const name of [...this.#failing.keys()]) if (!there.has(name)) this.#failing.delete(name);
    await this.#loaded.keep(there);
    let againInMs = Number.POSITIVE_INFINITY;
    for (const name of names) againInMs = Math.min(againInMs, await this.#consider(name));
    this.#tell();
    if (Number.isFinite(againInMs)) this.#timer = clock.after(againInMs, () => this.look());
  }

  /** Reads a file if it is new and whole; returns when to look at it again, ms. */
  async #consider(name: string): Promise<number> {
    const seen = await this.#stat(name);
    const known = this.#loaded.get(name);
    if (!seen || (isSame(known, seen) && !known?.loading && known?.reading === undefined))
      return Number.POSITIVE_INFINITY;
    const { clock } = this.deps;
    const nowMs = clock.monotonic();
    const failure = this.#failing.get(name);
    if (failure && failure.refusals > 0 && isSame(failure, seen) && nowMs < failure.dueMs) return failure.dueMs - nowMs;
    const before = this.#sightings.get(name);
    const sinceMs = isSame(before, seen) && before ? before.sinceMs : nowMs - Math.max(0, clock.now() - seen.mtimeMs);
    this.#sightings.set(name, { ...seen, sinceMs });
    if (nowMs - sinceMs < SETTLE_MS) return SETTLE_MS - (nowMs - sinceMs);
    await this.#load(name, seen);
    return (this.#failing.get(name)?.dueMs ?? Number.POSITIVE_INFINITY) - clock.monotonic();
  }

  async #stat(name: string): Promise<Pick<LoadedFile, 'size' | 'mtimeMs'> | undefined> {
    const seen = await stat(join(this.#folder, name)).catch(() => undefined);
    return seen?.isFile() ? { size: seen.size, mtimeMs: Math.trunc(seen.mtimeMs) } : undefined;
  }

  async #load(name: string, seen: Pick<LoadedFile, 'size' | 'mtimeMs'>): Promise<void> {
    const signal = timeoutSignal(LOAD_LIMIT_MS, this.#stopping.signal);
    const before = this.#failing.get(name);
    this.#failing.delete(name);
    try {
      if (this.#endsIn(name, seen) >= ENDS_IN_READING) throw new ArchiveError(SET_ASIDE);
      const images = await this.#intoEngine(name, seen, signal);
      await this.#loaded.set(name, { ...seen, images });
      for (const reference of images) await this.deps.world.refreshImage(reference, signal);
      this.#loadedFrom(name, images);
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      await this.#fail(name, seen, before, error);
    }
    this.#tell();
  }

  async #fail(
    name: string,
    seen: Pick<LoadedFile, 'size' | 'mtimeMs'>,
    before: Failure | undefined,
    error: unknown,
  ): Promise<void> {
    const { clock, log, logs } = this.deps;
    const why = errorMessage(error);
    log.warn({ file: name }, `Could not load images from ${name}: ${why}`);
    logs.system(`Failed to load images from '${name}' due to '${why}'`, 'nobody', { isStdErr: true });
    const refusals = isPassing(error) ? 0 : (isSame(before, seen) ? (before?.refusals ?? 0) : 0) + 1;
    if (error instanceof ArchiveError || refusals >= REFUSALS) {
      const known = this.#loaded.get(name);
      await this.#loaded.set(name, { ...seen, images: isSame(known, seen) ? (known?.images ?? []) : [], error: why });
      return;
    }
    const dueMs = clock.monotonic() + RETRY_MS * 2 ** Math.max(0, refusals - 1);
    this.#failing.set(name, { ...seen, why, refusals, dueMs });
  }

  async #intoEngine(
    name: string,
    seen: Pick<LoadedFile, 'size' | 'mtimeMs'>,
    signal: AbortSignal,
  ): Promise<readonly string[]> {
    const path = join(this.#folder, name);
    const { engine } = this.deps;
    const content = await this.#read(name, seen, signal);
    // Should we not live to hear that it is done: what it brought must not pass for something that we pulled.
    await this.#loaded.set(name, { ...seen, images: content.references, loading: true });
    const archive = content.is === 'docker' ? createReadStream(path) : asDockerArchive(path, content.images, signal);
    return engine.loadImages(archive, signal);
  }

  /** What is in a file. Should we not live to know it, the next process finds a mark. */
  async #read(name: string, seen: Pick<LoadedFile, 'size' | 'mtimeMs'>, signal: AbortSignal): Promise<ArchiveContent> {
    const ends = this.#endsIn(name, seen);
    const known = this.#loaded.get(name);
    const { images = [], loading } = isSame(known, seen) && known ? known : {};
    const begun = { ...seen, images, ...(loading ? { loading } : {}) };
    await this.#loaded.set(name, { ...begun, reading: ends + 1 });
    try {
      return await readArchive(join(this.#folder, name), this.deps.architecture(), signal);
    } catch (error) {
      await this.#loaded.set(name, { ...begun, reading: ends });
      throw error;
    }
  }

  /** In how many earlier processes the reading of this very file did not come to an end. */
  #endsIn(name: string, seen: Pick<LoadedFile, 'size' | 'mtimeMs'>): number {
    const unfinished = this.#unfinished.get(name);
    return isSame(unfinished, seen) ? (unfinished?.reading ?? 0) : 0;
  }

  #loadedFrom(name: string, images: readonly string[]): void {
    const { logs, store } = this.deps;
    const documents = store.list('Image');
    for (const reference of images) {
      const wanted = documents.filter(({ spec }) => imageKey(spec.image) === imageKey(reference));
      const apps = new Set(wanted.map(({ spec }) => spec.app));
      const owners: LineOwner[] = apps.size === 0 ? ['nobody'] : [...apps].map((app) => ({ app }));
      for (const owner of owners) logs.system(`Loaded image '${reference}' from '${name}'`, owner);
    }
    const keys = new Set(images.map(imageKey));
    for (const { metadata, spec } of documents) {
      if (!keys.has(imageKey(spec.image))) continue;
      const message = `Loaded ${spec.image} from the file ${name}`;
      store.record(keyOf('Image', metadata.name), { type: 'Normal', reason: 'Loaded', message });
    }
  }

  /** Says which files are of no use, and why. */
  #tell(): void {
    const broken = this.#loaded.entries().flatMap(([name, { error }]) => (error === undefined ? [] : [[name, error]]));
    const failing = [...this.#failing].map(([name, { why }]) => [name, why]);
    const problems = [...broken, ...failing].map(([name = '', why]) => ({
      message: `Could not load images from ${name}: ${why}`,
      source: { file: join(this.#folder, name) },
    }));
    this.deps.store.report('images', problems);
  }
}

const SET_ASIDE =
  'the agent has ended twice while it read this file, so it is left alone until it is replaced (is it too large for the memory of this device?)';

/** Calls back when something in the folder has changed, and once when it watches. */
function watchFolder(
  folder: string,
  changed: () => void,
  log: Pick<Logger, 'warn'>,
): { readonly close: () => Promise<void> } {
  const watcher = watch(folder, { ignoreInitial: true, depth: 0, followSymlinks: false });
  watcher.on('all', changed);
  watcher.on('ready', changed); // for what came between the first look and now
  watcher.on('error', (error) => log.warn({ err: error }, 'Cannot watch the folder of images'));
  return watcher;
}

const isSame = (
  known: Pick<LoadedFile, 'size' | 'mtimeMs'> | undefined,
  seen: Pick<LoadedFile, 'size' | 'mtimeMs'>,
): boolean => known?.size === seen.size && known.mtimeMs === seen.mtimeMs;

/** A full disk, an engine that is away, a disk error: what passes by itself, and is not the fault of the file. */
const isPassing = (error: unknown): boolean =>
  error instanceof EngineUnreachable ||
  (error instanceof Error && (/no space left|quota exceeded/i.test(error.message) || error.name === 'TimeoutError')) ||
  (!(error instanceof ArchiveError) && error instanceof Error && 'code' in error);
