import type { Issue } from '../../crds/model/issue.js';
import type { Volume } from '../../crds/model/kinds.js';
import type { ReasonOf } from '../../crds/model/reasons.js';
import type { SeenVolume } from '../engine/engine.js';
import { act, InvalidSpecError, type Plan, settled, TerminalError, wait } from '../runtime/outcome.js';
import { differenceOf, isMadeAfter, isOurs } from './options.js';

export type VolumeStep =
  | { readonly do: 'create'; readonly because: string }
  | { readonly do: 'remove'; readonly because: string }
  /** Acknowledges a purge that is not carried out. */
  | { readonly do: 'refuse'; readonly because: string };

/** Of `wantedElsewhere` and `otherApps` reading costs a look at all Apps: only a deletion and a purge do. */
export interface VolumeFacts {
  readonly seen: SeenVolume | undefined;
  /** Names of our containers that mount it, in any state. */
  readonly mountedBy: readonly string[];
  /** Another document that is not deleted names the same volume, or an App that has no document of it yet. */
  readonly wantedElsewhere: boolean;
  /** Other Apps that name it, or whose containers mount it. */
  readonly otherApps: readonly string[];
  /** Id of the purge that the App has started and this volume has not acknowledged. */
  readonly purge: string | undefined;
  /** Paths of the host that its document reaches without permission. */
  readonly refusedAccess: readonly Issue[];
}

/**
 * Plans what to do about one volume, given what exists. Only a purge recreates an existing volume; throws when a
 * document would need that. Pure.
 */
export function planVolume(volume: Volume, facts: VolumeFacts): Plan<VolumeStep, ReasonOf<'Volume'>> {
  const { seen, mountedBy, purge, refusedAccess } = facts;
  if (volume.spec.external) return planExternal(volume, facts);
  if (refusedAccess.length > 0) throw new InvalidSpecError(refusedAccess);
  const { volumeName: name, reclaim } = volume.spec;
  if (volume.metadata.deletionTimestamp !== undefined) {
    if (reclaim === 'Retain' || !seen || !isOurs(seen) || facts.wantedElsewhere) return settled();
    if (mountedBy.length > 0) return waitForUsers(name, mountedBy);
    return act('Removing', { do: 'remove', because: 'deleted, and its data with it' });
  }
  if (!seen) return act('Creating', { do: 'create', because: purge === undefined ? 'there was none' : 'purged' });
  if (purge !== undefined && !isMadeAfter(seen, purge)) {
    const { otherApps } = facts;
    if (otherApps.length > 0) {
      const because = `The volume ${name} is in use by ${otherApps.map((app) => `App ${app}`).join(', ')} too`;
      return act('PurgeRefused', { do: 'refuse', because });
    }
    if (!isOurs(seen) && !hasUsualName(volume)) {
      const because = `Nobody knows whose the data of the volume ${name} are: it was there before the App named it. Empty it by hand`;
      return act('PurgeRefused', { do: 'refuse', because });
    }
    if (mountedBy.length > 0) return waitForUsers(name, mountedBy);
    return act('Purging', { do: 'remove', because: 'purge of the app requested' });
  }

  const difference = differenceOf(volume.spec, seen);
  if (difference === undefined) return settled();
  throw new TerminalError(
    'DataLossRefused',
    `The volume ${name} exists and ${difference}. Changing it would destroy its data, so it stays as it is: take the ` +
      `change back, declare a volume of another name, or save the data and purge the app`,
  );
}

/** Tells whether the volume's name begins as those that we give: without our labels the engine made it for the App. Pure. */
const hasUsualName = ({ spec: { appId, volumeName } }: Volume): boolean => volumeName.startsWith(`${appId}_`);

/** Waits for a volume that somebody else makes; nothing is ever done to it. */
function planExternal(
  { metadata, spec: { volumeName: name } }: Volume,
  { seen }: VolumeFacts,
): Plan<VolumeStep, ReasonOf<'Volume'>> {
  if (metadata.deletionTimestamp !== undefined || seen) return settled();
  return wait('VolumeMissing', `Volume ${name} is not there; it is declared external`);
}

const waitForUsers = (name: string, mountedBy: readonly string[]): Plan<VolumeStep, ReasonOf<'Volume'>> =>
  wait('StillMounted', `Waiting for ${[...mountedBy].sort().join(', ')} to let go of the volume ${name}`);
