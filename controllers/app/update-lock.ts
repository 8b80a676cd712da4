import type { Store } from '../../api/store/store.js';
import { type App, keyOf, type Request } from '../../crds/model/kinds.js';
import { lockfileExists } from '../../crds/model/locked-messages.js';
import { needsLock } from '../../crds/model/readiness.js';
import { wait } from '../runtime/outcome.js';
import { idsOf, namesOf, start } from './commands/command-steps.js';
import { type Command, disruptiveOf } from './commands/commands.js';
import { event, warning } from './events.js';
import { type AppDeps, forcingRequest, type Memory, servicesOfApp } from './observe.js';
import type { AppFacts } from './plan.js';
import { identityOf } from './release/children.js';
import type { AppResult } from './status.js';

const FIRST_RETRY_MS = 500;
/** The longest pause between two looks, ms: an application may drop its lock at any time, and a look is cheap. */
const LONGEST_RETRY_MS = 60_000;

/**
 * Takes the update lock of the whole App. While an application holds it, commands that need it are rejected; a release
 * waits and tries again, less and less often.
 */
export async function claim(
  deps: AppDeps,
  memory: Memory,
  app: App,
  facts: AppFacts,
  because: string,
): Promise<Partial<AppResult> | undefined> {
  const commands = disruptiveOf(facts.pending);
  const { store, locks, logs } = deps;
  const { appId } = identityOf(app);
  const forcing = forcingRequest(store, app);
  const force = forcing !== undefined;
  const services = servicesOfApp(store, app);
  const wasBlocked = app.status?.lock?.state === 'Blocked';
  if (!wasBlocked) logs.system('Taking update locks', { app: appId });
  const result = await locks.claim(appId, services, { force });
  if (result.is === 'held') {
    memory.refusals.delete(app.metadata.name);
    // The lock files of an earlier process are taken over, and removed with those of this one.
    event(deps, app, 'Locked', `Took the update lock${force ? byForce(forcing) : ''}: ${because}`);
    return { ...(force ? { forced: true } : {}), ...(await start(deps, app, facts)) };
  }
  return commands.length > 0 ? reject(deps, app, commands, result) : requeue(deps, memory, app, result);
}

const byForce = ({ by }: Request): string => ` by force${by === undefined ? '' : `, as ${by} asked`}`;

/** Rejects commands: whoever requested them is told now, so they must not happen later. */
function reject(deps: AppDeps, app: App, commands: readonly Command[], { service, path }: Holder): Partial<AppResult> {
  const message = lockfileExists(identityOf(app).appId, service);
  warning(deps, app, 'Refused', `Did not ${namesOf(commands)}: ${message}`);
  const refused = Object.fromEntries(commands.map(({ name }) => [name, { reason: 'Locked' as const, message }]));
  return {
    outcome: { is: 'progressing', reason: 'Refused', message },
    acknowledged: idsOf(commands),
    refused,
    blockedBy: path,
  };
}

/** Has the lock tried again after a pause that doubles while the document and its request stay the same. */
function requeue(
  { logs, monotonic }: AppDeps,
  memory: Memory,
  app: App,
  { service, path }: Holder,
): Partial<AppResult> {
  const { name, generation } = app.metadata;
  const of = `${generation}/${app.requests.force?.id ?? ''}`;
  const before = memory.refusals.get(name);
  const early = before?.of === of && monotonic() < before.dueMs; // something else woke us: neither news nor a further failure
  const count = before?.of !== of ? 1 : early ? before.count : before.count + 1;
  const delayMs = Math.min(FIRST_RETRY_MS * 2 ** Math.min(count, 20), LONGEST_RETRY_MS);
  const dueMs = early ? before.dueMs : monotonic() + delayMs;
  memory.refusals.set(name, { of, count, dueMs });
  if (!early) {
    const line = `Updates are locked, retrying in ${delayMs / 1000}s. Reason: ${lockfileExists(identityOf(app).appId, service)}`;
    logs.system(line, { app: name }, { isStdErr: true });
  }
  const message = `The application holds the update lock of ${service}: ${path}. Nothing is stopped until the file is gone, or an update is forced`;
  return { outcome: wait('UpdatesLocked', message, dueMs - monotonic()).outcome, blockedBy: path };
}

/** The service whose lock file blocks, and the path of the file. */
interface Holder {
  readonly service: string;
  readonly path: string;
}

/** Gives the lock back unless a step under it goes on, and removes lock files that an earlier process left. */
export async function unlock(deps: AppDeps, memory: Memory, app: App): Promise<Partial<AppResult> | undefined> {
  const { appId } = identityOf(app);
  const held = deps.locks.isHeld(appId);
  if (held && !memory.releasing.has(appId)) deps.logs.system('Releasing update locks', { app: appId });
  memory.releasing.add(appId);
  if ((await deps.locks.release(appId)) === 'busy') {
    return { outcome: wait('Unlocking', 'Waiting for a step under the update lock to end', 1_000).outcome };
  }
  memory.swept.add(appId);
  memory.releasing.delete(appId);
  if (held) event(deps, app, 'Unlocked', 'Gave the update lock back');
  return undefined;
}

/**
 * Wakes the services that wait for the lock: one may have looked just before it was taken, and nothing else would wake
 * it.
 */
export function wakeLockWaiters(store: Store, { metadata }: App): void {
  for (const service of store.list('Service')) {
    if (service.spec.app === metadata.name && needsLock(service)) store.touch(keyOf('Service', service.metadata.name));
  }
}
