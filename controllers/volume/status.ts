import type { Volume } from '../../crds/model/kinds.js';
import { acknowledgementsOf, type Refusal, withAcknowledged } from '../../crds/model/requests.js';
import { InvalidSpecError, type Plan } from '../runtime/outcome.js';
import type { Facts, Progress, StepResult } from '../runtime/reconciler.js';
import { PURGE } from './observe.js';
import { isMadeAfter } from './options.js';
import type { VolumeFacts, VolumeStep } from './plan.js';

export interface VolumeResult extends StepResult {
  /** Why a purge was not carried out. */
  readonly refused: Refusal;
}

/** Returns the status of a volume: whether it exists, and what became of a purge. Pure. */
export function volumeStatus(
  { spec, status }: Volume,
  { seen, purge }: VolumeFacts,
  { result, error }: Progress<Plan<VolumeStep>, VolumeResult>,
): Facts<'Volume'> {
  const refused = result.refused ?? refusalOf(error);
  // The data of an external volume are not the App's to remove.
  const isDone = refused !== undefined || spec.external || (seen !== undefined && isMadeAfter(seen, purge ?? ''));
  const isPurged = purge !== undefined && isDone;
  return {
    present: seen !== undefined,
    ...(seen ? { mountpoint: seen.mountpoint } : {}),
    ...withAcknowledged(
      acknowledgementsOf(status),
      isPurged ? { [PURGE]: purge } : {},
      isPurged && refused ? { [PURGE]: refused } : {},
    ),
  };
}

/** A volume that cannot be created as it is declared is not purged either. */
const refusalOf = (error: unknown): Refusal | undefined => {
  const [first] = error instanceof InvalidSpecError ? error.issues : [];
  return first && { reason: 'Failed', message: first.message };
};
