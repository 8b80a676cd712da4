import type { LogStream } from '../../api/device-state/logs.js';
import { appIdOf } from '../../api/store/proposal/derived-names.js';
import type { Store } from '../../api/store/store.js';
import type { OrphanedVolume, OrphanedVolumes, RemovalOfOrphan } from '../../crds/model/orphans.js';
import type { Informer } from '../engine/cache/informer.js';
import type { Engine, SeenVolume } from '../engine/engine.js';
import { APP_ID, APP_UUID, SUPERVISED } from '../engine/labels.js';
import { namedVolumes } from './named-volumes.js';

export interface OrphansDeps {
  readonly store: Pick<Store, 'list' | 'unavailableOrigins'>;
  readonly cache: Pick<Informer, 'hasSynced' | 'syncError' | 'vitals' | 'volumes' | 'refreshVolume'>;
  readonly engine: Pick<Engine, 'removeVolume' | 'volumeUsers'>;
  readonly logs: Pick<LogStream, 'system'>;
  /** Returns true once all sources have been read: an app that is not known yet is not gone. Absent means true. */
  readonly isDeclared?: () => boolean;
}

/** Finds the volumes of apps that are gone. They are only reported; somebody has to request their removal. */
export function orphanedVolumes(deps: OrphansDeps): OrphanedVolumes {
  const { store, cache, engine, logs, isDeclared = () => true } = deps;
  const needDeclared = (): void => {
    if (!isDeclared()) throw new Error('The agent is still reading what is declared; try again in a moment');
  };
  const unknown = (): Error => new Error(cache.syncError ?? 'The engine has not answered yet');
  const lastSeen = (): readonly OrphanedVolume[] => {
    needDeclared();
    if (cache.vitals.listedAtMs === undefined) throw unknown();
    return orphansAmong(cache.volumes(), store);
  };
  const list = (): readonly OrphanedVolume[] => {
    needDeclared();
    if (!cache.hasSynced) throw unknown();
    return lastSeen();
  };
  return {
    lastSeen,
    list,
    unsure: () => {
      needDeclared();
      return unreadSource(store);
    },
    async remove(name, signal): Promise<RemovalOfOrphan> {
      const orphan = list().find((one) => one.name === name);
      if (!orphan) return { is: 'absent' };
      const result = await engine.removeVolume(name, signal);
      if (result === 'in-use') {
        return { is: 'in-use', by: (await engine.volumeUsers(name, signal)).map((user) => user.name) };
      }
      if (result === 'removed') logs.system(`Removing volume '${name}', whose app is gone`, { app: orphan.appId });
      await cache.refreshVolume(name, signal);
      return { is: result };
    },
  };
}

/** Returns our volumes (by label) that no document names and whose app no document declares. */
function orphansAmong(volumes: readonly SeenVolume[], store: Pick<Store, 'list'>): readonly OrphanedVolume[] {
  const declared = store.list('App');
  const spokenOf = new Set([
    ...store.list('Volume').map(({ spec }) => spec.volumeName),
    ...declared.flatMap(namedVolumes),
  ]);
  const apps = new Set(declared.map((app) => String(appIdOf(app))));
  return volumes
    .filter(({ name, labels }) => isOurs(labels) && !spokenOf.has(name) && !apps.has(labels[APP_ID] ?? ''))
    .map(({ name, driver, labels, mountpoint }) => ({
      name,
      appId: Number(labels[APP_ID]),
      ...(labels[APP_UUID] === undefined ? {} : { appUuid: labels[APP_UUID] }),
      driver,
      mountpoint,
    }))
    .sort((a, b) => a.appId - b.appId || (a.name < b.name ? -1 : 1));
}

const isOurs = (labels: SeenVolume['labels']): boolean =>
  (labels[SUPERVISED] !== undefined || labels['io.resin.supervised'] !== undefined) &&
  /^\d{1,15}$/.test(labels[APP_ID] ?? '');

/** Returns a source that could not be read: an app that it declares is not gone. */
function unreadSource(store: Pick<Store, 'list' | 'unavailableOrigins'>): string | undefined {
  const [unavailable] = store.unavailableOrigins();
  if (unavailable) return `${unavailable.origin} cannot be read at present: ${unavailable.message}`;
  const source = store.list('GitSource').find(({ status }) => status?.applied === undefined);
  return source && `git/${source.metadata.name} has not been read yet`;
}
