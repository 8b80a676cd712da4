import { errorMessage } from '../../api/platform/errors.js';
import type { Store } from '../../api/store/store.js';
import type { Failure, SyncReport } from '../../api/store/sync-report.js';
import { withFacts } from '../../crds/model/conditions.js';
import { shownTime } from '../../crds/model/due.js';
import { type GitSource, keyOf } from '../../crds/model/kinds.js';
import { outstanding } from '../../crds/model/requests.js';
import type { GitSourceStatus } from '../../crds/model/types.js';
import type { Clock, Delays } from '../runtime/delays.js';
import { type Outcome, type Reconcile, settled, TerminalError, wait } from '../runtime/outcome.js';
import { planSource } from './plan.js';
import type { Repositories } from './repositories.js';
import type { Schedule } from './schedule.js';
import { statusAfter, statusSuspended } from './status.js';
import { type DeviceFile, renderStatusFile } from './status-file.js';

export interface GitSourceDeps {
  readonly store: Store;
  readonly repositories: Repositories;
  readonly clock: Clock;
  /** 0 ≤ x < 1 */
  readonly random: () => number;
  readonly device: () => DeviceFile;
}

/** What is known only while this process lives; after a start every source is looked at anyway. */
export interface Memory {
  /** What the documents of a source were made from, besides the commit; by uid. */
  readonly inputs: Map<string, string>;
  /** Sources whose last try failed in a way that may pass; by uid. */
  readonly retrying: Set<string>;
  /** The status file as it was pushed last; by uid. */
  readonly pushed: Map<string, string>;
  readonly schedule: Schedule;
  /** Wakes each when it is looked at next, by name. */
  readonly due: Delays;
}

/** One pass over one source: one look at its repository when that is due, and what came of it in the status. */
export const reconcileGitSource =
  (deps: GitSourceDeps, memory: Memory, wake: (name: string) => void): Reconcile =>
  async ({ name }, signal) => {
    const { store, repositories } = deps;
    const source = store.get('GitSource', name);
    if (!source) return settled().outcome;
    const { uid } = source.metadata;
    const inputs = repositories.inputs(source);
    const plan = planSource(source, {
      isDue: memory.schedule.leftMs(source) <= 0,
      isPending: store.isPending(keyOf('GitSource', name)),
      isOther: (memory.inputs.get(uid) ?? inputs) !== inputs,
      isRetry: memory.retrying.has(uid),
    });
    switch (plan.do) {
      case 'remove':
        return remove(deps, memory, source);
      case 'suspend':
        memory.due.cancel(name);
        memory.schedule.forget(uid);
        store.setStatus(source, statusSuspended(source));
        return wait('Suspended', 'The source is suspended: its repository is not looked at').outcome;
      case 'rest':
        showNext(deps, memory, source);
        planNext(memory, source, wake);
        await push(deps, memory, source, signal);
        return conclusion(source.status?.failure);
      case 'sync': {
        memory.schedule.begin(source, deps.random());
        const report = await repositories.sync(source, confirmedBy(source), signal);
        memory.inputs.set(uid, inputs);
        memory.retrying[report.failure && !report.failure.final ? 'add' : 'delete'](uid);
        const after = note(deps, memory, source, report);
        memory.due.cancel(name);
        planNext(memory, source, wake);
        if (after) await push(deps, memory, after, signal);
        if (report.failure && !report.failure.final) throw new Error(report.failure.message);
        return conclusion(report.failure);
      }
    }
  };

/** Every look that does not end for good plans the next, whatever made it: a timer that came early, a wake, a start. */
function planNext({ due, schedule }: Memory, source: GitSource, wake: (name: string) => void): void {
  const { name } = source.metadata;
  const leftMs = schedule.leftMs(source);
  if (Number.isFinite(leftMs)) due.plan(name, leftMs, () => wake(name));
}

/** The next look as the time of day, which may have been set since it was written. */
function showNext({ store, clock }: GitSourceDeps, { schedule }: Memory, source: GitSource): void {
  const { status } = source;
  const leftMs = schedule.leftMs(source);
  if (!Number.isFinite(leftMs)) return;
  const nextSyncAt = shownTime(status?.nextSyncAt, clock.now() + leftMs);
  if (nextSyncAt !== status?.nextSyncAt) store.setStatus(source, { ...status, nextSyncAt });
}

/** What somebody has agreed to: exactly what was held when they did. */
function confirmedBy(source: GitSource): ReadonlySet<string> {
  return new Set(outstanding(source, 'confirm') && source.status?.held?.removes);
}

/** Throws what was found for good. A status holds only what a sync found: its reason is one of ours. */
function conclusion(failure: (Pick<Failure, 'message'> & { readonly reason: string }) | undefined): Outcome {
  if (failure) throw new TerminalError(failure.reason as Failure['reason'], failure.message);
  return settled().outcome;
}

async function remove({ store, repositories }: GitSourceDeps, memory: Memory, source: GitSource): Promise<Outcome> {
  const { name, uid } = source.metadata;
  memory.due.cancel(name);
  await repositories.remove(source);
  for (const one of [memory.inputs, memory.retrying, memory.pushed]) one.delete(uid);
  memory.schedule.forget(uid);
  await store.release(source);
  return settled().outcome;
}

/** Writes the status and tells what has changed; the source as it is then. */
function note(
  { store, clock }: GitSourceDeps,
  { schedule }: Memory,
  source: GitSource,
  report: SyncReport,
): GitSource | undefined {
  const key = keyOf('GitSource', source.metadata.name);
  const { failure, applied, accepted } = report;
  const before = source.status;
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
  const now = store.get('GitSource', source.metadata.name);
  if (now?.metadata.uid !== source.metadata.uid) return undefined;
  const nowMs = clock.now();
  const times = { nowMs, nextMs: nowMs + schedule.leftMs(source) };
  store.setStatus(now, statusAfter({ ...now, requests: source.requests }, report, times, now.requests));
  return store.get('GitSource', source.metadata.name);
}

/** Pushes the device's status when it has changed. That it cannot is told, and is no reason to be less ready. */
async function push(deps: GitSourceDeps, memory: Memory, source: GitSource, signal: AbortSignal): Promise<void> {
  const { store, repositories } = deps;
  const { uid, name } = source.metadata;
  if (source.spec.statusBranch === undefined) return;
  const text = renderStatusFile(deps.device(), source, store.list('App'));
  if (memory.pushed.get(uid) === text) return;
  const key = keyOf('GitSource', name);
  try {
    const commit = await repositories.pushStatus(source, text, signal);
    memory.pushed.set(uid, text);
    const now = store.get('GitSource', name);
    if (commit === undefined || now?.metadata.uid !== uid) return;
    const { observedGeneration: _generation, conditions: _conditions, ...facts } = now.status ?? {};
    store.setStatus(now, withFacts<GitSourceStatus>(now, { ...facts, pushed: commit }));
  } catch (error) {
    if (signal.aborted) throw error;
    store.record(key, {
      type: 'Warning',
      reason: 'StatusNotPushed',
      message: errorMessage(error),
    });
  }
}
