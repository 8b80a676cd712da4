import { isActive } from '../../../crds/model/active.js';
import type { App } from '../../../crds/model/kinds.js';
import { latestOf } from '../../../crds/model/revisions.js';
import { event, warning } from '../events.js';
import type { AppDeps } from '../observe.js';
import type { AppFacts } from '../plan.js';
import { declaredAs } from '../release/children.js';
import { proposeChildren } from '../release/declare.js';
import type { AppResult } from '../status.js';
import { withPromotion } from './history.js';
import type { RolloutStep } from './plan.js';

type StepOf<D extends RolloutStep['do']> = Extract<RolloutStep, { readonly do: D }>;

/**
 * Decides that another revision is to run; the passes after this one promote it. When it resolves, that is on disk: a
 * crash while something of it is done already would otherwise try again what is refused.
 */
export async function goBack(
  deps: AppDeps,
  app: App,
  { decision, request }: StepOf<'goBack'>,
  report: (result: Partial<AppResult>) => void,
): Promise<Partial<AppResult>> {
  const { from, to, message } = decision;
  const line = `Rolling back '${app.metadata.name}' from ${from} to ${to}: ${message}`;
  deps.logs.system(line, { app: app.metadata.name }, { isStdErr: request === undefined });
  const record = request === undefined ? warning : event;
  record(deps, app, 'RollingBack', `Going back from revision ${from} to ${to}: ${message}`);
  const { lastLines, ...reason } = decision;
  const result: Partial<AppResult> = {
    rollback: {
      ...reason,
      at: new Date(deps.now()).toISOString(),
      ...(lastLines ? { lastLines: [...lastLines] } : {}),
    },
    ...(request === undefined ? {} : { acknowledged: { rollback: request } }),
  };
  report(result);
  await deps.store.flush();
  return result;
}

/** Lets what the document says be promoted again. Where it is still there, it is looked at again. */
export async function retry(
  deps: AppDeps,
  app: App,
  { rollout, existing, revisions }: AppFacts,
  { name, request }: StepOf<'retry'>,
): Promise<Partial<AppResult>> {
  const { declared } = rollout;
  if (latestOf(revisions)?.metadata.name === declared.name) {
    const promotion = withPromotion(deps, { app, content: declared, revisions, existing, again: true });
    await proposeChildren(deps, app, existing.filter(isActive).map(declaredAs), promotion);
  }
  deps.logs.system(`Trying '${app.metadata.name}' again`, { app: app.metadata.name });
  event(deps, app, 'Promoting', `Revision ${declared.name} is tried again, as was asked for`);
  // Whoever asks for it has seen it: it waits for nothing else.
  const approved = { revision: declared.name, by: request.by ?? 'somebody', at: request.at };
  return { retried: true, approved, acknowledged: { [name]: request.id } };
}

/**
 * Lets the content that waits go ahead, and names who said so. When it resolves, that is on disk: a crash would otherwise
 * have the request looked at again, when something else may be declared.
 */
export async function approve(
  deps: AppDeps,
  app: App,
  { request, revision, because }: StepOf<'approve'>,
  report: (result: Partial<AppResult>) => void,
): Promise<Partial<AppResult>> {
  deps.logs.system(`Going ahead with '${app.metadata.name}': ${because}`, { app: app.metadata.name });
  event(deps, app, 'Approved', `Revision ${revision} goes ahead: ${because}`);
  const result: Partial<AppResult> = {
    approved: { revision, by: request.by ?? 'somebody', at: request.at },
    acknowledged: { approve: request.id },
  };
  report(result);
  await deps.store.flush();
  return result;
}

/** Acknowledges a request that cannot be carried out. */
export function decline(deps: AppDeps, app: App, { name, id, because }: StepOf<'decline'>): Partial<AppResult> {
  warning(deps, app, 'Refused', `Did not ${name}: ${because}`);
  return { acknowledged: { [name]: id }, refused: { [name]: { reason: 'Failed', message: because } } };
}
