import type { Store } from '../../../../api/store/store.js';
import { API_VERSION, type Declared, type Kinds } from '../../../../crds/model/kinds.js';
import { anApp, declare, report } from '../a-server.js';

const image = (app: string, reference: string): Declared<'Image'> => ({
  apiVersion: API_VERSION,
  kind: 'Image',
  metadata: { name: `${app}.image` },
  spec: { app, image: reference, services: ['main'] },
});

/** The digest of the recordings is shortened; references have whole ones. */
export const DIGEST = `sha256:${'5'.repeat(64)}`;

/** The apps of the recorded overview: one that is downloading, and one without a release. */
export async function downloading(store: Store): Promise<void> {
  const reference = `registry/a@${DIGEST}`;
  const release = { commit: 'c1', id: 11 };
  await declare(
    store,
    'files',
    anApp('fleetone', { appId: 1, uuid: 'aaaa', release, services: { main: { image: reference, imageId: 5 } } }),
    anApp('norelease', { appId: 3, uuid: 'cccc', release: null }),
  );
  await declare(store, 'App/fleetone', image('fleetone', reference));
  report(store, 'Image', 'fleetone.image', { state: 'Downloading', downloadProgress: 35 });
  report(store, 'App', 'fleetone', { phase: 'Staging' }, 'Waiting');
  report(store, 'App', 'norelease', { phase: 'Settled' });
}

/** The recorded app of one service that runs. */
export async function running(store: Store, appId: number, containerId: string): Promise<void> {
  const name = `app${appId}`;
  const release = { commit: `c${appId}`, id: appId * 11 };
  const spec = { image: 'alpine', imageId: appId, serviceId: appId * 101 };
  await declare(store, 'files', anApp(name, { appId, release, services: { main: spec } }));
  const service: Kinds['Service']['spec'] = { ...spec, app: name, serviceName: 'main', appId, release };
  await declare(
    store,
    `App/${name}`,
    { apiVersion: API_VERSION, kind: 'Service', metadata: { name: `${name}.main` }, spec: service },
    image(name, 'alpine:latest'),
  );
  report(store, 'App', name, { release });
  report(store, 'Image', `${name}.image`, { state: 'Downloaded', dockerImageId: 'sha256:958f41' });
  report(store, 'Service', `${name}.main`, {
    state: 'running',
    container: {
      id: containerId,
      name: `main_${appId}`,
      createdAt: '2026-01-02T03:04:05.678Z',
      image: 'sha256:958f41',
      imageId: appId,
      releaseId: release.id,
      commit: release.commit,
    },
  });
}
