import { posix } from 'node:path';
import picomatch from 'picomatch';
import type { Problem } from '../../../crds/model/kinds.js';
import { isDocumentFile } from '../files/scan-folders.js';
import type { TreeEntry } from './git-output.js';

/** Enough for any device, and it ends on any mistake; as for folders. */
const LIMIT_FILES = 5000;
/** A link to a link to … */
const LIMIT_LINKS = 8;

export interface Selection {
  readonly include?: readonly string[] | undefined;
  readonly exclude?: readonly string[] | undefined;
}

/** Paths without `./`, `//` and slashes around them; the root of the repository is no path at all. Pure. */
export const cleanPaths = ({
  path,
  paths = [],
}: {
  path?: string | undefined;
  paths?: readonly string[] | undefined;
}) =>
  [...(path === undefined ? [] : [path]), ...paths]
    .map((one) => posix.normalize(one).replace(/^[./]*\/|\/+$/g, ''))
    .map((one) => (one === '.' ? '' : one));

/** Which entries hold documents: by name, by the globs of the source. Hidden files and folders hold none. Pure. */
export function pickFiles(
  entries: readonly TreeEntry[],
  { include, exclude = [] }: Selection,
): { readonly files: readonly TreeEntry[]; readonly problems: readonly Problem[] } {
  const isIncluded = matcher(include ?? ['*']);
  const isExcluded = matcher(exclude);
  const files = entries.filter(({ type, path }) => {
    const hidden = path.split('/').some((part) => part.startsWith('.'));
    return (
      type !== 'submodule' && !hidden && isDocumentFile(posix.basename(path)) && isIncluded(path) && !isExcluded(path)
    );
  });
  if (files.length <= LIMIT_FILES) return { files, problems: [] };
  const message = `There are ${files.length} files with documents, at most ${LIMIT_FILES}`;
  return { files: files.slice(0, LIMIT_FILES), problems: [{ message }] };
}

/** Whether a path fits one of the globs; one without a slash is about the name alone. Pure. */
function matcher(globs: readonly string[]): (path: string) => boolean {
  const whole = globs.filter((glob) => glob.includes('/')).map((glob) => picomatch(glob.replace(/^\.?\//, '')));
  const names = globs.filter((glob) => !glob.includes('/')).map((glob) => picomatch(glob));
  return (path) => whole.some((fits) => fits(path)) || names.some((fits) => fits(posix.basename(path)));
}

/**
 * The file that a link in the tree leads to; undefined when it leads out of the repository, nowhere, in a circle, or to
 * something else than a file. `targetOf` reads a link. Pure but for that.
 */
export function followLink(
  link: TreeEntry,
  tree: ReadonlyMap<string, TreeEntry>,
  targetOf: (link: TreeEntry) => string | undefined,
): TreeEntry | undefined {
  let entry: TreeEntry | undefined = link;
  for (let step = 0; entry?.type === 'link' && step < LIMIT_LINKS; step += 1) {
    const target = targetOf(entry);
    if (target === undefined || target.startsWith('/') || target.includes('\0')) return undefined;
    const path: string = posix.normalize(posix.join(posix.dirname(entry.path), target));
    entry = path.startsWith('../') ? undefined : tree.get(path);
  }
  return entry?.type === 'file' ? entry : undefined;
}
