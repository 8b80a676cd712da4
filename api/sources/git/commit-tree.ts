import { posix } from 'node:path';
import type { TreeEntry } from './git-output.js';

/** What a path of a commit leads to, links followed. */
export type Found<E extends TreeEntry> =
  | { readonly is: 'file'; readonly entry: E }
  /** `path`: the folder itself, without links. */
  | { readonly is: 'folder'; readonly path: string }
  | { readonly is: 'missing' }
  /** A link leads out of the repository or in a circle, or a submodule is in the way. */
  | { readonly is: 'unfit'; readonly why: string };

/** A file below a folder, by its path from there; links followed. */
export interface FileBelow<E extends TreeEntry> {
  readonly path: string;
  readonly entry: E;
}

interface Folder<E extends TreeEntry> {
  readonly path: string;
  readonly children: Map<string, E | Folder<E>>;
}

const isFolder = <E extends TreeEntry>(one: E | Folder<E>): one is Folder<E> => 'children' in one;

/** How many links are followed on the way to one path. */
const LIMIT_LINKS = 16;
/** How many entries are looked at below one folder: links to folders may multiply without end. */
const LIMIT_ENTRIES = 20_000;
/** Longest name of a file, bytes: what file systems take. */
const LIMIT_NAME = 255;

/** Tells whether a checkout would have a file or folder of that name. */
const isFit = (name: string): boolean =>
  name !== '' &&
  name !== '.' &&
  name !== '..' &&
  name.toLowerCase() !== '.git' &&
  Buffer.byteLength(name) <= LIMIT_NAME;

/** The tree of a commit, to be walked as a checkout would be, without one. Paths are from the root, with `/`. Pure. */
export class CommitTree<E extends TreeEntry> {
  readonly #root: Folder<E> = { path: '', children: new Map() };

  /** `targetOf` reads a link. Entries with names that no checkout would have (`..`, `.git`) are left out. */
  constructor(
    entries: Iterable<E>,
    private readonly targetOf: (link: E) => string | undefined,
  ) {
    // Entries come in order: most lie in the folder of the one before.
    let last: { readonly path: string; readonly folder: Folder<E> | undefined } = { path: '', folder: this.#root };
    for (const entry of entries) {
      const slash = entry.path.lastIndexOf('/');
      const path = entry.path.slice(0, Math.max(0, slash));
      if (path !== last.path) last = { path, folder: this.#folder(path) };
      const name = entry.path.slice(slash + 1);
      const there = last.folder?.children.get(name);
      if (slash !== 0 && isFit(name) && (there === undefined || !isFolder(there)))
        last.folder?.children.set(name, entry);
    }
  }

  /** Returns a folder, made where it is not there yet; undefined when no checkout would have it. */
  #folder(path: string): Folder<E> | undefined {
    const parts = path === '' ? [] : path.split('/');
    if (!parts.every(isFit)) return undefined;
    let at = this.#root;
    for (const [index, part] of parts.entries()) {
      let next = at.children.get(part);
      if (next === undefined || !isFolder(next)) {
        next = { path: parts.slice(0, index + 1).join('/'), children: new Map() }; // instead of a submodule that was read
        at.children.set(part, next);
      }
      at = next;
    }
    return at;
  }

  /** Returns what a path leads to. */
  find(path: string): Found<E> {
    const found = this.#find(path);
    if ('is' in found) return found;
    if (isFolder(found)) return { is: 'folder', path: found.path };
    return found.type === 'file' ? { is: 'file', entry: found } : { is: 'unfit', why: 'it is in a submodule' };
  }

  /** Returns the names in a folder, without following links; none when it is no folder. */
  names(path: string): ReadonlySet<string> {
    const found = this.#find(path);
    return new Set('is' in found || !isFolder(found) ? [] : found.children.keys());
  }

  #find(path: string): E | Folder<E> | Exclude<Found<E>, { is: 'file' | 'folder' }> {
    let rest = path.split('/').filter((part) => part !== '' && part !== '.');
    let trail: Folder<E>[] = [this.#root];
    let links = 0;
    while (rest.length > 0) {
      const [part = '', ...after] = rest;
      const at = trail.at(-1) as Folder<E>;
      rest = after;
      if (part === '..') {
        if (trail.length === 1) return { is: 'unfit', why: 'it leads out of the repository' };
        trail = trail.slice(0, -1);
        continue;
      }
      const next = at.children.get(part);
      if (next === undefined) return { is: 'missing' };
      if (isFolder(next)) {
        trail = [...trail, next];
      } else if (next.type === 'link') {
        links += 1;
        const target = this.targetOf(next);
        if (links > LIMIT_LINKS) return { is: 'unfit', why: 'its links lead in a circle' };
        if (target === undefined || target.startsWith('/') || target.includes('\0'))
          return { is: 'unfit', why: 'a link leads out of the repository' };
        rest = [...target.split('/').filter((one) => one !== '' && one !== '.'), ...rest];
      } else if (rest.length > 0) {
        return next.type === 'submodule' ? { is: 'unfit', why: 'it is in a submodule' } : { is: 'missing' };
      } else {
        return next;
      }
    }
    return trail.at(-1) as Folder<E>;
  }

  /**
   * Returns all files below a folder, in order, as if links were what they lead to. `left`: paths of links that lead out of
   * the repository, nowhere or in a circle, and of submodules. Undefined: there are too many.
   */
  below(
    path: string,
  ):
    | { readonly files: readonly FileBelow<E>[]; readonly left: readonly string[]; readonly isEmpty: boolean }
    | undefined {
    const files: FileBelow<E>[] = [];
    const left: string[] = [];
    let looked = 0;
    const walk = (folder: Folder<E>, below: string, above: readonly string[]): boolean => {
      const names = [...folder.children.keys()].sort();
      for (const name of names) {
        looked += 1;
        if (looked > LIMIT_ENTRIES) return false;
        const here = below === '' ? name : `${below}/${name}`;
        const child = folder.children.get(name);
        const found =
          child && (isFolder(child) || child.type === 'file') ? child : this.#find(posix.join(folder.path, name));
        if ('is' in found) left.push(here);
        else if (!isFolder(found)) {
          if (found.type === 'file') files.push({ path: here, entry: found });
          else left.push(here);
        } else if (above.includes(found.path)) left.push(here);
        else if (!walk(found, here, [...above, found.path])) return false;
      }
      return true;
    };
    const found = this.#find(path);
    if ('is' in found || !isFolder(found)) return { files, left, isEmpty: true };
    if (!walk(found, '', [found.path])) return undefined;
    const isEmpty = files.every((one) => /(?:^|\/)\.git(?:keep|ignore)$/.test(one.path));
    return { files, left, isEmpty };
  }
}
