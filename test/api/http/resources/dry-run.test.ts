import assert from 'node:assert/strict';
import { anApp, aServer, type Bench, declare, withKey } from '../a-server.js';

const APPS = '/apis/supercargo.io/v1/apps';
const spec = (image: string) => ({ services: { web: { image } } });

describe('a dry run of the resource API', () => {
  let bench: Bench;
  beforeEach(async () => {
    bench = await aServer();
    await declare(bench.store, 'files', anApp('filed', { appId: 1 }));
    await bench.store.put('api', { document: anApp('mine', { appId: 2, ...spec('busybox:1') }) });
  });
  afterEach(() => bench.close());

  async function ask(method: 'PUT' | 'POST' | 'DELETE', url: string, body: unknown = {}) {
    const headers = { ...withKey, 'content-type': 'application/json' };
    const before = bench.store.resourceVersion;
    const answer = await bench.server.inject({ method, url, headers, payload: JSON.stringify(body) });
    assert.equal(bench.store.resourceVersion, before, 'nothing was written');
    return { code: answer.statusCode, body: JSON.parse(answer.payload) };
  }

  it('shows a changed document with the generation that it would have', async () => {
    const { code, body } = await ask('PUT', `${APPS}/mine?dryRun=All`, { spec: { appId: 2, ...spec('busybox:2') } });
    assert.deepEqual([code, body.metadata.generation, body.spec.services.web.image], [200, 2, 'busybox:2']);
    assert.equal(bench.store.get('App', 'mine')?.spec.services?.web?.image, 'busybox:1');
  });

  it('shows an equal one as it is', async () => {
    const { body } = await ask('PUT', `${APPS}/mine?dryRun=All`, { spec: { appId: 2, ...spec('busybox:1') } });
    assert.equal(body.metadata.generation, 1);
    assert.equal(body.metadata.resourceVersion, bench.store.get('App', 'mine')?.metadata.resourceVersion);
  });

  it('makes nothing new', async () => {
    const { code, body } = await ask('POST', `${APPS}?dryRun=All`, anApp('new', spec('busybox')));
    assert.deepEqual([code, body.metadata.generation, body.metadata.origin], [201, 1, 'api']);
    assert.equal(bench.store.get('App', 'new'), undefined);
  });

  for (const [what, method, url, body, want] of [
    ['what its schema refuses', 'PUT', `${APPS}/mine?dryRun=All`, { spec: { services: 7 } }, 422],
    ['a document of another origin', 'PUT', `${APPS}/filed?dryRun=All`, { spec: {} }, 409],
    ['a name that exists', 'POST', `${APPS}?dryRun=All`, anApp('mine'), 409],
    ['what the store would refuse', 'PUT', `${APPS}/mine?dryRun=All`, { spec: { appId: 2, uuid: 'other' } }, 409],
    ['any other word', 'PUT', `${APPS}/mine?dryRun=Server`, { spec: {} }, 400],
    ['to delete what is not there', 'DELETE', `${APPS}/none?dryRun=All`, {}, 404],
  ] as const) {
    it(`refuses ${what}`, async () => {
      const answer = await ask(method, url, body);
      assert.equal(answer.code, want, JSON.stringify(answer.body));
    });
  }

  describe('of what reaches into the host', () => {
    const driver_opts = { type: 'none', o: 'bind', device: '/etc' };
    const base = '/apis/supercargo.io/v1';
    const fields = {
      app: 'mine',
      appId: 2,
      serviceName: 'side',
      image: 'a',
      labels: { 'io.balena.features.dbus': '1' },
    };
    const volume = { app: 'mine', appId: 2, volumeName: '2_d', reclaim: 'Retain', driver_opts };
    for (const [url, sent, field] of [
      [`${APPS}/mine`, { appId: 2, volumes: { d: { driver_opts } } }, 'spec.volumes.d.driver_opts.device'],
      [`${base}/volumes/mine.d`, volume, 'spec.driver_opts.device'],
      [`${base}/services/mine.side`, fields, 'spec.labels["io.balena.features.dbus"]'],
    ] as const) {
      it(`says that ${field} needs permission`, async () => {
        const { code, body } = await ask('PUT', `${url}?dryRun=All`, { spec: sent });
        assert.deepEqual(
          [code, body.details.causes.map((one: { field: string }) => one.field)],
          [422, [field]],
          JSON.stringify(body),
        );
        assert.match(body.message, /of the host only (with spec\.|where App mine says )allowHostBinds: true/);
      });
    }

    for (const [plural, name, sent, field] of [
      ['volumes', 'mine.d', volume, 'spec.driver_opts.device'],
      ['services', 'mine.side', fields, 'spec.labels["io.balena.features.dbus"]'],
      ['services', 'mine.side', { ...fields, labels: {}, volumes: ['/etc:/etc'] }, 'spec.volumes'],
    ] as const) {
      const write = async (spec: object, how: { method?: 'POST'; query?: string } = {}) => {
        const { method = 'PUT', query = '' } = how;
        const url = `${base}/${plural}${method === 'PUT' ? `/${name}` : ''}${query}`;
        const headers = { ...withKey, 'content-type': 'application/json' };
        const payload = JSON.stringify({ metadata: { name }, spec });
        const answer = await bench.server.inject({ method, url, headers, payload });
        return { code: answer.statusCode, body: JSON.parse(answer.payload) };
      };

      it(`refuses ${field} of ${plural} for good as well, until the App gives permission`, async () => {
        for (const how of [{}, { method: 'POST' }, { query: '?beside=app/mine' }] as const) {
          const { code, body } = await write(sent, how);
          assert.equal(code, 422, JSON.stringify(body));
          assert.deepEqual(
            body.details.causes.map((one: { field: string }) => one.field),
            [field],
          );
        }
        await bench.store.put('api', { document: anApp('mine', { appId: 2, allowHostBinds: true }) });
        assert.equal((await write(sent)).code, 201);
      });

      it(`takes ${field} of ${plural} while the App is not there: its status tells then`, async () => {
        assert.equal((await write({ ...sent, app: 'later' })).code, 201);
      });
    }

    it('takes it when the App that is declared with it gives permission', async () => {
      const url = `${base}/volumes/mine.d?dryRun=All&beside=app/mine`;
      const { code, body } = await ask('PUT', url, { spec: volume });
      assert.equal(code, 201, JSON.stringify(body));
    });
  });

  describe('of a release that could not be rolled out', () => {
    const document = anApp('mine', { appId: 2, services: { web: { image: 'a', depends_on: ['db'] } } });
    const path = `${APPS}/mine?dryRun=All`;

    it('says what its controller would say', async () => {
      const { code, body } = await ask('PUT', path, document);
      assert.deepEqual(
        [code, body.details.causes],
        [
          422,
          [
            {
              reason: 'FieldValueInvalid',
              field: 'spec.services.web.depends_on',
              message: 'there is no service db',
            },
          ],
        ],
      );
    });

    it('takes what is declared with it', async () => {
      assert.equal((await ask('PUT', `${path}&beside=network/x,service/db`, document)).code, 200);
      assert.equal((await ask('PUT', `${path}&beside=network/db`, document)).code, 422);
    });

    it('finds services that wait for each other', async () => {
      const services = { a: { image: 'a', depends_on: ['b'] }, b: { image: 'b', depends_on: ['a'] } };
      const { code, body } = await ask('POST', `${APPS}?dryRun=All`, anApp('new', { services }));
      assert.equal(code, 422);
      assert.match(body.message, /services wait for each other: a → b → a/);
    });
  });

  for (const [call, url, body] of [
    ['the query', `${APPS}/mine?dryRun=All`, {}],
    ['the body, as kubectl does', `${APPS}/mine`, { propagationPolicy: 'Background', dryRun: ['All'] }],
  ] as const) {
    it(`deletes nothing when ${call} says so`, async () => {
      const { code, body: shown } = await ask('DELETE', url, body);
      assert.deepEqual([code, shown.metadata.name, shown.metadata.deletionTimestamp], [200, 'mine', undefined]);
      assert.equal(bench.store.get('App', 'mine')?.metadata.deletionTimestamp, undefined);
    });
  }

  describe('of a standalone Service', () => {
    const SERVICES = '/apis/supercargo.io/v1/services';
    for (const [field, value, message] of [
      ['networks', ['nonet'], 'App mine has no network nonet'],
      ['network_mode', 'service:nosuch', 'App mine has no service nosuch'],
      ['pid', 'service:nosuch', 'App mine has no service nosuch'],
    ] as const) {
      const document = { spec: { app: 'mine', serviceName: 'x', image: 'busybox:1', [field]: value } };
      it(`finds what it would wait for in ${field}`, async () => {
        const { code, body } = await ask('PUT', `${SERVICES}/x?dryRun=All`, document);
        const cause = { reason: 'FieldValueInvalid', field: `spec.${field}`, message };
        assert.deepEqual([code, body.details?.causes], [422, [cause]]);
      });
      it(`takes what is declared with it in ${field}`, async () => {
        const beside = '&beside=service/nosuch,network/nonet';
        assert.equal((await ask('PUT', `${SERVICES}/x?dryRun=All${beside}`, document)).code, 201);
      });
    }

    it('takes what its App has, a dependency that nobody is, and a volume that the engine makes', async () => {
      const spec = {
        app: 'mine',
        serviceName: 'x',
        image: 'busybox:1',
        depends_on: ['web', 'nosuch'],
        volumes: ['novol:/x'],
      };
      assert.equal((await ask('PUT', `${SERVICES}/x?dryRun=All`, { spec })).code, 201);
    });
  });

  it('asks a controller for nothing', async () => {
    const { code, body } = await ask('POST', `${APPS}/mine/requests?dryRun=All`, { name: 'restart', force: true });
    assert.deepEqual([code, body.request], [202, { name: 'restart', force: true }]);
    assert.deepEqual(bench.store.get('App', 'mine')?.requests, {});
  });
});

describe('a deletion in the resource API', () => {
  let bench: Bench;
  beforeEach(async () => {
    bench = await aServer();
    await bench.store.put('api', { document: anApp('mine', { appId: 2 }) });
  });
  afterEach(() => bench.close());

  async function remove(body: object, query = '') {
    const headers = { ...withKey, 'content-type': 'application/json' };
    const payload = JSON.stringify(body);
    const answer = await bench.server.inject({ method: 'DELETE', url: `${APPS}/mine${query}`, headers, payload });
    return { code: answer.statusCode, body: JSON.parse(answer.payload) };
  }
  const isGoing = () => bench.store.get('App', 'mine')?.metadata.deletionTimestamp !== undefined;

  for (const [what, body, query, want] of [
    [
      'to leave the containers',
      { propagationPolicy: 'Orphan' },
      '',
      /propagationPolicy: Forbidden.*cascade=background/,
    ],
    ['to leave them, in the query', {}, '?propagationPolicy=Orphan', /propagationPolicy: Forbidden/],
    ['to leave them, in the words of before', { orphanDependents: true }, '', /orphanDependents: Forbidden/],
    ['an unknown policy', { propagationPolicy: 'Cascade' }, '', /supported values: "Background", "Foreground"/],
    ['an unknown dry run', { dryRun: ['Server'] }, '', /dryRun: Unsupported value: "Server": supported values: "All"/],
    ['a dry run that is no list', { dryRun: true }, '', /dryRun: Unsupported value: true/],
  ] as const) {
    it(`refuses ${what}, and deletes nothing`, async () => {
      const answer = await remove(body, query);
      assert.deepEqual([answer.code, answer.body.reason], [422, 'Invalid']);
      assert.match(answer.body.message, want);
      assert.equal(isGoing(), false);
    });
  }

  for (const [what, body, want] of [
    ['an unknown field', { dryrun: ['All'] }, 'strict decoding error: unknown field "dryrun"'],
    [
      'an unknown precondition',
      { preconditions: { generation: 7 } },
      'strict decoding error: unknown field "preconditions.generation"',
    ],
    ['a list', ['All'], 'the body is not an object'],
    ['a precondition that is a word', { preconditions: 'uid' }, 'preconditions is not an object'],
  ] as const) {
    it(`refuses ${what}, and deletes nothing`, async () => {
      const answer = await remove(body);
      assert.deepEqual([answer.code, answer.body.message, isGoing()], [400, want, false]);
    });
  }

  const DRY_RUN = '{"dryRun":["All"]}';
  for (const [what, headers, payload, want] of [
    ['a form', { 'content-type': 'application/x-www-form-urlencoded' }, DRY_RUN, 415],
    ['plain text', { 'content-type': 'text/plain' }, DRY_RUN, 415],
    ['YAML', { 'content-type': 'application/yaml' }, 'dryRun: [All]', 415],
    ['no type', {}, DRY_RUN, 200],
    ['an empty type', { 'content-type': '' }, DRY_RUN, 200],
  ] as const) {
    it(`keeps the document when options for a dry run come as ${what}`, async () => {
      // Bytes: for a text the injection gives a type of its own.
      const request = { method: 'DELETE', url: `${APPS}/mine`, headers: { ...withKey, ...headers } };
      const answer = await bench.server.inject({ ...request, payload: Buffer.from(payload) });
      assert.deepEqual([answer.statusCode, isGoing()], [want, false]);
    });
  }

  for (const body of [
    { propagationPolicy: 'Background' },
    { propagationPolicy: 'Foreground' },
    { propagationPolicy: null, dryRun: null, gracePeriodSeconds: 0 },
    { orphanDependents: false, dryRun: [] },
  ]) {
    it(`takes ${JSON.stringify(body)}`, async () => {
      assert.equal((await remove(body)).code, 200);
      assert.equal(isGoing(), true);
    });
  }
});
