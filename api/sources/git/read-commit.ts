import { posix } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { keyOf, type Problem, type Source } from '../../../crds/model/kinds.js';
import type { GitSourceSpec } from '../../../crds/model/types.js';
import { type YamlItem, yamlItems } from '../../../crds/yaml/yaml-items.js';
import type { SecretFiles } from '../../device-state/secret-files.js';
import type { Proposed } from '../../store/store.js';
import type { Documents } from '../documents.js';
import {
  type FoundFiles,
  type FoundProject,
  findProjects,
  holderOf,
  insideProject,
  type Look,
  lookOf,
  ownProjects,
} from '../files/find-projects.js';
import { decode, readItem, tooLarge } from '../files/read-documents.js';
import { planWholeSet } from '../whole-set.js';
import { CommitFiles, type PlacedEntry, placedEntries } from './commit-files.js';
import { type DeviceScope, folderOf } from './device-scope.js';
import { layOver, type ScopedItem } from './overlays.js';
import { cleanPaths, pickFiles } from './pick-files.js';
import {
  CommitProjects,
  candidatesIn,
  type MountedContent,
  type ReadProject,
  type ReadProjectsDeps,
} from './read-projects.js';
import { decrypt, isEncrypted, redact } from './sops.js';
import { final } from './source-error.js';
import { type SubmoduleDeps, submodulesOf } from './submodules.js';
import { fillIn } from './variables.js';

export interface ReadCommitDeps extends SubmoduleDeps, Omit<ReadProjectsDeps, 'files' | 'folder'> {
  readonly secrets: SecretFiles;
  readonly device: DeviceScope;
  /** The folder of what services of Compose projects mount, absolute. */
  readonly projectsFolder: string;
  /** A folder for our own files. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Everything that a commit declares for this device. */
export interface DeclaredSet {
  readonly documents: readonly Proposed[];
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
  /** A path of the source that does not exist in the commit. */
  readonly vanished: string | undefined;
  /** What services of Compose projects mount of it. */
  readonly mounted: readonly MountedContent[];
}

type Spec = Pick<GitSourceSpec, 'url' | 'path' | 'paths' | 'include' | 'exclude' | 'decryption' | 'submodules'>;

/** Reads the documents of a commit without checking it out. Problems name file and line. */
export async function readCommit(
  commit: string,
  spec: Spec,
  deps: ReadCommitDeps,
  signal: AbortSignal,
): Promise<DeclaredSet> {
  const paths = cleanPaths(spec).filter((path) => path !== '');
  const entries = await deps.repository.list(commit, paths, signal);
  const vanished = paths.find(
    (path) => !entries.some((entry) => entry.path === path || entry.path.startsWith(`${path}/`)),
  );
  const modules = spec.submodules ? await submodulesOf(commit, entries, spec, deps, signal) : NO_MODULES;
  const own = { prefix: '', repository: deps.repository, commit, entries };
  const commitFiles = new CommitFiles(own, paths, modules.trees, signal);
  const all = [own, ...modules.trees]
    .flatMap(placedEntries)
    .filter(({ path }) => folderOf(path, paths, deps.device) !== 'another device');
  const picked = pickFiles(all, spec);
  const projects = new CommitProjects({ ...deps, files: commitFiles, folder: deps.projectsFolder });
  const found = await findIn(all, picked.files, projects, commitFiles, deps.origin);
  const compose = await composeIn(found.projects, projects);
  const problems: Problem[] = [...modules.problems, ...picked.problems, ...found.problems];

  const items: ScopedItem[] = [];
  const secrets: string[] = [...deps.variables.secret.values()];
  const claimed = new Set(compose.flatMap(({ claims }) => [...claims]));
  for (const { file, path, content, look } of found.documents) {
    if (look === 'other' && claimed.has(file)) continue; // a project reads or mounts it
    await nextTurn(); // each takes its time; others have their turn
    const read = await itemsOf(content, file, spec, deps, signal);
    const folder = folderOf(path, paths, deps.device);
    problems.push(...read.problems);
    secrets.push(...read.secrets);
    if (folder !== 'another device') items.push(...read.items.map((item) => ({ ...item, folder })));
    if (items.length > LIMIT_DOCUMENTS) {
      throw final('TooLarge', `There are more than ${LIMIT_DOCUMENTS} documents in its files`);
    }
  }
  const layered = layOver(items, deps.device);
  problems.push(...layered.problems);
  const set = await declare(layered.items, compose, deps);
  const clean = (all: readonly Problem[]): readonly Problem[] =>
    all.map((problem) => ({ ...problem, message: redact(problem.message, secrets) }));
  return {
    documents: set.documents,
    problems: clean([...problems, ...set.problems]),
    warnings: clean([...found.warnings, ...set.warnings]),
    vanished,
    mounted: compose.flatMap(({ mounted }) => mounted),
  };
}

/** Largest number of documents that a commit may declare. */
const LIMIT_DOCUMENTS = 5000;
/** Largest number of Compose projects: each takes some milliseconds of a small device. */
const LIMIT_PROJECTS = 500;
const NO_MODULES = { trees: [], problems: [] };

interface TextFile {
  /** For people: `git/fleet/apps/shop.yaml`. */
  readonly file: string;
  readonly path: string;
  readonly content: Buffer;
  readonly look: Look;
}

/**
 * Returns the Compose projects of a commit, and the files with documents. In the folder of a project, or below it, only YAML
 * files are that begin with our apiVersion.
 */
async function findIn(
  all: readonly PlacedEntry[],
  picked: readonly PlacedEntry[],
  projects: CommitProjects,
  files: CommitFiles,
  origin: string,
): Promise<Pick<FoundFiles<TextFile>, 'projects' | 'documents'> & Pick<Documents, 'problems' | 'warnings'>> {
  const isPicked = new Set(picked.map(({ path }) => path));
  const holding = new Set(picked.map(({ path }) => posix.dirname(path)));
  const mains = all.filter(({ path }) =>
    posix.basename(path) === '.env' ? holding.has(posix.dirname(path)) : isPicked.has(path),
  );
  const candidates = candidatesIn(mains);
  const folders = candidates.size === 0 ? new Map<string, ReadonlySet<string>>() : await projects.folders(candidates);
  const folderIn = (path: string): string | undefined => holderOf(posix.dirname(`${origin}/${path}`), folders);
  const wanted = picked.filter(({ path }) => folderIn(path) === undefined || /ml$/i.test(path));
  const read = await textsOf(wanted, files, origin);
  const taken = read.files.filter(({ path, look }) => folderIn(path) === undefined || look === 'ours');
  const looks = new Map(taken.map(({ file, look }) => [file, look]));
  const found = findProjects(
    [{ folder: origin, files: taken, projects: folders }],
    (file) => looks.get(file) ?? 'other',
  );
  return {
    ...found,
    problems: read.problems.filter(({ source }) => folderIn(source.file.slice(origin.length + 1)) === undefined),
    warnings: taken.flatMap(({ file, path }) => {
      const folder = folderIn(path);
      return folder === undefined ? [] : [insideProject(file, folder)];
    }),
  };
}

/** Reads projects; one whose file another one reads is none of its own. */
async function composeIn(found: readonly FoundProject[], projects: CommitProjects): Promise<readonly ReadProject[]> {
  if (found.length > LIMIT_PROJECTS)
    throw final('TooLarge', `There are more than ${LIMIT_PROJECTS} Compose projects in it`);
  const read: ReadProject[] = [];
  for (const one of found) read.push(await projects.read(one));
  return ownProjects(read);
}

/** Reads the files; links are followed inside the repository only. */
async function textsOf(
  entries: readonly PlacedEntry[],
  files: CommitFiles,
  origin: string,
): Promise<{
  readonly files: readonly TextFile[];
  readonly problems: readonly (Problem & { readonly source: Source })[];
}> {
  const texts: TextFile[] = [];
  const problems: (Problem & { readonly source: Source })[] = [];
  const tree = entries.some(({ type }) => type === 'link') ? await files.tree() : undefined;
  const wanted = entries.flatMap((entry) => {
    const found = entry.type === 'link' ? tree?.find(entry.path) : { is: 'file' as const, entry };
    if (found?.is === 'file') return [{ path: entry.path, target: found.entry }];
    const message = 'The link leads out of the repository or to nothing that is a file; it is not followed';
    problems.push({ message, source: { file: `${origin}/${entry.path}` } });
    return [];
  });
  const contents = await files.contents(wanted.map(({ target }) => target));
  for (const { path, target } of wanted) {
    const file = `${origin}/${path}`;
    const content = contents.get(target.oid);
    if (typeof content === 'object') texts.push({ file, path, content, look: lookOf(content.toString()) });
    else problems.push({ ...tooLarge(content ?? 0, file), source: { file } });
  }
  return { files: texts, problems };
}

interface ReadFile {
  readonly items: readonly YamlItem[];
  readonly problems: readonly Problem[];
  /** Texts that must not be shown. */
  readonly secrets: readonly string[];
}

async function itemsOf(
  content: Buffer,
  file: string,
  spec: Spec,
  deps: ReadCommitDeps,
  signal: AbortSignal,
): Promise<ReadFile> {
  const text = decode(content, file);
  if (typeof text !== 'string') return { items: [], problems: [text], secrets: [] };
  const read = yamlItems(text, file);
  if (!isEncrypted(read.items)) return { ...read, secrets: [] };
  const plain = await decrypt(content, file, read.items, { ...deps, ageKey: spec.decryption?.ageKey }, signal);
  if (!plain.ok) return { items: [], problems: [{ message: plain.message, source: { file } }], secrets: [] };
  return { items: plain.items, problems: [], secrets: plain.secrets };
}

/** Fills in variables and checks every document; none of them may be a GitSource. `compose`: what is ready. */
async function declare(
  items: readonly YamlItem[],
  compose: readonly ReadProject[],
  { parse, device, variables }: ReadCommitDeps,
): Promise<Documents> {
  const read: Documents[] = compose.map((one) => one.read);
  for (const item of items) {
    await nextTurn();
    const { item: filled, problems } = fillIn(item, variables);
    const isFilled = problems.length === 0;
    read.push(
      isFilled
        ? readItem(filled.value, filled.locate, { parse, deviceUuid: device.uuid })
        : { documents: [], problems, warnings: [] },
    );
  }
  const { documents, problems } = planWholeSet({ read, listed: [], failures: [], stored: [] });
  const sources = documents.filter(({ document }) => document.kind === 'GitSource');
  return {
    documents: documents.filter(({ document }) => document.kind !== 'GitSource'),
    problems: [...problems, ...sources.map(noSource)],
    warnings: read.flatMap((one) => one.warnings),
  };
}

/** Returns the problem of a GitSource in a repository, which could have this device read another repository with the device's own keys. */
const noSource = ({ document: { kind, metadata }, source }: Proposed): Problem => ({
  message: 'A repository cannot declare a GitSource; declare it in a file or through the API of the device',
  kind,
  name: metadata.name,
  ...(source ? { source } : {}),
});

/** Returns the keys of documents. Pure. */
export const keysOf = (documents: readonly Proposed[]) =>
  new Set(documents.map(({ document }) => keyOf(document.kind, document.metadata.name)));
