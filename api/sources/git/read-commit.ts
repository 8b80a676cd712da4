import { setImmediate as nextTurn } from 'node:timers/promises';
import { keyOf, type Problem } from '../../../crds/model/kinds.js';
import type { GitSourceSpec } from '../../../crds/model/types.js';
import { type YamlItem, yamlItems } from '../../../crds/yaml/yaml-items.js';
import type { SecretFiles } from '../../device-state/secret-files.js';
import type { Proposed } from '../../store/store.js';
import type { Documents, Parse } from '../documents.js';
import { decode, LIMIT_BYTES, readItem, tooLarge } from '../files/read-documents.js';
import { planWholeSet } from '../whole-set.js';
import { type DeviceScope, folderOf } from './device-scope.js';
import type { TreeEntry } from './git-output.js';
import { layOver, type ScopedItem } from './overlays.js';
import { cleanPaths, followLink, pickFiles } from './pick-files.js';
import { decrypt, isEncrypted, redact } from './sops.js';
import { final } from './source-error.js';
import { type PlacedTree, type SubmoduleDeps, submodulesOf } from './submodules.js';
import { fillIn, type Variables } from './variables.js';

export interface ReadCommitDeps extends SubmoduleDeps {
  readonly secrets: SecretFiles;
  readonly parse: Parse;
  readonly device: DeviceScope;
  readonly variables: Variables;
  /** Prefix of file names in problems: `git/fleet`. */
  readonly origin: string;
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
  const files: TextFile[] = [];
  const problems: Problem[] = [...modules.problems];
  for (const tree of [{ prefix: '', repository: deps.repository, commit, entries }, ...modules.trees]) {
    const found = await filesIn(tree, spec, paths, deps, signal);
    files.push(...found.files);
    problems.push(...found.problems);
  }

  const items: ScopedItem[] = [];
  const secrets: string[] = [...deps.variables.secret.values()];
  for (const { path, content } of files) {
    await nextTurn(); // each takes its time; others have their turn
    const read = await itemsOf(content, `${deps.origin}/${path}`, spec, deps, signal);
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
  const set = await declare(layered.items, deps);
  const clean = (all: readonly Problem[]): readonly Problem[] =>
    all.map((problem) => ({ ...problem, message: redact(problem.message, secrets) }));
  return {
    documents: set.documents,
    problems: clean([...problems, ...set.problems]),
    warnings: clean(set.warnings),
    vanished,
  };
}

/** Largest number of documents that a commit may declare. */
const LIMIT_DOCUMENTS = 5000;
const NO_MODULES = { trees: [], problems: [] };

/** Returns the files of one tree that are for this device, by their paths in the repository of the source. */
async function filesIn(
  { prefix, repository, commit, entries }: PlacedTree,
  spec: Spec,
  paths: readonly string[],
  { device, origin }: ReadCommitDeps,
  signal: AbortSignal,
): Promise<{ files: readonly TextFile[]; problems: readonly Problem[] }> {
  const placed = entries.map((entry) => ({ ...entry, path: `${prefix}${entry.path}` }));
  const picked = pickFiles(placed, spec);
  const mine = picked.files.filter(({ path }) => folderOf(path, paths, device) !== 'another device');
  const inTree = mine.map((entry) => ({ ...entry, path: entry.path.slice(prefix.length) }));
  const found = await filesOf(commit, inTree, { repository, origin: `${origin}/${prefix}`.replace(/\/$/, '') }, signal);
  return {
    files: found.files.map(({ path, content }) => ({ path: `${prefix}${path}`, content })),
    problems: [...picked.problems, ...found.problems],
  };
}

interface TextFile {
  readonly path: string;
  readonly content: Buffer;
}

/** Reads the files; links are followed inside the repository only. */
async function filesOf(
  commit: string,
  entries: readonly TreeEntry[],
  { repository, origin }: Pick<ReadCommitDeps, 'repository' | 'origin'>,
  signal: AbortSignal,
): Promise<{ files: readonly TextFile[]; problems: readonly Problem[] }> {
  const files: TextFile[] = [];
  const problems: Problem[] = [];
  const tell = (path: string, message: string): number =>
    problems.push({ message, source: { file: `${origin}/${path}` } });

  const resolved = new Map<string, TreeEntry>();
  if (entries.some(({ type }) => type === 'link')) {
    const tree = new Map((await repository.list(commit, [], signal)).map((entry) => [entry.path, entry]));
    const links = [...tree.values()].filter(({ type }) => type === 'link').map(({ oid }) => oid);
    const targets = await repository.contents(commit, links, LIMIT_BYTES, signal);
    const targetOf = ({ oid }: TreeEntry): string | undefined => {
      const target = targets.get(oid);
      return typeof target === 'object' ? target.toString() : undefined;
    };
    for (const link of entries.filter(({ type }) => type === 'link')) {
      const file = followLink(link, tree, targetOf);
      if (file) resolved.set(link.path, file);
      else tell(link.path, 'The link leads out of the repository or to nothing that is a file; it is not followed');
    }
  }
  const wanted = entries.flatMap((entry) => {
    const file = entry.type === 'link' ? resolved.get(entry.path) : entry;
    return file ? [{ path: entry.path, oid: file.oid }] : [];
  });
  const contents = await repository.contents(
    commit,
    wanted.map(({ oid }) => oid),
    LIMIT_BYTES,
    signal,
  );
  for (const { path, oid } of wanted) {
    const content = contents.get(oid);
    if (typeof content === 'object') files.push({ path, content });
    else problems.push(tooLarge(content ?? 0, `${origin}/${path}`));
  }
  return { files, problems };
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

/** Fills in variables and checks every document; none of them may be a GitSource. */
async function declare(items: readonly YamlItem[], { parse, device, variables }: ReadCommitDeps): Promise<Documents> {
  const read: Documents[] = [];
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
