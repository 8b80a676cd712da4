import { parseGitUrl } from '../../../crds/model/git-url.js';
import type { Problem } from '../../../crds/model/kinds.js';
import type { GitSourceSpec } from '../../../crds/model/types.js';
import type { TreeEntry } from './git-output.js';
import type { Repository } from './repository.js';
import { SourceError } from './source-error.js';

/** A tree and its place in the repository of the source: '' or `modules/shared/`. */
export interface PlacedTree {
  readonly prefix: string;
  readonly repository: Repository;
  readonly commit: string;
  readonly entries: readonly TreeEntry[];
}

export interface SubmoduleDeps {
  readonly repository: Repository;
  readonly origin: string;
  /** Opens another repository, with the source's credentials or without any. */
  readonly openOther: (url: string, withCredentials: boolean) => Promise<Repository>;
}

const LIMIT_SUBMODULES = 20;
const LIMIT_BYTES = 64 * 1024;

/**
 * Returns the trees of submodules, one level deep, each at the commit that the repository names. They are read over
 * https and ssh, or from the very server of the source; only that one gets the source's credentials.
 */
export async function submodulesOf(
  commit: string,
  entries: readonly TreeEntry[],
  { url }: Pick<GitSourceSpec, 'url'>,
  { repository, origin, openOther }: SubmoduleDeps,
  signal: AbortSignal,
): Promise<{ readonly trees: readonly PlacedTree[]; readonly problems: readonly Problem[] }> {
  const modules = entries.filter(({ type }) => type === 'submodule');
  if (modules.length === 0) return { trees: [], problems: [] };
  const urls = await urlsOf(commit, repository, signal);
  const trees: PlacedTree[] = [];
  const problems: Problem[] = [];
  const report = (path: string, message: string): number =>
    problems.push({ message, source: { file: `${origin}/${path}` } });

  for (const { path, oid } of modules.slice(0, LIMIT_SUBMODULES)) {
    const place = submoduleUrl(urls.get(path), url);
    if (typeof place === 'string') {
      report(path, place);
      continue;
    }
    try {
      const other = await openOther(place.address, place.isSameServer);
      if (!(await other.has(oid, signal))) await other.fetch(oid, signal);
      trees.push({ prefix: `${path}/`, repository: other, commit: oid, entries: await other.list(oid, [], signal) });
    } catch (error) {
      if (!(error instanceof SourceError) || !error.final) throw error;
      report(path, `The submodule cannot be read: ${error.message}`);
    }
  }
  const rest = modules[LIMIT_SUBMODULES];
  if (rest) report(rest.path, `There are more than ${LIMIT_SUBMODULES} submodules`);
  return { trees, problems };
}

/** Returns the address of each submodule by its path, as `.gitmodules` says. */
async function urlsOf(
  commit: string,
  repository: Repository,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const [file] = await repository.list(commit, ['.gitmodules'], signal);
  if (file?.type !== 'file') return new Map();
  const content = (await repository.contents(commit, [file.oid], LIMIT_BYTES, signal)).get(file.oid);
  if (typeof content !== 'object') return new Map();
  const args = ['config', '--file', '-', '--no-includes', '--null', '--list'];
  const { code, stdout } = await repository.run(args, signal, { input: content, codes: [0, 1, 128] });
  const modules = new Map<string, { path?: string; url?: string }>();
  for (const entry of code === 0 ? stdout.toString().split('\0') : []) {
    const [, name, field, value] = /^submodule\.(.+)\.(path|url)\n(.*)$/s.exec(entry) ?? [];
    if (name !== undefined && field !== undefined) modules.set(name, { ...modules.get(name), [field]: value });
  }
  return new Map(
    [...modules.values()].flatMap(({ path, url }): [string, string][] =>
      path === undefined || url === undefined ? [] : [[path, url]],
    ),
  );
}

/** Returns the address that a `.gitmodules` means, or why it is not followed. Never shows the url. Pure. */
export function submoduleUrl(
  written: string | undefined,
  ofSource: string,
): { readonly address: string; readonly isSameServer: boolean } | string {
  const parent = parseGitUrl(ofSource);
  if (written === undefined || !parent) return '.gitmodules does not say where this submodule comes from';
  const isRelative = /^\.\.?\//.test(written);
  const text = isRelative ? new URL(written, `${parent.address.replace(/\/+$/, '')}/`).href : written;
  const place = parseGitUrl(text);
  if (!place || place.mayHoldSecret) return 'The url of this submodule is not one that is followed';
  const isSameServer =
    place.transport === parent.transport && new URL(place.address).host === new URL(parent.address).host;
  const isSafe = place.transport === 'https' || place.transport === 'ssh';
  if (place.transport === 'file' || !(isSafe || isSameServer)) {
    return `A submodule over ${place.transport} is not followed; only over https and ssh`;
  }
  if (place.transport === 'ssh' && !isSameServer) {
    return 'A submodule over ssh is only followed on the server of the source, whose keys are known';
  }
  return { address: place.address, isSameServer };
}
