import { isReady } from '../../crds/model/conditions.js';
import type { App } from '../../crds/model/kinds.js';
import type { ReasonOf } from '../../crds/model/reasons.js';
import { acknowledgementsOf, type Refusal, withAcknowledged } from '../../crds/model/requests.js';
import { servicesOfRevision } from '../../crds/model/revisions.js';
import { applyOf, lastRefusal, type Rollback } from '../../crds/model/rollout.js';
import { acknowledgedSuspension } from '../../crds/model/suspend.js';
import type { AppStatus } from '../../crds/model/types.js';
import type { Facts, OwnCondition, Progress, StepResult } from '../runtime/reconciler.js';
import type { AppObservation } from './observe.js';
import { type AppPlan, runningRelease } from './plan.js';
import { identityOf, imagesOfRelease } from './release/children.js';
import { isLifted, releaseToRun } from './rollout/observe.js';
import type { When } from './rollout/when.js';

/** Results of steps that cannot be observed afterwards and have to go into the status. */
export interface AppResult extends StepResult {
  /** The lock file of an application that is in the way. */
  readonly blockedBy: string;
  /** The lock was taken by force, as requested. */
  readonly forced: boolean;
  /** Ids of commands for which the lock was taken. */
  readonly started: Readonly<Record<string, string>>;
  /** Ids of requests that are acknowledged, and which of them were not carried out. */
  readonly acknowledged: Readonly<Record<string, string>>;
  readonly refused: Readonly<Record<string, Refusal>>;
  /** The release is complete. */
  readonly committed: boolean;
  /** Another revision is to run than the one that is declared. */
  readonly rollback: Rollback;
  /** Name of the Revision that services are about to make room for. */
  readonly promoting: string;
  /** What is declared is no longer held back. */
  readonly retried: boolean;
  /** Somebody has let that content go ahead. */
  readonly approved: { readonly revision: string; readonly by: string; readonly at: string };
  /** The take-over of containers that are not ours, as it is from now on; null: it does not count any more. */
  readonly adoption: AppStatus['adoption'] | null;
}

/**
 * Returns the status at a stage of a pass. Before a step it stays as it was: a phase, a release or a command shows once
 * there is something to it. Only a suspension, and its end, show before anything is done about them. Pure.
 */
export function appStatus(
  { status }: App,
  { document, existing, locked, skipped, rollout, when, revisions, isInterrupted }: AppObservation,
  progress: Progress<AppPlan, AppResult>,
): Facts<'App'> {
  const { at, plan, result } = progress;
  const { observedGeneration: _generation, conditions: _conditions, ...before } = status ?? {};
  if (at === 'acting') return turnsSuspended(before, plan) ? { ...before, phase: plan?.phase } : before;
  const { appId } = identityOf(document);
  const release = when.is === 'later' ? runningRelease({ revisions }) : releaseToRun(document, rollout);
  const isSettled = hasSettled(progress);
  const phase = plan ? phaseOf(plan, locked) : before.phase;
  const images = result.committed || isSettled ? imagesOfRelease(existing) : before.images;
  const completed = result.committed ? (release ?? undefined) : before.release;
  const force = result.forced || isSettled ? document.requests.force?.id : undefined;
  const suspension = acknowledgedSuspension(document);
  const acknowledged = { ...suspension.ids, ...result.acknowledged, ...(force === undefined ? {} : { force }) };
  const acknowledgements = withAcknowledged(acknowledgementsOf(status), acknowledged, {
    ...suspension.refused,
    ...result.refused,
  });
  const started = Object.fromEntries(
    Object.entries({ ...before.begun, ...result.started }).filter(
      ([name, id]) => acknowledgements.handled?.[name] !== id,
    ),
  );
  const lock = lockOf(locked, result.blockedBy);
  const refusal = result.rollback ?? (result.retried ? undefined : lastRefusal(before));
  // It speaks of one content: something else that is declared is not refused.
  const isInForce =
    result.rollback !== undefined || rollout.back !== undefined || refusal?.from === rollout.declared.name;
  const isOver = refusal === undefined || (!isInForce && isLifted(refusal, rollout.declared.name, revisions));
  const promoting = result.promoting ?? (isInterrupted ? before.promoting : undefined);
  const adoption = result.adoption === undefined ? before.adoption : (result.adoption ?? undefined);
  const next = at === 'acted' || at === 'reported' ? nextOf(document, when, progress) : before.next;
  return {
    appId,
    ...(phase ? { phase } : {}),
    ...(completed ? { release: completed } : {}),
    ...(images && Object.keys(images).length > 0 ? { images } : {}),
    ...(isOver ? {} : isInForce ? { rollback: refusal } : { quarantine: refusal }),
    ...(next ? { next } : {}),
    ...(promoting === undefined ? {} : { promoting }),
    ...(adoption ? { adoption } : {}),
    ...(skipped.length > 0 ? { leftOut: skipped.map(({ service }) => service) } : {}),
    ...(lock ? { lock } : {}),
    ...(Object.keys(started).length > 0 ? { begun: started } : {}),
    ...acknowledgements,
  };
}

/** What is to be promoted next; `reason` once nothing but its time is missing. */
function nextOf(
  { spec }: App,
  when: When,
  { plan, result: { approved } }: Progress<AppPlan, AppResult>,
): AppStatus['next'] {
  if (approved) {
    const { revision, by, at } = approved;
    if (applyOf(spec) === 'now') return undefined;
    return { revision, since: when.next?.revision === revision ? when.next.since : at, approved: { by, at } };
  }
  if (when.is === 'now' || !when.hasImages || plan?.failure) return when.next;
  const { next, reason, until } = when;
  return { ...next, reason, ...(until === undefined ? {} : { until }) };
}

const turnsSuspended = ({ phase }: Facts<'App'>, plan: AppPlan | undefined): boolean =>
  (phase === 'Suspended') !== (plan?.phase === 'Suspended');

/** Nothing differs from what is to run, and nothing is wrong with that. */
const hasSettled = ({ at, plan, result, error }: Progress<AppPlan, AppResult>): boolean => {
  const isAsMeant = plan?.failure === undefined || plan.failure.reason === ROLLED_BACK;
  return at === 'acted' && error === undefined && isAsMeant && (result.outcome ?? plan?.outcome)?.is === 'settled';
};

const ROLLED_BACK = 'RolledBack' satisfies ReasonOf<'App'>;

/** `Available`, while another revision runs than the one that is declared: whether that works. Pure. */
export function availability(
  _app: App,
  { existing, rollout }: AppObservation,
  { at }: Progress<AppPlan, AppResult>,
): readonly OwnCondition[] | undefined {
  if (at !== 'acted') return undefined;
  if (!rollout.back) return [];
  const ill = existing.filter((one) => one.kind === 'Service' && !isReady(one));
  const { rollback, to } = rollout.back;
  if (ill.length === 0) {
    const isEmpty = to && servicesOfRevision(to.spec).length === 0;
    const message = `Revision ${rollback.to} ${isEmpty ? 'has no services, so that nothing runs' : 'runs, and is well'}`;
    return [{ type: 'Available', status: 'True', reason: 'RolledBack', message }];
  }
  const names = ill.map(({ metadata }) => metadata.name).join(', ');
  return [{ type: 'Available', status: 'False', reason: 'ServicesNotHealthy', message: `Not well: ${names}` }];
}

/** `TranslatedFrom`, of an App that is not written as one: what it was made of. Pure. */
export const translation = ({ metadata: { source } }: App): readonly OwnCondition[] =>
  source?.composeFiles === undefined
    ? []
    : [
        {
          ...{ type: 'TranslatedFrom', status: 'True', reason: 'Compose' },
          message: `Translated from ${source.composeFiles.join(', ')}`,
        },
      ];

/** `Locking` only while the App waits for the lock. */
const phaseOf = ({ phase }: AppPlan, locked: boolean): AppStatus['phase'] =>
  phase === 'Locking' && locked ? 'Promoting' : phase;

function lockOf(locked: boolean, blockedBy: string | undefined): AppStatus['lock'] {
  if (locked) return { state: 'Held' };
  return blockedBy === undefined ? undefined : { state: 'Blocked', blockedBy };
}
