import { killsFirst } from '../../../crds/model/update-strategy.js';
import type { SeenContainer } from '../../engine/engine.js';
import { IMAGE } from '../../engine/labels.js';
import { type Plan, wait } from '../../runtime/outcome.js';
import { terminate } from '../plan-steps.js';
import type { DesiredContainer, ServiceState, ServiceStep } from '../service-state.js';

/**
 * The image is not local. By the strategies that kill first the container of another image makes room for it now: the
 * App does not have the new one downloaded before it has gone. Everybody else waits. Pure.
 */
export function planWithoutImage(
  state: ServiceState,
  { updatePolicy: { strategy }, reference }: DesiredContainer,
  current: SeenContainer | undefined,
): Plan<ServiceStep> {
  if (current && killsFirst(strategy) && isOfAnother(current, reference)) {
    return terminate(state, current, `${strategy}: image ${reference} is to be downloaded`, {
      update: { is: 'first', strategy },
    });
  }
  return wait('ImageMissing', `Waiting for image ${reference} to be local`);
}

/** An image that is only lost is no reason to stop what still runs from it. Pure. */
const isOfAnother = ({ labels }: SeenContainer, reference: string): boolean => labels[IMAGE] !== reference;

/** A service that was stopped before the rest of its release had arrived comes back with that, not before. Pure. */
export const waitForRelease = ({
  updatePolicy: { strategy },
  staging,
}: DesiredContainer): Plan<ServiceStep> | undefined =>
  staging && killsFirst(strategy) ? wait('ReleaseNotReady', 'Waiting for the other images of the release') : undefined;
