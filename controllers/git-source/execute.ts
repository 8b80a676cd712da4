import { errorMessage } from '../../api/platform/errors.js';
import type { Store } from '../../api/store/store.js';
import type { SyncReport } from '../../api/store/sync-report.js';
import { type GitSource, keyOf } from '../../crds/model/kinds.js';
import { pendingRequest } from '../../crds/model/requests.js';
import { type GitSourceDeps, type Memory, unpushed } from './observe.js';
import type { GitSourceFacts, GitSourceStep } from './plan.js';
import type { GitSourceResult } from './status.js';

/** Carries out one step: looks at the repository, pushes the device's status, or removes what the source declared. */
export async function executeGitSourceStep(
  deps: GitSourceDeps,
  memory: Memory,
  source: GitSource,
  step: GitSourceStep,
  { inputs }: GitSourceFacts,
  signal: AbortSignal,
): Promise<Partial<GitSourceResult> | undefined> {
  const { store, repositories } = deps;
  const { uid, name } = source.metadata;
  switch (step.do) {
    case 'sync': {
      memory.schedule.begin(source, deps.random());
      const report = await repositories.sync(source, confirmedBy(source), signal);
      memory.inputs.set(uid, inputs);
      memory.retrying[report.failure && !report.failure.final ? 'add' : 'delete'](uid);
      memory.due.cancel(name);
      recordSync(store, source, report);
      return { report, requests: source.requests };
    }
    case 'push':
      return push(deps, memory, source, signal);
    case 'remove':
      await repositories.remove(source);
      for (const one of [memory.inputs, memory.retrying, memory.pushed]) one.delete(uid);
      return undefined;
  }
}

/** Returns the removals that somebody has confirmed: exactly those that were held back at that time. */
function confirmedBy(source: GitSource): ReadonlySet<string> {
  return new Set(pendingRequest(source, 'confirm') && source.status?.held?.removes);
}

/** Records events about a look, and when a failure begins and ends. */
function recordSync(
  store: Store,
  { metadata, status: before }: GitSource,
  { failure, applied, accepted }: SyncReport,
): void {
  const key = keyOf('GitSource', metadata.name);
  if (applied && applied.commit !== before?.applied?.commit) {
    const did = Object.entries({ created: accepted?.created, changed: accepted?.changed, deleted: accepted?.deleted })
      .filter(([, keys]) => keys !== undefined && keys.length > 0)
      .map(([verb, keys = []]) => `${verb} ${keys.slice(0, 10).join(', ')}${keys.length > 10 ? ', …' : ''}`);
    const what = `${applied.commit.slice(0, 12)} (${applied.subject ?? ''}) of ${applied.ref}`;
    store.record(key, {
      type: 'Normal',
      reason: 'Applied',
      message: `Took ${what}: ${did.join('; ') || 'nothing differs'}`,
    });
  }
  if (failure && (failure.reason !== before?.failure?.reason || failure.message !== before.failure.message)) {
    store.record(key, { type: 'Warning', reason: failure.reason, message: failure.message });
  }
  if (!failure && before?.failure) {
    store.record(key, { type: 'Normal', reason: 'Recovered', message: `No longer: ${before.failure.message}` });
  }
}

/** Pushes the device's status. A failure is recorded, and does not make the source less ready. */
async function push(
  deps: GitSourceDeps,
  memory: Memory,
  { metadata }: GitSource,
  signal: AbortSignal,
): Promise<Partial<GitSourceResult> | undefined> {
  const { store, repositories } = deps;
  const source = store.get('GitSource', metadata.name);
  if (source?.metadata.uid !== metadata.uid) return undefined;
  const text = unpushed(deps, memory, source);
  if (text === undefined) return undefined;
  try {
    const pushed = await repositories.pushStatus(source, text, signal);
    memory.pushed.set(metadata.uid, text);
    return pushed === undefined ? undefined : { pushed };
  } catch (error) {
    if (signal.aborted) throw error;
    store.record(keyOf('GitSource', metadata.name), {
      type: 'Warning',
      reason: 'StatusNotPushed',
      message: errorMessage(error),
    });
    return undefined;
  }
}
