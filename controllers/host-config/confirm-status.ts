import type { HostConfig } from '../../crds/model/kinds.js';
import { acknowledgementsOf, withAcknowledged } from '../../crds/model/requests.js';
import type { HostConfigStatus } from '../../crds/model/types.js';
import type { UnconfirmedChange } from '../host/host-state.js';
import { deadlineOf, type Verdict } from './commit-confirm.js';

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
