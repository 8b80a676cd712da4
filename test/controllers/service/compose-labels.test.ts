import assert from 'node:assert/strict';
import { COMPOSE, composeContainerLabels } from '../../../crds/model/compose.js';
import type { Declared } from '../../../crds/model/kinds.js';
import type { AppService, AppSpec } from '../../../crds/model/types.js';
import { declareApp } from '../../setup/declared.js';
import { Device } from '../../simulation/device.js';

const SERVICE: Partial<AppService> = { volumes: ['data:/data'], networks: ['default', 'front'] };
const MORE: Partial<AppSpec> = {
  networks: { front: null },
  volumes: { data: { name: 'hello_data' } },
};
const FILES = { [COMPOSE.files]: 'compose.yaml' };

/** An App as a Compose file comes to one. */
const aProject = (annotations: Readonly<Record<string, string>>, service = SERVICE): Declared<'App'> => {
  const app = declareApp({ web: service }, MORE);
  return { ...app, metadata: { ...app.metadata, annotations } };
};

describe('the labels of Docker Compose', () => {
  let device: Device;
  beforeEach(async () => {
    device = new Device();
    device.engine.images.add('web:1', {
      content: 'one',
      config: { Labels: { 'com.docker.compose.project': 'built' } },
    });
    await device.boot();
  });
  afterEach(() => device.stop());

  const bring = async (...documents: readonly Declared<'App'>[]): Promise<void> => {
    await device.agent?.propose(documents);
    await device.agent?.settle();
  };
  const ofCompose = (labels: Readonly<Record<string, string>> = {}): object =>
    Object.fromEntries(Object.entries(labels).filter(([name]) => name.startsWith('com.docker.compose.')));
  const { containers, networks, volumes } = {
    containers: () => device.engine.docker.containers.map(({ options }) => ofCompose(options.Labels)),
    networks: () => device.engine.docker.networks.map(({ name, labels }) => ({ name, labels: ofCompose(labels) })),
    volumes: () => device.engine.docker.volumes.map(({ name, labels }) => ({ name, labels: ofCompose(labels) })),
  };
  const creations = (): number => device.engine.verbs.filter((verb) => verb === 'createContainer').length;

  it('are on everything that an App from a Compose file makes', async () => {
    await bring(aProject(FILES));
    const hash = device.engine.docker.containers[0]?.options.Labels?.['io.supercargo.spec-hash'];
    assert.deepEqual(containers(), [
      {
        'com.docker.compose.project': 'hello',
        'com.docker.compose.service': 'web',
        'com.docker.compose.container-number': '1',
        'com.docker.compose.oneoff': 'False',
        'com.docker.compose.config-hash': hash,
        'com.docker.compose.project.config_files': 'compose.yaml',
        'com.docker.compose.version': '2.0.0',
      },
    ]);
    const labelsOf = (key: string, name: string) => ({
      'com.docker.compose.project': 'hello',
      [`com.docker.compose.${key}`]: name,
    });
    assert.deepEqual(
      networks()
        .filter(({ name }) => name.startsWith('u_'))
        .sort((a, b) => a.name.localeCompare(b.name)),
      [
        { name: 'u_default', labels: labelsOf('network', 'default') },
        { name: 'u_front', labels: labelsOf('network', 'front') },
      ],
    );
    assert.deepEqual(volumes(), [{ name: 'hello_data', labels: labelsOf('volume', 'data') }]);
  });

  it('name files and folder where those are on the device', () => {
    const { metadata, ...app } = aProject(FILES);
    const composeFiles = ['/srv/hello/compose.yaml', '/srv/hello/compose.override.yaml'];
    const labels = composeContainerLabels(
      { ...app, metadata: { ...metadata, source: { file: '', composeFiles } } },
      'web',
      '',
    );
    assert.equal(labels['com.docker.compose.project.config_files'], composeFiles.join());
    assert.equal(labels['com.docker.compose.project.working_dir'], '/srv/hello');
  });

  it('are not on what another App makes, whatever its image was built with', async () => {
    await bring(aProject({}));
    assert.deepEqual(containers(), [{ 'com.docker.compose.project': 'built' }]);
    assert.deepEqual(volumes(), [{ name: 'hello_data', labels: {} }]);
  });

  it('can be switched off, and give way to those of the service', async () => {
    const own = { ...SERVICE, labels: { 'com.docker.compose.project': 'mine' } };
    await bring(aProject(FILES, own));
    assert.deepEqual(device.engine.docker.containers[0]?.options.Labels?.['com.docker.compose.project'], 'mine');
    await bring();
    await bring(aProject({ ...FILES, [COMPOSE.labels]: 'off' }));
    assert.deepEqual(containers(), [{ 'com.docker.compose.project': 'built' }]);
  });

  it('are no reason to recreate anything, neither by coming nor by going', async () => {
    await bring(aProject({}));
    const before = creations();
    for (const annotations of [FILES, { ...FILES, [COMPOSE.labels]: 'off' }, { [COMPOSE.files]: 'other.yaml' }, {}]) {
      await bring(aProject(annotations));
      assert.equal(creations(), before);
    }
    assert.deepEqual(volumes(), [{ name: 'hello_data', labels: {} }]);
  });

  it('name the other hand when docker compose up was run there', async () => {
    await bring(aProject(FILES));
    const { docker } = device.engine;
    const ours = docker.containers[0]?.id ?? '';
    docker.stopContainer(ours);
    const theirs = docker.createContainer('hello_web_1', {
      Image: 'web:1',
      Labels: { 'com.docker.compose.project': 'hello', 'com.docker.compose.service': 'web' },
    });
    docker.startContainer(theirs);
    for (let turn = 0; turn < 3; turn += 1) {
      await device.agent?.quiet();
      device.clock.advance(100);
    }
    await device.agent?.settle();
    assert.equal(docker.containers.find(({ id }) => id === ours)?.state, 'running');
    const events = device.agent?.store.events().filter(({ reason }) => reason === 'OtherHand') ?? [];
    assert.deepEqual(
      events.map(({ message }) => message),
      [
        'Another hand, perhaps docker compose, works on the project hello: hello_web_1 is not ours and has its labels; service web is kept as its App says',
      ],
    );
  });
});
