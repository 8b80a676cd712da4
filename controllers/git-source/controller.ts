import type { Failure } from '../../api/store/sync-report.js';
import { isActive } from '../../crds/model/active.js';
import type { GitSource } from '../../crds/model/kinds.js';
import { isSuspended } from '../../crds/model/suspend.js';
import type { Controller } from '../runtime/controller.js';
import { Delays } from '../runtime/delays.js';
import { type Outcome, TerminalError } from '../runtime/outcome.js';
import { reconciler } from '../runtime/reconciler.js';
import { executeGitSourceStep } from './execute.js';
import { type GitSourceDeps, type Memory, observeGitSource } from './observe.js';
import { planGitSource } from './plan.js';
import { Schedule } from './schedule.js';
import { gitSourceStatus } from './status.js';

/** Number of sources at a time: talking to a server takes seconds, and a slow one holds up nobody. */
const WORKERS = 4;
/** Back-off of a server that is down, ms. */
const BACKOFF_MS = { first: 2_000, max: 10 * 60_000 };
/** How long changes of an app's status are collected before they are pushed to the status branch, ms. */
const STATUS_DELAY_MS = 15_000;

/** Creates the controller of GitSources. It looks at repositories when they are due, when the device changes, and on request. */
export function gitSourceController(deps: GitSourceDeps): Controller {
  const { store, clock } = deps;
  const memory: Memory = {
    ...{ inputs: new Map(), retrying: new Set(), pushed: new Map() },
    ...{ schedule: new Schedule(clock), due: new Delays(clock) },
  };
  const news = new Delays(clock);
  let wake: (name: string) => void = () => undefined;
  const all = () => store.list('GitSource').map(({ metadata, spec }) => ({ name: metadata.name, spec }));
  return {
    kind: 'GitSource',
    workers: WORKERS,
    backoffMs: BACKOFF_MS,
    reconcile: reconciler({
      kind: 'GitSource',
      store,
      now: () => clock.now(),
      observe: (source) => observeGitSource(deps, memory, source),
      plan: planGitSource,
      execute: (source, step, facts, signal) => executeGitSourceStep(deps, memory, source, step, facts, signal),
      status: (source, _facts, progress) =>
        gitSourceStatus(source, progress, { nowMs: clock.now(), leftMs: memory.schedule.leftMs(source) }),
      adjustOutcome: (source, _facts, { outcome, result }) => {
        planNextLook(memory, source, () => wake(source.metadata.name));
        return outcomeOfFetch(outcome, result.report?.failure);
      },
    }),
    watches(wakeOne) {
      wake = wakeOne;
      const stop = store.watch(({ object, parts }) => {
        if (object.kind === 'HostConfig' && parts.includes('spec')) for (const { name } of all()) wakeOne(name);
        if (object.kind !== 'App' || !parts.includes('status')) return;
        for (const { name, spec } of all()) {
          if (spec.statusBranch !== undefined) news.plan(name, STATUS_DELAY_MS, () => wakeOne(name));
        }
      });
      return () => {
        stop();
        memory.due.cancelAll();
        news.cancelAll();
      };
    },
  };
}

/** Plans the next look, whatever caused this one: a timer that came early, a change, a start. */
function planNextLook({ due, schedule }: Memory, source: GitSource, wake: () => void): void {
  const { name, uid } = source.metadata;
  if (!isActive(source) || isSuspended(source)) {
    due.cancel(name);
    schedule.forget(uid);
    return;
  }
  const leftMs = schedule.leftMs(source);
  if (Number.isFinite(leftMs)) due.plan(name, leftMs, wake);
}

/** Throws the failure of a look: it is retried with back-off, unless it stays the same until the repository changes. */
function outcomeOfFetch(outcome: Outcome, failure: Failure | undefined): Outcome {
  if (!failure) return outcome;
  throw failure.final ? new TerminalError(failure.reason, failure.message) : new Error(failure.message);
}
