import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { lstat, realpath, stat } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { canonical } from '../../../crds/model/hash.js';
import type { AnyDeclared } from '../../../crds/model/kinds.js';
import { errorCode, isMissing } from '../../platform/errors.js';
import { UnfitFileError } from '../../platform/read-file.js';
import { convertProject } from '../compose/convert.js';
import type { ContentAnswer, FileAnswer } from '../compose/load.js';
import type { Documents, Parse } from '../documents.js';
import type { FileCalls } from './file-calls.js';
import { type FoundProject, isProjectText, mainOf } from './find-projects.js';
import { LIMIT_BYTES, tooLarge } from './read-documents.js';
import { reasonOf, type SeenFile, stampOf } from './scan-folders.js';

export interface ComposeProjectsOptions {
  /** The watched folders, as they were given. Projects read no file outside their own. */
  readonly folders: readonly string[];
  readonly parse: Parse;
  readonly calls: FileCalls;
  readonly read: (file: string, limitBytes: number) => Promise<Buffer>;
  /** What `~` and HOME stand for. */
  readonly home: string;
  /** Returns the Compose files of the Apps that came of a project, as they are stored. */
  readonly filesBefore: (found: FoundProject) => readonly string[];
  /** Tells whether an App is stored that came of the folder, by its name, and of no single file in it. */
  readonly hasApp: (folder: string) => boolean;
}

/** What a project came to when it was last read. */
export interface ReadProject {
  readonly found: FoundProject;
  /** Its App, unless there are problems. */
  readonly read: Documents;
  readonly name: string | undefined;
  /** Files that it read or looked for, as the watched folder was given, with what they were then; undefined: not there. */
  readonly inputs: ReadonlyMap<string, SeenFile | undefined>;
  /**
   * Inputs of this time; while there are problems also those of the last time without, and the Compose files that are
   * stored of it: a mistake in a file does not make others independent, not even after a restart.
   */
  readonly claims: ReadonlySet<string>;
  /** Real paths by which the inputs are watched, and those of links among them. */
  readonly watched: Watched;
  /** A file changed, or was gone for a moment, while it was read. */
  readonly hasChanged: boolean;
}

/** What has to be watched besides what a folder shows by itself. Real paths. */
export interface WatchedInputs {
  /** Folders of projects: in them only files of the project are watched, because services may write there all the time. */
  readonly folders: ReadonlySet<string>;
  /** Files, and folders on the way to them, that are watched whatever they are called. */
  readonly paths: ReadonlySet<string>;
  /** Files that are elsewhere, behind a link. */
  readonly targets: readonly string[];
}

/** How a file was met. */
interface Glance {
  /** What it was like before it was read; undefined: it is not there. */
  readonly seen: SeenFile | undefined;
  /** It was changed or taken away meanwhile: nobody knows which part of it was read. */
  readonly hasChanged?: boolean;
}

interface Watched {
  /** The real folder of the project, unless it is one of several in its folder. */
  readonly folder: string | undefined;
  /** Files, and folders on the way to them, that are watched whatever they are called. */
  readonly paths: readonly string[];
  /** Targets of links. */
  readonly targets: readonly string[];
}

/** Reads Compose projects of the watched folders again when one of their files has changed, and remembers them otherwise. */
export class ComposeProjects {
  readonly #read = new Map<string, ReadProject>();
  readonly #verdicts = new Map<string, { readonly stamp: string; readonly isProject: boolean }>();
  /** What inputs were like at the last look. */
  #seen: ReadonlyMap<string, SeenFile | undefined> = new Map();
  /** Projects that are read again at the next look whatever has changed. */
  readonly #stale = new Set<string>();
  /** Files that projects of folders have read since the start, by the folder. */
  readonly #everRead = new Map<string, Set<string>>();
  #watched: { readonly key: string; readonly inputs: WatchedInputs } = {
    key: '',
    inputs: { folders: new Set(), paths: new Set(), targets: [] },
  };
  /** Stamps of inputs, made from what is remembered when they are asked for. */
  #stamps: ReadonlyMap<string, string> | undefined;

  constructor(private readonly options: ComposeProjectsOptions) {}

  /** Tells whether a folder is a project: by the names in it and, where documents of ours may have them, the text. */
  readonly isProject = async (directory: string, names: ReadonlySet<string>): Promise<boolean> => {
    const main = mainOf(names);
    if (main === undefined) return false;
    const file = join(directory, main);
    const known = this.#verdicts.get(file);
    const seen = await this.#stat(file).catch(() => undefined);
    if (seen !== undefined && seen.stamp === known?.stamp) return known.isProject;
    const { text } = await this.#text(file);
    // What cannot be read under such a name, or is empty as it is while it is written, says nothing: it is what it was.
    const before = (): boolean => known?.isProject ?? (main !== '.env' || this.options.hasApp(directory));
    const isSilent = text === undefined || (main === '.env' && text.trim() === '');
    const isProject = isSilent ? before() : isProjectText(main, text);
    this.#verdicts.set(file, { stamp: seen?.stamp ?? '', isProject });
    return isProject;
  };

  /** Looks at all files that projects read or looked for, and at some others. `folders`: the names in folders of projects. Never throws. */
  async look(
    folders: ReadonlyMap<string, ReadonlySet<string>>,
    others: readonly string[] = [],
  ): Promise<ReadonlyMap<string, SeenFile | undefined>> {
    const files = new Set([...[...this.#read.values()].flatMap(({ inputs }) => [...inputs.keys()]), ...others]);
    const seen = new Map<string, SeenFile | undefined>();
    for (const file of files) {
      const isNamed = folders.get(dirname(file))?.has(basename(file)) ?? true;
      seen.set(file, isNamed ? await this.#stat(file).catch(() => this.#seen.get(file)) : undefined);
    }
    this.#seen = seen;
    return seen;
  }

  /** Returns the stamp of a file as a project has read it; undefined when none has, or not to its end. */
  stampOf(file: string): string | undefined {
    this.#stamps ??= new Map(
      [...this.#read.values()]
        .filter(({ found }) => !this.#stale.has(found.main))
        .flatMap(({ inputs }) => [...inputs].flatMap(([path, seen]) => (seen ? [[path, seen.stamp] as const] : []))),
    );
    return this.#stamps.get(file);
  }

  /** Returns files that were there when a project read them. */
  presentInputs(): readonly string[] {
    return [...this.#read.values()].flatMap(({ inputs }) =>
      [...inputs].flatMap(([file, seen]) => (seen === undefined ? [] : [file])),
    );
  }

  /** Tells whether the project of that folder has read or looked for that file since the start. */
  hasEverRead(folder: string, file: string): boolean {
    return this.#everRead.get(folder)?.has(file) ?? false;
  }

  /** Reads every project again at the next look. */
  expire(): void {
    for (const main of this.#read.keys()) this.#stale.add(main);
    this.#stamps = undefined;
    for (const [file, { isProject }] of this.#verdicts) this.#verdicts.set(file, { stamp: '', isProject });
  }

  /** Forgets projects that are gone. */
  keep(found: readonly FoundProject[]): void {
    const mains = new Set(found.map(({ main }) => main));
    for (const main of this.#read.keys()) if (!mains.has(main)) this.#read.delete(main);
    const folders = new Set(found.flatMap(({ folder, names }) => (names === undefined ? [] : [folder])));
    for (const folder of this.#everRead.keys()) if (!folders.has(folder)) this.#everRead.delete(folder);
    this.#stamps = undefined;
  }

  /** Returns what has to be watched for the projects; the same object while that is the same. */
  watched(): WatchedInputs {
    const all = [...this.#read.values()].map(({ watched }) => watched);
    const folders = all.flatMap(({ folder }) => folder ?? []).sort();
    const paths = [...new Set(all.flatMap((one) => one.paths))].sort();
    const targets = [...new Set(all.flatMap((one) => one.targets))].sort();
    const key = JSON.stringify([folders, paths, targets]);
    if (key !== this.#watched.key) {
      this.#watched = { key, inputs: { folders: new Set(folders), paths: new Set(paths), targets } };
    }
    return this.#watched.inputs;
  }

  /** Returns every project as it was last read. */
  all(): readonly ReadProject[] {
    return [...this.#read.values()];
  }

  /** Returns what a project comes to; reads it when something of it has changed since. `isFresh`: somebody may still be writing a file. */
  async read(
    found: FoundProject,
    isFresh: (file: SeenFile) => boolean,
  ): Promise<ReadProject & { readonly isFresh: boolean }> {
    const known = this.#read.get(found.main);
    if (known && !this.#stale.has(found.main) && isSame(known.found, found) && !this.#hasChanged(known)) {
      return { ...known, isFresh: false };
    }
    const read = await this.#readAgain(found, known);
    if (found.names !== undefined) {
      const before = this.#everRead.get(found.folder) ?? [];
      this.#everRead.set(found.folder, new Set([...before, ...read.inputs.keys()]));
    }
    await nextTurn(); // a large project takes its time; others have their turn before the next one
    this.#read.set(found.main, read);
    const isBeingWritten =
      read.hasChanged || [...read.inputs.values()].some((file) => file !== undefined && isFresh(file));
    if (isBeingWritten) this.#stale.add(found.main);
    else this.#stale.delete(found.main);
    this.#stamps = undefined;
    return { ...read, isFresh: isBeingWritten };
  }

  #hasChanged({ inputs }: ReadProject): boolean {
    return [...inputs].some(([file, before]) => this.#seen.get(file)?.stamp !== before?.stamp);
  }

  async #readAgain(found: FoundProject, known: ReadProject | undefined): Promise<ReadProject> {
    const { parse, home } = this.options;
    const inputs = new Map<string, SeenFile | undefined>();
    let hasChanged = false;
    const note = (file: string, seen: SeenFile | undefined, meanwhile = false): void => {
      inputs.set(file, seen);
      // It was there a moment ago: an editor may be about to put it back.
      hasChanged ||= meanwhile || (seen === undefined && this.#seen.get(file) !== undefined);
    };
    const readFile = async (path: string): Promise<FileAnswer> => {
      const file = this.#given(path);
      if (file === undefined) {
        return { text: undefined, why: `${path} is outside the watched folder, where a project reads nothing` };
      }
      if (found.names && dirname(file) === found.folder && !found.names.has(basename(file))) return { text: undefined };
      const { seen, hasChanged, ...answer } = await this.#text(file);
      note(file, seen, hasChanged);
      return answer;
    };
    const lookAt = async (path: string): Promise<ContentAnswer> => {
      const file = this.#given(path);
      if (file === undefined) return { isThere: true, digest: undefined };
      const { seen, hasChanged, answer } = await this.#content(file);
      note(file, seen, hasChanged);
      return answer;
    };
    let app: AnyDeclared | undefined;
    const converted = await convertProject(
      {
        ...{ folder: resolve(found.folder), readFile, lookAt, home },
        ...(found.files === undefined ? {} : { files: found.files.map((file) => resolve(file)) }),
        ...(found.name === undefined ? {} : { name: found.name }),
        shown: (path) => this.#given(path) ?? path,
      },
      (value) => {
        const parsed = parse(value);
        if (parsed.ok) app = parsed.document;
        return parsed;
      },
    );
    const { document, name, problems, warnings, composeFiles, parsedFiles, files } = converted;
    const all = new Map<string, SeenFile | undefined>([[found.main, inputs.get(found.main)]]);
    for (const path of files) {
      const file = this.#given(path);
      if (file !== undefined) all.set(file, inputs.get(file));
    }
    const source = {
      file: this.#given(composeFiles[0] ?? '') ?? found.main,
      composeFiles: parsedFiles.map((path) => this.#given(path) ?? path),
    };
    const isWhole = document !== undefined && app !== undefined;
    return {
      ...{ found, name, inputs: all, hasChanged },
      read: { documents: isWhole ? [{ document: app as AnyDeclared, source }] : [], problems, warnings },
      claims: new Set([
        ...all.keys(),
        ...(isWhole ? [] : [...(known?.claims ?? []), ...this.options.filesBefore(found)]),
      ]),
      watched: await watchedOf(found, [...all]),
    };
  }

  /** Returns a path as people know it; undefined when it is outside the watched folders. */
  #given(path: string): string | undefined {
    for (const folder of this.options.folders) {
      const top = resolve(folder);
      if (path === top || path.startsWith(top === sep ? top : top + sep)) return join(folder, relative(top, path));
    }
    return undefined;
  }

  /** Rejects with `SilentError` only. */
  async #stat(file: string): Promise<SeenFile | undefined> {
    const stats = await this.options.calls.ask(file, () => stat(file, { bigint: true }).catch(() => undefined));
    return stats && { file, size: Number(stats.size), stamp: stampOf(stats), changedAtMs: Number(stats.ctimeMs) };
  }

  /** Reads a text, and what its file was like before. Never rejects. */
  async #text(file: string): Promise<FileAnswer & Glance> {
    let seen: SeenFile | undefined;
    try {
      seen = await this.#stat(file);
      if (seen !== undefined && seen.size > LIMIT_BYTES) {
        return { seen, text: undefined, why: tooLarge(seen.size, file).message };
      }
      const bytes = await this.options.calls.ask(file, () => this.options.read(file, LIMIT_BYTES));
      const hasChanged = (await this.#stat(file))?.stamp !== seen?.stamp;
      if (isUtf8(bytes)) return { seen, hasChanged, text: bytes.toString() };
      return { seen, hasChanged, text: undefined, why: `${file} is not text in UTF-8` };
    } catch (error) {
      if (isMissing(error)) {
        const why = await this.#whyMissing(file);
        return {
          seen: undefined,
          hasChanged: seen !== undefined,
          text: undefined,
          ...(why === undefined ? {} : { why }),
        };
      }
      return { seen, text: undefined, why: `${file}: ${reasonOf(error, 'file')}` };
    }
  }

  /** Tells of a link that leads nowhere: its target may be on a disk that is missing, so it is not as if it were not there. */
  async #whyMissing(file: string): Promise<string | undefined> {
    const isLink = await this.options.calls
      .ask(file, () => lstat(file))
      .then(
        (stats) => stats.isSymbolicLink(),
        () => false,
      );
    return isLink ? `${file}: The link leads nowhere` : undefined;
  }

  /** Returns what changes with the contents of a file. Never rejects. */
  async #content(file: string): Promise<Glance & { readonly answer: ContentAnswer }> {
    let seen: SeenFile | undefined;
    try {
      seen = await this.#stat(file);
      const bytes = await this.options.calls.ask(file, () => this.options.read(file, LIMIT_BYTES));
      const digest = createHash('sha256').update(file).update('\0').update(bytes).digest('hex').slice(0, 16);
      const hasChanged = (await this.#stat(file))?.stamp !== seen?.stamp;
      return { seen, hasChanged, answer: { isThere: true, digest } };
    } catch (error) {
      if (isMissing(error)) {
        const why = await this.#whyMissing(file);
        return { seen: undefined, answer: { isThere: false, ...(why === undefined ? {} : { why }) } };
      }
      // A folder, or more than is read: it is mounted all the same.
      if (seen !== undefined && (error instanceof UnfitFileError || errorCode(error) === 'EISDIR')) {
        return { seen, answer: { isThere: true, digest: undefined } };
      }
      return { seen, answer: { isThere: false, why: `${file}: ${reasonOf(error, 'file')}` } };
    }
  }
}

const isSame = (before: FoundProject, now: FoundProject): boolean => {
  const { names: _before, ...one } = before;
  const { names: _now, ...other } = now;
  return canonical(one) === canonical(other);
};

/** Returns the home of the user that the agent is, as the system knows it: never what the environment says. */
export function homeOfUser(): string {
  try {
    return userInfo().homedir;
  } catch {
    return '/'; // a user without an entry
  }
}

async function watchedOf(
  found: FoundProject,
  inputs: readonly (readonly [string, SeenFile | undefined])[],
): Promise<Watched> {
  const real = (path: string): Promise<string | undefined> => realpath(path).catch(() => undefined);
  const paths = new Set<string>();
  const targets = new Set<string>();
  for (const [file, seen] of inputs) {
    const folder = await real(dirname(file));
    if (folder === undefined) continue; // nothing to watch yet: the next look finds it
    const path = join(folder, basename(file));
    addWithFolders(paths, path);
    const target = seen && (await real(file));
    if (target === undefined || target === path) continue;
    targets.add(target);
    addWithFolders(paths, target);
  }
  return {
    folder: found.names === undefined ? undefined : await real(found.folder),
    ...{ paths: [...paths], targets: [...targets] },
  };
}

/** Adds a path and the folders above it. */
function addWithFolders(paths: Set<string>, path: string): void {
  for (let at = path; !paths.has(at); at = dirname(at)) paths.add(at);
}
