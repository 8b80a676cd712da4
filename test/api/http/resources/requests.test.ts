import assert from 'node:assert/strict';
import { KINDS, PLURALS, requestsOf } from '../../../../crds/model/kinds.js';
import { APP_2_KEY, anApp, aServer, type Bench, declare, withKey } from '../a-server.js';

const GROUP = '/apis/supercargo.io/v1';
const PATH = `${GROUP}/apps/hello/requests`;

describe('requests in the resource API', () => {
  let bench: Bench;
  beforeEach(async () => {
    bench = await aServer();
    await declare(bench.store, 'files', anApp('hello', { appId: 1 }));
  });
  afterEach(() => bench.close());

  async function post(body: unknown, url = PATH, headers: Record<string, string> = withKey) {
    const payload = typeof body === 'string' ? body : JSON.stringify(body);
    const all = { 'content-type': 'application/json', ...headers };
    const answer = await bench.server.inject({ method: 'POST', url, headers: all, payload });
    return { code: answer.statusCode, body: JSON.parse(answer.payload) };
  }
  const requests = () => bench.store.get('App', 'hello')?.requests;

  it('puts a request on the document and tells its id, and where a watch begins', async () => {
    const { code, body } = await post({ name: 'restart' });
    assert.equal(code, 202);
    const asked = requests()?.restart;
    assert.ok(asked);
    const { uid, resourceVersion } = bench.store.get('App', 'hello')?.metadata ?? {};
    assert.deepEqual(body, {
      apiVersion: 'supercargo.io/v1',
      kind: 'Request',
      metadata: { name: 'hello', uid, resourceVersion },
      request: { name: 'restart', id: asked.id, at: asked.at },
    });
  });

  it('asks by force, and leaves the other requests alone', async () => {
    await post({ name: 'restart' });
    const { body } = await post({ apiVersion: 'supercargo.io/v1', kind: 'Request', name: 'purge', force: true });
    assert.equal(body.request.force, true);
    assert.deepEqual(Object.keys(requests() ?? {}), ['restart', 'purge']);
    assert.equal(requests()?.purge?.force, true);
  });

  it('keeps who lets something go ahead, and where that came from', async () => {
    const by = async (body: object, headers: Record<string, string> = withKey) => {
      const answer = await post(body, PATH, headers);
      return answer.body.request.by;
    };
    assert.equal(
      await by({ name: 'approve', by: 'ada@laptop', to: 'hello.1' }),
      'ada@laptop (with a key, from this device)',
    );
    assert.equal(requests()?.approve?.by, 'ada@laptop (with a key, from this device)');
    assert.equal(requests()?.approve?.to, 'hello.1');
    assert.equal(await by({ name: 'retry' }), 'somebody (with a key, from this device)');
    assert.equal(await by({ name: 'restart' }), undefined);
    assert.equal(await by({ name: 'restart', force: true }), 'somebody (with a key, from this device)');
    const throughProxy = { ...withKey, 'x-forwarded-for': '192.0.2.7' };
    assert.equal(
      await by({ name: 'approve', by: 'ada', to: 'hello.1' }, throughProxy),
      'ada (with a key, through a proxy)',
    );
  });

  for (const kind of KINDS) {
    for (const name of requestsOf(kind)) {
      it(`takes ${name} of a ${kind}, if there is one`, async () => {
        const { code, body } = await post(
          { name, ...(name === 'approve' ? { to: 'hello.1' } : {}) },
          `${GROUP}/${PLURALS[kind]}/hello/requests`,
        );
        assert.equal(code, kind === 'App' ? 202 : 404, JSON.stringify(body));
      });
    }
  }

  it('keeps which containers are to be taken over, and for which service', async () => {
    const { code, body } = await post({ name: 'adopt', service: 'web', containers: ['old-web'] });
    assert.equal(code, 202);
    assert.deepEqual([body.request.service, body.request.containers], ['web', ['old-web']]);
    assert.deepEqual(requests()?.adopt?.containers, ['old-web']);
  });

  for (const [given, field] of [
    [{ name: 'restart', service: 'web' }, 'service'],
    [{ name: 'restart', containers: ['a'] }, 'containers'],
    [{ name: 'adopt', containers: ['old-web'] }, 'service'],
    [{ name: 'adopt', service: 'web' }, 'containers'],
    [{ name: 'adopt', service: 'web', containers: [] }, 'containers'],
    [{ name: 'adopt', service: 'web', containers: 'old-web' }, 'containers'],
    [{ name: 'adopt', service: 'web', containers: ['../x'] }, 'containers'],
    [{ name: 'adopt', service: 'web', containers: [7] }, 'containers'],
    [{ name: 'adopt', service: '/', containers: ['old-web'] }, 'service'],
  ] as const) {
    it(`refuses ${JSON.stringify(given)}`, async () => {
      const { code, body } = await post(given);
      assert.equal(code, 422);
      assert.equal(body.details.causes[0].field, field);
      assert.deepEqual(requests(), {});
    });
  }

  it('is not there for kinds that take none', async () => {
    const { code, body } = await post({ name: 'restart' }, `${GROUP}/images/hello/requests`);
    assert.deepEqual([code, body.message], [404, 'the server could not find the requested resource']);
  });

  const allowed = requestsOf('App')
    .map((name) => `"${name}"`)
    .join(', ');
  const bad: readonly [what: string, body: unknown, want: string][] = [
    ['an unknown name', { name: 'explode' }, `422 name: Unsupported value: "explode": supported values: ${allowed}`],
    ['a request of another kind', { name: 'confirm' }, `422 name: Unsupported value: "confirm": supported values: `],
    ['a name of the prototype', { name: 'constructor' }, '422 name: Unsupported value: "constructor"'],
    ['a name that is no text', { name: ['restart'] }, '422 name: Unsupported value: ["restart"]'],
    ['no name', {}, `422 name: Required value: supported values: ${allowed}`],
    ['no body', '', '422 name: Required value'],
    ['a force that is no boolean', { name: 'restart', force: 'yes' }, '422 force: must be true or false'],
    [
      'a revision for another request',
      { name: 'restart', to: 'a' },
      '422 to: only rollback and approve name a revision',
    ],
    [
      'an approval of whatever comes',
      { name: 'approve' },
      '422 to: Required value: name the revision that is approved, as status.next.revision does',
    ],
    ['a revision that is no name', { name: 'approve', to: '../a' }, '422 to: must be the name of a revision'],
    [
      'a caller of two lines',
      { name: 'approve', by: 'ada\nbob' },
      '422 by: must be one line of at most 100 characters',
    ],
    ['a caller without end', { name: 'approve', by: 'a'.repeat(101) }, '422 by: must be one line'],
    ['a caller that is no text', { name: 'approve', by: 7 }, '422 by: must be one line'],
    ['an unknown field', { name: 'restart', froce: true }, '400 strict decoding error: unknown field "froce"'],
    ['a list', [{ name: 'restart' }], '400 the body is not an object'],
    ['malformed JSON', '{x', '400 Expected property name'],
  ];
  for (const [what, body, want] of bad) {
    it(`refuses ${what}`, async () => {
      const answer = await post(body);
      const { kind, status, code, message } = answer.body;
      assert.deepEqual([kind, status, code], ['Status', 'Failure', answer.code]);
      const output = `${code} ${message.replace('apps.supercargo.io "hello" is invalid: ', '')}`;
      assert.equal(output.slice(0, want.length), want);
      assert.deepEqual(requests(), {});
    });
  }

  it('refuses what is being deleted, and the key of an app', async () => {
    assert.equal((await post({ name: 'restart' }, PATH, { authorization: `Bearer ${APP_2_KEY}` })).code, 403);
    assert.deepEqual(requests(), {});
    await declare(bench.store, 'files');
    const { code, body } = await post({ name: 'restart' });
    assert.equal(code, 409);
    assert.match(body.message, /it is being deleted/);
  });
});
