import { isUtf8 } from 'node:buffer';
import { basename, dirname, extname, join, posix, relative } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { canonicalHash } from '../../../crds/model/hash.js';
import type { AnyDeclared, Source } from '../../../crds/model/kinds.js';
import { convertProject } from '../compose/convert.js';
import type { ContentAnswer, FileAnswer, Placed, Wanted } from '../compose/load.js';
import type { Documents, Parse } from '../documents.js';
import { appsOf, type FoundProject, isBelow, isProjectText, keeping, mainOf } from '../files/find-projects.js';
import { LIMIT_BYTES, tooLarge } from '../files/read-documents.js';
import type { CommitFiles, PlacedEntry } from './commit-files.js';
import type { CommitTree, FileBelow } from './commit-tree.js';
import type { Variables } from './variables.js';

export interface ReadProjectsDeps {
  readonly files: CommitFiles;
  /** What names of files begin with: `git/fleet`. */
  readonly origin: string;
  /** The folder of this source's files on the device, absolute. */
  readonly folder: string;
  readonly parse: Parse;
  readonly variables: Variables;
  /** What `~` and HOME stand for. */
  readonly home: string;
  /** Apps of this source that are stored and not going. */
  readonly stored: readonly { readonly name: string; readonly source: Source }[];
  /** Tells whether the device has a file there, or a folder that is not empty. */
  readonly hasContent: (path: string) => boolean;
}

/** A file or folder of a commit that a service mounts. */
export interface MountedContent {
  /** The folder on the device that holds it and nothing else; named by its contents. */
  readonly folder: string;
  /** Its name in there. */
  readonly name: string;
  readonly isFolder: boolean;
  /** Its files; of a single one, that. */
  readonly files: readonly FileBelow<PlacedEntry>[];
  /** Path for people: `git/fleet/shop/nginx.conf`. */
  readonly shown: string;
}

/** What a project of a commit comes to. */
export interface ReadProject {
  readonly found: FoundProject;
  readonly read: Documents;
  /** The files of the commit that it reads, looks for or mounts. */
  readonly claims: ReadonlySet<string>;
  readonly mounted: readonly MountedContent[];
}

interface Content extends Pick<MountedContent, 'name' | 'isFolder' | 'files'> {
  readonly digest: string;
  /** What of it cannot be there. */
  readonly left: readonly string[];
}

/** Largest number of files in a folder that a service mounts. */
const LIMIT_MOUNTED = 2000;
/** How much the Compose projects of a commit may read together, bytes. */
const LIMIT_READ = 16 * 1024 * 1024;
/** Beside the paths of people below a source's folder: it is never made. */
const REPOSITORY = '.repository';
/** The folder beside contents in which services write. */
const STATE = 'state';

/** Names of files that projects mostly read: they are brought in one go. */
const isOftenRead = (name: string): boolean => /compose.*\.ya?ml$|^\.env$|\.env$/i.test(name);

/** Reads the Compose projects of a commit through its tree. */
export class CommitProjects {
  #readBytes = 0;

  constructor(private readonly deps: ReadProjectsDeps) {}

  /**
   * Returns the folders that are projects, by their names for people, with the names in them. A folder in a project is
   * none. `candidates`: folders of the repository that have a file with such a name.
   */
  async folders(candidates: Iterable<string>): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
    const tree = await this.deps.files.tree();
    const found = new Map<string, ReadonlySet<string>>();
    const mains = [...candidates]
      .toSorted((a, b) => (a < b ? -1 : 1))
      .flatMap((folder) => {
        const names = tree.names(folder);
        const main = mainOf(names);
        return main === undefined ? [] : [{ folder, names, main }];
      });
    const texts = await this.#texts(
      tree,
      mains.map(({ folder, main }) => posix.join(folder, main)),
    );
    for (const { folder, names, main } of mains) {
      if ([...found.keys()].some((outer) => outer === '' || folder.startsWith(`${outer}/`))) continue;
      const { text } = texts.get(posix.join(folder, main)) ?? { text: undefined };
      if (text !== undefined && isProjectText(main, text)) found.set(folder, names);
    }
    return new Map([...found].map(([folder, names]) => [this.#shown(folder), names]));
  }

  /** Reads a project. Its relative paths start in a folder that is never made; what is there on the device says `place`. */
  async read(found: FoundProject): Promise<ReadProject> {
    const { files, parse, home, variables } = this.deps;
    const tree = await files.tree();
    await nextTurn(); // a large project takes its time; others have their turn before the next one
    const folder = this.#inRepository(found.folder);
    const project = new Project(this.deps, tree, folder);
    const often = [...tree.names(folder)].filter(isOftenRead).map((name) => posix.join(folder, name));
    const texts = new Map(await this.#texts(tree, often));
    const readFile = async (path: string): Promise<FileAnswer> => {
      const inside = project.inside(path);
      if (inside === undefined) return { text: undefined, why: project.whyOutside(path) };
      const known = texts.get(inside) ?? (await this.#texts(tree, [inside])).get(inside) ?? { text: undefined };
      texts.set(inside, known);
      return known;
    };
    const virtual = (path: string): string => join(project.root, this.#inRepository(path));
    let app: AnyDeclared | undefined;
    const {
      name,
      document,
      problems,
      warnings,
      composeFiles,
      parsedFiles,
      files: inputs,
    } = await convertProject(
      {
        ...{ folder: virtual(found.folder), readFile, lookAt: async (path) => project.lookAt(path), home },
        ...(found.files === undefined ? {} : { files: found.files.map(virtual) }),
        // A repository has no name on the device but that of its source.
        name: found.name ?? basename(folder === '' ? this.deps.folder : folder),
        shown: (path) => project.shown(path),
        place: (path, wanted) => project.place(path, wanted),
        fallback: {
          plain: new Map([...variables.plain].map(([key, value]) => [key, String(value)])),
          secret: variables.secret,
        },
      },
      (value) => {
        const parsed = parse(value);
        if (parsed.ok) app = parsed.document;
        return parsed;
      },
    );
    const source = {
      file: project.shown(composeFiles[0] ?? virtual(found.main)),
      composeFiles: parsedFiles.map((path) => project.shown(path)),
    };
    const isWhole = document !== undefined && app !== undefined;
    const stored = appsOf(found, this.deps.stored).map((one) => one.name);
    const names = stored.length > 0 ? stored : name === undefined ? [] : [name];
    const named = name === undefined ? {} : { kind: 'App' as const, name };
    return {
      found,
      read: {
        documents: isWhole ? [{ document: app as AnyDeclared, source }] : [],
        problems: keeping(problems, names),
        warnings: warnings.map((warning) => ({ ...warning, ...named })),
      },
      claims: new Set([found.main, ...inputs.map((path) => project.shown(path)), ...project.claims]),
      mounted: isWhole ? [...project.mounted.values()] : [],
    };
  }

  #shown(path: string): string {
    return path === '' ? this.deps.origin : `${this.deps.origin}/${path}`;
  }

  /** Returns the path in the repository of one that people know. */
  #inRepository(shown: string): string {
    return shown.slice(this.deps.origin.length + 1);
  }

  /** Reads files by their paths in the repository. */
  async #texts(tree: CommitTree<PlacedEntry>, paths: readonly string[]): Promise<ReadonlyMap<string, FileAnswer>> {
    const found = paths.map((path) => ({ path, one: tree.find(path) }));
    const contents = await this.deps.files.contents(found.flatMap(({ one }) => (one.is === 'file' ? [one.entry] : [])));
    for (const content of contents.values()) this.#readBytes += typeof content === 'object' ? content.length : 0;
    const isTooMuch = this.#readBytes > LIMIT_READ;
    return new Map(
      found.map(({ path, one }): [string, FileAnswer] => {
        const shown = this.#shown(path);
        const unread = (why: string): [string, FileAnswer] => [path, { text: undefined, why: `${shown}: ${why}` }];
        if (one.is === 'missing') return [path, { text: undefined }];
        if (one.is === 'unfit') return unread(`It cannot be read: ${one.why}`);
        if (one.is === 'folder') return unread('This is a folder');
        const content = contents.get(one.entry.oid);
        if (typeof content !== 'object') return unread(tooLarge(content ?? LIMIT_BYTES, shown).message);
        if (isTooMuch)
          return unread(`The Compose projects of a commit read at most ${LIMIT_READ / 1024 / 1024} MiB together`);
        return isUtf8(content) ? [path, { text: content.toString() }] : unread('It is not text in UTF-8');
      }),
    );
  }
}

/** Where the files of one project are: in the commit, and on the device. Pure but for `hasContent`. */
class Project {
  /** What stands for the root of the repository. */
  readonly root: string;
  readonly mounted = new Map<string, MountedContent>();
  /** Files that services mount. */
  readonly claims = new Set<string>();

  constructor(
    private readonly deps: Pick<ReadProjectsDeps, 'origin' | 'folder' | 'hasContent'>,
    private readonly tree: CommitTree<PlacedEntry>,
    /** The project's folder in the repository. */
    private readonly folder: string,
  ) {
    this.root = join(deps.folder, REPOSITORY);
  }

  shown(path: string): string {
    const inRepository = below(this.root, path);
    if (inRepository === undefined) return path;
    return inRepository === '' ? this.deps.origin : `${this.deps.origin}/${inRepository}`;
  }

  /** Returns the path in the repository of something in the project's folder. */
  inside(path: string): string | undefined {
    const inFolder = below(join(this.root, this.folder), path);
    return inFolder === undefined ? undefined : posix.join(this.folder, inFolder);
  }

  whyOutside(path: string, isRelative = isBelow(this.deps.folder, path)): string {
    return isRelative
      ? `${this.shown(path)} is outside the folder of the project, where one from git reads nothing; a link in the folder may lead there`
      : `${path} is a path of the device, where a project from git reads nothing`;
  }

  /** Tells about a secret or a config. */
  lookAt(path: string): ContentAnswer {
    const inside = this.inside(path);
    if (inside === undefined) return { isThere: true, digest: undefined }; // `place` knows how it is written
    const content = this.#content(inside);
    if (content === undefined) return { isThere: false };
    return 'why' in content ? { isThere: false, why: content.why } : { isThere: true, digest: content.digest };
  }

  place(path: string, { project, isRelative, isWritable, mustExist }: Wanted): Placed | undefined {
    const inside = this.inside(path);
    if (inside === undefined) {
      const isOfDevice = !isRelative && !isBelow(this.root, path);
      return isOfDevice ? undefined : { isThere: false, why: this.whyOutside(path, true) };
    }
    const shown = this.shown(path);
    const state = join(this.deps.folder, project, STATE, relative(this.folder, inside));
    const content = this.#content(inside);
    if (content === undefined) {
      if (mustExist) return { isThere: false, why: `There is no ${shown} in the repository` };
      const isFile = extname(path) !== '';
      const warning = `There is no ${shown} in the repository: a folder of that name is made, as Compose does`;
      return { isThere: true, source: state, ...(isFile ? { warning } : {}) };
    }
    if ('why' in content) return { isThere: false, why: content.why };
    const { digest, isFolder, files, name } = content;
    const folder = join(this.deps.folder, project, digest);
    this.mounted.set(folder, { folder, name, isFolder, files, shown });
    for (const file of files) this.claims.add(isFolder ? `${shown}/${file.path}` : shown);
    const warning = this.#warningOf(shown, content, this.deps.hasContent(state) ? state : undefined, isWritable);
    return {
      ...{ isThere: true, source: join(folder, name), digest: digest.slice(0, 16) },
      ...(warning === undefined ? {} : { warning }),
    };
  }

  #warningOf(
    shown: string,
    { isFolder, left }: Content,
    state: string | undefined,
    isWritable: boolean,
  ): string | undefined {
    if (state !== undefined)
      return `${shown} is in the repository, and mounted from there; what services wrote while it was not is still in ${state}`;
    const [first] = left;
    if (first !== undefined)
      return `${shown}/${first} is left out: it is a link that leads out of the repository, nowhere or in a circle, or a submodule`;
    if (!isFolder || !isWritable) return undefined;
    return `${shown} is from the repository: what services write there stays behind when a commit changes it; mount it read only (:ro), or a folder that the repository does not have`;
  }

  /** Returns what the commit has at a path; undefined: nothing, or a folder that is there to be written to. */
  #content(path: string): Content | { readonly why: string } | undefined {
    const found = this.tree.find(path);
    const shown = path === '' ? this.deps.origin : `${this.deps.origin}/${path}`;
    const name = basename(path) || basename(this.deps.folder);
    if (found.is === 'missing') return undefined;
    if (found.is === 'unfit') return { why: `${shown} cannot be mounted: ${found.why}` };
    if (found.is === 'file') {
      const files = [{ path: name, entry: found.entry }];
      return { digest: digestOf(name, files), name, isFolder: false, files, left: [] };
    }
    const all = this.tree.below(path);
    if (all === undefined || all.files.length > LIMIT_MOUNTED)
      return { why: `${shown} has more than ${LIMIT_MOUNTED} files, and so many are not mounted from a repository` };
    if (all.isEmpty) return undefined;
    const { files, left } = all;
    return { digest: digestOf(`${name}/`, files), name, isFolder: true, files, left };
  }
}

/** Returns the path from a folder to something in it, or to itself. Pure. */
function below(folder: string, path: string): string | undefined {
  if (path === folder) return '';
  return isBelow(folder, path) ? path.slice(folder.length + 1) : undefined;
}

/** Returns a name that differs whenever the contents do. Pure. */
const digestOf = (name: string, files: readonly FileBelow<PlacedEntry>[]): string =>
  canonicalHash([
    name,
    files.map(({ path, entry: { oid, isExecutable } }) => [path, oid, isExecutable === true]),
  ]).slice(0, 32);

/** Returns the folders of the repository in which a project may be: those of files with a Compose name, and of `.env`. Pure. */
export function candidatesIn(entries: readonly { readonly path: string }[]): ReadonlySet<string> {
  const names = entries.filter(({ path }) => mainOf(new Set([posix.basename(path)])) !== undefined);
  return new Set(names.map(({ path }) => (dirname(path) === '.' ? '' : dirname(path))));
}
