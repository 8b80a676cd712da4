import { canonicalHash } from '../../crds/model/hash.js';
import type { VolumeSpec } from '../../crds/model/types.js';
import type { SeenVolume, VolumeOptions } from '../engine/engine.js';
import { APP_ID, APP_UUID, MADE_AFTER, SPEC_HASH, SUPERVISED } from '../engine/labels.js';

/**
 * Returns Docker's create body for a volume, labelled as the Supervisor does. `madeAfter`: ids of requests that
 * creating it carries out. Pure.
 */
export function volumeOptions(spec: VolumeSpec, madeAfter: readonly string[] = []): VolumeOptions {
  return {
    Driver: driverOf(spec),
    DriverOpts: optionsOf(spec),
    Labels: {
      ...labelsOf(spec),
      [SUPERVISED]: 'true',
      [APP_ID]: String(spec.appId),
      ...(spec.appUuid === undefined ? {} : { [APP_UUID]: spec.appUuid }),
      [SPEC_HASH]: canonicalHash({ driver: driverOf(spec), options: optionsOf(spec), labels: labelsOf(spec) }),
      ...(madeAfter.length > 0 ? { [MADE_AFTER]: madeAfter.join(' ') } : {}),
    },
  };
}

/**
 * Describes how an existing volume differs from its document; undefined when it may be used as it is. Only driver and
 * options count: other labels are no reason to give up data, nor to stop an app. A volume that is not ours (a
 * Supervisor's, or one that Docker created implicitly) is compared only where the document sets something. Pure.
 */
export function differenceOf(spec: VolumeSpec, seen: SeenVolume): string | undefined {
  const asks = spec.driver !== undefined || Object.keys(optionsOf(spec)).length > 0;
  if (seen.specHash === undefined && !asks) return undefined;
  const want = driverOf(spec);
  const options = optionsOf(spec);
  const names = [...new Set([...Object.keys(options), ...Object.keys(seen.options)])].sort();
  const different = names.filter((name) => options[name] !== seen.options[name]);
  const differences = [
    ...(want === seen.driver ? [] : [`its driver is ${seen.driver}, the document says ${want}`]),
    // Only names: options of a network volume can contain a password.
    ...(different.length > 0 ? [`its options differ from the document in ${different.join(', ')}`] : []),
  ];
  return differences.length > 0 ? differences.join(', and ') : undefined;
}

export const isOurs = ({ labels }: SeenVolume): boolean =>
  labels[SUPERVISED] !== undefined || labels['io.resin.supervised'] !== undefined;

/** Tells whether a volume was created after that request. Pure. */
export const isMadeAfter = ({ labels }: SeenVolume, id: string): boolean =>
  (labels[MADE_AFTER] ?? '').split(' ').includes(id);

const driverOf = (spec: VolumeSpec): string => spec.driver ?? 'local';

const optionsOf = (spec: VolumeSpec): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(spec.driver_opts ?? {}).map(([key, value]) => [key, String(value)]));

/** Renames `io.resin.…` to `io.balena.…`; a label under the current name wins. */
function labelsOf(spec: VolumeSpec): Readonly<Record<string, string>> {
  const labels = Object.entries(spec.labels ?? {}).map(([key, value]) => [key, String(value)] as const);
  const isOld = ([key]: readonly [string, string]): boolean => key.startsWith('io.resin.');
  return {
    ...Object.fromEntries(labels.filter(isOld).map(([key, value]) => [key.replaceAll('resin', 'balena'), value])),
    ...Object.fromEntries(labels.filter((label) => !isOld(label))),
  };
}
