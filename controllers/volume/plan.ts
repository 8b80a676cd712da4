import type { Volume } from '../../crds/kinds.js';
import type { SeenVolume } from '../docker/engine.js';
import { act, type Plan, settled, TerminalError, wait } from '../runtime/outcome.js';
import { differenceOf, isOurs } from './options.js';

export type VolumeStep =
  | { readonly do: 'create'; readonly because: string }
  | { readonly do: 'remove'; readonly because: string };

export interface VolumeFacts {
  readonly seen: SeenVolume | undefined;
  /** Names of our containers that mount it, in any state. */
  readonly mountedBy: readonly string[];
  /** Another document that is to stay names the same volume. */
  readonly wantedElsewhere: boolean;
}

/** What to do about one volume, given what exists. An existing volume is never made anew. Throws when that would be needed. Pure. */
export function planVolume(volume: Volume, { seen, mountedBy, wantedElsewhere }: VolumeFacts): Plan<VolumeStep> {
  const { volumeName: name, reclaim } = volume.spec;
  if (volume.metadata.deletionTimestamp !== undefined) {
    if (reclaim === 'Retain' || !seen || wantedElsewhere || !isOurs(seen)) return settled();
    if (mountedBy.length > 0) {
      return wait('StillMounted', `Waiting for ${[...mountedBy].sort().join(', ')} to let go of the volume ${name}`);
    }
    return act('Removing', { do: 'remove', because: 'deleted, and its data with it' });
  }
  if (!seen) return act('Creating', { do: 'create', because: 'not found' });

  const difference = differenceOf(volume.spec, seen);
  if (difference === undefined) return settled();
  throw new TerminalError(
    'DataLossRefused',
    `The volume ${name} exists and ${difference}. Changing it would destroy its data, so it stays as it is: take the ` +
      `change back, declare a volume of another name, or save the data, remove its containers and run \`docker volume rm ${name}\``,
  );
}
