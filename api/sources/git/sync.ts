import { join } from 'node:path';
import { durationMs } from '../../../crds/model/duration.js';
import { canonicalHash } from '../../../crds/model/hash.js';
import {
  type GitSource,
  type Key,
  KINDS,
  keyOf,
  type Origin,
  type Problem,
  type Resource,
  type Source,
} from '../../../crds/model/kinds.js';
import { referencesOf } from '../../../crds/model/references.js';
import type { GitSourceSpec } from '../../../crds/model/types.js';
import { SecretFileError } from '../../device-state/secret-files.js';
import { errorMessage } from '../../platform/errors.js';
import type { Proposal, Store } from '../../store/store.js';
import type { SyncReport } from '../../store/sync-report.js';
import { problemLine } from '../documents.js';
import { parseDotenv } from '../dotenv.js';
import { homeOfUser } from '../files/compose-projects.js';
import type { ProblemLog } from '../problem-log.js';
import { hasContent } from './cache-folder.js';
import type { DeviceScope } from './device-scope.js';
import type { Git } from './git.js';
import type { GitOriginDeps } from './git-origin-deps.js';
import type { CommitFacts } from './git-output.js';
import { type PickedRef, pickRef, refPatterns } from './pick-ref.js';
import { holdReason, planKept } from './plan-prune.js';
import { makePrivate } from './private-files.js';
import type { ProjectFiles } from './project-files.js';
import { type DeclaredSet, keysOf, readCommit } from './read-commit.js';
import { Repository } from './repository.js';
import { checkRewind } from './rewind.js';
import { final, SourceError, transient } from './source-error.js';
import { transportOf } from './transport.js';
import { deviceVariables, type Value, type Variables } from './variables.js';
import { verifySignature } from './verify-signature.js';

/** Longest talk with a repository, ms: a timer of more than 24 days fires at once. */
const DAY_MS = 24 * 3_600_000;

/** State of a source that is kept in memory. */
export interface Memory {
  /** The fixed commit that is in the cache. */
  fixed?: { readonly gitDir: string; readonly commit: string; readonly facts: CommitFacts };
  /** The last set that was proposed, by everything that it was made from, and the result. */
  done?: {
    readonly signature: string;
    readonly report: SyncReport;
    /** Folders with what services mount of the commit. */
    readonly folders: readonly string[];
  };
}

export const originOf = (name: string): Origin => `git/${name}`;

/** Opens the cache of a source's repository. */
export async function repositoryOf(
  git: Git,
  spec: GitSourceSpec,
  folder: string,
  { secrets, limits }: Pick<GitOriginDeps, 'secrets' | 'limits'>,
): Promise<Repository> {
  await makePrivate(folder);
  return new Repository({
    git,
    gitDir: join(folder, `${canonicalHash(spec.url).slice(0, 32)}.git`),
    transport: await transportOf(spec, secrets, folder),
    timeoutMs: Math.min((spec.timeout === undefined ? undefined : durationMs(spec.timeout)) ?? 5 * 60_000, DAY_MS),
    ...(limits === undefined ? {} : { limits }),
  });
}

/** Returns the documents that an origin has in force. */
export const presentOf = (store: Pick<Store, 'list'>, origin: Origin): readonly Resource[] =>
  KINDS.flatMap((kind): readonly Resource[] => store.list(kind)).filter(
    ({ metadata }) => metadata.origin === origin && metadata.deletionTimestamp === undefined,
  );

/** Returns the Apps that an origin has in force, and where they are from. */
const appsFrom = (store: Pick<Store, 'list'>, origin: Origin): readonly { name: string; source: Source }[] =>
  presentOf(store, origin).flatMap(({ kind, metadata: { name, source } }) =>
    kind === 'App' && source !== undefined ? [{ name, source }] : [],
  );

export interface SyncDeps extends GitOriginDeps {
  readonly gitRunner: Git;
  readonly problems: ProblemLog;
  readonly memory: Memory;
  readonly folder: string;
  readonly projectFiles: ProjectFiles;
}

/** A commit that may come into force. */
interface Candidate {
  readonly commit: string;
  /** The ref by which it was found; undefined when it is from the cache. */
  readonly ref: PickedRef | undefined;
}

/** One look at one repository. */
export class Sync {
  readonly #spec: GitSourceSpec;
  readonly #origin: Origin;
  #report: SyncReport = {};

  constructor(
    private readonly deps: SyncDeps,
    private readonly source: GitSource,
    private readonly confirmed: ReadonlySet<string>,
    private readonly signal: AbortSignal,
  ) {
    this.#spec = source.spec;
    this.#origin = originOf(source.metadata.name);
  }

  async run(): Promise<SyncReport> {
    this.#report = {};
    let commit: string | undefined;
    try {
      const repository = await repositoryOf(this.deps.gitRunner, this.#spec, this.deps.folder, this.deps);
      const fetched = await this.#fetch(repository).catch((error: unknown) => sourceErrorOf(error, this.signal));
      if (!(fetched instanceof SourceError)) {
        commit = fetched.commit;
        await this.#apply(repository, fetched);
        return this.#report;
      }
      commit = this.#report.seen?.commit;
      await this.#goOnWithCache(repository);
      throw fetched;
    } catch (error) {
      const { reason, message, final: isFinal } = sourceErrorOf(error, this.signal);
      const about = commit === undefined ? {} : { commit };
      this.#report = { ...this.#report, failure: { reason, message, final: isFinal, ...about } };
      return this.#report;
    }
  }

  /** Returns the verified commit that the repository has now. */
  async #fetch(repository: Repository): Promise<Candidate> {
    const { signal } = this;
    const patterns = refPatterns(this.#spec);
    const refs = patterns.length > 0 ? await repository.remoteRefs(patterns, signal) : new Map<string, string>();
    const ref = pickRef(this.#spec, refs);
    const seen = await this.#bring(repository, ref);
    const { commit } = seen;
    this.#report = { ...this.#report, seen };
    const oid = this.#spec.verify?.object === 'tag' ? await repository.fetched(signal) : commit;
    await this.#verify(repository, { oid, commit, what: ref.what }, seen);
    await checkRewind({ repository, spec: this.#spec, applied: this.source.status?.applied, commit, ref }, signal);
    return { commit, ref };
  }

  /** Brings the picked commit into the cache. A fixed commit that is there never changes. */
  async #bring(repository: Repository, { what }: PickedRef): Promise<CommitFacts> {
    const { memory } = this.deps;
    const known = memory.fixed;
    if (known?.commit === this.#spec.commit && known?.gitDir === repository.gitDir && (await repository.exists())) {
      return known.facts;
    }
    const facts = await repository.fetch(what, this.signal);
    if (this.#spec.commit !== undefined) memory.fixed = { gitDir: repository.gitDir, commit: this.#spec.commit, facts };
    return facts;
  }

  async #verify(
    repository: Repository,
    signed: { oid: string; commit: string; what: string },
    seen: CommitFacts,
  ): Promise<void> {
    const { verify } = this.#spec;
    if (verify === undefined) return;
    const by = await verifySignature(verify, signed, { ...this.deps, repository }, this.signal);
    this.#report = { ...this.#report, verified: { ...seen, by } };
  }

  /**
   * Reads the commit in force from the cache without the server: its documents may come out differently after a change
   * of the device, or of the source.
   */
  async #goOnWithCache(repository: Repository): Promise<void> {
    const commit = await repository.kept(this.signal);
    const { verify } = this.#spec;
    if (commit === undefined || verify?.object === 'tag') return;
    const applied = this.source.status?.applied;
    if (applied !== undefined && applied.commit !== commit) return;
    if (verify)
      await verifySignature(verify, { oid: commit, commit, what: commit }, { ...this.deps, repository }, this.signal);
    await this.#apply(repository, { commit, ref: undefined });
  }

  async #apply(repository: Repository, { commit, ref }: Candidate): Promise<void> {
    const { memory } = this.deps;
    const device = this.deps.device();
    const variables = await this.#variables(device);
    const secrets = canonicalHash([...variables.secret]);
    const signature = canonicalHash([commit, ref?.name, this.#spec, device, secrets]);
    const known = memory.done?.signature === signature ? memory.done : undefined;
    if (known && this.confirmed.size === 0 && (await this.deps.projectFiles.has(known.folders))) {
      this.#report = { ...known.report, ...this.#report };
      return;
    }
    let folders: readonly string[] = [];
    try {
      const openOther = (url: string, withCredentials: boolean) => this.#openOther(url, withCredentials);
      const places = {
        ...{ origin: this.#origin, projectsFolder: this.deps.projectFiles.folderOf(this.source.metadata.name) },
        ...{ home: homeOfUser(), stored: appsFrom(this.deps.store, this.#origin), hasContent },
      };
      const read = { ...this.deps, ...places, repository, openOther, device, variables };
      const set = await readCommit(commit, this.#spec, read, this.signal);
      folders = set.mounted.map(({ folder }) => folder);
      const left = await this.#propose(repository, set, commit);
      await repository.keep(commit, this.signal);
      const { seen } = this.#report;
      const facts = seen?.commit === commit ? seen : await repository.facts(commit, this.signal);
      const applied = { ...facts, ref: ref?.name ?? this.source.status?.applied?.ref ?? '' };
      this.#report = { ...this.#report, applied };
      if (left.length > 0) throw final('InvalidDocuments', summaryOf(left));
      memory.done = { signature, folders, report: { declares: [...keysOf(set.documents)], applied } };
    } catch (error) {
      // A final failure is remembered: the commit is read again when it, or what it depends on, changes. Decryption
      // depends on more: a program, a key.
      const isJunk = error instanceof SourceError && error.final && error.reason !== 'PruneHeld';
      if (isJunk && this.#spec.decryption === undefined) {
        const { reason, message } = error;
        const { applied, declares } = this.#report;
        const inForce = { ...(applied ? { applied } : {}), ...(declares ? { declares } : {}) };
        const failure = { reason, message, commit, final: true };
        memory.done = { signature, folders: [], report: { ...inForce, failure } };
      }
      throw error;
    }
  }

  /** Opens the cache of a submodule's repository. */
  #openOther(url: string, withCredentials: boolean): Promise<Repository> {
    const { credentials: _credentials, ...rest } = this.#spec;
    const folder = join(this.deps.folder, 'modules', canonicalHash(url).slice(0, 32));
    return repositoryOf(this.deps.gitRunner, { ...(withCredentials ? this.#spec : rest), url }, folder, this.deps);
  }

  async #variables(device: DeviceScope): Promise<Variables> {
    const { secrets } = this.deps;
    const plain = new Map<string, Value>([...deviceVariables(device), ...Object.entries(this.#spec.vars ?? {})]);
    const secret = new Map<string, string>();
    for (const { file, name } of this.#spec.varsFrom ?? []) {
      const text = await secrets.read(file);
      if (name !== undefined) {
        secret.set(name, text);
        continue;
      }
      const { variables, problems } = parseDotenv(text, (key) => secret.get(key) ?? plain.get(key)?.toString());
      const [problem, ...others] = problems;
      if (problem) {
        const more = others.length === 0 ? '' : `, and ${others.length} more`;
        throw final(
          'SecretInvalid',
          `The secret ${file} cannot be read: line ${problem.line}: ${problem.message}${more}`,
        );
      }
      for (const [key, value] of variables) secret.set(key, value);
    }
    return { plain, secret };
  }

  /** Proposes everything or nothing, unless the source says otherwise, and removes no more than permitted. Returns what was not taken. */
  async #propose(repository: Repository, set: DeclaredSet, commit: string): Promise<readonly Problem[]> {
    const { store, problems: problemLog, log } = this.deps;
    const { atomic = true, prune } = this.#spec;
    problemLog.report(this.#origin, set.problems);
    problemLog.warn(set.warnings);
    if (atomic && set.problems.length > 0) {
      store.report(this.#origin, set.problems);
      throw final('InvalidDocuments', summaryOf(set.problems));
    }
    const present = presentOf(store, this.#origin);
    if (set.vanished !== undefined && present.length === 0) {
      throw final('PathNotFound', `The repository has no ${set.vanished} at this commit`);
    }
    const kept = planKept(present, keysOf(set.documents), prune);
    const brought = commitOf(commit, this.#report.seen);
    const proposal: Proposal = {
      origin: this.#origin,
      documents: set.documents.map((one) =>
        one.source ? { ...one, source: { ...one.source, commit: brought } } : one,
      ),
      problems: [...set.problems, ...kept],
      warnings: set.warnings,
      atomic,
    };
    const removes = store.previewSet(proposal).deleted;
    const hold = holdReason(
      {
        present: present.length,
        removes,
        declared: set.documents.length,
        vanished: set.vanished,
        confirmed: this.confirmed,
      },
      prune,
    );
    if (hold !== undefined) {
      this.#report = { ...this.#report, held: { commit, removes: [...removes] } };
      throw final('PruneHeld', heldMessage(this.source.metadata.name, removes, hold));
    }
    // Before a container may need them.
    const written = await this.deps.projectFiles.write(set.mounted, commit, this.signal);
    await repository.begin(commit, this.signal);
    const accepted = await store.propose(proposal).catch(async (error: unknown) => {
      await repository.abandon(this.signal);
      throw error;
    });
    problemLog.report(`${this.#origin} refused`, accepted.refused);
    if (atomic && accepted.refused.length > 0) {
      await repository.abandon(this.signal);
      throw transient('Refused', summaryOf(accepted.refused));
    }
    const { created, changed, deleted } = accepted;
    if (created.length + changed.length + deleted.length > 0) {
      log.info(
        { origin: this.#origin, commit, created, changed, deleted },
        `${this.#origin}: took commit ${commit.slice(0, 12)}`,
      );
    }
    this.#report = { ...this.#report, accepted, declares: [...keysOf(set.documents)] };
    await this.#restartMounting(written.map(({ folder }) => folder));
    return [...set.problems, ...accepted.refused];
  }

  /** Restarts services that mount folders which somebody had removed: their containers would see what was removed. */
  async #restartMounting(folders: readonly string[]): Promise<void> {
    const { store } = this.deps;
    const isIn = (path: string): boolean => folders.some((folder) => path.startsWith(`${folder}/`));
    for (const { metadata, spec } of folders.length > 0 ? store.list('Service') : []) {
      if (!referencesOf(spec).hostPaths.some(isIn)) continue;
      const by = `${this.#origin}, whose files had been removed and were written again`;
      await store.request(keyOf('Service', metadata.name), { restart: { by } });
    }
  }
}

/** What a document says of the commit that brought it: its author and subject where the commit was read. Pure. */
function commitOf(hash: string, seen: SyncReport['seen']): Source['commit'] {
  if (seen?.commit !== hash) return { hash };
  const { author, subject } = seen;
  return { hash, ...(author === undefined ? {} : { author }), ...(subject === undefined ? {} : { subject }) };
}

const heldMessage = (name: string, removes: readonly Key[], why: string): string =>
  `The commit would remove ${removes.slice(0, 5).join(', ')}${removes.length > 5 ? ` and ${removes.length - 5} more` : ''}: ${why}. ` +
  `Nothing is changed until somebody agrees: supercargo confirm GitSource/${name}`;

/** Returns the first problems, as one sentence. Pure. */
function summaryOf(problems: readonly Problem[]): string {
  const lines = problems.slice(0, 3).map(problemLine);
  return problems.length > 3 ? `${lines.join('; ')}; and ${problems.length - 3} more` : lines.join('; ');
}

function sourceErrorOf(error: unknown, signal: AbortSignal): SourceError {
  if (signal.aborted) throw signal.reason;
  if (error instanceof SourceError) return error;
  if (error instanceof SecretFileError) return final('SecretMissing', error.message);
  return transient('Failed', errorMessage(error), { cause: error });
}
