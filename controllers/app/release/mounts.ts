import { posix } from 'node:path';
import { isMap } from '../../../crds/model/maps.js';
import { volumeName } from '../../../crds/model/names.js';
import type { ServiceSpec } from '../../../crds/model/types.js';
import type { ListedMount } from '../../engine/engine.js';

interface Mounted {
  /** `''`: a volume without a name. */
  readonly source: string;
  readonly target: string;
}

/**
 * Returns a sentence for each place where that container keeps data which the service would not find there: a volume or a
 * writable path of the host that the service does not mount at the same place. Pure.
 */
export function lackingMounts(
  container: string,
  mounts: readonly ListedMount[],
  service: ServiceSpec,
): readonly string[] {
  const own = mountsOf(service);
  const keeps = ({ type, isReadOnly }: ListedMount): boolean => type === 'volume' || (type === 'bind' && !isReadOnly);
  return mounts.filter(keeps).flatMap(({ type, source, target }) => {
    const there = own.find((one) => one.target === normal(target));
    if (there && there.source === (type === 'bind' ? normal(source) : source)) return [];
    const instead = there?.source ? `mounts ${there.source}` : 'has none of that';
    if (ANONYMOUS.test(source) && type === 'volume')
      return [
        `container ${container} has a volume without a name at ${target} (${source.slice(0, 12)}), and service ${service.serviceName} ${instead}: give it a volume with a name there, and copy the data`,
      ];
    return [
      `container ${container} has ${type === 'bind' ? source : `volume ${source}`} at ${target}, and service ${service.serviceName} ${instead} there`,
    ];
  });
}

/** What Docker calls a volume that nobody has given a name. */
const ANONYMOUS = /^[0-9a-f]{64}$/;

/** Where the service mounts what, by names on the engine. Reads leniently: the schema checks shapes. Pure. */
function mountsOf({ volumes, volumeNames, appId = 0 }: ServiceSpec): readonly Mounted[] {
  const named = (source: string): string =>
    source.startsWith('/') ? normal(source) : (volumeNames?.[source] ?? volumeName(appId, source));
  return (volumes ?? []).flatMap((entry: unknown): Mounted[] => {
    if (typeof entry === 'string') {
      const [source = '', target] = entry.split(':').map((part) => part.trim());
      return target === undefined
        ? [{ source: '', target: normal(source) }]
        : [{ source: named(source), target: normal(target) }];
    }
    if (!isMap(entry) || typeof entry.target !== 'string') return [];
    const source = typeof entry.source === 'string' && entry.source !== '' ? named(entry.source) : '';
    return [{ source, target: normal(entry.target) }];
  });
}

const normal = (path: string): string => posix.normalize(path).replace(/(.)\/$/, '$1');
