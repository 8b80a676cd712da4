import { basename, dirname, extname, join, resolve, sep } from 'node:path';
import type { Problem, Source } from '../../../crds/model/kinds.js';
import { COMPOSE_FILES, isComposeText, OVERRIDE_FILES } from '../compose/compose-files.js';

/** A Compose project of a watched folder or a repository, before it is read. Paths are as people know them. */
export interface FoundProject {
  /** The file that makes it a project; identifies it. */
  readonly main: string;
  readonly folder: string;
  /** The names in its folder, when that was listed. */
  readonly names?: ReadonlySet<string>;
  /** Its Compose files, when Compose does not choose them. */
  readonly files?: readonly string[];
  /** The name that it has unless it says another; empty: it has to say one. */
  readonly name?: string;
}

/** A folder that is looked through. */
interface LookedThrough<File extends { readonly file: string }> {
  readonly folder: string;
  readonly files: readonly File[];
  /** Folders of Compose projects, with the names of everything in them. */
  readonly projects: ReadonlyMap<string, ReadonlySet<string>>;
}

export interface FoundFiles<File extends { readonly file: string }> {
  readonly projects: readonly FoundProject[];
  /** Files that are read for documents. */
  readonly documents: readonly File[];
  /** Those of them that lie in the folder of a project. */
  readonly inProjects: ReadonlySet<string>;
}

/** What the text of a file looks like: documents of ours, a Compose file, or anything else. */
export type Look = 'ours' | 'compose' | 'other';

/** How far a text is looked at for its first key: comments are before it, and a MiB of empty lines would take its time. */
const BEGINNING = 16 * 1024;

/** Returns what a text looks like, by its beginning and the beginnings of its lines. Pure. */
export function lookOf(text: string): Look {
  const begin = text.slice(0, BEGINNING);
  if (/^\uFEFF?(?:[ \t]*(?:#.*)?\r?\n|---.*\n|%.*\n)*apiVersion[ \t]*:[ \t]*["']?supercargo\.io\//.test(begin))
    return 'ours';
  return isComposeText(text) ? 'compose' : 'other';
}

/** Tells whether the text of a file with a Compose name is none: documents of ours, or what another program reads. Pure. */
export const isNoCompose = (text: string): boolean =>
  /^(?:kind|apiVersion)[ \t]*:/m.test(text) || /^\s*[{[][\s\S]{0,2000}"(?:kind|apiVersion)"/.test(text);

/**
 * Returns the file by which a folder may be a project, by the names in it. Whether it is one says its text: `isProjectText`.
 * Pure.
 */
export function mainOf(names: ReadonlySet<string>): string | undefined {
  return COMPOSE_FILES.find((name) => names.has(name)) ?? (names.has('.env') ? '.env' : undefined);
}

/** Tells whether a folder is a project by the text of its `mainOf`. Pure. */
export const isProjectText = (main: string, text: string): boolean =>
  main === '.env' ? namesComposeFiles(text) : !isNoCompose(text);

/** Tells whether a `.env` names the Compose files of its folder. Pure. */
export const namesComposeFiles = (text: string): boolean =>
  /^[ \t]*(?:export[ \t]+)?COMPOSE_FILE[ \t]*[=:][ \t]*\S/m.test(text);

const isYaml = (file: string): boolean => /\.ya?ml$/i.test(file);
const stemOf = (file: string): string => basename(file, extname(file));
const OVERRIDE = /\.override$/;

/**
 * Tells projects and documents apart. A folder with a Compose file is a project, and only what looks like ours in it is
 * documents. Elsewhere a file that looks like a Compose file is a project with the name of the file, together with its
 * override beside it; at the top of a watched folder a file with a Compose name has to say a name. Pure.
 */
export function findProjects<File extends { readonly file: string }>(
  folders: readonly LookedThrough<File>[],
  look: (file: string) => Look,
): FoundFiles<File> {
  const projects: FoundProject[] = [];
  const documents: File[] = [];
  const inProjects = new Set<string>();
  for (const { folder: top, files, projects: ownFolders } of folders) {
    for (const [folder, names] of ownFolders) {
      projects.push({ main: join(folder, mainOf(names) ?? '.env'), folder, names });
    }
    const loose = new Map<string, string[]>();
    for (const file of files) {
      const folder = dirname(file.file);
      const isMember = holderOf(folder, ownFolders) !== undefined;
      const what = look(file.file);
      if (isMember ? what === 'ours' : what !== 'compose' || !isYaml(file.file)) {
        documents.push(file);
        if (isMember) inProjects.add(file.file);
      } else if (!isMember) {
        const there = loose.get(folder);
        if (there) there.push(file.file);
        else loose.set(folder, [file.file]);
      }
    }
    for (const [folder, there] of loose)
      projects.push(...looseProjects(folder, there, resolve(folder) === resolve(top)));
  }
  return { projects, documents, inProjects };
}

/** Returns the projects of Compose files in a folder that is none itself. */
function looseProjects(folder: string, files: readonly string[], isTop: boolean): readonly FoundProject[] {
  const named = new Set(files.map((file) => basename(file)));
  const standard = COMPOSE_FILES.find((name) => named.has(name));
  const found: FoundProject[] = [];
  for (const file of files) {
    const name = basename(file);
    const stem = stemOf(file);
    const isStandard = COMPOSE_FILES.includes(name);
    if (standard !== undefined && (OVERRIDE_FILES.includes(name) || (isStandard && name !== standard))) continue;
    if (isStandard) {
      found.push({ main: file, folder, ...(isTop ? { name: '' } : { files: [file] }) });
      continue;
    }
    const base = OVERRIDE.test(stem) ? stem.replace(OVERRIDE, '') : undefined;
    if (base !== undefined && (named.has(`${base}.yaml`) || named.has(`${base}.yml`))) continue;
    const over = [`${stem}.override.yml`, `${stem}.override.yaml`].find((one) => named.has(one));
    found.push({ main: file, folder, name: stem, files: over === undefined ? [file] : [file, join(folder, over)] });
  }
  return found;
}

/** Returns the folder of a project in which a folder is, or that it is. Pure. */
export function holderOf(folder: string, projects: { has(folder: string): boolean }): string | undefined {
  for (let at = folder; ; at = dirname(at)) {
    if (projects.has(at)) return at;
    if (dirname(at) === at) return undefined;
  }
}

export const isBelow = (folder: string, path: string): boolean => path.startsWith(join(folder, sep));

/** Returns the Apps that came of a project, among those that are stored. Pure. */
export const appsOf = <App extends { readonly source: Source }>(
  { names, folder, main }: FoundProject,
  stored: readonly App[],
): readonly App[] =>
  stored.filter(({ source: { file, composeFiles } }) => {
    if (composeFiles === undefined) return false;
    return names === undefined ? file === main : isBelow(folder, file);
  });

/** Returns the projects that count: a file that another one reads is none of its own, unless it has a folder. Pure. */
export function ownProjects<Project extends { readonly found: FoundProject; readonly claims: ReadonlySet<string> }>(
  read: readonly Project[],
): readonly Project[] {
  const readsOf = (one: Project, other: Project): boolean => one !== other && one.claims.has(other.found.main);
  return read.filter(
    (one) => one.found.names !== undefined || !read.some((other) => readsOf(other, one) && !readsOf(one, other)),
  );
}

/** Returns the problems of a project as those of the Apps that came of it: they keep what was accepted of it. Pure. */
export function keeping(problems: readonly Problem[], names: readonly string[]): readonly Problem[] {
  const [first, ...others] = names;
  if (problems.length === 0 || first === undefined) return problems;
  const [cause] = problems;
  return [
    ...problems.map((problem): Problem => ({ ...problem, kind: 'App', name: first })),
    ...others.map((name): Problem => ({ ...(cause as Problem), kind: 'App', name })),
  ];
}

/** Returns the warning about documents that are taken although they are in the folder of a project. Pure. */
export const insideProject = (file: string, folder: string): Problem => ({
  message: `Documents in the folder of the Compose project ${folder}: they are taken, because the file begins with apiVersion`,
  source: { file },
});
