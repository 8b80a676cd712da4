import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { parseDocument } from '../../../../crds/schema/parse.js';
import { APP_2_KEY, anApp, aServer, type Bench, declare, report, withKey } from '../a-server.js';

const APPS = '/apis/supercargo.io/v1/apps';
const REVISIONS = '/apis/supercargo.io/v1/revisions';
const asJson = { ...withKey, 'content-type': 'application/json' };
const spec = { services: { web: { image: 'busybox' } } };

describe('the resource API', () => {
  let bench: Bench;
  beforeEach(async () => {
    bench = await aServer();
    await declare(bench.store, 'files', anApp('hello', { appId: 1, ...spec }));
  });
  afterEach(() => bench.close());

  async function ask(
    method: 'GET' | 'PUT' | 'POST' | 'DELETE' | 'PATCH',
    url: string,
    body?: unknown,
    headers: Record<string, string> = asJson,
  ) {
    const payload = body === undefined ? {} : { payload: typeof body === 'string' ? body : JSON.stringify(body) };
    const answer = await bench.server.inject({ method, url, headers, ...payload });
    return { code: answer.statusCode, body: JSON.parse(answer.payload) };
  }
  /** What a failed request says, as text. */
  async function failure(...request: Parameters<typeof ask>): Promise<string> {
    const { code, body } = await ask(...request);
    assert.deepEqual([body.kind, body.apiVersion, body.status, body.code], ['Status', 'v1', 'Failure', code]);
    return `${code} ${body.reason}: ${body.message}`;
  }

  it('tells what it serves, with the short names of the definitions', async () => {
    assert.equal((await ask('GET', '/apis')).body.groups[0].preferredVersion.groupVersion, 'supercargo.io/v1');
    const { resources } = (await ask('GET', '/apis/supercargo.io/v1')).body;
    const served = new Map(resources.map((one: { name: string; shortNames?: string[] }) => [one.name, one.shortNames]));
    for (const file of readdirSync('crds').filter((name) => name.endsWith('.yaml'))) {
      const { names } = parse(readFileSync(`crds/${file}`, 'utf8')).spec;
      assert.deepEqual(served.get(names.plural), names.shortNames);
      assert.ok(served.has(`${names.plural}/status`));
    }
  });

  it('lists documents from one moment', async () => {
    const { code, body } = await ask('GET', APPS);
    assert.deepEqual([code, body.kind, body.apiVersion, body.items.length], [200, 'AppList', 'supercargo.io/v1', 1]);
    assert.equal(body.metadata.resourceVersion, bench.store.resourceVersion);
  });

  it('shows a document as Kubernetes does', async () => {
    report(bench.store, 'App', 'hello', { appId: 1 });
    const { body } = await ask('GET', `${APPS}/hello`);
    const app = bench.store.get('App', 'hello');
    assert.deepEqual(body.metadata, {
      name: 'hello',
      uid: app?.metadata.uid,
      resourceVersion: app?.metadata.resourceVersion,
      generation: 1,
      creationTimestamp: '2026-01-02T03:04:05Z',
      finalizers: app?.metadata.finalizers,
      origin: 'files',
    });
    assert.equal(body.status.conditions[0].type, 'Ready');
    assert.deepEqual((await ask('GET', `${APPS}/hello/status`)).body, body);
  });

  it('shows the owner of a child by uid', async () => {
    await declare(bench.store, 'App/hello', {
      apiVersion: 'supercargo.io/v1',
      kind: 'Image',
      metadata: { name: 'hello.busybox' },
      spec: { app: 'hello', image: 'busybox:latest', services: ['web'] },
    });
    const { body } = await ask('GET', '/apis/supercargo.io/v1/images/hello.busybox');
    const uid = bench.store.get('App', 'hello')?.metadata.uid;
    assert.deepEqual(body.metadata.ownerReferences, [
      { apiVersion: 'supercargo.io/v1', kind: 'App', name: 'hello', uid, controller: true, blockOwnerDeletion: true },
    ]);
  });

  const selectors: readonly [query: string, names: readonly string[]][] = [
    ['', ['hello', 'labelled']],
    ['?labelSelector=tier%3Dweb', ['labelled']],
    ['?labelSelector=tier!%3Dweb', ['hello']],
    ['?labelSelector=tier', ['labelled']],
    ['?labelSelector=!tier', ['hello']],
    ['?labelSelector=tier in (web,db),zone=a', ['labelled']],
    ['?labelSelector=tier notin (web)', ['hello']],
    ['?labelSelector=tier in(web, db)', ['labelled']],
    ['?labelSelector=rank%3E6,rank%3C8', ['labelled']],
    ['?labelSelector=rank%3E7', []],
    ['?labelSelector=zone%3C7', []],
    ['?labelSelector=example.com/tier,tier', []],
    ['?fieldSelector=metadata.name%3Dhello', ['hello']],
    ['?fieldSelector=metadata.name!%3Dhello,metadata.namespace%3D', ['labelled']],
    ['?limit=1&timeout=32s', ['hello', 'labelled']],
  ];
  for (const [query, names] of selectors) {
    it(`selects by ${query || 'nothing'}`, async () => {
      await ask('POST', APPS, { metadata: { name: 'labelled', labels: { tier: 'web', zone: 'a', rank: '7' } }, spec });
      const { body } = await ask('GET', `${APPS}${query.replaceAll(' ', '%20')}`);
      assert.deepEqual(body.items.map((one: { metadata: { name: string } }) => one.metadata.name).sort(), names);
    });
  }

  it('creates, replaces and leaves an equal document alone', async () => {
    const created = await ask('PUT', `${APPS}/mine`, { spec });
    assert.deepEqual([created.code, created.body.metadata.origin, created.body.metadata.generation], [201, 'api', 1]);
    const same = await ask('PUT', `${APPS}/mine`, created.body);
    assert.deepEqual([same.code, same.body.metadata.resourceVersion], [200, created.body.metadata.resourceVersion]);
    const changed = await ask('PUT', `${APPS}/mine`, { ...created.body, spec: { ...spec, name: 'other' } });
    assert.deepEqual([changed.code, changed.body.metadata.generation], [200, 2]);
    assert.match(await failure('PUT', `${APPS}/mine`, created.body), /^409 Conflict: .*the object has been modified/);
  });

  it('answers what is no document of the kind, whatever its members are called', async () => {
    const odd = { toString: [] };
    for (const body of [
      { kind: odd, spec },
      { apiVersion: odd, kind: 'App', spec },
    ])
      assert.match(await failure('PUT', `${APPS}/mine`, body), /^4\d\d /);
  });

  it('names who declared the present spec, whoever sends the same again', async () => {
    const put = async (more: object, manager?: string) => {
      const query = manager === undefined ? '' : `?fieldManager=${encodeURIComponent(manager)}`;
      const { body } = await ask('PUT', `${APPS}/mine${query}`, { spec: { ...spec, ...more } });
      return [body.metadata.declaredBy, body.metadata.resourceVersion];
    };
    const [first, version] = await put({}, 'ada@laptop');
    assert.equal(first, 'ada@laptop (with a key, from this device)');
    assert.deepEqual(await put({}, 'bob@laptop'), [first, version]);
    assert.equal((await put({ name: 'other' }, 'bob@laptop'))[0], 'bob@laptop (with a key, from this device)');
    assert.equal((await put({ name: 'third' }, 'two\nlines'))[0], 'somebody (with a key, from this device)');
    await bench.store.propose({ origin: 'api', documents: [{ document: anApp('mine', { ...spec, name: 'fourth' }) }] });
    assert.equal(bench.store.get('App', 'mine')?.metadata.declaredBy, undefined);
  });

  it('names a document once that collides with another one', async () => {
    await ask('PUT', `${APPS}/mine`, { spec: { ...spec, appId: 7 } });
    assert.equal(
      await failure('PUT', `${APPS}/other`, { spec: { ...spec, appId: 7 } }),
      '409 Conflict: Operation cannot be fulfilled on apps.supercargo.io "other": appId 7 belongs to App/mine. Give this App another appId.',
    );
  });

  it('creates by POST once', async () => {
    const body = { apiVersion: 'supercargo.io/v1', kind: 'App', metadata: { name: 'mine' }, spec };
    assert.equal((await ask('POST', APPS, body)).code, 201);
    assert.equal(await failure('POST', APPS, body), '409 AlreadyExists: apps.supercargo.io "mine" already exists');
  });

  it('marks for deletion, and says so', async () => {
    const { uid } = (await ask('PUT', `${APPS}/mine`, { spec })).body.metadata;
    const deleted = await ask('DELETE', `${APPS}/mine`, { propagationPolicy: 'Background' });
    assert.deepEqual([deleted.code, deleted.body.metadata.uid], [200, uid]);
    assert.ok(deleted.body.metadata.deletionTimestamp);
  });

  it('deletes a child only when its owner is lost', async () => {
    const child = (app: string) => ({
      origin: `App/${app}` as const,
      owner: `App/${app}` as const,
      documents: [
        {
          document: {
            apiVersion: 'supercargo.io/v1',
            kind: 'Service',
            metadata: { name: `${app}.web` },
            spec: { app, serviceName: 'web', image: 'busybox:latest' },
          } as const,
        },
      ],
    });
    await bench.store.propose(child('hello'));
    await bench.store.propose(child('lost'));
    const services = '/apis/supercargo.io/v1/services';
    assert.match(await failure('DELETE', `${services}/hello.web`), /^409 Conflict: .* declared by App\/hello/);
    assert.equal((await ask('DELETE', `${services}/lost.web`)).code, 200);
    assert.ok(bench.store.get('Service', 'lost.web')?.metadata.deletionTimestamp);
    assert.equal(bench.store.get('Service', 'hello.web')?.metadata.deletionTimestamp, undefined);
  });

  it('deletes what a git source declared only when that is gone', async () => {
    const app = { apiVersion: 'supercargo.io/v1', kind: 'App', metadata: { name: 'left' }, spec } as const;
    await bench.store.propose({ origin: 'git/fleet', documents: [{ document: app }] });
    const sources = '/apis/supercargo.io/v1/gitsources';
    await ask('PUT', `${sources}/fleet`, { spec: { url: 'https://git.example.org/x' } });
    assert.match(await failure('DELETE', `${APPS}/left`), /^409 Conflict: .* declared by git\/fleet/);
    await bench.store.delete('api', 'GitSource/fleet');
    const source = bench.store.get('GitSource', 'fleet');
    assert.ok(source);
    await bench.store.release(source);
    assert.equal((await ask('DELETE', `${APPS}/left`)).code, 200);
  });

  it('holds to the preconditions of a deletion', async () => {
    await ask('PUT', `${APPS}/mine`, { spec });
    assert.match(await failure('DELETE', `${APPS}/mine`, { preconditions: { uid: 'other' } }), /^409 Conflict/);
    assert.equal(bench.store.get('App', 'mine')?.metadata.deletionTimestamp, undefined);
  });

  it('holds to the uid of a write: another document of that name is not the one that is meant', async () => {
    const first = (await ask('PUT', `${APPS}/mine`, { spec })).body.metadata;
    assert.equal((await ask('PUT', `${APPS}/mine`, { metadata: { uid: first.uid }, spec })).code, 200);
    for (const metadata of [{ uid: 'other' }, { uid: 'other', resourceVersion: first.resourceVersion }]) {
      assert.equal(
        await failure('PUT', `${APPS}/mine`, { metadata, spec: {} }),
        `409 Conflict: Operation cannot be fulfilled on apps.supercargo.io "mine": Precondition failed: UID in precondition: other, UID in object meta: ${first.uid}`,
      );
      assert.match(await failure('PUT', `${APPS}/mine?dryRun=All`, { metadata, spec: {} }), /^409 Conflict/);
    }
    assert.match(await failure('PUT', `${APPS}/none`, { metadata: { uid: 'other' }, spec }), /^409 Conflict: .*UID/);
    for (const uid of [1, true, ['x'], {}])
      assert.match(await failure('PUT', `${APPS}/mine`, { metadata: { uid }, spec }), /^400 BadRequest: metadata\.uid/);
    const numbered = { metadata: { resourceVersion: 1 }, spec };
    assert.match(await failure('PUT', `${APPS}/mine`, numbered), /^400 BadRequest: metadata\.resourceVersion/);
    for (const uid of ['', null])
      assert.equal((await ask('PUT', `${APPS}/mine`, { metadata: { uid }, spec })).code, 200);
    assert.equal(bench.store.get('App', 'mine')?.metadata.uid, first.uid);
    assert.equal((await ask('POST', APPS, { metadata: { name: 'new', uid: 'other' }, spec })).code, 201);
  });

  it('takes logs that go into the host only with the permission of the App', async () => {
    const logging = { driver: 'fluentd', options: { 'fluentd-address': 'unix:///run/fluent.sock' } };
    const into = { services: { web: { image: 'busybox', logging } } };
    assert.match(
      await failure('PUT', `${APPS}/mine`, { spec: into }),
      /^422 Invalid: .*spec\.services\.web\.logging\.options\.fluentd-address: .*opens unix:\/\/\/run\/fluent\.sock of the host only with spec\.allowHostBinds/,
    );
    assert.equal((await ask('PUT', `${APPS}/mine`, { spec: { ...into, allowHostBinds: true } })).code, 201);
    const target = parseDocument(
      { apiVersion: 'supercargo.io/v1', kind: 'App', metadata: { name: 'a' }, spec: into },
      { isTargetState: true },
    );
    assert.ok(target.ok);
  });

  it('lets one of several writes at once that build on the same version through', async () => {
    const { resourceVersion } = (await ask('PUT', `${APPS}/mine`, { spec })).body.metadata;
    const writes = [1, 2, 3].map((at) =>
      ask('PUT', `${APPS}/mine`, {
        metadata: { resourceVersion },
        spec: { services: { web: { image: `busybox:${at}` } } },
      }),
    );
    const codes = (await Promise.all(writes)).map(({ code }) => code);
    assert.deepEqual(codes.sort(), [200, 409, 409]);
    const made = await Promise.all([1, 2].map(() => ask('POST', APPS, { metadata: { name: 'new' }, spec })));
    assert.deepEqual(made.map(({ code }) => code).sort(), [201, 409]);
  });

  it('does not delete what came after the version that is meant', async () => {
    const { resourceVersion } = (await ask('PUT', `${APPS}/mine`, { spec })).body.metadata;
    const [changed, deleted] = await Promise.all([
      ask('PUT', `${APPS}/mine`, { spec: {} }),
      ask('DELETE', `${APPS}/mine`, { preconditions: { resourceVersion } }),
    ]);
    assert.deepEqual([changed.code, deleted.code], [200, 409]);
    assert.equal(bench.store.get('App', 'mine')?.metadata.deletionTimestamp, undefined);
  });

  const bad: readonly [it: string, request: Parameters<typeof ask>, want: RegExp][] = [
    ['an unknown name', ['GET', `${APPS}/nope`], /^404 NotFound: apps\.supercargo\.io "nope" not found$/],
    ['the status of an unknown name', ['GET', `${APPS}/nope/status`], /^404 NotFound/],
    ['deleting an unknown name', ['DELETE', `${APPS}/nope`], /^404 NotFound/],
    ['an unknown plural', ['GET', '/apis/supercargo.io/v1/nopes'], /^404 NotFound: the server could not find/],
    ['another method', ['PATCH', `${APPS}/hello`, {}], /^405 MethodNotAllowed/],
    ['replacing a Revision', ['PUT', `${REVISIONS}/hello.0a1b2c3d4e`, { spec: {} }], /^405 MethodNotAllowed/],
    ['changing a Revision', ['PATCH', `${REVISIONS}/hello.0a1b2c3d4e`, {}], /^405 MethodNotAllowed/],
    ['making a Revision', ['POST', REVISIONS, { spec: {} }], /^405 MethodNotAllowed/],
    ['deleting a Revision', ['DELETE', `${REVISIONS}/hello.0a1b2c3d4e`], /^405 MethodNotAllowed/],
    ['deleting all Revisions', ['DELETE', REVISIONS], /^405 MethodNotAllowed/],
    ['replacing what files declare', ['PUT', `${APPS}/hello`, { spec }], /^409 Conflict: .*declared by files/],
    ['deleting what files declare', ['DELETE', `${APPS}/hello`], /^409 Conflict: .*declared by files/],
    ['an appId that is taken', ['PUT', `${APPS}/other`, { spec: { appId: 1 } }], /^409 Conflict/],
    [
      'an old version of nothing',
      ['PUT', `${APPS}/other`, { metadata: { resourceVersion: '1' }, spec }],
      /^409 Conflict/,
    ],
    ['malformed JSON', ['PUT', `${APPS}/other`, '{x'], /^400 BadRequest: Expected property name/],
    ['a list', ['PUT', `${APPS}/other`, []], /^400 BadRequest/],
    ['another kind', ['PUT', `${APPS}/other`, { kind: 'Volume', spec }], /^400 BadRequest: .*Volume/],
    ['another group', ['PUT', `${APPS}/other`, { apiVersion: 'v1', spec }], /^400 BadRequest/],
    [
      'another name',
      ['PUT', `${APPS}/other`, { metadata: { name: 'x' }, spec }],
      /^400 BadRequest: the name of the object \(x\)/,
    ],
    ['no name', ['POST', APPS, { spec }], /^400 BadRequest: metadata\.name/],
    [
      'an unknown field, with the one that was meant',
      ['PUT', `${APPS}/other`, { spec: { sevices: {} } }],
      /^400 BadRequest: strict decoding error: unknown field "spec\.sevices".*services/,
    ],
    [
      'a wrong type',
      ['PUT', `${APPS}/other`, { spec: { services: 5 } }],
      /^422 Invalid: apps\.supercargo\.io "other" is invalid: spec\.services: /,
    ],
    ...['==', '(((', ')', 'tier>one', 'tier>', 'tier in web', 'tier in (web', 'tier=(web)', 'a b', '*', 'a=1;b=2'].map(
      (text): [string, Parameters<typeof ask>, RegExp] => [
        `the selector ${text}, which is none`,
        ['GET', `${APPS}?labelSelector=${encodeURIComponent(text)}`],
        /^400 BadRequest: unable to parse the label selector/,
      ],
    ),
    [
      'a field that cannot be selected',
      ['GET', `${APPS}?fieldSelector=spec.appId%3D1`],
      /^400 BadRequest: .*metadata\.name/,
    ],
    ['a parameter given twice', ['GET', `${APPS}?watch=1&watch=1`], /^400 BadRequest/],
    ['a timeout that is no number', ['GET', `${APPS}?watch=1&timeoutSeconds=x`], /^400 BadRequest/],
    ['a version that is not kept', ['GET', `${APPS}?watch=1&resourceVersion=1`], /^410 Expired/],
    ['a version that is none', ['GET', `${APPS}?watch=1&resourceVersion=x`], /^410 Expired/],
    ['an app key', ['GET', APPS, undefined, { authorization: `Bearer ${APP_2_KEY}` }], /^403 Forbidden/],
    [
      'an app key that writes',
      ['PUT', `${APPS}/x`, { spec }, { authorization: `Bearer ${APP_2_KEY}`, 'content-type': 'application/json' }],
      /^403 Forbidden/,
    ],
    ['no key', ['GET', APPS, undefined, {}], /^401 Unauthorized/],
  ];
  for (const [what, request, want] of bad) {
    it(`refuses ${what}`, async () => assert.match(await failure(...request), want));
  }

  for (const type of ['application/yaml', 'text/plain', 'application/x-www-form-urlencoded']) {
    it(`refuses ${type}`, async () => {
      const headers = { ...withKey, 'content-type': type };
      for (const [method, url] of [
        ['POST', APPS],
        ['PUT', `${APPS}/mine`],
        ['POST', `${APPS}/mine/requests`],
        ['DELETE', `${APPS}/none`],
      ] as const) {
        const answer = await bench.server.inject({ method, url, headers, payload: 'a: 1' });
        const { kind, code, reason } = JSON.parse(answer.payload);
        assert.deepEqual([answer.statusCode, kind, code, reason], [415, 'Status', 415, 'UnsupportedMediaType']);
      }
    });
  }

  it('reads a body without a content type as JSON', async () => {
    const payload = Buffer.from(JSON.stringify({ spec }));
    const answer = await bench.server.inject({ method: 'PUT', url: `${APPS}/untyped`, headers: withKey, payload });
    assert.equal(answer.statusCode, 201, answer.payload);
    assert.deepEqual(bench.store.get('App', 'untyped')?.spec, { ...spec, defaults: 'compose' });
  });

  it('names every cause of a 422', async () => {
    const { body } = await ask('PUT', `${APPS}/other`, { spec: { services: 5, appId: 'x' } });
    assert.deepEqual(body.details.causes.map(({ field }: { field: string }) => field).sort(), [
      'spec.appId',
      'spec.services',
    ]);
  });

  it('lists events, of all and of one document', async () => {
    const { store } = bench;
    store.record('App/hello', { type: 'Normal', reason: 'Staging', message: 'because: new release' });
    store.record('Image/other', { type: 'Warning', reason: 'DownloadFailed', message: 'no such image' });
    const all = (await ask('GET', '/apis/supercargo.io/v1/events')).body;
    assert.deepEqual([all.kind, all.items.length], ['EventList', 2]);
    const of = async (path: string) =>
      (await ask('GET', `/apis/supercargo.io/v1/${path}`)).body.items.map((one: { reason: string }) => one.reason);
    assert.deepEqual(await of('events?fieldSelector=involvedObject.kind%3DApp,involvedObject.name%3Dhello'), [
      'Staging',
    ]);
    assert.deepEqual(await of('events?fieldSelector=type%3DWarning,involvedObject.namespace%3D'), ['DownloadFailed']);
    assert.deepEqual(await of('apps/hello/events'), ['Staging']);
    const [event] = all.items;
    assert.deepEqual(event.involvedObject, {
      apiVersion: 'supercargo.io/v1',
      kind: 'App',
      name: 'hello',
      uid: store.get('App', 'hello')?.metadata.uid,
    });
    assert.deepEqual([event.type, event.message, event.count], ['Normal', 'because: new release', 1]);
  });

  it('lists what was not accepted', async () => {
    const problem = {
      message: 'Unknown field',
      source: { file: 'a.yaml', line: 3 },
      kind: 'App',
      name: 'bad',
    } as const;
    await bench.store.propose({ origin: 'files', documents: [], problems: [problem] });
    const { body } = await ask('GET', '/apis/supercargo.io/v1/problems');
    assert.deepEqual(body.items, [{ ...problem, origin: 'files' }]);
  });
});
