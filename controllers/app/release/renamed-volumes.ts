import { volumeNames } from '../../../crds/model/engine-names.js';
import type { AnyResource, App, Volume } from '../../../crds/model/kinds.js';
import { childName } from '../../../crds/model/names.js';
import { identityOf } from './children.js';

/**
 * Returns a sentence for each volume of an App that a promotion gives another name on the engine: nothing is moved, so
 * the service will not find what it wrote. `active`: the children that there are. Pure.
 */
export function renamedVolumes(app: App, active: readonly AnyResource[]): readonly string[] {
  const { appId } = identityOf(app);
  const volumes = active.filter((one) => one.kind === 'Volume');
  return Object.entries(app.spec.volumes ?? {}).flatMap(([key, declared]) => {
    const { document, engine } = volumeNames(app.metadata.name, appId, key, declared);
    if (volumes.some(({ metadata }) => metadata.name === document)) return [];
    const before = volumes.filter((one) => isOfKey(one, childName(app.metadata.name, key)) && !one.spec.external);
    return before.map(
      ({ spec }) =>
        `Volume ${key} is ${engine} from now on. Its data stay in ${spec.volumeName}: copy them, or take the name back`,
    );
  });
}

/** Tells whether a document is, or was, that of the volume whose usual document has that name. Pure. */
const isOfKey = ({ metadata: { name } }: Volume, usual: string): boolean =>
  name === usual || (name.startsWith(`${usual}-`) && /^[0-9a-f]{8}$/.test(name.slice(usual.length + 1)));
