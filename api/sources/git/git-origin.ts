import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalHash } from '../../../crds/model/hash.js';
import type { GitSource } from '../../../crds/model/kinds.js';
import { systemClock } from '../../platform/clock.js';
import type { Accepted } from '../../store/store.js';
import type { SyncReport } from '../../store/sync-report.js';
import { ProblemLog } from '../problem-log.js';
import { systemGit } from './git.js';
import type { GitOriginDeps } from './git-origin-deps.js';
import { planKept } from './plan-prune.js';
import { ProjectFiles } from './project-files.js';
import { pushStatus } from './push-status.js';
import { type Memory, originOf, presentOf, repositoryOf, Sync } from './sync.js';

/** The origins `git/<name>`: repositories whose documents are proposed as whole sets. */
export interface GitOrigins {
  /**
   * Fetches, verifies, checks every document and proposes them as one set. A failure is returned, and what was in force
   * stays. `confirmed`: the removals that somebody has confirmed.
   */
  sync(source: GitSource, confirmed: ReadonlySet<string>, signal: AbortSignal): Promise<SyncReport>;
  /** Returns what the documents depend on besides the commit: when it changes, they may come out differently. */
  inputs(source: GitSource): string;
  /** Pushes this text as the device's file to the status branch. Returns the commit, or undefined when the branch has it already. */
  pushStatus(source: GitSource, text: string, signal: AbortSignal): Promise<string | undefined>;
  /** Removes what a source has declared, as its policy says, and its cache. */
  remove(source: GitSource): Promise<Accepted>;
}

export function gitOrigins(deps: GitOriginDeps): GitOrigins {
  const folder = join(deps.dataFolder, 'git');
  const git = systemGit({ folder, env: deps.env, ...(deps.git === undefined ? {} : { program: deps.git }) });
  const memories = new Map<string, Memory>();
  const projectFiles = new ProjectFiles({
    ...{
      folder: join(deps.dataFolder, 'projects'),
      store: deps.store,
      clock: deps.clock ?? systemClock,
      log: deps.log,
    },
    ...(deps.fileLimits === undefined ? {} : { limits: deps.fileLimits }),
  });
  const problems = new ProblemLog(deps.log);
  const folderFor = ({ metadata: { name } }: GitSource): string => join(folder, canonicalHash(name).slice(0, 32));

  return {
    async sync(source, confirmed, signal) {
      const memory = memories.get(source.metadata.uid) ?? {};
      memories.set(source.metadata.uid, memory);
      const own = folderFor(source);
      const all = { ...deps, gitRunner: git, problems, memory, folder: own, projectFiles };
      const one = new Sync(all, source, confirmed, signal);
      const first = await one.run();
      const report = isSuspect(first) ? await withFreshCache(own, first, () => one.run()) : first;
      await projectFiles.collect(report.accepted !== undefined);
      return report;
    },
    inputs: (source) => canonicalHash([source.spec, deps.device()]),
    async pushStatus(source, text, signal) {
      const { spec } = source;
      const own = folderFor(source);
      if (spec.statusBranch === undefined) return undefined;
      const repository = await repositoryOf(git, spec, own, deps);
      return pushStatus(
        { repository, branch: spec.statusBranch, device: deps.device(), text, folder: own, now: deps.now },
        signal,
      );
    },
    async remove(source) {
      const { spec, metadata } = source;
      const origin = originOf(metadata.name);
      const policy = { ...spec.prune, ...(spec.prune?.onRemoval === 'Keep' ? { enabled: false } : {}) };
      const kept = planKept(presentOf(deps.store, origin), new Set(), policy);
      const accepted = await deps.store.propose({ origin, documents: [], problems: kept });
      memories.delete(metadata.uid);
      await rm(folderFor(source), { recursive: true, force: true });
      await projectFiles.collectLater();
      return accepted;
    },
  };
}

/** Tells whether git could not parse something: in our cache, or on the server. */
const isSuspect = ({ failure }: SyncReport): boolean =>
  failure?.reason === 'Corrupt' || failure?.reason === 'GitFailed' || failure?.reason === 'NotACommit';

/** Tries once more without the cache, which is restored when it was not to blame. */
async function withFreshCache(folder: string, first: SyncReport, run: () => Promise<SyncReport>): Promise<SyncReport> {
  const aside = `${folder}.old`;
  await rm(aside, { recursive: true, force: true });
  await rename(folder, aside).catch(() => undefined);
  const second = await run();
  if (second.failure === undefined || second.failure.final) {
    await rm(aside, { recursive: true, force: true });
    return second;
  }
  await rm(folder, { recursive: true, force: true });
  await rename(aside, folder).catch(() => undefined);
  return first;
}
