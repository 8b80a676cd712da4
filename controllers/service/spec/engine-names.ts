import type { UnusualNames } from '../../../crds/model/engine-names.js';
import { networkName, volumeName } from '../../../crds/model/names.js';
import type { Identity } from './identity.js';

interface Named {
  readonly names: UnusualNames;
}

/** Returns what names the networks of a service on the engine. Pure. */
export const networkNamer =
  ({ names: { networkNames = {} } }: Named, { appUuid }: Pick<Identity, 'appUuid'>) =>
  (network: string): string =>
    networkNames[network] ?? networkName(appUuid, network);

/** Returns what names the volumes of a service on the engine. Pure. */
export const volumeNamer =
  ({ names: { volumeNames = {} } }: Named, { appId }: Pick<Identity, 'appId'>) =>
  (volume: string): string =>
    volumeNames[volume] ?? volumeName(appId, volume);
