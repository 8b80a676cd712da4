import { composeDurationMs } from './duration.js';
import type { App } from './kinds.js';
import { labelsOf } from './references.js';
import { cameAsTargetState } from './target-state.js';
import type { AppService } from './types.js';
import { HANDOVER_TIMEOUT } from './update-strategy.js';

/** What happens when a release is found bad: the last good one runs again, or it stays. */
export type OnFailure = 'rollback' | 'hold';

/** A label of a service says it for its App, where that says nothing: for a target state, which has no field for it. */
const ON_FAILURE = 'io.supercargo.rollout.on-failure';

/** Where an App says nothing. `minReadySeconds` is a setting of the agent. */
const DEFAULTS = { deadlineMs: 600_000, maxRestarts: 3 };

/** When a release is good, and what happens when it is not. */
export interface Rollout {
  /** Until when every service has to be well, ms. */
  readonly deadlineMs: number;
  /** For how long every service has to be well, ms. */
  readonly minReadyMs: number;
  /** How often a container may be restarted. */
  readonly maxRestarts: number;
}

/**
 * When a release of the App is good. Where nobody says until when, services have the time besides that they ask for
 * themselves, one after the other: a healthcheck that may take an hour to begin condemns no release. Pure.
 */
export function rolloutOf({ spec }: Pick<App, 'spec'>, minReadySeconds: number): Rollout {
  const { rollout, services } = spec;
  const asked = Object.values(services ?? {}).reduce((sum, service) => sum + askedMs(service), 0);
  return {
    deadlineMs: rollout?.progressDeadlineSeconds ? rollout.progressDeadlineSeconds * 1000 : DEFAULTS.deadlineMs + asked,
    minReadyMs: (rollout?.minReadySeconds ?? minReadySeconds) * 1000,
    maxRestarts: rollout?.maxRestarts ?? DEFAULTS.maxRestarts,
  };
}

/**
 * What happens when a release of the App is found bad: what the App says, else what a label of one of its services says (of
 * several `hold`), else as a Supervisor does for a target state, which keeps what was asked for. Pure.
 */
export function onFailureOf({ spec, metadata }: Pick<App, 'spec' | 'metadata'>): OnFailure {
  if (spec.rollout?.onFailure) return spec.rollout.onFailure;
  const said = Object.values(spec.services ?? {}).map(({ labels }) => labelsOf(labels)[ON_FAILURE]);
  if (said.includes('hold')) return 'hold';
  if (said.includes('rollback')) return 'rollback';
  return cameAsTargetState(metadata) ? 'hold' : 'rollback';
}

/** The time that its healthcheck may fail at the start, ms. Pure. */
export const startPeriodMs = ({ healthcheck }: Pick<AppService, 'healthcheck'>): number =>
  composeDurationMs(healthcheck?.start_period ?? healthcheck?.startPeriod) ?? 0;

/** How long a service asks to be waited for: until its old container has stopped or handed over, and the new one counts. */
function askedMs(service: AppService): number {
  const handover = composeDurationMs(Number(labelsOf(service.labels)[HANDOVER_TIMEOUT] ?? Number.NaN)) ?? 0;
  return startPeriodMs(service) + (composeDurationMs(service.stop_grace_period) ?? 0) + handover;
}
