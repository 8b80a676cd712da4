import type { LogStream } from '../../api/store/logs.js';
import type { Store } from '../../api/store/store.js';
import { withFacts } from '../../crds/conditions.js';
import { type AnyDeclared, type App, keyOf } from '../../crds/kinds.js';
import type { AppStatus } from '../../crds/types.js';
import type { World } from '../docker/world.js';
import type { UpdateLocks } from '../host/update-locks.js';
import { type Outcome, type Reconcile, TerminalError, wait } from '../runtime/outcome.js';
import { shareApiNetwork } from './api-network.js';
import { declaredAs, identityOf, isLiving, withKeptVolumes } from './children.js';
import { forced, needsLock, observeApp, servicesOfApp } from './observe.js';
import { type AppFacts, type AppPlan, type AppStep, planApp } from './plan.js';

export interface AppDeps {
  readonly store: Store;
  /** Read only: what is local. The App never acts on the engine. */
  readonly world: World;
  readonly locks: UpdateLocks;
  readonly logs: LogStream;
  /** ms since the epoch */
  readonly now: () => number;
}

/** What the controller remembers while the process lives; all of it may be lost. */
export interface Memory {
  /** Apps whose lock files of an earlier process have been removed. */
  readonly swept: Set<number>;
  /** How often in a row the lock of an app was found taken for the same document and request, and when to look again. */
  readonly refusals: Map<string, { readonly of: string; readonly count: number; readonly dueMs: number }>;
}

const FIRST_RETRY_MS = 500;
/** The lock is somebody's to drop at any time, and looking costs two file lookups for each service. */
const LONGEST_RETRY_MS = 60_000;

/** One pass over one App: the next step of its release, or of its removal. */
export const reconcileApp =
  (deps: AppDeps, memory: Memory): Reconcile =>
  async ({ name }) => {
    const { store, world } = deps;
    const app = store.get('App', name);
    if (!app) return { is: 'settled' };
    const facts = observeApp(deps, memory.swept, app);
    if (!world.fresh) {
      report(deps, app, { phase: app.status?.phase });
      const [issue] = facts.issues;
      if (issue) throw new TerminalError('InvalidRelease', `${issue.path}: ${issue.message}`);
      return wait('EngineUnreachable', world.trouble ?? 'The engine has not answered yet').outcome;
    }

    const plan = planApp(app, facts);
    const done = await perform(deps, memory, app, facts, plan);
    await shareApiNetwork(store, world);
    if (facts.locked) nudge(store, app);
    const outcome = done.outcome ?? plan.outcome;
    report(deps, app, { ...done, phase: phaseOf(plan, done), settled: outcome.is === 'settled' && !plan.trouble });
    if (plan.trouble) throw plan.trouble;
    if (!isLiving(app) && outcome.is === 'settled') await store.release(app);
    return outcome;
  };

/** A service may have looked for the lock just before it was taken, and nothing else would make it look again. */
function nudge(store: Store, { metadata }: App): void {
  for (const service of store.list('Service')) {
    if (service.spec.app === metadata.name && needsLock(service)) store.touch(keyOf('Service', service.metadata.name));
  }
}

/** What steps brought about that their objects do not show. */
interface Done {
  /** Instead of what was planned. */
  readonly outcome?: Outcome;
  readonly blockedBy?: string;
  readonly handledForce?: boolean;
  readonly committed?: boolean;
}

/** Takes the steps in order and stops at the first that does not come out as planned. */
async function perform(deps: AppDeps, memory: Memory, app: App, facts: AppFacts, plan: AppPlan): Promise<Done> {
  let done: Done = {};
  for (const step of plan.steps) {
    done = { ...done, ...(await take(deps, memory, app, facts, step)) };
    if (done.outcome) break;
  }
  return done;
}

async function take(deps: AppDeps, memory: Memory, app: App, facts: AppFacts, step: AppStep): Promise<Done> {
  const { desired, existing } = facts;
  const living = existing.filter(isLiving);
  switch (step.do) {
    case 'stage': {
      const images = desired.filter(({ kind }) => kind === 'Image');
      return propose(deps, app, step, [...images, ...without(living, images)]);
    }
    case 'promote': {
      await shareApiNetwork(deps.store, deps.world);
      const spareImages = living.filter(({ kind }) => kind === 'Image');
      return propose(deps, app, step, [...desired, ...without(spareImages, desired)]);
    }
    case 'prune':
      return propose(deps, app, step, desired);
    case 'reclaim': {
      const volumes = withKeptVolumes(app, [], living);
      return propose(deps, app, step, [...volumes, ...without(living, volumes)]);
    }
    case 'remove':
      return propose(deps, app, step, living.filter(({ kind }) => kind !== step.kind).map(declaredAs));
    case 'claim':
      return claim(deps, memory, app, step.because);
    case 'unlock':
      return unlock(deps, memory, app);
    case 'commit':
      event(deps, app, 'Released', `Completed the release: ${step.because}`);
      return { committed: true };
  }
}

const without = (from: AppFacts['existing'], declared: readonly AnyDeclared[]): readonly AnyDeclared[] =>
  from
    .filter((one) => !declared.some(({ kind, metadata }) => kind === one.kind && metadata.name === one.metadata.name))
    .map(declaredAs);

const REASONS = {
  stage: 'Staging',
  promote: 'Promoting',
  prune: 'Pruning',
  reclaim: 'Removing',
  remove: 'Removing',
} as const;

async function propose(
  deps: AppDeps,
  app: App,
  step: Extract<AppStep, { readonly do: keyof typeof REASONS }>,
  documents: readonly AnyDeclared[],
): Promise<Done> {
  const owner = keyOf('App', app.metadata.name);
  const accepted = await deps.store.propose({
    origin: owner as `App/${string}`,
    owner,
    documents: documents.map((document) => ({ document })),
  });
  if (accepted.refused.length > 0) {
    throw new TerminalError('NameTaken', accepted.refused.map(({ message }) => message).join(' '));
  }
  if (accepted.created.length + accepted.changed.length + accepted.deleted.length === 0) {
    // A child that is wanted again is still being deleted; the store makes it anew when it has gone.
    return { outcome: wait('ChildrenNotReady', `Waiting for what is being deleted: ${step.because}`).outcome };
  }
  event(deps, app, REASONS[step.do], `${REASONS[step.do]}: ${step.because}`);
  return {};
}

async function claim(deps: AppDeps, memory: Memory, app: App, because: string): Promise<Done> {
  const { store, locks, logs, now } = deps;
  const { name, generation } = app.metadata;
  const { appId } = identityOf(app);
  const force = forced(store, app);
  const services = servicesOfApp(store, app);
  const wasBlocked = app.status?.lock?.state === 'Blocked';
  if (!wasBlocked) logs.system('Taking update locks');
  const result = await locks.claim(appId, services, { force });
  if (result.is === 'held') {
    memory.refusals.delete(name);
    // The files of an earlier process are ours now, and go with ours.
    event(deps, app, 'Locked', `Took the update lock${force ? ' by force' : ''}: ${because}`);
    return force ? { handledForce: true } : {};
  }

  const of = `${generation}/${app.requests.force?.id ?? ''}`;
  const before = memory.refusals.get(name);
  const early = before?.of === of && now() < before.dueMs; // something else woke us: neither news nor a further failure
  const count = before?.of !== of ? 1 : early ? before.count : before.count + 1;
  const delayMs = Math.min(FIRST_RETRY_MS * 2 ** Math.min(count, 20), LONGEST_RETRY_MS);
  const dueMs = early ? before.dueMs : now() + delayMs;
  memory.refusals.set(name, { of, count, dueMs });
  if (!early) {
    const reason = `Lockfile exists for { appId: ${appId}, service: ${result.service} }`;
    logs.system(`Updates are locked, retrying in ${delayMs / 1000}s. Reason: ${reason}`, { isStdErr: true });
  }
  const message = `The application holds the update lock of ${result.service}: ${result.path}. Nothing is stopped until the file is gone, or an update is forced`;
  return { outcome: wait('UpdatesLocked', message, dueMs - now()).outcome, blockedBy: result.path };
}

async function unlock(deps: AppDeps, memory: Memory, app: App): Promise<Done> {
  const { appId } = identityOf(app);
  const held = deps.locks.isHeld(appId);
  if (held) deps.logs.system('Releasing update locks');
  if ((await deps.locks.release(appId)) === 'busy') {
    return { outcome: wait('Unlocking', 'Waiting for a step under the update lock to end', 1_000).outcome };
  }
  memory.swept.add(appId);
  if (held) event(deps, app, 'Unlocked', 'Gave the update lock back');
  return {};
}

const event = ({ store }: AppDeps, { metadata }: App, reason: string, message: string): void =>
  store.record(keyOf('App', metadata.name), { type: 'Normal', reason, message });

/** `Locking` only while the lock is what it waits for. */
const phaseOf = (plan: AppPlan, done: Done): AppStatus['phase'] =>
  plan.phase === 'Locking' && !done.outcome ? 'Promoting' : plan.phase;

function report(
  { store, locks }: AppDeps,
  app: App,
  now: Done & { readonly phase: AppStatus['phase']; readonly settled?: boolean },
): void {
  const current = store.get('App', app.metadata.name);
  if (current?.metadata.uid !== app.metadata.uid) return;
  const { appId, release } = identityOf(app);
  const completed = now.committed ? (release ?? undefined) : current.status?.release;
  const force = now.handledForce || now.settled ? app.requests.force?.id : undefined;
  const handled = { ...current.status?.handled, ...(force === undefined ? {} : { force }) };
  const lock: AppStatus['lock'] = locks.isHeld(appId)
    ? { state: 'Held' }
    : now.blockedBy !== undefined
      ? { state: 'Blocked', blockedBy: now.blockedBy }
      : undefined;
  store.setStatus(
    current,
    withFacts<AppStatus>(current, {
      appId,
      ...(now.phase ? { phase: now.phase } : {}),
      ...(completed ? { release: completed } : {}),
      ...(lock ? { lock } : {}),
      ...(Object.keys(handled).length > 0 ? { handled } : {}),
    }),
  );
}
