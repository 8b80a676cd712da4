import { readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { clearLeftovers, exists, sizeOf } from './cache-folder.js';
import type { Git, GitCall } from './git.js';
import {
  type CommitFacts,
  FACTS_FORMAT,
  parseBatch,
  parseFacts,
  parseRefs,
  parseTree,
  type TreeEntry,
} from './git-output.js';
import { makePrivate } from './private-files.js';
import { REDIRECTS, redirectIn, TRACE_HEADERS } from './redirects.js';
import { final, SourceError, transient } from './source-error.js';
import type { Transport } from './transport.js';

export interface RepositoryDeps {
  readonly git: Git;
  /** The bare repository that is the cache. */
  readonly gitDir: string;
  readonly transport: Transport;
  /** Time limit of one talk with the server, ms. */
  readonly timeoutMs: number;
  readonly limits?: Limits;
}

export interface Limits {
  /** Largest size of one fetch, bytes. */
  readonly fetchBytes: number;
  /** Largest size of all documents of a commit together, bytes. */
  readonly documentsBytes: number;
}

const LIMITS: Limits = { fetchBytes: 512 * 1024 * 1024, documentsBytes: 16 * 1024 * 1024 };
const missingObject = (oid: string): SourceError => transient('Corrupt', `The object ${oid} is missing`);
/** Number of commits that a fetch brings: enough to see that a commit follows the applied one. */
const DEPTH = 50;
const DEEPER = 2000;
/** Size below which files are fetched with a change, so that reading them takes no second talk, bytes. */
const SMALL_BYTES = 1024 * 1024 + 1;
/** Largest size of the list of refs, bytes: some ten thousand tags of about a hundred bytes each. */
const REFS_BYTES = 2 * 1024 * 1024;
/** Number of packs from which they are combined to one. */
const MANY_PACKS = 60;
const CANDIDATE = 'refs/supercargo/candidate';
const APPLIED = 'refs/supercargo/applied';
/** Ref of a commit whose documents are being proposed: it exists only while nobody knows whether they were taken. */
const TAKING = 'refs/supercargo/taking';
const FETCH = ['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', '--no-recurse-submodules'];

/**
 * A bare, shallow, partial copy of a repository without a working tree: nothing is ever checked out, so no filter,
 * link, attribute or hook of it can have an effect. It is a cache, and may be removed at any time.
 */
export class Repository {
  /** Current address of the repository, after redirects of its server. */
  #transport: Transport;

  constructor(private readonly deps: RepositoryDeps) {
    this.#transport = deps.transport;
  }

  get gitDir(): string {
    return this.deps.gitDir;
  }

  /** Tells whether there is a cache. */
  exists(): Promise<boolean> {
    return exists(join(this.deps.gitDir, 'HEAD'));
  }

  /** Returns the refs of the server whose whole name matches a pattern (as ls-remote takes them), by name. */
  async remoteRefs(patterns: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
    const args = ['ls-remote', '--quiet', 'origin', ...patterns];
    const { stdout } = await this.#talk(args, signal, { limitBytes: REFS_BYTES });
    return parseRefs(stdout.toString());
  }

  /**
   * Fetches a ref, or a commit by its hash: at first some history without file contents; later what is new, with small
   * files. Returns the commit, or the commit that a tag points to.
   */
  async fetch(what: string, signal: AbortSignal): Promise<CommitFacts> {
    await this.#prepare(/^[0-9a-f]{64}$/.test(what) ? 'sha256' : 'sha1', signal);
    const later = await this.#isFilled();
    const options = later ? [`--filter=blob:limit=${SMALL_BYTES}`] : [`--depth=${DEPTH}`, '--filter=blob:none'];
    await this.#bring(options, what, signal).catch((error: unknown) => {
      const missing = error instanceof SourceError && error.message.includes("couldn't find remote ref");
      throw missing ? final('RefNotFound', `The repository has no ${nameOf(what)}`) : error;
    });
    if ((await this.#commitOf(CANDIDATE, signal)) === undefined) {
      throw final('NotACommit', `The ${nameOf(what)} names a tree or a file, not a commit: tag a commit`);
    }
    return this.facts(CANDIDATE, signal);
  }

  /** Tells whether the cache has that commit. */
  async has(commit: string, signal: AbortSignal): Promise<boolean> {
    if (!(await this.exists())) return false;
    return (await this.#read(['cat-file', '-e', `${commit}^{commit}`], signal, { codes: [0, 1, 128] })).code === 0;
  }

  /** Returns the object that was fetched last: a commit or a tag. */
  fetched(signal: AbortSignal): Promise<string> {
    return this.#resolve(CANDIDATE, signal);
  }

  /** Tells whether the commit fetched from `what` has the other one among its ancestors. Fetches history until that is certain. */
  async follows(commit: string, earlier: string, what: string, signal: AbortSignal): Promise<boolean> {
    for (const more of [undefined, `--deepen=${DEEPER}`, '--unshallow']) {
      if (more !== undefined) {
        if (!(await this.#isShallow(signal))) return false;
        await this.#bring([more, '--filter=blob:none'], what, signal);
      }
      const { code } = await this.#read(['merge-base', '--is-ancestor', earlier, commit], signal, {
        codes: [0, 1, 128],
      });
      if (code === 0) return true;
    }
    return false;
  }

  async facts(commit: string, signal: AbortSignal): Promise<CommitFacts> {
    const { stdout } = await this.#read(['log', '-1', '--no-color', FACTS_FORMAT, commit], signal);
    return parseFacts(stdout.toString());
  }

  /** Lists everything below these paths (all of it without any), in order. A path that does not exist has nothing. */
  async list(commit: string, paths: readonly string[], signal: AbortSignal): Promise<readonly TreeEntry[]> {
    const { stdout } = await this.#read(['ls-tree', '-r', '-z', '--full-tree', commit, '--', ...paths], signal);
    return parseTree(stdout.toString());
  }

  /** Returns the contents of blobs of a commit, fetched when they are missing; only the size of one that is larger than the limit. */
  async contents(
    commit: string,
    oids: readonly string[],
    limitBytes: number,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, Buffer | number>> {
    const wanted = [...new Set(oids)];
    if (wanted.length === 0) return new Map();
    const { documentsBytes } = this.deps.limits ?? LIMITS;
    const sizes = await this.#sizesOf(commit, wanted, documentsBytes, signal);
    const found = new Map<string, Buffer | number>();
    const small: string[] = [];
    let bytes = 0;
    for (const oid of wanted) {
      const size = sizes.get(oid);
      if (size === undefined) throw missingObject(oid);
      if (size > limitBytes) found.set(oid, size);
      else small.push(oid);
      bytes += size > limitBytes ? 0 : size;
    }
    if (bytes > documentsBytes) {
      throw final('TooLarge', `The documents are ${mebibytes(bytes)} together, at most ${mebibytes(documentsBytes)}`);
    }
    if (small.length === 0) return found;
    const { stdout } = await this.#read(['cat-file', '--batch', '--buffer'], signal, {
      input: `${small.join('\n')}\n`,
      limitBytes: documentsBytes + small.length * 200,
    });
    for (const [oid, content] of parseBatch(stdout)) found.set(oid, content);
    return found;
  }

  /**
   * Returns the sizes of blobs of a commit, fetched when they are missing. Throws when those are larger than the limit;
   * `what` names them then.
   */
  async sizes(
    commit: string,
    oids: readonly string[],
    limitBytes: number,
    what: string,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, number>> {
    const wanted = [...new Set(oids)];
    if (wanted.length === 0) return new Map();
    const sizes = await this.#sizesOf(commit, wanted, limitBytes, signal).catch((error: unknown) => {
      if (!(error instanceof SourceError) || error.reason !== 'TooLarge') throw error;
      throw final('TooLarge', `${error.message}: ${what}`);
    });
    const lost = wanted.find((oid) => !sizes.has(oid));
    if (lost !== undefined) throw missingObject(lost);
    return sizes;
  }

  /** Returns sizes of blobs, which are fetched when they are missing. */
  async #sizesOf(
    commit: string,
    oids: readonly string[],
    limitBytes: number,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, number>> {
    return this.#sizes(oids, signal).catch(async () => {
      await this.#bringBlobs(commit, oids, limitBytes, signal);
      return this.#sizes(oids, signal);
    });
  }

  /** Checks a signature; codes and texts are git's. Never throws for a bad one. */
  verify(object: 'commit' | 'tag', oid: string, signal: AbortSignal, call: Pick<GitCall, 'config' | 'env'>) {
    return this.#read([`verify-${object}`, '--raw', oid], signal, { ...call, codes: [0, 1, 128] });
  }

  /** Returns the text of a tag or commit as it is stored. */
  async text(oid: string, type: 'tag' | 'commit', signal: AbortSignal): Promise<string> {
    const { stdout } = await this.#read(['cat-file', type, oid], signal, { limitBytes: 1024 * 1024 });
    return stdout.toString();
  }

  /** Notes the commit before its documents are proposed: a process that is killed meanwhile leaves it unknown which ones are in force. */
  async begin(commit: string, signal: AbortSignal): Promise<void> {
    await this.#read(['update-ref', TAKING, commit], signal);
  }

  /** Removes that note: the documents were not taken, and what was in force still is. */
  async abandon(signal: AbortSignal): Promise<void> {
    await this.#read(['update-ref', '-d', TAKING], signal);
  }

  /** Notes the commit in force, so that it can be read without the server. */
  async keep(commit: string, signal: AbortSignal): Promise<void> {
    await this.#read(['update-ref', '--stdin'], signal, { input: `update ${APPLIED} ${commit}\ndelete ${TAKING}\n` });
  }

  /** Returns the commit that was last in force; undefined without a cache, and where that is not known. */
  async kept(signal: AbortSignal): Promise<string | undefined> {
    if (!(await this.exists()) || (await this.#commitOf(TAKING, signal)) !== undefined) return undefined;
    return this.#commitOf(APPLIED, signal);
  }

  async #commitOf(ref: string, signal: AbortSignal): Promise<string | undefined> {
    const { code, stdout } = await this.#read(['rev-parse', '--verify', '--quiet', `${ref}^{commit}`], signal, {
      codes: [0, 1, 128],
    });
    return code === 0 ? stdout.toString().trim() : undefined;
  }

  /** Runs a command on the cache or with the server. */
  run(args: readonly string[], signal: AbortSignal, call: Omit<GitCall, 'signal'> = {}) {
    return this.#read(args, signal, call);
  }

  /** Runs a command that talks to the server. */
  talk(args: readonly string[], signal: AbortSignal, call: Omit<GitCall, 'signal'> = {}) {
    return this.#talk(args, signal, { gitDir: this.deps.gitDir, ...call });
  }

  /** Creates the cache when it is missing, and removes what a killed process has left in it. */
  async #prepare(format: 'sha1' | 'sha256', signal: AbortSignal): Promise<void> {
    const { git, gitDir } = this.deps;
    if (!(await this.exists())) {
      const folder = dirname(gitDir);
      for (const other of await readdir(folder).catch(() => [])) {
        if (other.endsWith('.git')) await rm(join(folder, other), { recursive: true, force: true });
      }
      await makePrivate(folder);
      await git.run(['init', '--quiet', '--bare', '--template=', `--object-format=${format}`, gitDir], { signal });
      return;
    }
    const { packs } = await clearLeftovers(gitDir);
    if (packs > MANY_PACKS) {
      await this.#read(['gc', '--quiet', '--prune=now'], signal, { timeoutMs: 10 * 60_000 });
    }
  }

  /** Tells whether something was fetched before. */
  async #isFilled(): Promise<boolean> {
    const { gitDir } = this.deps;
    return (await exists(join(gitDir, CANDIDATE))) || exists(join(gitDir, 'packed-refs'));
  }

  async #bring(options: readonly string[], what: string, signal: AbortSignal): Promise<void> {
    const args = [...FETCH, ...options, 'origin', `+${what}:${CANDIDATE}`];
    await this.#fetchWithin(args, (this.deps.limits ?? LIMITS).fetchBytes, signal);
  }

  /** Fetches blobs that a filtered fetch has left out. */
  async #bringBlobs(commit: string, oids: readonly string[], limitBytes: number, signal: AbortSignal): Promise<void> {
    const args = ['rev-list', '--objects', '--missing=print', '--no-object-names', '-1', commit];
    const { stdout } = await this.#read(args, signal);
    const missing = new Set([...stdout.toString().matchAll(/^\?([0-9a-f]+)$/gm)].map(([, oid]) => oid));
    const wanted = oids.filter((oid) => missing.has(oid));
    if (wanted.length === 0) return;
    await this.#fetchWithin([...FETCH, '--filter=blob:none', '--stdin', 'origin'], limitBytes, signal, {
      input: `${wanted.join('\n')}\n`,
      // We have the trees that name them: otherwise the server assumes that we have the blobs too.
      config: { 'fetch.negotiationAlgorithm': 'noop' },
    });
  }

  async #fetchWithin(
    args: readonly string[],
    limitBytes: number,
    signal: AbortSignal,
    call: Omit<GitCall, 'signal'> = {},
  ): Promise<void> {
    const objects = join(this.deps.gitDir, 'objects');
    const before = await sizeOf(objects);
    const watch = async (): Promise<string | undefined> => {
      const grown = (await sizeOf(objects)) - before;
      return grown > limitBytes
        ? `The repository is too large: more than ${mebibytes(limitBytes)} would have to be brought at once`
        : undefined;
    };
    await this.#talk(args, signal, { gitDir: this.deps.gitDir, ...call, watch });
    const tooMuch = await watch(); // it may have been faster than the check
    if (tooMuch !== undefined) throw final('TooLarge', tooMuch);
  }

  async #sizes(oids: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, number>> {
    const { stdout } = await this.#read(['cat-file', '--batch-check', '--buffer'], signal, {
      input: `${oids.join('\n')}\n`,
    });
    return new Map(
      [...stdout.toString().matchAll(/^([0-9a-f]+) blob (\d+)$/gm)].map(([, oid = '', size]) => [oid, Number(size)]),
    );
  }

  async #resolve(revision: string, signal: AbortSignal): Promise<string> {
    const { stdout } = await this.#read(['rev-parse', '--verify', '--quiet', '--end-of-options', revision], signal, {
      codes: [0, 1],
    });
    const oid = stdout.toString().trim().split('\n').at(-1) ?? '';
    if (!/^[0-9a-f]{40,64}$/.test(oid)) throw final('NotACommit', `${revision} is not a commit`);
    return oid;
  }

  async #isShallow(signal: AbortSignal): Promise<boolean> {
    const { stdout } = await this.#read(['rev-parse', '--is-shallow-repository'], signal);
    return stdout.toString().trim() === 'true';
  }

  /** Runs a command without a transport, so that no server can be reached: missing objects are an error, and that of our cache. */
  #read(args: readonly string[], signal: AbortSignal, call: Omit<GitCall, 'signal'> = {}) {
    return this.deps.git.run(args, { gitDir: this.deps.gitDir, ...call, signal }).catch((error: unknown) => {
      const ours = error instanceof SourceError && ['GitFailed', 'RepositoryNotFound'].includes(error.reason);
      throw ours ? transient('Corrupt', error.message, { cause: error }) : error;
    });
  }

  async #talk(args: readonly string[], signal: AbortSignal, call: Omit<GitCall, 'signal'> = {}) {
    const { git, timeoutMs } = this.deps;
    for (let redirects = 0; ; redirects += 1) {
      try {
        return await git.run(args, { ...call, transport: this.#transport, timeoutMs, signal });
      } catch (error) {
        if (!(error instanceof SourceError) || error.reason !== 'Redirected' || redirects === REDIRECTS) throw error;
        await this.#follow(error, signal);
      }
    }
  }

  /** Follows a redirect of the server to itself. Throws for any other, which would get the login. */
  async #follow(error: SourceError, signal: AbortSignal): Promise<void> {
    const { git, timeoutMs } = this.deps;
    const transport = this.#transport;
    const { 'remote.origin.url': address = '' } = transport.config;
    const call = { transport, env: TRACE_HEADERS, codes: [0, 1, 128], timeoutMs, signal };
    const redirect = redirectIn((await git.run(['ls-remote', '--quiet', 'origin', 'HEAD'], call)).stderr, address);
    if (!redirect) throw error;
    if (redirect.is === 'same server') {
      this.#transport = { ...transport, config: { ...transport.config, 'remote.origin.url': redirect.address } };
      return;
    }
    throw final(
      'Redirected',
      redirect.is === 'elsewhere'
        ? `${address} points to ${redirect.address}, another server, which must not see the token: write that address as the url if it is to have it`
        : `${address} points to ${redirect.address}, which is no repository: correct the url, or the credentials`,
    );
  }
}

/** Returns `branch main` for `refs/heads/main`. Pure. */
const nameOf = (what: string): string => what.replace('refs/heads/', 'branch ').replace('refs/tags/', 'tag ');

const mebibytes = (bytes: number): string => `${Math.ceil(bytes / 1024 / 1024)} MiB`;
