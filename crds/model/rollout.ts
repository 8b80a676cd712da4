import type { App } from './kinds.js';
import { labelsOf } from './references.js';
import { cameAsTargetState } from './target-state.js';

/** What happens when a release is found bad: the last good one runs again, or it stays. */
export type OnFailure = 'rollback' | 'hold';

/** A label of a service says it for its App, where that says nothing: for a target state, which has no field for it. */
const ON_FAILURE = 'io.supercargo.rollout.on-failure';

/** Where an App says nothing. `minReadySeconds` is a setting of the agent. */
const DEFAULTS = { progressDeadlineSeconds: 600, maxRestarts: 3 };

/** When a release is good, and what happens when it is not. */
export interface Rollout {
  /** Until when every service has to be well, ms. */
  readonly deadlineMs: number;
  /** For how long every service has to be well, ms. */
  readonly minReadyMs: number;
  /** How often a container may be restarted. */
  readonly maxRestarts: number;
}

/** When a release of the App is good. Pure. */
export function rolloutOf({ spec }: Pick<App, 'spec'>, minReadySeconds: number): Rollout {
  const { rollout } = spec;
  return {
    deadlineMs: (rollout?.progressDeadlineSeconds ?? DEFAULTS.progressDeadlineSeconds) * 1000,
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
