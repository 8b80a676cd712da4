import { stat } from 'node:fs/promises';
import { basename, dirname, extname, join, relative, sep } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type FSWatcher, watch } from 'chokidar';
import { COMPOSE } from '../../../crds/model/compose.js';
import { canonicalHash } from '../../../crds/model/hash.js';
import { KINDS, type Problem, type Source } from '../../../crds/model/kinds.js';
import { type Cancel, type Clock, clockSteps, pause, systemClock } from '../../platform/clock.js';
import { errorMessage, hasCode } from '../../platform/errors.js';
import { answerWithin, readRegular } from '../../platform/read-file.js';
import type { Store } from '../../store/store.js';
import { projectName } from '../compose/load.js';
import type { Documents, Log, Parse } from '../documents.js';
import { ProblemLog } from '../problem-log.js';
import { planWholeSet } from '../whole-set.js';
import { ComposeProjects, homeOfUser, type ReadProject, type WatchedInputs } from './compose-projects.js';
import { FileCalls, SilentError } from './file-calls.js';
import {
  appsOf,
  type FoundFiles,
  type FoundProject,
  findProjects,
  insideProject,
  isBelow,
  keeping,
  type Look,
  lookOf,
  ownProjects,
} from './find-projects.js';
import { LIMIT_BYTES, readDocuments, tooLarge } from './read-documents.js';
import { reasonOf, SCAN_LIMITS, type SeenFile, type SeenFolder, scanFolder, stampOf } from './scan-folders.js';

export interface FolderOptions {
  readonly folders: readonly string[];
  readonly store: Pick<Store, 'propose' | 'report' | 'list'>;
  readonly parse: Parse;
  readonly deviceUuid: string;
  readonly log: Log;
  /** How long a file must stay unchanged before it is read, ms. */
  readonly settleMs?: number;
  /** How often the folders are looked at without an event, ms: finds what no event reported. */
  readonly lookMs?: number;
  /** How often they are looked at while there are no events, because a folder is missing or cannot be watched, ms. */
  readonly pollMs?: number;
  /** Delay after a proposal that failed, doubled each time up to a minute, ms. */
  readonly retryMs?: number;
  /** Files bear its time of day; the machine's own when not said. */
  readonly clock?: Clock;
  readonly watch?: typeof watch;
  /** How long a file system may take to list a folder or to read a file, ms. */
  readonly answerMs?: number;
  readonly scan?: typeof scanFolder;
  readonly read?: typeof readRegular;
  /** What `~` and HOME stand for in Compose files. */
  readonly home?: string;
}

/** The origin `files`: folders of documents that should run. */
export interface FolderSource {
  readonly name: string;
  /** Resolves after the first look, also when a folder is missing or the store refuses; it goes on trying. */
  start(): Promise<void>;
  /** True once the first look has ended. */
  readonly hasSynced: boolean;
  /** Reads every file again, and proposes when something differs. */
  rescan(): Promise<void>;
  stop(): Promise<void>;
}

/** How long a look waits for files that somebody is still writing, ms. */
const PATIENCE_MS = 2000;
/** Longest time by which a stream of changes delays a look, ms. */
const LONGEST_DEBOUNCE_MS = 1000;
const LONGEST_RETRY_MS = 60_000;
/** Longest time for a look, ms: thousands of files on a slow disk take less; a share on a network that has died never answers. */
const ANSWER_MS = 30_000;
/** How long a stop waits for the present look, ms. */
const STOP_MS = 5000;
/** How often a folder with too many files is read, ms: each time takes a second of a small device. */
const TOO_LARGE_LOOK_MS = 60_000;

/**
 * Proposes all documents of the folders as origin `files`. Events of the file system only cause a look. A folder that
 * cannot be listed is a failure and never an empty set.
 */
export const watchFolders = (options: FolderOptions): FolderSource => new WatchedFolders(options);

interface ReadFile {
  readonly stamp: string;
  readonly hash: string;
  readonly read: Documents;
  readonly look: Look;
  /** It was read as a file in the folder of a project, in which only our documents count. */
  readonly isMember: boolean;
}

class WatchedFolders implements FolderSource {
  readonly name = 'files';
  readonly #options: Required<FolderOptions>;
  readonly #problems: ProblemLog;
  readonly #stop = new AbortController();
  readonly #files = new Map<string, ReadFile>();
  /** Files that were missing at the last look: an editor may be about to put them back. */
  #gone = new Set<string>();
  readonly #folders = new Map<string, { identity: string; files: number }>();
  /** Identity and number of files of folders below: those that could be listed and were not doubted. */
  readonly #below = new Map<string, { identity: string; files: number }>();
  readonly #calls: FileCalls;
  readonly #projects: ComposeProjects;
  /** Files that Compose projects read, or looked for, and documents in places that are not looked through any more. */
  #inputs: ReadonlyMap<string, SeenFile | undefined> = new Map();
  #watcher: { paths: string; inputs: WatchedInputs; watcher: FSWatcher } | undefined;
  #polling = false;
  #running: Promise<void> | undefined;
  #again = false;
  #hasSynced = false;
  #seen = '';
  /** Everything is read at the next look, also when one under way has seen it. */
  #isExpired = false;
  /** No file was left alone at the last look because somebody may still be writing it. */
  #isWritten = true;
  #proposed = '';
  #failedProposals = 0;
  /** Changed files that have not been read: until when, by the monotonic clock, they are left alone, ms. */
  readonly #sightings = new Map<string, { readonly stamp: string; readonly settledAtMs: number }>();
  /** Whether the clock was set since the last look. */
  readonly #wasSet: () => boolean;
  #hinted: number | undefined;
  #cancelHint: Cancel = () => undefined;
  #cancelRest: Cancel = () => undefined;

  constructor(options: FolderOptions) {
    this.#options = {
      settleMs: 150,
      lookMs: 10_000,
      pollMs: 500,
      retryMs: 1000,
      clock: systemClock,
      watch,
      answerMs: ANSWER_MS,
      scan: scanFolder,
      read: readRegular,
      home: homeOfUser(),
      ...options,
    };
    const { clock, answerMs } = this.#options;
    this.#calls = new FileCalls({
      ...{ clock, answerMs },
      onAnswer: () => {
        this.#seen = '';
        this.#hint();
      },
    });
    this.#projects = new ComposeProjects({
      ...{ ...this.#options, calls: this.#calls },
      filesBefore: (found) => this.#storedOf(found).flatMap(({ source }) => source.composeFiles ?? []),
      hasApp: (folder) => {
        const name = projectName(basename(folder));
        return this.#stored().some(
          ({ name: own, source: { file, composeFiles }, chosen }) =>
            composeFiles &&
            isBelow(folder, file) &&
            (own === name ? projectName(basename(file, extname(file))) !== name : isChosen(folder, file, chosen)),
        );
      },
    });
    this.#wasSet = clockSteps(this.#options.clock);
    this.#problems = new ProblemLog(options.log);
  }

  get hasSynced(): boolean {
    return this.#hasSynced;
  }

  async start(): Promise<void> {
    await this.#look();
    this.#hasSynced = true;
  }

  async rescan(): Promise<void> {
    for (const [file, known] of this.#files) this.#files.set(file, { ...known, stamp: '' });
    this.#projects.expire();
    this.#isExpired = true;
    await this.#look();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#cancelHint();
    this.#cancelRest();
    // A look that waits for a file system has nothing to finish.
    await answerWithin(this.#running ?? Promise.resolve(), STOP_MS).catch(() => undefined);
    await this.#watcher?.watcher.close();
    this.#watcher = undefined;
  }

  /** Looks once more, after a look under way. Never throws. */
  #look(): Promise<void> {
    this.#again = true;
    this.#running ??= this.#lookUntilQuiet().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #lookUntilQuiet(): Promise<void> {
    while (this.#again && !this.#stop.signal.aborted) {
      this.#again = false;
      this.#hinted = undefined;
      try {
        const folders = await this.#settledFolders();
        await this.#take(folders);
        await this.#watch(folders);
        this.#wake(this.#restMs(folders));
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        this.#retryLater(error);
      }
    }
  }

  #restMs(folders: readonly SeenFolder[]): number {
    const { pollMs, lookMs } = this.#options;
    if (folders.some(({ isTooLarge }) => isTooLarge)) return TOO_LARGE_LOOK_MS;
    return this.#polling || folders.some(({ failures }) => failures.length > 0) ? pollMs : lookMs;
  }

  #retryLater(error: unknown): void {
    const forMs = Math.min(this.#options.retryMs * 2 ** this.#failedProposals, LONGEST_RETRY_MS);
    this.#failedProposals += 1;
    const reason = errorMessage(error);
    this.#problems.report('proposal', [
      {
        message: `What the files declare could not be stored: ${reason}; everything stays as it is and it is tried again`,
      },
    ]);
    this.#wake(forMs);
  }

  /** Looks again after that time, unless something makes it look earlier. */
  #wake(afterMs: number): void {
    this.#cancelRest();
    if (!this.#stop.signal.aborted) this.#cancelRest = this.#options.clock.after(afterMs, () => void this.#look());
  }

  /** Looks once no change has come for a moment. */
  #hint(): void {
    if (this.#stop.signal.aborted) return;
    const { clock, settleMs } = this.#options;
    this.#hinted ??= clock.monotonic();
    const waitMs = clock.monotonic() - this.#hinted > LONGEST_DEBOUNCE_MS ? 0 : settleMs;
    this.#cancelHint();
    this.#cancelHint = clock.after(waitMs, () => void this.#look());
  }

  /** Returns the folders once nobody is writing in them, or as they are when that takes too long. */
  async #settledFolders(): Promise<readonly SeenFolder[]> {
    const { clock, folders } = this.#options;
    const until = clock.monotonic() + PATIENCE_MS;
    for (;;) {
      const seen: SeenFolder[] = [];
      for (const folder of folders) seen.push(this.#suspectBelow(this.#suspect(await this.#scan(folder))));
      const inProjects = new Map(seen.flatMap(({ projects }) => [...projects]));
      this.#inputs = await this.#projects.look(inProjects, this.#declaredInside([...inProjects.keys()]));
      const waitMs = this.#unsettledForMs(seen);
      if (waitMs <= 0 || clock.monotonic() >= until) return seen;
      await pause(clock, waitMs, this.#stop.signal);
    }
  }

  /** Lists a folder; returns a failure while its file system does not answer. */
  async #scan(folder: string): Promise<SeenFolder> {
    try {
      return await this.#calls.ask(folder, () => this.#options.scan(folder, this.#projects.isProject));
    } catch (error) {
      if (!(error instanceof SilentError)) throw error;
      return unseen(folder, error.message);
    }
  }

  /**
   * Reports a failure when a folder with files has become empty by being replaced: more likely a disk is gone than
   * everything is to be deleted. The same for a folder that is empty at the first look when documents from it are
   * stored.
   */
  #suspect(seen: SeenFolder): SeenFolder {
    if (seen.identity === undefined || heldIn(seen).length > 0) return seen;
    const before = this.#folders.get(seen.folder);
    const replaced = before !== undefined && before.identity !== seen.identity && before.files > 0;
    if (!replaced && (before !== undefined || !this.#hasDeclared(seen.folder))) return seen;
    const what = replaced
      ? 'Another, empty folder is in its place'
      : 'It is empty, and held documents before the start';
    const message = `${what} (a disk that is not mounted?); what it declared stays until there is a file in it, be it one with a comment only`;
    return { ...seen, listed: [], identities: new Map(), failures: [{ message, source: { file: seen.folder } }] };
  }

  /** Does the same for folders below, where something may be mounted too: a problem of one is about everything in it. */
  #suspectBelow(seen: SeenFolder): SeenFolder {
    const doubted: Problem[] = [];
    const holding = countsAbove(heldIn(seen));
    let declaring: ReadonlyMap<string, number> | undefined;
    for (const [directory, identity] of seen.identities) {
      if (directory === seen.folder || holding.has(directory) || isNamed(doubted, directory)) continue;
      const before = this.#below.get(directory);
      const replaced = before !== undefined && before.identity !== identity && before.files > 0;
      if (!replaced && before !== undefined) continue;
      declaring ??= countsAbove(this.#declaredIn());
      if (!declaring.has(directory)) continue;
      const what = replaced
        ? 'Another folder, with no documents, is in its place'
        : 'There are no documents in it, and there were before the start';
      const message = `${what} (a disk that is not mounted?); what it declared stays until there is a file in it, be it one with a comment only, or it is removed`;
      doubted.push({ message, source: { file: directory } });
    }
    return doubted.length === 0 ? seen : { ...seen, problems: [...seen.problems, ...doubted] };
  }

  /** Tells whether stored documents were read from there. */
  #hasDeclared(folder: string): boolean {
    return this.#declaredIn().some((file) => isBelow(folder, file));
  }

  /** Returns the file of each stored document. */
  #declaredIn(): readonly string[] {
    return this.#stored().map(({ source }) => source.file);
  }

  /** Returns the documents that are stored and not going, and where they are from. */
  #stored(): readonly { readonly name: string; readonly source: Source; readonly chosen: readonly string[] }[] {
    const { store } = this.#options;
    return KINDS.flatMap((kind) => store.list(kind)).flatMap(({ metadata }) => {
      const { name, origin, source, deletionTimestamp, annotations } = metadata;
      const chosen = (annotations?.[COMPOSE.files] ?? '').split(',').filter(Boolean);
      return origin === 'files' && deletionTimestamp === undefined && source ? [{ name, source, chosen }] : [];
    });
  }

  /**
   * Returns the files in folders of projects from which documents were read, or Apps of other projects: none of those in
   * `names`, which projects declare now, nor of those whose file is in `claimed`.
   */
  #declaredInside(
    projects: readonly string[],
    names: ReadonlySet<string> = new Set(),
    claimed: ReadonlySet<string> = new Set(),
  ): readonly string[] {
    if (projects.length === 0) return [];
    const inside = this.#stored().filter(({ name, source: { file, composeFiles } }) => {
      const folder = projects.find((one) => isBelow(one, file));
      if (folder === undefined || composeFiles === undefined) return folder !== undefined;
      return !names.has(name) && !claimed.has(file) && !this.#projects.hasEverRead(folder, file);
    });
    return [...new Set(inside.map(({ source }) => source.file))];
  }

  /** Returns how long until every changed file has been left alone for long enough, and every missing one was missed twice. */
  #unsettledForMs(folders: readonly SeenFolder[]): number {
    const { clock, settleMs } = this.#options;
    const files = filesOf(folders, this.#inputs);
    this.#noteStamps(files);
    const waits = [...this.#sightings.values()].map(({ settledAtMs }) => settledAtMs - clock.monotonic());

    const present = new Set(files.map(({ file }) => file));
    const known = [...this.#files.keys(), ...this.#projects.presentInputs()];
    const gone = new Set(known.filter((file) => !present.has(file)));
    if ([...gone].some((file) => !this.#gone.has(file))) waits.push(settleMs);
    this.#gone = gone;
    return Math.max(0, ...waits);
  }

  /**
   * Notes until when each changed file is to be left alone. The time that a file bears tells how long ago it was changed,
   * unless the clock has been set since the last look, or shows an earlier time: then it counts from now on.
   */
  #noteStamps(files: readonly SeenFile[]): void {
    const { clock, settleMs } = this.#options;
    const wasSet = this.#wasSet();
    const before = new Map(this.#sightings);
    this.#sightings.clear();
    for (const { file, stamp, changedAtMs } of files) {
      if ((this.#files.get(file)?.stamp ?? this.#projects.stampOf(file)) === stamp) continue;
      const known = before.get(file);
      const ageMs = clock.now() - changedAtMs;
      const leftMs = wasSet || ageMs < 0 ? settleMs : settleMs - ageMs;
      const settledAtMs = known?.stamp === stamp ? known.settledAtMs : clock.monotonic() + leftMs;
      this.#sightings.set(file, { stamp, settledAtMs });
    }
  }

  /** Changed so short a time ago that somebody may still be writing. */
  #isFresh({ file, stamp }: SeenFile): boolean {
    const sighting = this.#sightings.get(file);
    return sighting?.stamp === stamp && this.#options.clock.monotonic() < sighting.settledAtMs;
  }

  /** The same for a file that was not looked at before it was read: nobody knows yet that it belongs to a project. */
  #isFreshInput(file: SeenFile): boolean {
    if (this.#sightings.get(file.file)?.stamp === file.stamp) return this.#isFresh(file);
    if (this.#projects.stampOf(file.file) === file.stamp) return false;
    const ageMs = this.#options.clock.now() - file.changedAtMs;
    return ageMs >= 0 && ageMs < this.#options.settleMs;
  }

  async #take(folders: readonly SeenFolder[]): Promise<void> {
    const failures = folders.flatMap((folder) => folder.failures);
    const inputs = [...this.#inputs].map(([file, one]) => [file, one?.stamp]);
    const seen = JSON.stringify([
      ...[folders.map(({ files, listed, problems }) => [files, listed, problems]), failures, inputs],
    ]);
    if (seen === this.#seen && this.#failedProposals === 0 && !this.#isExpired) return;
    this.#isExpired = false;
    this.#problems.report('folders', failures);

    this.#isWritten = true;
    const ownFolders = new Set(folders.flatMap(({ projects }) => [...projects.keys()]));
    const held = new Map<string, Documents>();
    for (const file of folders.flatMap((folder) => folder.files)) {
      const isMember = ownFolders.has(dirname(file.file));
      held.set(file.file, await this.#read(file, isMember));
    }
    const found = findProjects(folders, (file) => this.#files.get(file)?.look ?? 'other');
    const read = await this.#readProjects(found);
    const names = new Set(read.flatMap(({ documents }) => documents.map(({ document }) => document.metadata.name)));
    read.push(...this.#documentsOf(found, held, [...ownFolders], names));
    this.#problems.warn(read.flatMap(({ warnings }) => warnings));
    for (const folder of folders) read.push({ documents: [], problems: folder.problems, warnings: [] });
    const isReadable = folders.some(({ listed }) => listed.length > 0);
    if (!isReadable) this.#reportUnread(failures);
    const isTaken = !isReadable || (await this.#propose(folders, read, failures));
    this.#remember(folders);
    // A file that was left alone is to be read though nothing of it changes any more.
    this.#seen = isTaken && this.#isWritten ? seen : '';
  }

  /** Returns what Compose projects come to. A file that another project reads is none of its own. */
  async #readProjects({ projects }: FoundFiles<SeenFile>): Promise<Documents[]> {
    this.#projects.keep(projects);
    const read: (ReadProject & { readonly isFresh: boolean })[] = [];
    for (const project of projects) {
      read.push(await this.#projects.read(project, (file) => this.#isFreshInput(file)));
    }
    return ownProjects(read).map((one) => {
      const { documents, problems, warnings } = one.isFresh ? this.#beingWritten(one.found.main) : one.read;
      const named = one.name === undefined ? {} : { kind: 'App' as const, name: one.name };
      return {
        documents,
        problems: keeping(problems, this.#declaredBy(one)),
        warnings: warnings.map((warning) => ({ ...warning, ...named })),
      };
    });
  }

  /** Returns the names of Apps that came of a project, as stored; else the name that it has now. */
  #declaredBy({ found, name }: ReadProject): readonly string[] {
    const stored = this.#storedOf(found).map((one) => one.name);
    return stored.length > 0 ? stored : name === undefined ? [] : [name];
  }

  /** Returns the Apps that came of a project, as stored. */
  #storedOf(found: FoundProject): readonly { readonly name: string; readonly source: Source }[] {
    return appsOf(found, this.#stored());
  }

  /** Returns what files say that are no Compose files; what is only read by a project has nothing to be wrong about. */
  #documentsOf(
    { documents, inProjects }: FoundFiles<SeenFile>,
    held: ReadonlyMap<string, Documents>,
    ownFolders: readonly string[],
    names: ReadonlySet<string>,
  ): readonly Documents[] {
    const claimed = new Set(this.#projects.all().flatMap(({ claims }) => [...claims]));
    const declaring = new Set(this.#declaredIn());
    const findings = documents.flatMap(({ file }) => {
      const read = held.get(file);
      if (read === undefined) return [];
      const isIgnored = claimed.has(file) && read.documents.length === 0 && !declaring.has(file);
      if (isIgnored) return [];
      if (!inProjects.has(file)) return [read];
      return [{ ...read, warnings: [...read.warnings, insideProject(file, dirname(file))] }];
    });
    const taken = new Set(documents.map(({ file }) => file));
    const passed = this.#declaredInside(ownFolders, names, claimed).filter(
      (file) => !taken.has(file) && this.#inputs.get(file),
    );
    const kept = passed.map((file) => {
      const message =
        'It is in the folder of a Compose project, where only files count that begin with apiVersion, and none below; what it declared stays until it is moved out or removed';
      return refused({ message, source: { file } });
    });
    return [...findings, ...kept];
  }

  /**
   * What a file says; from memory while it has not changed. A file in the folder of a project says nothing unless it looks
   * like ours, and neither does a Compose file: projects are read with all their files.
   */
  async #read(seen: SeenFile, isMember: boolean): Promise<Documents> {
    const { file, size, stamp } = seen;
    const known = this.#files.get(file);
    if (known?.stamp === stamp && known.isMember === isMember) return known.read;
    if (this.#isFresh(seen)) return this.#beingWritten(file);
    const about = { look: 'other', isMember } as const;
    if (size > LIMIT_BYTES) {
      const read = isMember ? NOTHING : refused(tooLarge(size, file));
      return this.#know(file, { stamp, hash: '', read, ...about });
    }
    try {
      const { content, after } = await this.#calls.ask(file, async () => {
        const bytes = await this.#options.read(file, LIMIT_BYTES);
        return { content: bytes, after: await stat(file, { bigint: true }) };
      });
      const hash = canonicalHash(content.toString('base64'));
      if (known?.hash === hash && known.isMember === isMember) return this.#know(file, { ...known, stamp });
      const look = lookOf(content.toString());
      const isDocuments = isMember ? look === 'ours' : look !== 'compose' || !/ml$/i.test(file);
      await nextTurn(); // to look at a large file takes its time, and so does reading it
      const read = isDocuments ? readDocuments(content, file, this.#options) : NOTHING;
      await nextTurn(); // others have their turn before the next file, and before the proposal
      // Changed while it was read: the stamp differs, so the next look reads it again.
      const isWhole = stampOf(after) === stamp;
      return isWhole ? this.#know(file, { stamp, hash, read, look, isMember }) : this.#beingWritten(file);
    } catch (error) {
      if (error instanceof SilentError) return refused({ message: error.message, source: { file } });
      const read = isMember ? NOTHING : refused({ message: reasonOf(error, 'file'), source: { file } });
      return this.#know(file, { stamp: '', hash: '', read, ...about });
    }
  }

  #beingWritten(file: string): Documents {
    this.#isWritten = false;
    this.#hint();
    return refused({ message: 'The file is still being written', source: { file } });
  }

  #know(file: string, known: ReadFile): Documents {
    this.#files.set(file, known);
    return known.read;
  }

  /** Marks the origin as unavailable: nothing is proposed, and what was accepted stays. */
  #reportUnread(failures: readonly Problem[]): void {
    this.#options.store.report('files', failures);
    this.#proposed = ''; // the next proposal clears the mark, also when it equals the last one
  }

  /** Proposes; returns true when the store has taken it. */
  async #propose(
    folders: readonly SeenFolder[],
    read: readonly Documents[],
    failures: readonly Problem[],
  ): Promise<boolean> {
    const { store, log } = this.#options;
    const stored = KINDS.flatMap((kind) => store.list(kind)).filter(({ metadata }) => metadata.origin === 'files');
    const listed = folders.flatMap((folder) => folder.listed);
    const { documents, problems, kept } = planWholeSet({ read, listed, failures, stored });
    this.#problems.report('documents', problems);

    const warnings = read.flatMap((one) => one.warnings);
    const signature = canonicalHash({ documents, problems, kept, warnings });
    if (signature === this.#proposed) return true;
    const proposal = { origin: 'files' as const, documents, problems: [...failures, ...problems, ...kept], warnings };
    const accepted = await store.propose(proposal);
    this.#failedProposals = 0;
    this.#problems.report('proposal', []);
    this.#problems.report('refused', accepted.refused);
    const { created, changed, deleted, refused } = accepted;
    if (created.length + changed.length + deleted.length > 0) {
      log.info({ created, changed, deleted }, `Files: ${summary({ created, changed, deleted })}`);
    }
    // A refused document may be possible later: it is proposed again at the next look.
    this.#proposed = refused.length === 0 ? signature : '';
    return refused.length === 0;
  }

  /** Notes what the next look compares with. Files that cannot be seen now are kept until they are seen to be gone. */
  #remember(folders: readonly SeenFolder[]): void {
    const present = new Set(folders.flatMap(({ files }) => files.map(({ file }) => file)));
    for (const file of this.#files.keys()) if (!present.has(file)) this.#files.delete(file);
    for (const seen of folders) {
      const { folder, identity, failures } = seen;
      if (identity !== undefined && failures.length === 0)
        this.#folders.set(folder, { identity, files: heldIn(seen).length });
    }
    for (const seen of folders) this.#rememberBelow(seen);
  }

  /** Keeps the notes about doubted folders, and forgets those that are gone from a folder that can be listed. */
  #rememberBelow(seen: SeenFolder): void {
    const { folder, listed, identities, problems } = seen;
    const readable = new Set(listed);
    const holding = countsAbove(heldIn(seen));
    for (const directory of this.#below.keys()) {
      if (readable.has(dirname(directory)) && !identities.has(directory) && !isNamed(problems, directory))
        this.#below.delete(directory);
    }
    for (const [directory, identity] of identities) {
      if (directory === folder || isNamed(problems, directory)) continue;
      this.#below.set(directory, { identity, files: holding.get(directory) ?? 0 });
    }
  }

  /** Watches the folders. The watch is replaced when a folder was, because the old one hears nothing then. */
  async #watch(folders: readonly SeenFolder[]): Promise<void> {
    if (this.#polling) return;
    const own = folders.flatMap((folder) => folder.watch);
    const inputs = this.#projects.watched();
    const paths = [...new Set(own.length === 0 ? [] : [...own, ...inputs.targets])];
    const known = JSON.stringify([paths, folders.map(({ identity }) => identity)]);
    if (known === this.#watcher?.paths && inputs === this.#watcher.inputs) return;
    await this.#watcher?.watcher.close();
    this.#watcher = undefined;
    if (paths.length === 0) return;
    try {
      const watcher = this.#options.watch(paths, {
        ignoreInitial: true,
        followSymlinks: false, // the scan follows links and names their targets, so that no loop is watched
        ignorePermissionErrors: true,
        atomic: false,
        depth: SCAN_LIMITS.depth,
        ignored: (path) => isLeftOut(paths, inputs, path),
      });
      this.#watcher = { paths: known, inputs, watcher };
      watcher.on('all', () => this.#hint());
      watcher.on('ready', () => this.#hint()); // for changes between the look and now
      watcher.on('error', (error) => this.#pollInstead(error));
    } catch (error) {
      this.#pollInstead(error);
    }
  }

  #pollInstead(error: unknown): void {
    if (this.#polling || this.#stop.signal.aborted) return;
    this.#polling = true;
    const { pollMs, log } = this.#options;
    const why = hasCode(error, 'ENOSPC') ? 'no inotify watches are left' : errorMessage(error);
    log.warn({}, `The folders cannot be watched (${why}); they are looked through every ${pollMs} ms instead`);
    const closing = this.#watcher?.watcher.close();
    this.#watcher = undefined;
    closing?.catch((reason: unknown) => log.warn({ err: reason }, 'Could not end the watch'));
    this.#wake(pollMs);
  }
}

/** Returns a folder of which nothing is known now. */
const unseen = (folder: string, message: string): SeenFolder => ({
  ...{ folder, identity: undefined, files: [], listed: [], identities: new Map(), isTooLarge: false },
  ...{ problems: [], projects: new Map(), watch: [] },
  failures: [{ message, source: { file: folder } }],
});

/** Returns what makes a folder one that is not empty: its files, and a path in each folder of a project. Pure. */
const heldIn = ({ files, projects }: SeenFolder): readonly string[] => [
  ...files.map(({ file }) => file),
  ...[...projects.keys()].map((folder) => join(folder, '.env')),
];

/**
 * Tells whether these are the Compose files of a folder that its `.env` chose, and could not be a project without that: several that
 * are not one and what is laid over it, or one that is no YAML by its name. Pure.
 */
function isChosen(folder: string, file: string, [first = '', second, ...more]: readonly string[]): boolean {
  if (join(folder, first) !== file) return false;
  const [stem, extension] = [basename(first, extname(first)), extname(first)];
  const isOver = second !== undefined && [`${stem}.override.yml`, `${stem}.override.yaml`].includes(second);
  return more.length > 0 || (second !== undefined && !isOver) || !/^\.ya?ml$/i.test(extension);
}

/** Returns how many of these files are in each of the folders above them. Pure. */
function countsAbove(files: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const file of files) {
    for (let at = dirname(file), below = file; at !== below; below = at, at = dirname(at)) {
      counts.set(at, (counts.get(at) ?? 0) + 1);
    }
  }
  return counts;
}

/** Tells whether a problem is about a place or about a folder above it. */
const isNamed = (problems: readonly Problem[], path: string): boolean =>
  problems.some(({ source }) => source && (source.file === path || isBelow(source.file, path)));

/** Returns every file that was seen, once. Pure. */
function filesOf(
  folders: readonly SeenFolder[],
  inputs: ReadonlyMap<string, SeenFile | undefined>,
): readonly SeenFile[] {
  const files = new Map(folders.flatMap((folder) => folder.files.map((file) => [file.file, file])));
  for (const [file, seen] of inputs) if (seen !== undefined && !files.has(file)) files.set(file, seen);
  return [...files.values()];
}

const NOTHING: Documents = { documents: [], problems: [], warnings: [] };
const refused = (problem: Problem): Documents => ({ documents: [], problems: [problem], warnings: [] });

const summary = (parts: Readonly<Record<string, readonly string[]>>): string =>
  Object.entries(parts)
    .filter(([, keys]) => keys.length > 0)
    .map(([verb, keys]) => `${verb} ${keys.join(', ')}`)
    .join('; ');

/** Tells whether a folder or file is not watched: it is hidden, or lies in a project and is no part of it. Pure. */
function isLeftOut(roots: readonly string[], { folders, paths }: WatchedInputs, path: string): boolean {
  if (paths.has(path)) return false;
  if (isHiddenBelow(roots, path)) return true;
  for (let at = dirname(path), below = path; at !== below; below = at, at = dirname(at)) {
    if (folders.has(at)) return at !== dirname(path) || !/^\.\.|^[^.#].*\.ya?ml$/i.test(basename(path));
  }
  return false;
}

/**
 * Tells whether a folder or file is hidden and not watched. Kubernetes swaps whole folders through `..data`, so two
 * dots do not hide. Pure.
 */
function isHiddenBelow(roots: readonly string[], path: string): boolean {
  const root = roots.find((one) => path === one || path.startsWith(one + sep));
  if (root === undefined) return false;
  return relative(root, path)
    .split(sep)
    .some((part) => /^\.[^.]/.test(part));
}
