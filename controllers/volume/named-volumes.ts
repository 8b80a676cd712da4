import { appIdOf } from '../../api/store/proposal/derived-names.js';
import { volumeNames } from '../../crds/model/engine-names.js';
import type { App, Declared } from '../../crds/model/kinds.js';

/**
 * Returns the names on the engine of the volumes that an App declares, its own and external ones. It may name them before
 * it has documents of them: while it is suspended, downloads, or waits for another App to go. Pure.
 */
export const namedVolumes = (app: App | Declared<'App'>): readonly string[] =>
  Object.entries(app.spec.volumes ?? {}).map(
    ([key, declared]) => volumeNames(app.metadata.name, appIdOf(app) ?? 0, key, declared).engine,
  );
