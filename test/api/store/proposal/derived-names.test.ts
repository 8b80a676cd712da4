import assert from 'node:assert/strict';
import fc from 'fast-check';
import { planProposal } from '../../../../api/store/proposal/plan-proposal.js';
import type { Proposed } from '../../../../api/store/store.js';
import { identityOf as appIdentityOf, childrenOf } from '../../../../controllers/app/release/children.js';
import { openUpdateLocks } from '../../../../controllers/host/locks/lock-files.js';
import { containerNameOf, identityOf } from '../../../../controllers/service/spec/identity.js';
import { type AnyDeclared, API_VERSION, type App, type Service } from '../../../../crds/model/kinds.js';
import { imageDocumentName } from '../../../../crds/model/names.js';
import { parseDocument } from '../../../../crds/schema/parse.js';
import { anApp, declare, entriesOf, proposal } from '../fixtures.js';

const locks = openUpdateLocks({
  lockRoot: '/locks',
  hostRoot: '/',
  log: { warn: () => undefined } as never,
  now: () => 0,
});

/** Everything on the device that is called after an App, as the controllers call it. */
function namesOf(app: AnyDeclared): ReadonlySet<string> {
  const { appId, uuid } = appIdentityOf(app as App);
  return new Set([
    `appId ${appId}`,
    `uuid ${uuid}`,
    ...childrenOf(app as App).flatMap((child): string[] => {
      const document = `document ${child.kind}/${child.metadata.name}`;
      switch (child.kind) {
        case 'Network':
          return [document, `network ${child.spec.networkName}`];
        case 'Volume':
          return [document, `volume ${child.spec.volumeName}`];
        case 'Service': {
          const identity = identityOf(child as Service, app as App);
          const { serviceName } = child.spec;
          return identity
            ? [document, `container ${containerNameOf(identity)}`, `lock ${locks.directory(appId, serviceName)}`]
            : [document];
        }
        default:
          return [document];
      }
    }),
  ]);
}

/** Few words, and those that underscores and dots could make the same. */
const word = fc.constantFrom('a', 'b', 'a_b', 'b_c', 'c', 'a.b', 'b.c', '1', '1_1', '1001');
const number = fc.constantFrom(1, 2, 1001);
const maybe = <T>(one: fc.Arbitrary<T>) => fc.option(one, { nil: undefined });
const some = (value: fc.Arbitrary<object>) => maybe(fc.dictionary(word, value, { maxKeys: 2 }));

const anyApp = fc
  .record({
    name: word,
    appId: maybe(number),
    uuid: maybe(word),
    release: maybe(fc.oneof(fc.constant(null), fc.record({ commit: fc.constantFrom('a', 'b'), id: maybe(number) }))),
    networks: some(fc.constant({})),
    volumes: some(fc.constant({})),
    services: some(
      fc
        .record({ imageId: maybe(number), serviceId: maybe(number) })
        .map((ids) => ({ image: 'busybox:1', ...JSON.parse(JSON.stringify(ids)) })),
    ),
  })
  .map(({ name, ...spec }) => parseDocument({ ...HEAD, metadata: { name }, spec: JSON.parse(JSON.stringify(spec)) }))
  .filter((parsed) => parsed.ok)
  .map((parsed) => (parsed.ok ? parsed.document : assert.fail()));
const HEAD = { apiVersion: API_VERSION, kind: 'App' };

const shared = (one: AnyDeclared, other: AnyDeclared): readonly string[] =>
  [...namesOf(one)].filter((name) => namesOf(other).has(name));

describe('two Apps', () => {
  const pairs = fc.tuple(anyApp, anyApp).filter(([one, other]) => one.metadata.name !== other.metadata.name);

  it('are taken together when they share no name on the device, and only then', () => {
    fc.assert(
      fc.property(pairs, ([one, other]) => {
        const documents = [{ document: one }, { document: other }];
        const { refused } = planProposal(new Map(), proposal('files', documents));
        assert.equal(refused.length > 0, shared(one, other).length > 0, JSON.stringify([shared(one, other), refused]));
      }),
      { numRuns: 3_000 },
    );
  });

  it('of two origins neither', () => {
    fc.assert(
      fc.property(pairs, ([one, other]) => {
        const before = entriesOf(proposal('files', [{ document: one }]));
        const { refused } = planProposal(before, proposal('api', [{ document: other }]));
        assert.equal(refused.length > 0, shared(one, other).length > 0, JSON.stringify([shared(one, other), refused]));
      }),
      { numRuns: 1_000 },
    );
  });

  it('have images of different names whatever they are called', () => {
    assert.notEqual(imageDocumentName('a', 'b.c'), imageDocumentName('a.b', 'c'));
  });

  const app = (name: string, spec: object) => ({ document: { ...HEAD, metadata: { name }, spec } as AnyDeclared });
  const cases: readonly [string, object, object, string][] = [
    [
      'one uuid',
      { appId: 1, uuid: 'u' },
      { appId: 2, uuid: 'u' },
      'uuid u belongs to App/one. Give this App another uuid.',
    ],
    [
      'a number and a uuid that look the same',
      { appId: 1001 },
      { appId: 2, uuid: '1001' },
      'uuid 1001 belongs to App/one. Give this App another uuid.',
    ],
    [
      'one network of two uuids',
      { appId: 1, uuid: 'a', networks: { b_c: {} } },
      { appId: 2, uuid: 'a_b', networks: { c: {} } },
      'network a_b_c belongs to App/one. Give this App another uuid.',
    ],
    [
      'one container',
      { appId: 1, release: { commit: 'c', id: 1 }, services: { web: { image: 'a', imageId: 7 } } },
      { appId: 2, release: { commit: 'c', id: 1 }, services: { web: { image: 'a', imageId: 7 } } },
      'container web_7_1_c belongs to App/one. Give this App another release.',
    ],
  ];
  for (const [name, one, other, want] of cases) {
    it(`with ${name} are refused, and told so`, () => {
      const { refused } = planProposal(new Map(), proposal('files', [app('one', one), app('two', other)]));
      assert.deepEqual(
        refused.map(({ message }) => message),
        [`App/two: ${want}`],
      );
    });
  }

  it('may have one name after another: the second waits until the first has gone', () => {
    const before = entriesOf(proposal('files', [app('one', { appId: 1, uuid: 'u', services: {} })]));
    const { decisions, refused } = planProposal(before, proposal('files', [app('two', { appId: 2, uuid: 'u' })]));
    assert.deepEqual(refused, []);
    assert.deepEqual(decisions.map((one) => `${one.do} ${one.key}`).sort(), ['await App/one', 'mark App/one']);
  });
});

describe('names on the engine that Apps of one proposal swap', () => {
  const called = (name: string, label: string | null, more: object = {}) =>
    anApp(name, {
      ...(label === null
        ? {}
        : { networks: { lan: { name: `${label}-net` } }, volumes: { data: { name: `${label}-data` } } }),
      services: { web: { image: 'busybox:1', ...(label === null ? {} : { containerName: label }) } },
      ...more,
    });
  const before = () => entriesOf(proposal('files', [called('one', 'a'), called('two', 'b')]));
  const cases: readonly { it: string; declared: readonly Proposed[]; want: readonly string[] }[] = [
    { it: 'are theirs', declared: [called('one', 'b'), called('two', 'a')], want: [] },
    { it: 'may go round', declared: [called('one', 'b'), called('two', 'c'), called('three', 'a')], want: [] },
    {
      it: 'may go to one that stands before',
      declared: [called('three', 'a'), called('one', 'c'), called('two', 'b')],
      want: [],
    },
    {
      it: 'stay with who goes on to have them, wherever it stands',
      declared: [called('three', 'a'), called('one', 'a'), called('two', 'b')],
      want: ['App/three: network a-net belongs to App/one. Give this App another name, or external: true.'],
    },
    {
      it: 'stay with one that is refused',
      declared: [called('one', 'b'), called('two', 'a', { appId: 1 })],
      want: [
        'App/one: network b-net belongs to App/two. Give this App another name, or external: true.',
        'App/two: appId cannot change from 1525440424 to 1, because what runs goes by it. Take the change back, or delete the App and declare it again once it is gone.',
      ],
    },
  ];
  for (const { it: name, declared, want } of cases) {
    it(name, () => {
      const { refused } = planProposal(before(), proposal('files', declared));
      assert.deepEqual(refused.map(({ message }) => message).sort(), want);
    });
  }
});

describe('a standalone Service', () => {
  const app = (name: string, services: readonly string[], more: object = {}) =>
    anApp(name, { services: Object.fromEntries(services.map((one) => [one, { image: 'busybox:1' }])), ...more });
  const service = (name: string, spec: object = {}) =>
    declare('Service', name, { app: 'hello', serviceName: 'peer', image: 'busybox:1', ...spec });
  const release = { commit: 'c', id: 1 };

  const cases: readonly { it: string; first: Proposed; second: Proposed; want: readonly string[] }[] = [
    {
      it: 'is refused for a place that an App fills itself',
      first: app('hello', ['peer']),
      second: service('evil'),
      want: ['Service/evil: service peer of App hello belongs to App/hello. Give this Service another serviceName.'],
    },
    {
      it: 'is refused for the place of another one',
      first: service('tw1'),
      second: service('tw2'),
      want: ['Service/tw2: service peer of App hello belongs to Service/tw1. Give this Service another serviceName.'],
    },
    {
      it: 'keeps its place from an App that comes later',
      first: service('mine'),
      second: app('hello', ['peer']),
      want: [
        'App/hello: service peer of App hello belongs to Service/mine. Give this App another name for that service.',
      ],
    },
    {
      it: 'is refused for a container that another App has',
      first: anApp('other', { release, services: { peer: { image: 'busybox:1', imageId: 7 } } }),
      second: service('evil', { release, imageId: 7 }),
      want: ['Service/evil: container peer_7_1_c belongs to App/other. Give this Service another release.'],
    },
    {
      it: 'is another one than the services of its App',
      first: app('hello', ['web']),
      second: service('mine'),
      want: [],
    },
    { it: 'may be called as one of another App', first: app('other', ['peer']), second: service('mine'), want: [] },
  ];
  for (const { it: name, first, second, want } of cases) {
    it(name, () => {
      const together = planProposal(new Map(), proposal('files', [first, second]));
      const after = planProposal(entriesOf(proposal('files', [first])), proposal('api', [second]), 'upsert');
      for (const { refused } of [together, after])
        assert.deepEqual(
          refused.map(({ message }) => message),
          want,
        );
    });
  }

  it('takes the place of one that is being deleted once that has gone', () => {
    const before = entriesOf(proposal('api', [service('old')]), proposal('api', []));
    const { decisions, refused } = planProposal(before, proposal('files', [service('new')]));
    assert.deepEqual(refused, []);
    assert.deepEqual(
      decisions.map((one) => `${one.do} ${one.key}`),
      ['await Service/old'],
    );
  });
});
