import { isActive } from '../../../crds/model/active.js';
import type { AnyDeclared, App } from '../../../crds/model/kinds.js';
import type { Refusal } from '../../../crds/model/requests.js';
import { event, warning } from '../events.js';
import type { AppDeps } from '../observe.js';
import type { AppFacts } from '../plan.js';
import { askedForLater } from '../release/adoption.js';
import { declaredAs, identityOf } from '../release/children.js';
import { proposeChildren } from '../release/declare.js';
import type { AppResult } from '../status.js';
import { type Command, disruptiveOf } from './commands.js';

/**
 * Starts the commands for which the lock has been taken: from now on services and volumes see them. Declares the volumes
 * that no document names first, so that a purge finds every volume of the app.
 */
export async function start(
  deps: AppDeps,
  app: App,
  { existing, pending }: AppFacts,
): Promise<Partial<AppResult> | undefined> {
  const { undeclared } = pending;
  const commands = disruptiveOf(pending);
  if (commands.length === 0) return undefined;
  if (undeclared.length > 0)
    await proposeChildren(deps, app, [...existing.filter(isActive).map(declaredAs), ...undeclared]);
  for (const { name, isStarted } of commands) {
    if (name === 'purge' && !isStarted) {
      const { appId } = identityOf(app);
      deps.logs.system(`Purging data for app ${appId}`, { app: appId });
    }
  }
  return { started: idsOf(commands) };
}

/** Acknowledges commands, and tells how each has ended. */
export function finish({ logs, ...deps }: AppDeps, app: App, commands: readonly Command[]): Partial<AppResult> {
  const owner = app.metadata.name;
  const refused: Record<string, Refusal> = {};
  for (const { name, failure } of commands) {
    if (failure !== undefined) refused[name] = { reason: 'Failed', message: failure };
    if (name === 'purge' && failure === undefined) logs.system('Purged data', { app: owner });
    if (name === 'purge' && failure !== undefined) {
      logs.system(`Error purging data: ${failure}`, { app: owner }, { isStdErr: true });
    }
    if (failure === undefined) event({ logs, ...deps }, app, 'Commanded', `Carried out: ${name}`);
    else warning({ logs, ...deps }, app, 'Commanded', `Could not ${name}: ${failure}`);
  }
  return { acknowledged: idsOf(commands), refused };
}

/** Refuses every pending command, cleanup, rollback, retry and approval of the App, and the take-over of a whole project. */
export function refuse(
  deps: AppDeps,
  app: App,
  { pending: { commands, cleanup, adopt }, rollout: { byHand, retry, approve } }: AppFacts,
  message: string,
): Partial<AppResult> {
  const acknowledged = {
    ...idsOf(commands),
    ...(cleanup ? { cleanup: cleanup.id } : {}),
    ...(byHand ? { rollback: byHand.request.id } : {}),
    ...(retry ? { retry: retry.id } : {}),
    ...(approve ? { approve: approve.id } : {}),
    ...(adopt && !askedForLater(app) ? { adopt: adopt.id } : {}),
  };
  warning(deps, app, 'Refused', `Did not ${Object.keys(acknowledged).join(' and ')}: ${message}`);
  const refusal = { reason: 'Failed' as const, message };
  return { acknowledged, refused: Object.fromEntries(Object.keys(acknowledged).map((name) => [name, refusal])) };
}

/** Deletes volumes with their data: their documents say `reclaim: Delete` first. */
export async function discard(
  deps: AppDeps,
  app: App,
  { existing, pending }: AppFacts,
  volumes: readonly string[],
): Promise<Partial<AppResult> | undefined> {
  const all = [...existing.filter(isActive).map(declaredAs), ...pending.undeclared];
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
  return undefined;
}

/** Returns the ids of commands by name. Pure. */
export const idsOf = (commands: readonly Command[]): Readonly<Record<string, string>> =>
  Object.fromEntries(commands.map(({ name, id }) => [name, id]));
/** Joins the names of commands for a sentence. Pure. */
export const namesOf = (commands: readonly Command[]): string => commands.map(({ name }) => name).join(' and ');
