import assert from 'node:assert/strict';
import { type AppTree, appTree } from '../../../../api/http/supervisor/app-tree.js';
import { containerIdOf, containerIds, deviceStatus } from '../../../../api/http/supervisor/device-status-view.js';
import type { Image, Kinds, Service } from '../../../../crds/model/kinds.js';
import { aDocument } from '../a-server.js';

const aService = (app: string, name: string, id: string, createdAt: string, state = 'running'): Service =>
  aDocument(
    'Service',
    `${app}.${name}`,
    { app, serviceName: name, image: 'alpine:latest', imageId: 1, serviceId: 101 },
    {
      state,
      container: {
        id,
        name: `${name}_1_1_c1`,
        createdAt,
        image: 'sha256:958f41',
        imageId: 1,
        releaseId: 1,
        commit: 'c1',
      },
    },
    { owner: `App/${app}` },
  );
const anImage = (app: string, name: string, status: Kinds['Image']['status'], services = ['main']): Image =>
  aDocument('Image', `${app}.${name}`, { app, image: `${name}:latest`, services }, status);

const tree = (name: string, appId: number, services: readonly Service[], images: readonly Image[]): AppTree =>
  appTree(
    aDocument(
      'App',
      name,
      { appId, services: { main: { image: 'alpine', imageId: 1, serviceId: 101 } } },
      { release: { commit: 'c1', id: 1 } },
    ),
    services,
    images,
  );

describe('deviceStatus', () => {
  it('has exactly the keys of the Supervisor, in its order', () => {
    const one = tree(
      'one',
      1,
      [aService('one', 'main', '2d1545', '2026-01-02T03:04:05.678Z')],
      [anImage('one', 'alpine', { state: 'Downloaded', dockerImageId: 'sha256:958f41' })],
    );
    assert.equal(
      JSON.stringify(deviceStatus([one], 'applied')),
      '{"status":"success","appState":"applied","overallDownloadProgress":null,"containers":[{"status":"Running","serviceName":"main","appId":1,"imageId":1,"serviceId":101,"containerId":"2d1545","createdAt":"2026-01-02T03:04:05.678Z"}],"images":[{"name":"alpine:latest","appId":1,"serviceName":"main","imageId":1,"dockerImageId":"sha256:958f41","status":"Downloaded","downloadProgress":null}],"release":"c1"}',
    );
  });

  it('is empty when nothing is here', () => {
    assert.equal(
      JSON.stringify(deviceStatus([tree('one', 1, [], [])], 'applying')),
      '{"status":"success","appState":"applying","overallDownloadProgress":null,"containers":[],"images":[]}',
    );
  });

  it('shows the app of the youngest container only', () => {
    const trees = [
      tree('one', 1, [aService('one', 'main', 'old', '2026-01-01T00:00:00.000Z')], []),
      tree('two', 2, [aService('two', 'main', 'young', '2026-01-02T00:00:00.000Z')], []),
    ];
    assert.match(
      JSON.stringify(deviceStatus(trees, 'applied')),
      /"containers":\[\{[^}]*"containerId":"young"[^}]*\}\]/,
    );
  });

  it('puts downloads first, without an engine id, and gives the mean of their progress unrounded', () => {
    const images = [
      anImage('one', 'a', { state: 'Downloaded', dockerImageId: 'sha256:a' }),
      anImage('one', 'b', { state: 'Downloading', downloadProgress: 10, dockerImageId: 'sha256:b' }),
      anImage('one', 'c', { state: 'Downloading', downloadProgress: 15 }),
      anImage('one', 'd', { state: 'Deleting', dockerImageId: 'sha256:d' }),
      anImage('one', 'e', {}),
    ];
    const status = JSON.parse(JSON.stringify(deviceStatus([tree('one', 1, [], images)], 'applying')));
    assert.equal(status.overallDownloadProgress, 12.5);
    const shown = status.images.map((one: Record<string, unknown>) => [
      one.name,
      one.dockerImageId,
      one.status,
      one.downloadProgress,
    ]);
    assert.deepEqual(shown, [
      ['b:latest', undefined, 'Downloading', 10],
      ['c:latest', undefined, 'Downloading', 15],
      ['a:latest', 'sha256:a', 'Downloaded', null],
      ['d:latest', 'sha256:d', 'Deleting', undefined],
    ]);
  });
});

describe('containerIds', () => {
  const trees = [
    tree(
      'one',
      1,
      [
        aService('one', 'main', 'young', '2026-01-02T00:00:00.000Z'),
        aService('one', 'side', 's', '2026-01-01T00:00:00.000Z', 'exited'),
      ],
      [],
    ),
    tree('two', 2, [aService('two', 'main', 'old', '2026-01-01T00:00:00.000Z')], []),
  ];
  it('keeps the last of two with one name in the map, and finds the first', () => {
    assert.deepEqual(containerIds(trees), { main: 'old', side: 's' });
    assert.equal(containerIdOf(trees, 'main'), 'young');
  });
  it('matches whole names only', () => assert.equal(containerIdOf(trees, 'mai'), undefined));
});
