import { conditionOf, isReady } from '../../crds/model/conditions.js';
import { type App, keyOf, splitKey } from '../../crds/model/kinds.js';
import { lacksDisk } from '../../crds/model/readiness.js';
import type { ReasonOf } from '../../crds/model/reasons.js';
import { suspendedMessage } from '../../crds/model/suspend.js';
import { Ages } from '../runtime/ages.js';
import type { Controller } from '../runtime/controller.js';
import type { TerminalError } from '../runtime/outcome.js';
import { reconciler } from '../runtime/reconciler.js';
import { event } from './events.js';
import { executeAppStep } from './execute.js';
import { isRetained } from './images/image-retention.js';
import { type AppDeps, type AppObservation, type Memory, observeApp } from './observe.js';
import { type AppFacts, type AppPlan, planApp, REJECTED, validateApp } from './plan.js';
import { listTheirs, looksForTheirs } from './release/adoption.js';
import { shareApiNetwork } from './release/api-network.js';
import { identityOf } from './release/children.js';
import { mayBeForeign } from './release/foreign-project.js';
import { type AppResult, appStatus, availability, translation } from './status.js';
import { wakeLockWaiters } from './update-lock.js';

/** Makes the controller of Apps: it stages, promotes and verifies releases, and takes Apps down. */
export function appController(deps: AppDeps): Controller {
  const memory: Memory = { swept: new Set(), releasing: new Set(), refusals: new Map(), ages: new Ages(deps) };
  const { store, cache } = deps;
  return {
    kind: 'App',
    workers: 4,
    after: ['Image', 'Network', 'Volume', 'Service'],
    reconcile: reconciler<'App', AppObservation, AppPlan, AppResult>({
      kind: 'App',
      store,
      now: deps.now,
      cache,
      validate: validateApp,
      observe: (app, signal) => {
        const hasServices = (): boolean => store.owned(keyOf('App', app.metadata.name), 'Service').length > 0;
        return looksForTheirs(app, mayBeForeign(app, hasServices))
          ? observeWithForeign(deps, memory, app, signal)
          : observeApp(deps, memory, app);
      },
      plan: planApp,
      execute: (app, step, facts, _signal, report) => executeAppStep(deps, memory, app, step, facts, report),
      status: appStatus,
      conditions: (app, facts, progress) => {
        const own = availability(app, facts, progress);
        return own && [...own, ...translation(app)];
      },
      announce: (before, after) => {
        announceSuspension(deps, before, after);
        announceWait(deps, before, after);
      },
      adjustOutcome: async (app, facts, { plan, outcome }) => {
        await shareApiNetwork(store, cache);
        if (facts.locked) wakeLockWaiters(store, app);
        if (plan.failure?.reason === REJECTED) announceRejection(deps, app, facts, plan.failure);
        return outcome;
      },
    }),
    watches: (wake) => watches(deps, memory, wake),
  };
}

/** The same as `observeApp`, and the containers that are not ours and may be taken over. Asked first: the rest is then as it is in this moment. */
async function observeWithForeign(
  deps: AppDeps,
  memory: Memory,
  app: App,
  signal: AbortSignal,
): Promise<AppObservation> {
  const theirs = await listTheirs(deps.foreign ?? deps.engine, app, signal);
  return { ...observeApp(deps, memory, app), theirs };
}

/** Records an event when a suspension begins, and when it ends. */
function announceSuspension(deps: AppDeps, before: App, after: App): void {
  const was = before.status?.phase === 'Suspended';
  const is = after.status?.phase === 'Suspended';
  if (is && !was) event(deps, after, 'Suspended', suspendedMessage(after.metadata.name));
  if (!is && was) event(deps, after, 'Resumed', 'The app is kept as its documents say again');
}

/** Records an event when a release begins to wait for its time. */
function announceWait(deps: AppDeps, before: App, after: App): void {
  const [was, is] = [before.status?.next, after.status?.next];
  const reason = WAITS.find((one) => one === is?.reason);
  if (!is || reason === undefined || (was?.reason === reason && was.revision === is.revision)) return;
  event(
    deps,
    after,
    reason,
    `Revision ${is.revision} is on the device and waits${is.until ? ` until ${is.until}` : ''}`,
  );
}
const WAITS = ['OutsideWindow', 'AwaitingReboot', 'AwaitingApproval'] as const satisfies readonly ReasonOf<'App'>[];

/** Writes the Supervisor's line, once for each rejection. */
function announceRejection({ logs }: AppDeps, app: App, { unsatisfied }: AppFacts, { message }: TerminalError): void {
  if (conditionOf(app, 'Stalled')?.message === message) return;
  const { name, release } = identityOf(app);
  const lines = unsatisfied.map(
    ({ service, requirement }) => `${name} (${release?.commit}): ${service} requires ${requirement}`,
  );
  const text = ['Some releases were rejected due to having unmet requirements:', ...lines].join('\n  ');
  logs.system(text, { app: app.metadata.name }, { isStdErr: true });
}

function watches({ store, cache }: AppDeps, memory: Memory, wake: (name: string) => void): () => void {
  const stopStore = store.watch(({ object, type, parts }) => {
    // Nothing has changed: the document was only woken, perhaps by `wakeLockWaiters`. Reacting to that would never end.
    if (type === 'MODIFIED' && parts.length === 0) return;
    if (object.kind === 'App') {
      if (type === 'DELETED') memory.refusals.delete(object.metadata.name);
      return;
    }
    if (object.kind === 'Image' && type === 'DELETED') wakeUnready(); // an App may have waited for the image to go
    if (object.kind === 'Image' && lacksDisk(object)) wakeKeepers();
    const { owner } = object.metadata;
    if (owner !== undefined && splitKey(owner).kind === 'App') wake(splitKey(owner).name);
    else if (type === 'DELETED')
      resync(); // the name of a child is free
    else if ('app' in object.spec && object.spec.app !== undefined) wake(object.spec.app);
  });
  const resync = (): void => {
    for (const { metadata } of store.list('App')) wake(metadata.name);
  };
  const wakeUnready = (): void => {
    for (const app of store.list('App')) if (!isReady(app)) wake(app.metadata.name);
  };
  const wakeKeepers = (): void => {
    for (const image of store.list('Image')) if (isRetained(image)) wake(image.spec.app);
  };
  const stopWatchingCache = cache.onChange((change) => {
    if (change.type === 'all') resync();
    if (change.type === 'image') wakeUnready();
  });
  return () => {
    stopStore();
    stopWatchingCache();
  };
}
