import type { App } from '../../../crds/model/kinds.js';
import { pendingRequest } from '../../../crds/model/requests.js';
import { event, warning } from '../events.js';
import type { AppDeps } from '../observe.js';
import type { AppResult } from '../status.js';
import { namesOf } from './adoption.js';
import type { AdoptionStep } from './plan-adoption.js';

/**
 * Begins a take-over. When it resolves, that is on disk: a service that is promoted without it would fight for the ports of
 * theirs, and use their data beside them.
 */
export async function adopt(
  deps: AppDeps,
  app: App,
  { asked, theirs, because }: Extract<AdoptionStep, { do: 'adopt' }>,
  report: (result: Partial<AppResult>) => void,
): Promise<Partial<AppResult>> {
  const { id, by, service, containers } = asked;
  event(deps, app, 'Adopting', `Takes over what somebody else has made; ${because}`);
  if (theirs.left.length > 0)
    warning(deps, app, 'LeftOut', `Left alone, because no service of the App is meant: ${namesOf(theirs.left)}`);
  const result: Partial<AppResult> = {
    adoption: {
      ...{ id, by, phase: 'TakingOver', generation: app.metadata.generation, at: new Date(deps.now()).toISOString() },
      ...(service === undefined ? {} : { service }),
      ...(containers === undefined ? {} : { containers: [...containers] }),
    },
  };
  report(result);
  await deps.store.flush();
  return result;
}

/** Ends it, and tells who has asked for it how it went. */
export async function endAdoption(
  deps: AppDeps,
  app: App,
  { adoption, failure }: Extract<AdoptionStep, { do: 'endAdoption' }>,
  report: (result: Partial<AppResult>) => void,
): Promise<Partial<AppResult>> {
  if (failure === undefined)
    event(deps, app, 'Adopted', 'Every service has taken over what somebody else had made for it');
  else warning(deps, app, 'AdoptionFailed', failure);
  const { message: _, ...before } = adoption;
  const isPending = pendingRequest(app, 'adopt')?.id === adoption.id;
  const result: Partial<AppResult> = {
    adoption: {
      ...before,
      phase: failure === undefined ? 'TakenOver' : 'Failed',
      ...(failure === undefined ? {} : { message: failure }),
    },
    ...(isPending ? { acknowledged: { adopt: adoption.id } } : {}),
    ...(isPending && failure !== undefined ? { refused: { adopt: { reason: 'Failed', message: failure } } } : {}),
  };
  report(result);
  await deps.store.flush();
  return result;
}
