import { LIMIT_BYTES } from '../files/read-documents.js';
import { CommitTree } from './commit-tree.js';
import type { TreeEntry } from './git-output.js';
import type { Repository } from './repository.js';
import type { PlacedTree } from './submodules.js';

/** An entry, and the commit that has it: that of the source, or of a submodule. */
export interface PlacedEntry extends TreeEntry {
  readonly repository: Repository;
  readonly commit: string;
}

/** Returns the entries of a tree by their paths in the repository of the source. */
export const placedEntries = ({ prefix, repository, commit, entries }: PlacedTree): readonly PlacedEntry[] =>
  entries.map((entry) => ({ ...entry, path: `${prefix}${entry.path}`, repository, commit }));

/** The files of a commit and of its submodules, read without a checkout. */
export class CommitFiles {
  #tree: Promise<CommitTree<PlacedEntry>> | undefined;

  /** `paths`: those of the source, below which the entries of `main` are; none: they are all that the commit has. */
  constructor(
    private readonly main: PlacedTree,
    private readonly paths: readonly string[],
    private readonly modules: readonly PlacedTree[],
    private readonly signal: AbortSignal,
  ) {}

  /**
   * Returns the tree. It has also what is not below the paths of the source where there are links, which may lead there, and
   * where a path names a file, for which those beside count.
   */
  tree(): Promise<CommitTree<PlacedEntry>> {
    this.#tree ??= this.#readTree();
    return this.#tree;
  }

  async #readTree(): Promise<CommitTree<PlacedEntry>> {
    const { repository, commit, entries: listed } = this.main;
    const hasLinks = [this.main, ...this.modules].some((tree) => tree.entries.some(({ type }) => type === 'link'));
    const namesFile = listed.some(({ path }) => this.paths.includes(path));
    const isEnough = this.paths.length === 0 || !(hasLinks || namesFile);
    const whole = { ...this.main, entries: isEnough ? listed : await repository.list(commit, [], this.signal) };
    const entries = [whole, ...this.modules].flatMap(placedEntries);
    const targets = await this.contents(entries.filter(({ type }) => type === 'link'));
    return new CommitTree(entries, (link) => {
      const target = targets.get(link.oid);
      return typeof target === 'object' ? target.toString() : undefined;
    });
  }

  /** Returns the contents of files by their hashes; only the size of one that is too large for a text. */
  async contents(entries: readonly PlacedEntry[]): Promise<ReadonlyMap<string, Buffer | number>> {
    const found = new Map<string, Buffer | number>();
    for (const [repository, byCommit] of grouped(entries)) {
      for (const [commit, oids] of byCommit) {
        for (const [oid, content] of await repository.contents(commit, oids, LIMIT_BYTES, this.signal))
          found.set(oid, content);
      }
    }
    return found;
  }
}

/** Returns the hashes of entries by repository and commit. Pure. */
export function grouped(
  entries: readonly PlacedEntry[],
): ReadonlyMap<Repository, ReadonlyMap<string, readonly string[]>> {
  const groups = new Map<Repository, Map<string, string[]>>();
  for (const { repository, commit, oid } of entries) {
    const byCommit = groups.get(repository) ?? new Map<string, string[]>();
    groups.set(repository, byCommit);
    const oids = byCommit.get(commit);
    if (oids) oids.push(oid);
    else byCommit.set(commit, [oid]);
  }
  return groups;
}
