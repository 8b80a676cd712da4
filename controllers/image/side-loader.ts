import { EventEmitter, once, setMaxListeners } from 'node:events';
import { mkdirSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { watch } from 'chokidar';
import type { Logger } from 'pino';
import type { LineOwner, LogStream } from '../../api/device-state/logs.js';
import { type Cancel, type Clock, clockSteps } from '../../api/platform/clock.js';
import type { Disk } from '../../api/platform/disk.js';
import { errorCode, errorMessage } from '../../api/platform/errors.js';
import type { Store } from '../../api/store/store.js';
import { imageKey } from '../../crds/model/image-reference.js';
import { keyOf } from '../../crds/model/kinds.js';
import { DEVICE_DOCUMENT } from '../../crds/model/names.js';
import { type Engine, EngineUnreachable } from '../engine/engine.js';
import type { EngineCache } from '../engine/engine-cache.js';
import type { Archives } from '../engine/images/archives.js';
import { type DiskSpace, NotEnoughDisk } from '../engine/images/disk-space.js';
import { type ArchiveContent, readArchive } from '../engine/images/image-archive.js';
import { asDockerArchive } from '../engine/images/oci-layout.js';
import { ArchiveError, fileStream } from '../engine/images/tar-file.js';
import { checkUnpacked, watchReading } from './archive-limits.js';
import { type LoadedFile, openLoadedFiles } from './loaded-files.js';

/** How long a file must stay unchanged to count as copied completely, ms; doubles each time that this was wrong. */
const SETTLE_MS = 2_000;
const MOST_DOUBLINGS = 8;
/** Delay before a failure that may pass is tried again, ms. */
const RETRY_MS = 60_000;
/** Longest delay while the disk is full, ms: all of the file may have to be read to find out. */
const LONGEST_RETRY_MS = 8 * RETRY_MS;
/** How long a pull waits for files that may contain its image before it asks the registry, ms. */
const PATIENCE_MS = 60_000;
/** Number of times that an engine may refuse a file, with doubled delays; then the file has to change. */
const REFUSALS = 5;
/** Number of times that the agent may end while it reads a file: once may be the power, twice is the file. */
const ENDS_IN_READING = 2;
/** Longest time to read an archive, or for the engine to load it. */
const LOAD_LIMIT_MINUTES = 30;

export interface SideLoaderDeps {
  /** Holds `images/`, and `images.json` with the list of files that were read. */
  readonly dataFolder: string;
  readonly store: Store;
  readonly engine: Engine;
  readonly cache: EngineCache;
  readonly logs: LogStream;
  readonly log: Logger;
  readonly clock: Clock;
  /** Architecture of the engine, as images name it; '' while unknown. */
  readonly architecture: () => string;
  /** Where the list is kept; the machine's disk when absent. */
  readonly disk?: Disk;
  /** How changes in the folder are noticed; by watching it when absent. */
  readonly notice?: typeof watchFolder;
  /** Without it a file may fill the disk. */
  readonly space?: Pick<DiskSpace, 'room' | 'watched'>;
  /** How a file is read; as an archive when absent. */
  readonly read?: typeof readArchive;
}

type Seen = Pick<LoadedFile, 'size' | 'mtimeMs'>;

/** A file as it was last seen. */
interface Sighting extends Seen {
  /** Since when it has looked like this; monotonic clock, ms. */
  readonly sinceMs: number;
}

/** A file that could not be loaded, as it was at that time. */
interface Failure extends Seen {
  readonly why: string;
  readonly is: 'refused' | 'no room' | 'passing';
  /** How often in a row it has failed in this way. */
  readonly times: number;
  /** When to try again; monotonic clock, ms. */
  readonly dueMs: number;
}

/** The file that is being read, or that the engine is loading. */
interface Current {
  readonly name: string;
  readonly seen: Seen;
  /** Bytes that it takes on its disk; fewer than its size when it has holes. */
  readonly takes: number;
  /** Its references; undefined while unknown. */
  images: readonly string[] | undefined;
  /** Aborted when the file has changed or gone (`FileChanged`), cannot be read (`ArchiveError`), or `TookTooLong`. */
  readonly ending: AbortController;
}

/** Thrown when a file was changed, replaced or removed while it was read; not a fault of the file. */
class FileChanged extends Error {
  override readonly name = 'FileChanged';
}

class TookTooLong extends Error {
  override readonly name = 'TookTooLong';
}

/**
 * Loads archives of images from `<data>/images`, each once; their images are on the engine afterwards, and named in the
 * log. A broken file is reported as a problem until it is replaced or removed. Files are loaded one after the other:
 * they are large, and devices are small. Nothing about a file is trusted: how much, how long and in what steps it is
 * read is limited, and pulls go on meanwhile.
 */
export class SideLoader implements Archives {
  readonly #folder: string;
  readonly #loaded;
  /** Files that an earlier process was reading when it ended. */
  readonly #unfinished: ReadonlyMap<string, LoadedFile>;
  readonly #sightings = new Map<string, Sighting>();
  /** Whether the clock was set since the last look. */
  readonly #wasSet: () => boolean;
  /** Names in the folder that are not files: pipes, devices, folders, links that lead to no file. */
  readonly #unfit = new Set<string>();
  /** Files that could not be loaded and are tried again. */
  readonly #failing = new Map<string, Failure>();
  /** How often a file was changed after it had seemed complete. */
  readonly #changes = new Map<string, number>();
  /** Files that this look has not read yet and that may contain anything. */
  readonly #pendingFiles = new Set<string>();
  /** Emits when waiting pulls have to look again, because the file they wait for may have changed or gone. */
  readonly #progress = new EventEmitter();
  #current: Current | undefined;
  /** Number of looks and loads under way. */
  #pending = 0;
  readonly #stopping = new AbortController();
  #watcher: ReturnType<typeof watchFolder> | undefined;
  #timer: Cancel | undefined;
  #turn: Promise<void> = Promise.resolve();
  #stopWatching: Cancel = () => undefined;

  constructor(private readonly deps: SideLoaderDeps) {
    this.#folder = join(deps.dataFolder, 'images');
    this.#wasSet = clockSteps(deps.clock);
    this.#loaded = openLoadedFiles(join(deps.dataFolder, 'images.json'), deps.log, deps.disk);
    setMaxListeners(0, this.#progress);
    this.#unfinished = new Map(this.#loaded.entries().filter(([, { reading = 0 }]) => reading > 0));
  }

  /** Starts watching. Existing files are read in the background; pulls wait for them for a while. */
  start(): void {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const { notice = watchFolder, cache, log } = this.deps;
    this.#watcher = notice(this.#folder, () => this.look(), log);
    this.#stopWatching = cache.onChange(({ type }) => void (type === 'all' && this.look()));
    this.look();
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error('The agent is stopping'));
    this.#stopWatching();
    this.#timer?.();
    await this.#watcher?.close();
    await this.#turn;
  }

  /** Looks at the folder after the looks before it. Checks at once whether the present reading is still of use. */
  look(): void {
    if (this.#current) void this.#check(this.#current);
    this.#enqueue(() => this.#look());
  }

  /** Resolves when every complete file in the folder has been read. */
  get idle(): Promise<void> {
    return this.#turn;
  }

  holds(reference: string): boolean {
    return this.#filesWith(reference).length > 0;
  }

  async bring(
    reference: string,
    signal: AbortSignal,
    onWait: (file: string | undefined) => void = () => undefined,
  ): Promise<boolean> {
    const { cache, clock } = this.deps;
    const patience = { isOver: false };
    const impatient = clock.after(PATIENCE_MS, () => {
      patience.isOver = true;
      this.#progress.emit('change');
    });
    const wait = (isDone: () => boolean): Promise<void> => this.#wait(reference, patience, isDone, signal, onWait);
    try {
      await wait(() => this.#pending === 0 || !this.#mayHold(imageKey(reference)));
      if (cache.image(reference)) return true; // it was in the file that has just been read
      // A file that has just failed has its own delay, or is of no use.
      const name = this.#filesWith(reference).find((one) => !this.#failing.has(one) && !this.#loaded.get(one)?.error);
      if (name === undefined) return false;
      let isDone = false;
      this.#enqueue(async () => {
        // Several pulls may have asked for the same file.
        if (!signal.aborted && !(await cache.refreshImage(reference, signal))) await this.#again(name);
        isDone = true;
      });
      await wait(() => isDone);
      return (await cache.refreshImage(reference, signal)) !== undefined;
    } finally {
      impatient();
      onWait(undefined);
    }
  }

  /** Tells whether a file that is being read, or has yet to be, may contain the image. */
  #mayHold(key: string): boolean {
    const { images } = this.#current ?? {};
    return images === undefined || this.#pendingFiles.size > 0 || images.some((one) => imageKey(one) === key);
  }

  /** Waits while a file may bring the image: without limit for a file that is known to contain it, and for PATIENCE_MS for any other. */
  async #wait(
    reference: string,
    patience: { readonly isOver: boolean },
    isDone: () => boolean,
    signal: AbortSignal,
    onWait: (file: string | undefined) => void,
  ): Promise<void> {
    const key = imageKey(reference);
    while (!isDone()) {
      signal.throwIfAborted();
      const { name, images } = this.#current ?? {};
      const holds = images?.some((one) => imageKey(one) === key) ?? false;
      if (patience.isOver && !holds) return;
      onWait(holds || images === undefined ? name : ([...this.#pendingFiles][0] ?? name));
      await once(this.#progress, 'change', { signal });
    }
  }

  #filesWith(reference: string): readonly string[] {
    const key = imageKey(reference);
    const files = this.#loaded.entries().filter(([, { images }]) => images.some((one) => imageKey(one) === key));
    return files.map(([name]) => name);
  }

  #enqueue(work: () => Promise<void>): void {
    this.#pending += 1;
    this.#turn = this.#turn.then(async () => {
      if (!this.#stopping.signal.aborted) {
        await work().catch((error: unknown) => {
          if (!this.#stopping.signal.aborted)
            this.deps.log.warn({ err: error }, 'Could not look at the folder of images');
        });
      }
      this.#pending -= 1;
      this.#progress.emit('change');
    });
  }

  async #look(): Promise<void> {
    const { clock, cache } = this.deps;
    this.#timer?.();
    if (!cache.hasSynced) return; // its return is announced
    const names = (await readdir(this.#folder)).filter((name) => /^[^.].*\.(tar|tar\.gz|tgz)$/.test(name)).sort();
    const there = new Set(names);
    for (const known of [this.#sightings, this.#failing, this.#changes])
      for (const name of [...known.keys()]) if (!there.has(name)) known.delete(name);
    this.#unfit.clear();
    await this.#loaded.keep(there);
    let requeueAfterMs = Number.POSITIVE_INFINITY;
    const wasSet = this.#wasSet();
    for (const name of names) if (!isDone(this.#loaded.get(name))) this.#pendingFiles.add(name);
    try {
      for (const name of names) {
        this.#pendingFiles.delete(name);
        requeueAfterMs = Math.min(requeueAfterMs, await this.#consider(name, wasSet));
      }
    } finally {
      this.#pendingFiles.clear();
    }
    this.#notify();
    if (Number.isFinite(requeueAfterMs)) this.#timer = clock.after(requeueAfterMs, () => this.look());
  }

  /**
   * Reads a file if it is new and complete. Returns when to look at it again, ms. The time that a new file bears tells
   * for how long it has been left alone, unless the clock was set since the last look: then that counts from now on.
   */
  async #consider(name: string, wasSet: boolean): Promise<number> {
    const seen = await this.#stat(name);
    const known = this.#loaded.get(name);
    if (!seen) this.#unfit.add(name);
    if (!seen || (isSame(known, seen) && isDone(known))) return Number.POSITIVE_INFINITY;
    const { clock } = this.deps;
    const nowMs = clock.monotonic();
    const failure = this.#failing.get(name);
    if (failure && failure.is !== 'passing' && isSame(failure, seen) && nowMs < failure.dueMs)
      return failure.dueMs - nowMs;
    const before = this.#sightings.get(name);
    const ageMs = wasSet ? 0 : Math.max(0, clock.now() - seen.mtimeMs);
    const sinceMs = isSame(before, seen) && before ? before.sinceMs : nowMs - ageMs;
    this.#sightings.set(name, { ...seen, sinceMs });
    const settleMs = SETTLE_MS * 2 ** Math.min(this.#changes.get(name) ?? 0, MOST_DOUBLINGS);
    if (nowMs - sinceMs < settleMs) return settleMs - (nowMs - sinceMs);
    await this.#load(name, seen, known);
    return (this.#failing.get(name)?.dueMs ?? Number.POSITIVE_INFINITY) - clock.monotonic();
  }

  async #stat(name: string): Promise<(Seen & Pick<Current, 'takes'>) | undefined> {
    const seen = await stat(join(this.#folder, name)).catch(() => undefined);
    if (!seen?.isFile()) return undefined;
    const takes = Math.min(seen.size, seen.blocks * 512) || seen.size; // some file systems do not count blocks
    return { size: seen.size, mtimeMs: Math.trunc(seen.mtimeMs), takes };
  }

  /** Loads a file once more, because the engine has lost its images. */
  async #again(name: string): Promise<void> {
    const seen = await this.#stat(name);
    if (seen) await this.#load(name, seen, this.#loaded.get(name));
    if (this.#failing.has(name)) this.look();
  }

  /** Aborts the present reading when the file has changed or gone. */
  async #check(current: Current): Promise<void> {
    const seen = await this.#stat(current.name);
    if (this.#current === current && !isSame(current.seen, seen)) current.ending.abort(new FileChanged());
  }

  async #load(name: string, { takes, ...seen }: Seen & Pick<Current, 'takes'>, known?: LoadedFile): Promise<void> {
    const images = isSame(known, seen) && known?.images.length ? known.images : undefined;
    const current: Current = { name, seen, takes, images, ending: new AbortController() };
    const signal = AbortSignal.any([this.#stopping.signal, current.ending.signal]);
    const limit = this.deps.clock.after(LOAD_LIMIT_MINUTES * 60_000, () => current.ending.abort(new TookTooLong()));
    const before = this.#failing.get(name);
    this.#failing.delete(name);
    this.#current = current;
    this.#progress.emit('change');
    try {
      if (this.#endsIn(name, seen) >= ENDS_IN_READING) throw new ArchiveError(SET_ASIDE);
      const images = await this.#intoEngine(current, signal);
      await this.#loaded.set(name, { ...seen, images });
      for (const reference of images) await this.deps.cache.refreshImage(reference, signal);
      this.#changes.delete(name);
      this.#loadedFrom(name, images);
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      if (current.ending.signal.reason instanceof FileChanged) {
        this.#changes.set(name, (this.#changes.get(name) ?? 0) + 1);
        this.look();
      } else await this.#fail(name, seen, before, error);
    } finally {
      limit();
      this.#current = undefined;
      this.#progress.emit('change');
    }
    this.#notify();
  }

  async #fail(name: string, seen: Seen, before: Failure | undefined, error: unknown): Promise<void> {
    const { clock, log, logs, store } = this.deps;
    const why = errorMessage(error);
    log.warn({ file: name }, `Could not load images from ${name}: ${why}`);
    logs.system(`Failed to load images from '${name}' due to '${why}'`, 'nobody', { isStdErr: true });
    const is = kindOf(error);
    const times = isSame(before, seen) && before?.is === is ? before.times + 1 : 1;
    if (error instanceof ArchiveError || (is === 'refused' && times >= REFUSALS)) {
      const known = this.#loaded.get(name);
      await this.#loaded.set(name, { ...seen, images: isSame(known, seen) ? (known?.images ?? []) : [], error: why });
      const message = `Images of ${name} are not loaded until it is replaced: ${why}`;
      store.record(keyOf('HostConfig', DEVICE_DOCUMENT), { type: 'Warning', reason: 'FileUnusable', message });
      return;
    }
    const delayMs = is === 'passing' ? RETRY_MS : Math.min(RETRY_MS * 2 ** (times - 1), LONGEST_RETRY_MS);
    this.#failing.set(name, { ...seen, why, is, times, dueMs: clock.monotonic() + delayMs });
  }

  async #intoEngine(current: Current, signal: AbortSignal): Promise<readonly string[]> {
    const { name, seen } = current;
    const path = join(this.#folder, name);
    const { engine, space } = this.deps;
    const content = await this.#read(current, signal);
    current.images = content.references;
    this.#progress.emit('change');
    // If the process ends now, what the file brought must not count as pulled.
    await this.#loaded.set(name, { ...seen, images: content.references, loading: true });
    const load = (within: AbortSignal): Promise<readonly string[]> => {
      const reading = { signal: within, size: seen.size };
      const archive =
        content.is === 'docker' ? fileStream(path, seen.size) : asDockerArchive(path, content.images, reading);
      return engine.loadImages(archive, within);
    };
    try {
      return await (space ? space.watched(name, signal, load) : load(signal));
    } catch (error) {
      if (signal.reason instanceof TookTooLong)
        throw new Error(`the engine has not taken it in within ${LOAD_LIMIT_MINUTES} minutes`);
      throw error;
    }
  }

  /** Reads the contents of a file. If the process ends meanwhile, the next one finds a mark. */
  async #read({ name, seen, takes, ending }: Current, signal: AbortSignal): Promise<ArchiveContent> {
    const { architecture, clock, read = readArchive, space } = this.deps;
    const room = await space?.room(signal);
    checkUnpacked(seen.size, takes, room); // it is no smaller unpacked
    const ends = this.#endsIn(name, seen);
    const known = this.#loaded.get(name);
    const { images = [], loading } = isSame(known, seen) && known ? known : {};
    const started = { ...seen, images, ...(loading ? { loading } : {}) };
    await this.#loaded.set(name, { ...started, reading: ends + 1 });
    let unpacked = 0;
    const unwatch = watchReading(clock, {
      progress: () => unpacked,
      look: () => this.#current && void this.#check(this.#current),
      silent: () => ending.abort(new ArchiveError('nothing of it could be read for a minute')),
    });
    const unpacks = (bytes: number): void => {
      unpacked = bytes;
      checkUnpacked(bytes, takes, room);
    };
    try {
      return await read(join(this.#folder, name), architecture(), { signal, size: seen.size, unpacks });
    } catch (error) {
      await this.#loaded.set(name, { ...started, reading: ends });
      if (signal.reason instanceof TookTooLong)
        throw new ArchiveError(`it could not be read within ${LOAD_LIMIT_MINUTES} minutes`);
      throw error;
    } finally {
      unwatch();
    }
  }

  /** Returns in how many earlier processes the reading of this file did not come to an end. */
  #endsIn(name: string, seen: Seen): number {
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

  /** Reports which files are of no use, and why. */
  #notify(): void {
    const broken = this.#loaded.entries().flatMap(([name, { error }]) => (error === undefined ? [] : [[name, error]]));
    const failing = [...this.#failing].map(([name, { why }]) => [name, why]);
    const unfit = [...this.#unfit].map((name) => [name, 'it is not a file, nor a link to one']);
    const problems = [...broken, ...failing, ...unfit].map(([name = '', why]) => ({
      message: `Could not load images from ${name}: ${why}`,
      source: { file: join(this.#folder, name) },
    }));
    this.deps.store.report('images', problems);
  }
}

const SET_ASIDE =
  'the agent has ended twice while it read this file, so it is left alone until it is replaced (is it too large for the memory of this device?)';

/** Calls back when something in the folder has changed, and once when watching has begun. */
function watchFolder(
  folder: string,
  changed: () => void,
  log: Pick<Logger, 'warn'>,
): { readonly close: () => Promise<void> } {
  const watcher = watch(folder, { ignoreInitial: true, depth: 0, followSymlinks: false });
  watcher.on('all', changed);
  watcher.on('ready', changed); // for changes between the first look and now
  watcher.on('error', (error) => log.warn({ err: error }, 'Cannot watch the folder of images'));
  return watcher;
}

const isSame = (known: Seen | undefined, seen: Seen | undefined): boolean =>
  known !== undefined && known.size === seen?.size && known.mtimeMs === seen.mtimeMs;

/** Tells whether a file was read to its end, or found to be of no use. */
const isDone = (known: LoadedFile | undefined): boolean =>
  known !== undefined && !known.loading && known.reading === undefined;

/** Classifies an error: a full disk, an engine that is away and a disk error may pass; anything else is the fault of the file. */
function kindOf(error: unknown): Failure['is'] {
  if (error instanceof ArchiveError || !(error instanceof Error)) return 'refused';
  if (error instanceof NotEnoughDisk || /no space left|quota exceeded/i.test(error.message)) return 'no room';
  return error instanceof EngineUnreachable || errorCode(error) !== undefined ? 'passing' : 'refused';
}
