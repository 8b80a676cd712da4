import { transient } from './source-error.js';

/** The facts of a commit for people. */
export interface CommitFacts {
  readonly commit: string;
  readonly author: string;
  readonly subject: string;
  /** RFC 3339. */
  readonly time: string;
}

/** One entry in a commit's tree. */
export interface TreeEntry {
  readonly type: 'file' | 'link' | 'submodule';
  readonly oid: string;
  /** Of a file: it may be run. */
  readonly isExecutable?: true;
  /** From the root of the repository, with `/`. */
  readonly path: string;
}

/** The format of `log` that `parseFacts` reads. */
export const FACTS_FORMAT = '--format=%H%x00%an%x00%s%x00%cI';

/** Reads one commit as `log` prints it. Texts of people are shortened, and cleaned of what a terminal would obey. Pure. */
export function parseFacts(output: string): CommitFacts {
  const [commit = '', author = '', subject = '', time = ''] = output.trimEnd().split('\0');
  const clean = (text: string): string =>
    [...text.slice(0, 2000)]
      .filter((character) => character >= ' ' && character !== '\x7f')
      .join('')
      .slice(0, 200);
  return { commit, author: clean(author), subject: clean(subject), time };
}

/** Reads what `ls-tree -r -z` prints. Pure. */
export const parseTree = (output: string): readonly TreeEntry[] =>
  output.split('\0').flatMap((line): TreeEntry[] => {
    const [, mode, oid, path] = /^(\d+) \S+ ([0-9a-f]+)\t(.+)$/s.exec(line) ?? [];
    if (mode === undefined || oid === undefined || path === undefined) return [];
    const type = mode === '160000' ? 'submodule' : mode === '120000' ? 'link' : 'file';
    return [{ type, oid, path, ...(mode === '100755' ? { isExecutable: true } : {}) }];
  });

/** Reads the refs that `ls-remote` prints, by name. Pure. */
export const parseRefs = (output: string): ReadonlyMap<string, string> =>
  new Map(
    Array.from(output.matchAll(/^([0-9a-f]{40}|[0-9a-f]{64})\t([^\t\n]*)/gm), ([, oid = '', ref = '']) => [ref, oid]),
  );

/** Reads what `cat-file --batch` prints: `<oid> blob <size>`, the content and a line end, repeated. Pure. */
export function parseBatch(output: Buffer): ReadonlyMap<string, Buffer> {
  const found = new Map<string, Buffer>();
  let at = 0;
  while (at < output.length) {
    const end = output.indexOf(0x0a, at);
    const [, oid, size] = /^([0-9a-f]+) blob (\d+)$/.exec(output.toString('latin1', at, end)) ?? [];
    if (end < 0 || oid === undefined) throw transient('Corrupt', 'An object of the cache cannot be read');
    const begin = end + 1;
    found.set(oid, output.subarray(begin, begin + Number(size)));
    at = begin + Number(size) + 1;
  }
  return found;
}
