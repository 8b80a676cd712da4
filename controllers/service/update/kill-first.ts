import { killsFirst } from '../../../crds/model/update-strategy.js';
import type { SeenContainer } from '../../engine/engine.js';
import { IMAGE } from '../../engine/labels.js';
import { type Plan, wait } from '../../runtime/outcome.js';
import { terminate } from '../plan-steps.js';
import type { DesiredContainer, ServiceState, ServiceStep } from '../service-state.js';

/**
 * Plans while the image is not local. With a kill-first strategy the container of another image is removed now, because
 * the App downloads the new image only after that; every other service waits. Pure.
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

/** Tells whether the container was made from another image reference. A lost image is no reason to stop what still runs from it. Pure. */
const isOfAnother = ({ labels }: SeenContainer, reference: string): boolean => labels[IMAGE] !== reference;

/** Waits with a kill-first service until all images of the release are on the device. Pure. */
export const waitForRelease = ({
  updatePolicy: { strategy },
  staging,
}: DesiredContainer): Plan<ServiceStep> | undefined =>
  staging && killsFirst(strategy) ? wait('ReleaseNotReady', 'Waiting for the other images of the release') : undefined;
