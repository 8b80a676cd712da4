import { isActive } from '../../crds/model/active.js';
import { conditionOf } from '../../crds/model/conditions.js';
import type { App } from '../../crds/model/kinds.js';
import { suspendedMessage } from '../../crds/model/suspend.js';
import type { AppStatus } from '../../crds/model/types.js';
import { type Reconcile, TerminalError } from '../runtime/outcome.js';
import { waitForEngine } from '../runtime/reconciler.js';
import { perform } from './execute.js';
import { observeApp } from './observe.js';
import { type AppDeps, type Done, event, type Memory } from './pass.js';
import { type AppFacts, type AppPlan, planApp, REJECTED } from './plan.js';
import { shareApiNetwork } from './release/api-network.js';
import { identityOf } from './release/children.js';
import { report } from './status.js';
import { nudge } from './update-lock.js';

/** One pass over one App: the next step of its release, or of its removal. */
export const reconcileApp =
  (deps: AppDeps, memory: Memory): Reconcile =>
  async ({ name }) => {
    const { store, world } = deps;
    const app = store.get('App', name);
    if (!app) return { is: 'settled' };
    const facts = observeApp(deps, memory, app);
    const leftOut = facts.leftOut.map(({ service }) => service);
    const unheard = waitForEngine(world);
    if (unheard) {
      report(deps, app, { phase: app.status?.phase, leftOut });
      const [issue] = facts.issues;
      if (issue) throw new TerminalError('InvalidRelease', `${issue.path}: ${issue.message}`);
      return unheard;
    }

    const plan = planApp(app, facts);
    announceSuspension(deps, app, plan);
    const done = await perform(deps, memory, app, facts, plan);
    await shareApiNetwork(store, world);
    if (facts.locked) nudge(store, app);
    const outcome = done.outcome ?? plan.outcome;
    report(deps, app, {
      ...done,
      leftOut,
      phase: phaseOf(plan, done),
      settled: outcome.is === 'settled' && !plan.trouble,
    });
    if (plan.trouble) {
      if (plan.trouble.reason === REJECTED) announceRejection(deps, app, facts, plan.trouble.message);
      throw plan.trouble;
    }
    if (!isActive(app) && outcome.is === 'settled') await store.release(app);
    return outcome;
  };

/** Once for each time that it begins and ends. */
function announceSuspension(deps: AppDeps, app: App, { phase }: AppPlan): void {
  const was = app.status?.phase === 'Suspended';
  if (phase === 'Suspended' && !was) event(deps, app, 'Suspended', suspendedMessage(app.metadata.name));
  if (phase !== 'Suspended' && was) event(deps, app, 'Resumed', 'The app is kept as its documents say again');
}

/** The Supervisor's line, once for each rejection. */
function announceRejection({ logs }: AppDeps, app: App, { unmet }: AppFacts, message: string): void {
  if (conditionOf(app, 'Stalled')?.message === message) return;
  const { name, release } = identityOf(app);
  const lines = unmet.map(
    ({ service, requirement }) => `${name} (${release?.commit}): ${service} requires ${requirement}`,
  );
  const text = ['Some releases were rejected due to having unmet requirements:', ...lines].join('\n  ');
  logs.system(text, { app: app.metadata.name }, { isStdErr: true });
}

/** `Locking` only while the lock is what it waits for. */
const phaseOf = (plan: AppPlan, done: Done): AppStatus['phase'] =>
  plan.phase === 'Locking' && !done.outcome ? 'Promoting' : plan.phase;
