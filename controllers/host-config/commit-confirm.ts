import type { HostConfig } from '../../crds/model/kinds.js';
import { acknowledgementsOf, withAcknowledged } from '../../crds/model/requests.js';
import { cameAsTargetState } from '../../crds/model/target-state.js';
import type { HostConfigStatus } from '../../crds/model/types.js';
import type { UnconfirmedChange } from '../host/host-state.js';
import { act, type Plan, wait } from '../runtime/outcome.js';

/** How long a change may take to be confirmed when its document does not say, in seconds. */
const DEADLINE_SECONDS = 600;
/** Number of starts without a confirmation after which a device counts as being in a boot loop. */
const STARTS_LIMIT = 3;
/** How often probes are run, ms. */
const LOOK_MS = 2_000;

/** Why a change is rolled back whose document is deleted meanwhile. */
export const UNPROVEN = 'its document was deleted before the change had proved itself';

export interface ConfirmFacts {
  readonly unconfirmed: UnconfirmedChange;
  readonly deadlineSeconds: number;
  /** Only a request confirms. */
  readonly manual: boolean;
  readonly bootId: string;
  readonly uptimeMs: number;
  /** It takes effect only with the next start of the device. */
  readonly restartDue: boolean;
  /** Somebody has requested to confirm it. */
  readonly requested: boolean;
  /** Probes that fail at this time. */
  readonly missing: readonly string[];
}

export type Verdict =
  /** Its time does not run before the device has been started. */
  | { readonly is: 'not-started' }
  /** Its time begins to run now. */
  | { readonly is: 'begin'; readonly starts: number }
  | { readonly is: 'good'; readonly because: string }
  | { readonly is: 'bad'; readonly because: string }
  | { readonly is: 'open'; readonly missing: readonly string[]; readonly leftMs: number; readonly forMs: number };

/**
 * Judges whether an unconfirmed change has proved itself. Time is counted by the uptime of the device: the clock of a
 * device without a battery is wrong after a start. Pure.
 */
export function judgeChange(facts: ConfirmFacts): Verdict {
  const { unconfirmed, deadlineSeconds, manual, bootId, uptimeMs, restartDue, requested } = facts;
  if (requested) return { is: 'good', because: 'confirmed by request' };
  if (deadlineSeconds === 0) return { is: 'good', because: 'no proof is asked for' };
  if (restartDue) return { is: 'not-started' };
  if (unconfirmed.since?.bootId !== bootId) {
    if (unconfirmed.starts >= STARTS_LIMIT) {
      return { is: 'bad', because: `the device was started ${unconfirmed.starts} times before it was confirmed` };
    }
    return { is: 'begin', starts: unconfirmed.starts + 1 };
  }
  const missing = manual ? ['a request to confirm it'] : facts.missing;
  if (missing.length === 0) return { is: 'good', because: 'everything that was asked for is there' };
  const leftMs = unconfirmed.since.uptimeMs + deadlineSeconds * 1000 - uptimeMs;
  if (leftMs <= 0) return { is: 'bad', because: `after ${deadlineSeconds} s it still lacked ${missing.join(', ')}` };
  return { is: 'open', missing, leftMs, forMs: Math.min(LOOK_MS, leftMs) };
}

/** What is done about an unconfirmed change. Each kind of settings has its own way to roll back. */
export type ConfirmStep =
  | { readonly do: 'start-timer'; readonly starts: number; readonly because: string }
  | { readonly do: 'confirm' | 'give-up' | 'roll-back'; readonly because: string };

/** Plans what to do about an unconfirmed change; undefined while its time does not run yet. Pure. */
export function planConfirm(verdict: Verdict): Plan<ConfirmStep> | undefined {
  switch (verdict.is) {
    case 'not-started':
      return undefined;
    case 'begin':
      return act('Confirming', { do: 'start-timer', starts: verdict.starts, because: 'the change has taken effect' });
    case 'good':
      return act('Confirming', { do: 'confirm', because: verdict.because });
    case 'bad':
      return act('RollingBack', { do: 'give-up', because: verdict.because });
    case 'open': // The time left is not in the message: a status that counts down would be written again and again.
      return wait(
        'Confirming',
        `The change has to prove itself, or what was there before comes back. Missing: ${verdict.missing.join(', ')}`,
        verdict.forMs,
      );
  }
}

/** Returns the deadline for a confirmation, in seconds. A target state asks for none. Pure. */
export function deadlineOf({ spec, metadata }: Pick<HostConfig, 'spec' | 'metadata'>): number {
  return spec.confirm?.deadlineSeconds ?? (cameAsTargetState(metadata) ? 0 : DEADLINE_SECONDS);
}

/** Returns what a status says of an unconfirmed change; nothing without one. Pure. */
export function confirmStatus(
  document: HostConfig,
  unconfirmed: UnconfirmedChange | undefined,
  verdict: Verdict | undefined,
): Pick<HostConfigStatus, 'trial'> {
  if (!unconfirmed) return {};
  const waitsFor = verdict?.is === 'open' ? { waitsFor: [...verdict.missing] } : {};
  return { trial: { deadlineSeconds: deadlineOf(document), ...waitsFor } };
}

/** Returns the acknowledged requests, with the one to confirm of that id. Pure. */
export function answered({ status }: HostConfig, confirm: string | undefined): Pick<HostConfigStatus, 'handled'> {
  const { handled } = withAcknowledged(acknowledgementsOf(status), confirm === undefined ? {} : { confirm });
  return handled ? { handled: { ...handled } } : {};
}
