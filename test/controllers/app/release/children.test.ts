import assert from 'node:assert/strict';
import { apiNetwork, childrenOf, identityOf, retainVolumes } from '../../../../controllers/app/release/children.js';
import type { Kind } from '../../../../crds/model/kinds.js';
import { allottedId } from '../../../../crds/model/names.js';
import { labelsOf, wantsApiNetwork } from '../../../../crds/model/references.js';
import type { AppSpec, ServiceFields } from '../../../../crds/model/types.js';
import { anApp, aService, aVolume } from '../../../setup/documents.js';

const image = 'busybox';
const children = (spec: Partial<AppSpec>, kind: Kind) =>
  childrenOf(anApp({ spec }))
    .filter((one) => one.kind === kind)
    .map(({ metadata, spec: of }) => [metadata.name, of]);

describe('children of an App', () => {
  it('allots numbers that follow from the name', () => {
    const { metadata } = anApp();
    assert.deepEqual(identityOf({ metadata, spec: {} }), {
      appId: allottedId('hello'),
      uuid: String(allottedId('hello')),
      name: 'hello',
      release: { commit: 'local', id: 1 },
    });
    const output = { appId: 7, uuid: 'abc', name: 'Hello', release: { commit: 'c1', id: 3 } };
    assert.deepEqual(identityOf({ metadata, spec: output }), output);
    assert.equal(identityOf({ metadata, spec: { release: null } }).release, null);
  });

  it('fills a service in', () => {
    const services = {
      web: { image, environment: { A: '1' } },
      db: { image: 'db@sha256:1', serviceId: 5, imageId: 6, running: false },
    };
    const release = { commit: 'c1', id: 3 };
    const app = { app: 'hello', appId: 1, appUuid: 'u', appName: 'Hello', release };
    const id = allottedId('hello/web');
    assert.deepEqual(children({ uuid: 'u', name: 'Hello', release, services }, 'Service'), [
      [
        'hello.web',
        { ...app, serviceName: 'web', image: 'busybox:latest', serviceId: id, imageId: id, environment: { A: '1' } },
      ],
      ['hello.db', { ...app, serviceName: 'db', image: 'db@sha256:1', serviceId: 5, imageId: 6, running: false }],
    ]);
  });

  it('has one image for each reference, however it is written', () => {
    const services = { b: { image: 'busybox:latest' }, a: { image }, c: { image: 'other:1' } };
    const specs = children({ services }, 'Image').map(([, spec]) => spec);
    assert.deepEqual(specs, [
      { app: 'hello', image: 'busybox:latest', services: ['a', 'b'] },
      { app: 'hello', image: 'other:1', services: ['c'] },
    ]);
  });

  it('fetches the images of standalone services', () => {
    const images = childrenOf(anApp(), [aService({ spec: { serviceName: 'extra', image: 'extra' } })]).filter(
      ({ kind }) => kind === 'Image',
    );
    assert.deepEqual(
      images.map(({ spec }) => 'services' in spec && spec.services),
      [['web'], ['extra']],
    );
  });

  const base = { app: 'hello', appId: 1 };
  const byDefault = { ...base, networkName: '1_default' };
  const networks: ReadonlyArray<{ it: string; spec: Partial<AppSpec>; want: readonly unknown[] }> = [
    { it: 'adds the default network', spec: {}, want: [['hello.default', byDefault]] },
    {
      it: 'makes it without a bridge when all services use the host',
      spec: { services: { a: { image, network_mode: 'host' }, b: { image, network_mode: ' host ' } } },
      want: [['hello.default', { ...byDefault, config_only: true }]],
    },
    {
      it: 'makes it without a bridge when there is no service',
      spec: { services: {} },
      want: [['hello.default', { ...byDefault, config_only: true }]],
    },
    {
      it: 'makes a bridge when one service needs it',
      spec: { services: { a: { image, network_mode: 'host' }, b: { image } } },
      want: [['hello.default', byDefault]],
    },
    {
      it: 'takes a declared default as it is',
      spec: { services: {}, networks: { default: { internal: true } } },
      want: [['hello.default', { ...byDefault, internal: true }]],
    },
    {
      it: 'names networks by the uuid',
      spec: { uuid: 'u', networks: { back: null } },
      want: [
        ['hello.default', { ...base, networkName: 'u_default' }],
        ['hello.back', { ...base, networkName: 'u_back' }],
      ],
    },
    ...(
      [
        ['a service names none', { services: { a: { image } } }, true],
        [
          'a service names it beside another one',
          { services: { a: { image, networks: ['back', 'default'] } }, networks: { back: {} } },
          true,
        ],
        ['a service has it as its mode', { services: { a: { image, network_mode: 'default' } } }, true],
        ['there is no service', { services: {} }, false],
        [
          'all services name others',
          { services: { a: { image, networks: { back: null } } }, networks: { back: {} } },
          false,
        ],
        [
          'all services have another mode',
          {
            services: {
              a: { image, network_mode: 'host' },
              b: { image, network_mode: 'none' },
              c: { image, network_mode: 'service:a' },
            },
          },
          false,
        ],
        ['it is declared, and nobody uses it', { services: {}, networks: { default: null } }, true],
      ] as const
    ).map(([when, spec, isMade]) => ({
      it: `${isMade ? 'makes' : 'does not make'} default as Compose does where ${when}`,
      spec: { defaults: 'compose' as const, ...spec } as Partial<AppSpec>,
      want: [
        ...(isMade ? [['hello.default', byDefault]] : []),
        ...('networks' in spec && 'back' in spec.networks ? [['hello.back', { ...base, networkName: '1_back' }]] : []),
      ],
    })),
    { it: 'has none without a release', spec: { release: null, networks: { back: null } }, want: [] },
  ];
  for (const { it: does, spec, want } of networks) it(does, () => assert.deepEqual(children(spec, 'Network'), want));

  it('makes default as Compose does for a standalone service that uses it', () => {
    const app = anApp({ spec: { defaults: 'compose', services: { web: { image, network_mode: 'host' } } } });
    const networks = (fields: object) =>
      childrenOf(app, [aService({ spec: { serviceName: 'extra', image: 'extra', ...fields } })]).flatMap((one) =>
        one.kind === 'Network' ? [one.metadata.name] : [],
      );
    assert.deepEqual([networks({}), networks({ network_mode: 'none' })], [['hello.default'], []]);
  });

  it('names volumes by the app id and keeps them by default', () => {
    const volume = { app: 'hello', appId: 1, appUuid: 'u', volumeName: '1_data' };
    assert.deepEqual(children({ uuid: 'u', volumes: { data: null } }, 'Volume'), [
      ['hello.data', { ...volume, reclaim: 'Retain' }],
    ]);
    assert.deepEqual(children({ uuid: 'u', volumes: { data: { driver: 'nfs' } }, volumeReclaim: 'Delete' }, 'Volume'), [
      ['hello.data', { ...volume, driver: 'nfs', reclaim: 'Delete' }],
    ]);
  });

  it('has no children without a release', () => {
    assert.deepEqual(childrenOf(anApp({ spec: { release: null, volumes: { data: {} } } })), []);
  });

  it('keeps volumes that the release no longer declares', () => {
    const app = anApp({ spec: { volumeReclaim: 'Delete' } });
    const old = aVolume();
    const kept = retainVolumes(app, [], [old, aVolume({ deleted: true }), aService()]);
    assert.deepEqual(
      kept.map(({ metadata, spec }) => [metadata.name, spec]),
      [['hello.data', { ...old.spec, reclaim: 'Delete' }]],
    );
  });

  it('lets go of one that could never be made', () => {
    const old = aVolume();
    const ready = { type: 'Ready', status: 'False', reason: 'DriverMissing', message: '', lastTransitionTime: '' };
    const conditions = (['Ready', 'Stalled'] as const).map((type) => ({
      ...ready,
      type,
      status: type === 'Ready' ? ('False' as const) : ('True' as const),
      observedGeneration: old.metadata.generation,
    }));
    const status = { observedGeneration: old.metadata.generation, conditions };
    const kept = (present: boolean) => retainVolumes(anApp(), [], [{ ...old, status: { ...status, present } }]);
    assert.equal(kept(true).length, 1);
    assert.equal(kept(false).length, 0);
  });

  it('shares the network of the API under the address of a Supervisor', () => {
    assert.deepEqual(apiNetwork.spec, {
      networkName: 'supervisor0',
      driver_opts: { 'com.docker.network.bridge.name': 'supervisor0' },
      ipam: { config: [{ subnet: '10.114.104.0/25', gateway: '10.114.104.1' }] },
    });
  });
});

describe('the supervisor-api feature', () => {
  const feature = 'io.balena.features.supervisor-api';
  const cases: ReadonlyArray<{ fields: Partial<ServiceFields>; image?: Record<string, string>; want: boolean }> = [
    { fields: {}, want: false },
    { fields: { labels: { [feature]: '1' } }, want: true },
    { fields: { labels: { [feature]: 1 } }, want: true },
    { fields: { labels: { [feature]: true } }, want: true },
    { fields: { labels: { [feature]: 'TRUE' } }, want: true },
    { fields: { labels: { [feature]: 'on' } }, want: true },
    { fields: { labels: { [feature]: 'yes' } }, want: false },
    { fields: { labels: { [feature]: '0' } }, want: false },
    { fields: { labels: { [feature]: null } }, want: false },
    { fields: { labels: [`${feature}=1`] }, want: true },
    { fields: { labels: [feature] }, want: false },
    { fields: { labels: { 'io.resin.features.supervisor-api': '1' } }, want: true },
    { fields: { labels: { 'io.resin.features.supervisor-api': '1', [feature]: '0' } }, want: false },
    { fields: { labels: ['io.resin.features.supervisor-api=1', `${feature}=0`] }, want: false },
    { fields: {}, image: { [feature]: '1' }, want: true },
    { fields: { labels: { 'io.resin.features.supervisor-api': '0' } }, image: { [feature]: '1' }, want: false },
    { fields: { labels: { [feature]: '0' } }, image: { [feature]: '1' }, want: false },
    { fields: { labels: { [feature]: '1' }, network_mode: 'host' }, want: false },
    { fields: { labels: { [feature]: '1' }, network_mode: 'bridge' }, want: true },
  ];
  for (const { fields, image: ofImage, want } of cases) {
    it(`${want ? 'is' : 'is not'} wanted by ${JSON.stringify(fields)}${ofImage ? ` over ${JSON.stringify(ofImage)}` : ''}`, () =>
      assert.equal(wantsApiNetwork(fields, ofImage), want));
  }

  it('reads a label without a value as empty', () => assert.deepEqual(labelsOf(['a', 'b=c=d']), { a: '', b: 'c=d' }));
});
