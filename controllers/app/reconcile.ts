import type { LogStream } from '../../api/store/logs.js';
import type { Accepted, Store } from '../../api/store/store.js';
import { conditionOf, withFacts } from '../../crds/conditions.js';
import { type AnyDeclared, type AnyResource, type App, keyOf } from '../../crds/kinds.js';
import { handlingOf, type Refusal, withHandled } from '../../crds/requests.js';
import { suspendedMessage, suspensionDealt } from '../../crds/suspend.js';
import type { AppStatus } from '../../crds/types.js';
import type { EngineTraits } from '../docker/engine-traits.js';
import type { World } from '../docker/world.js';
import type { Capability } from '../host/capabilities.js';
import type { UpdateLocks } from '../host/update-locks.js';
import { type Outcome, type Reconcile, TerminalError, wait } from '../runtime/outcome.js';
import { shareApiNetwork } from './api-network.js';
import { declaredAs, identityOf, isLiving, withKeptVolumes } from './children.js';
import { type Command, disruptiveOf } from './commands.js';
import { forced, needsLock, observeApp, servicesOfApp } from './observe.js';
import { type AppFacts, type AppPlan, type AppStep, planApp, REJECTED } from './plan.js';
import { imagesOfRelease } from './release-images.js';

export interface AppDeps {
  readonly store: Store;
  /** Read only: what is local. The App never acts on the engine. */
  readonly world: World;
  readonly locks: UpdateLocks;
  /** What the engine is like; without it images are taken as they come. */
  readonly traits?: () => EngineTraits;
  /** What this device has that contracts may require. */
  readonly offers: readonly Capability[];
  readonly logs: LogStream;
  /** ms since the epoch */
  readonly now: () => number;
  /** How long images are kept after the release that wanted them, ms. */
  readonly imageGraceMs: number;
}

/** What the controller remembers while the process lives; all of it may be lost. */
export interface Memory {
  /** Apps whose lock files of an earlier process have been removed. */
  readonly swept: Set<number>;
  /** Apps whose lock is given back as soon as a step under it has ended: said once. */
  readonly releasing: Set<number>;
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
    const leftOut = facts.leftOut.map(({ service }) => service);
    if (!world.fresh) {
      report(deps, app, { phase: app.status?.phase, leftOut });
      const [issue] = facts.issues;
      if (issue) throw new TerminalError('InvalidRelease', `${issue.path}: ${issue.message}`);
      return wait('EngineUnreachable', world.trouble ?? 'The engine has not answered yet').outcome;
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
    if (!isLiving(app) && outcome.is === 'settled') await store.release(app);
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
  logs.system(text, { isStdErr: true });
}

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
  /** Ids of commands for which the lock was given. */
  readonly begun?: Readonly<Record<string, string>>;
  /** Ids of requests that were dealt with, and which of them were not carried out. */
  readonly dealt?: Readonly<Record<string, string>>;
  readonly refused?: Readonly<Record<string, Refusal>>;
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
      const images = desired.filter((one) => one.kind === 'Image' && !facts.room.held.has(one.spec.image));
      return propose(deps, app, step, [...images, ...without(living, images)]);
    }
    case 'promote': {
      for (const { service, requirement } of facts.leftOut) {
        const message = `Left out the optional service ${service}: this device does not have ${requirement}`;
        deps.logs.system(message);
        event(deps, app, 'LeftOut', message);
      }
      await shareApiNetwork(deps.store, deps.world);
      const spareImages = living.filter(({ kind }) => kind === 'Image');
      return propose(deps, app, step, [...desired, ...without(spareImages, desired)]);
    }
    case 'advance': {
      const came = await lookAgain(deps.world, facts.room);
      if (came) return { outcome: { is: 'progressing', reason: 'Staging', message: `${came} is on the device` } };
      const first = desired.filter(({ kind, metadata }) => kind === 'Service' && step.services.includes(metadata.name));
      return propose(deps, app, step, [...first, ...without(living, first)]);
    }
    case 'drop':
    case 'prune':
      return propose(deps, app, step, living.filter((one) => !isAmong(step.images, one)).map(declaredAs));
    case 'keep': {
      const spareSince = new Date(deps.now()).toISOString();
      const kept = living.map((one) =>
        one.kind === 'Image' && isAmong(step.images, one) ? { ...one, spec: { ...one.spec, spareSince } } : one,
      );
      return propose(deps, app, step, kept.map(declaredAs));
    }
    case 'reclaim': {
      const volumes = withKeptVolumes(app, [], living);
      return propose(deps, app, step, [...volumes, ...without(living, volumes)]);
    }
    case 'remove':
      return propose(deps, app, step, living.filter(({ kind }) => kind !== step.kind).map(declaredAs));
    case 'claim':
      return claim(deps, memory, app, facts, step.because);
    case 'finish':
      return finish(deps, app, step.commands);
    case 'discard':
      return discard(deps, app, facts, step.volumes);
    case 'cleaned':
      return { dealt: { cleanup: step.id } };
    case 'unlock':
      return unlock(deps, memory, app);
    case 'refuse':
      return refuse(deps, app, facts, step.because);
    case 'commit':
      event(deps, app, 'Released', `Completed the release: ${step.because}`);
      return { committed: true };
  }
}

/** An image that has not been looked for may be there all the same; then nothing has to stop for it. Returns one that is. */
async function lookAgain(world: World, { early }: AppFacts['room']): Promise<string | undefined> {
  for (const { image } of early) if (await world.refreshImage(image, AbortSignal.timeout(LOOK_MS))) return image;
  return undefined;
}
const LOOK_MS = 30_000;

const isAmong = (images: readonly string[], { kind, metadata }: AnyResource): boolean =>
  kind === 'Image' && images.includes(metadata.name);

const without = (from: AppFacts['existing'], declared: readonly AnyDeclared[]): readonly AnyDeclared[] =>
  from
    .filter((one) => !declared.some(({ kind, metadata }) => kind === one.kind && metadata.name === one.metadata.name))
    .map(declaredAs);

const REASONS = {
  stage: 'Staging',
  promote: 'Promoting',
  advance: 'MakingRoom',
  drop: 'MakingRoom',
  prune: 'Pruning',
  keep: 'Keeping',
  reclaim: 'Removing',
  remove: 'Removing',
} as const;

/** Declares the App's children, whole. */
async function proposeChildren(
  { store }: AppDeps,
  { metadata }: App,
  documents: readonly AnyDeclared[],
): Promise<Accepted> {
  const owner = `App/${metadata.name}` as const;
  const accepted = await store.propose({
    origin: owner,
    owner,
    documents: documents.map((document) => ({ document })),
  });
  if (accepted.refused.length > 0) {
    throw new TerminalError('NameTaken', accepted.refused.map(({ message }) => message).join(' '));
  }
  return accepted;
}

async function propose(
  deps: AppDeps,
  app: App,
  step: Extract<AppStep, { readonly do: keyof typeof REASONS }>,
  documents: readonly AnyDeclared[],
): Promise<Done> {
  const accepted = await proposeChildren(deps, app, documents);
  if (accepted.created.length + accepted.changed.length + accepted.deleted.length === 0) {
    // A child that is wanted again is still being deleted; the store makes it anew when it has gone.
    return { outcome: wait('ChildrenNotReady', `Waiting for what is being deleted: ${step.because}`).outcome };
  }
  event(deps, app, REASONS[step.do], `${REASONS[step.do]}: ${step.because}`);
  return {};
}

async function claim(deps: AppDeps, memory: Memory, app: App, facts: AppFacts, because: string): Promise<Done> {
  const commands = disruptiveOf(facts.asked);
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
    return { ...(force ? { handledForce: true } : {}), ...(await begin(deps, app, facts)) };
  }
  if (commands.length > 0) {
    // Whoever asked is told now, so it must not happen later.
    const message = `Lockfile exists for { appId: ${appId}, service: ${result.service} }`;
    event(deps, app, 'Refused', `Did not ${namesOf(commands)}: ${message}`);
    const refused = Object.fromEntries(commands.map(({ name }) => [name, { reason: 'Locked' as const, message }]));
    return {
      outcome: { is: 'progressing', reason: 'Refused', message },
      dealt: idsOf(commands),
      refused,
      blockedBy: result.path,
    };
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

/** The lock is there: from now on services and volumes see the commands. A purge is to find every volume of the app. */
async function begin(deps: AppDeps, app: App, { existing, asked }: AppFacts): Promise<Done> {
  const { strays } = asked;
  const commands = disruptiveOf(asked);
  if (commands.length === 0) return {};
  if (strays.length > 0) await proposeChildren(deps, app, [...existing.filter(isLiving).map(declaredAs), ...strays]);
  for (const { name, begun } of commands) {
    if (name === 'purge' && !begun) deps.logs.system(`Purging data for app ${identityOf(app).appId}`);
  }
  return { begun: idsOf(commands) };
}

function finish({ logs, ...deps }: AppDeps, app: App, commands: readonly Command[]): Done {
  const refused: Record<string, Refusal> = {};
  for (const { name, failure } of commands) {
    if (failure !== undefined) refused[name] = { reason: 'Failed', message: failure };
    if (name === 'purge' && failure === undefined) logs.system('Purged data');
    if (name === 'purge' && failure !== undefined) logs.system(`Error purging data: ${failure}`, { isStdErr: true });
    const what = failure === undefined ? `Carried out: ${name}` : `Could not ${name}: ${failure}`;
    event({ logs, ...deps }, app, 'Commanded', what);
  }
  return { dealt: idsOf(commands), refused };
}

function refuse(deps: AppDeps, app: App, { asked: { commands, cleanup } }: AppFacts, message: string): Done {
  const dealt = { ...idsOf(commands), ...(cleanup ? { cleanup: cleanup.id } : {}) };
  event(deps, app, 'Refused', `Did not ${Object.keys(dealt).join(' and ')}: ${message}`);
  const refusal = { reason: 'Failed' as const, message };
  return { dealt, refused: Object.fromEntries(Object.keys(dealt).map((name) => [name, refusal])) };
}

/** Lets the data of volumes go with their documents: first they say so, then they are deleted. */
async function discard(
  deps: AppDeps,
  app: App,
  { existing, asked }: AppFacts,
  volumes: readonly string[],
): Promise<Done> {
  const all = [...existing.filter(isLiving).map(declaredAs), ...asked.strays];
  const isVictim = ({ kind, metadata }: AnyDeclared): boolean => kind === 'Volume' && volumes.includes(metadata.name);
  const condemned = all.map((one) =>
    one.kind === 'Volume' && isVictim(one) ? { ...one, spec: { ...one.spec, reclaim: 'Delete' as const } } : one,
  );
  await proposeChildren(deps, app, condemned);
  await proposeChildren(
    deps,
    app,
    all.filter((one) => !isVictim(one)),
  );
  event(deps, app, 'Discarding', `Removing volumes that the app does not declare: ${volumes.join(', ')}`);
  return {};
}

const idsOf = (commands: readonly Command[]): Readonly<Record<string, string>> =>
  Object.fromEntries(commands.map(({ name, id }) => [name, id]));
const namesOf = (commands: readonly Command[]): string => commands.map(({ name }) => name).join(' and ');

async function unlock(deps: AppDeps, memory: Memory, app: App): Promise<Done> {
  const { appId } = identityOf(app);
  const held = deps.locks.isHeld(appId);
  if (held && !memory.releasing.has(appId)) deps.logs.system('Releasing update locks');
  memory.releasing.add(appId);
  if ((await deps.locks.release(appId)) === 'busy') {
    return { outcome: wait('Unlocking', 'Waiting for a step under the update lock to end', 1_000).outcome };
  }
  memory.swept.add(appId);
  memory.releasing.delete(appId);
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
  now: Done & {
    readonly phase: AppStatus['phase'];
    readonly settled?: boolean;
    /** Optional services that do not run here. */
    readonly leftOut: readonly string[];
  },
): void {
  const current = store.get('App', app.metadata.name);
  if (current?.metadata.uid !== app.metadata.uid) return;
  const { appId, release } = identityOf(app);
  const images = now.committed || now.settled ? imagesOfRelease(store, app) : current.status?.images;
  const completed = now.committed ? (release ?? undefined) : current.status?.release;
  const force = now.handledForce || now.settled ? app.requests.force?.id : undefined;
  const suspension = suspensionDealt(app);
  const dealt = { ...suspension.ids, ...now.dealt, ...(force === undefined ? {} : { force }) };
  const handling = withHandled(handlingOf(current.status), dealt, { ...suspension.refused, ...now.refused });
  const begun = Object.fromEntries(
    Object.entries({ ...current.status?.begun, ...now.begun }).filter(([name, id]) => handling.handled?.[name] !== id),
  );
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
      ...(images && Object.keys(images).length > 0 ? { images } : {}),
      ...(now.leftOut?.length ? { leftOut: [...now.leftOut] } : {}),
      ...(lock ? { lock } : {}),
      ...(Object.keys(begun).length > 0 ? { begun } : {}),
      ...handling,
    }),
  );
}
