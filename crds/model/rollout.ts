import { composeDurationMs } from './duration.js';
import type { App } from './kinds.js';
import { labelsOf } from './references.js';
import { cameAsTargetState } from './target-state.js';
import type { AppService, AppSpec, AppStatus } from './types.js';
import { HANDOVER_TIMEOUT } from './update-strategy.js';

/** What happens when a release is found bad: the last good one runs again, or it stays. */
export type OnFailure = 'rollback' | 'hold';

/** When new content is promoted. */
export type Apply = NonNullable<NonNullable<AppSpec['rollout']>['apply']>;

/** When new content of an App is promoted; `now` when it does not say. Pure. */
export const applyOf = ({ rollout }: Pick<AppSpec, 'rollout'>): Apply =>
  rollout?.apply ?? (rollout?.window ? 'window' : 'now');

/** That a revision is refused and another one runs instead. */
export type Rollback = NonNullable<AppStatus['rollback']>;

/** The last one: in force, or until what is refused is declared again. Pure. */
export const lastRefusal = ({
  rollback,
  quarantine,
}: Pick<AppStatus, 'rollback' | 'quarantine'> = {}): Rollback | undefined => rollback ?? quarantine;

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

/** What a service asks for itself. */
type Asking = Pick<AppService, 'healthcheck' | 'stop_grace_period' | 'labels'>;

/**
 * When a release is good: `services`, which take the place of `replaced`. Where nobody says until when, they have the time
 * besides that they ask for themselves, one after the other: a healthcheck that may take an hour to begin condemns no
 * release. What the App says is meant for what it declares; one that is gone back to has its start periods nevertheless. Pure.
 */
export function rolloutOf(
  { rollout }: Pick<AppSpec, 'rollout'>,
  { services, replaced = [] }: { readonly services: readonly Asking[]; readonly replaced?: readonly Asking[] },
  minReadySeconds: number,
): Rollout {
  const saidMs = rollout?.progressDeadlineSeconds ? rollout.progressDeadlineSeconds * 1000 : undefined;
  const stopMs = Math.max(sumOf(services, stopGraceMs), sumOf(replaced, stopGraceMs));
  const askedMs = sumOf(services, startPeriodMs) + stopMs + sumOf(services, handoverMs);
  return {
    deadlineMs: saidMs === undefined ? DEFAULTS.deadlineMs + askedMs : Math.max(saidMs, ...services.map(startPeriodMs)),
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
  const values = Object.values(spec.services ?? {}).map(({ labels }) => labelsOf(labels)[ON_FAILURE]);
  if (values.includes('hold')) return 'hold';
  if (values.includes('rollback')) return 'rollback';
  return cameAsTargetState(metadata) ? 'hold' : 'rollback';
}

/** The time that its healthcheck may fail at the start, ms. Pure. */
export const startPeriodMs = ({ healthcheck }: Pick<AppService, 'healthcheck'>): number =>
  composeDurationMs(healthcheck?.start_period ?? healthcheck?.startPeriod) ?? 0;

/** The time that its container may take to stop, ms. */
const stopGraceMs = ({ stop_grace_period: grace }: Asking): number => composeDurationMs(grace) ?? 0;

/** The time that its container may wait for the one before to hand over, ms. */
const handoverMs = ({ labels }: Asking): number =>
  composeDurationMs(Number(labelsOf(labels)[HANDOVER_TIMEOUT] ?? Number.NaN)) ?? 0;

const sumOf = (services: readonly Asking[], ms: (service: Asking) => number): number =>
  services.reduce((sum, service) => sum + ms(service), 0);
