import { posix } from 'node:path';
import { runInNewContext } from 'node:vm';
import picomatch from 'picomatch';
import type { Problem } from '../../../crds/model/kinds.js';
import { isMap } from '../../../crds/model/maps.js';
import { isDocumentFile } from '../files/scan-folders.js';
import type { TreeEntry } from './git-output.js';
import { final } from './source-error.js';

/** Largest number of files: enough for any device, so that it ends on any mistake; as for folders. */
const LIMIT_FILES = 5000;
/**
 * Time limit for matching globs, ms: they become regular expressions, and one with many stars takes years for one long
 * name, while nobody else is served.
 */
const LIMIT_MATCH_MS = 1000;

export interface Selection {
  readonly include?: readonly string[] | undefined;
  readonly exclude?: readonly string[] | undefined;
}

/** Returns paths without `./`, `//` and slashes around them; the root of the repository becomes no path. Pure. */
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

/**
 * Returns the entries that hold documents, by name and by the globs of the source. Hidden files and folders hold none.
 * Throws `SourceError` for globs that take too long.
 */
export function pickFiles<Entry extends TreeEntry>(
  entries: readonly Entry[],
  { include, exclude = [] }: Selection,
): { readonly files: readonly Entry[]; readonly problems: readonly Problem[] } {
  const named = entries.filter(({ type, path }) => {
    const hidden = path.split('/').some((part) => part.startsWith('.'));
    return type !== 'submodule' && !hidden && isDocumentFile(posix.basename(path));
  });
  const files = inTime(() => {
    const isIncluded = matcher(include ?? ['*']);
    const isExcluded = matcher(exclude);
    return named.filter(({ path }) => isIncluded(path) && !isExcluded(path));
  });
  if (files.length <= LIMIT_FILES) return { files, problems: [] };
  const message = `There are ${files.length} files with documents, at most ${LIMIT_FILES}`;
  return { files: files.slice(0, LIMIT_FILES), problems: [{ message }] };
}

/** Ends matching after the limit: only JavaScript's own engine can stop a regular expression. */
function inTime<T>(match: () => T): T {
  try {
    return runInNewContext('match()', { match }, { timeout: LIMIT_MATCH_MS }) as T;
  } catch (cause) {
    const isLate = isMap(cause) && cause.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT';
    if (!isLate) throw cause;
    throw final(
      'InvalidSpec',
      'include and exclude take too long to match the names of files: use fewer stars in a glob',
    );
  }
}

/** Returns a function that matches a path with the globs; one without a slash is compared with the name alone. Pure. */
function matcher(globs: readonly string[]): (path: string) => boolean {
  const whole = globs.filter((glob) => glob.includes('/')).map((glob) => picomatch(glob.replace(/^\.?\//, '')));
  const names = globs.filter((glob) => !glob.includes('/')).map((glob) => picomatch(glob));
  return (path) => whole.some((fits) => fits(path)) || names.some((fits) => fits(posix.basename(path)));
}
