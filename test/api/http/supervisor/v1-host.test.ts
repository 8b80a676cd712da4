import assert from 'node:assert/strict';
import { aHost } from '../a-host.js';
import { APP_2_KEY, aServer, type Bench, declare, report, withKey } from '../a-server.js';

type Case = {
  readonly it: string;
  readonly method?: 'GET' | 'POST' | 'PATCH';
  readonly url: string;
  readonly payload?: string | object;
  readonly code: number;
  readonly type?: string;
  readonly body: string;
};

/** A host that notes what it was told, and answers as the case says. */
class RecordingHost {
  readonly acts: string[] = [];
  left: 'scheduled' | 'locked' | 'refused' | 'thrown' = 'scheduled';
  readonly host = aHost({
    blink: () => void this.acts.push('blink'),
    requestPower: async (verb, force) => {
      this.acts.push(`${verb}${force ? ' by force' : ''}`);
      if (this.left === 'thrown') throw new Error('connect ECONNREFUSED');
      return this.left === 'scheduled' ? { is: this.left } : { is: this.left, message: `because ${this.left}` };
    },
  });
}

describe('power and LED', () => {
  let bench: Bench;
  let recorded: RecordingHost;
  beforeEach(async () => {
    recorded = new RecordingHost();
    bench = await aServer({ host: recorded.host });
  });
  afterEach(() => bench.close());
  const ask = (url: string, payload?: string | object, headers: object = {}) =>
    bench.server.inject({ method: 'POST', url, headers: { ...withKey, ...headers }, ...(payload ? { payload } : {}) });

  for (const verb of ['reboot', 'shutdown'] as const) {
    const cases: readonly [
      left: RecordingHost['left'],
      payload: string | object | undefined,
      code: number,
      body: string,
    ][] = [
      ['scheduled', undefined, 202, '{"Data":"OK","Error":""}'],
      ['scheduled', {}, 202, '{"Data":"OK","Error":""}'],
      ['locked', {}, 423, '{"Data":"","Error":"because locked"}'],
      ['refused', {}, 500, '{"Data":"","Error":"because refused"}'],
      ['thrown', {}, 500, '{"Data":"","Error":"connect ECONNREFUSED"}'],
    ];
    for (const [left, payload, code, body] of cases) {
      it(`answer ${verb} with ${code} when it is ${left}${payload ? '' : ', without a body'}`, async () => {
        recorded.left = left;
        const answer = await ask(`/v1/${verb}`, payload);
        assert.equal(answer.statusCode, code);
        assert.equal(answer.payload, body);
        assert.equal(answer.headers['content-type'], 'application/json; charset=utf-8');
        assert.deepEqual(recorded.acts, [verb]);
      });
    }

    it(`force ${verb} in every spelling of true, and in no other`, async () => {
      for (const force of [true, 1, '1', 'TRUE', 'on']) await ask(`/v1/${verb}`, { force });
      for (const force of [false, 'yes', 0, null, {}, [true]]) await ask(`/v1/${verb}`, { force });
      assert.equal(recorded.acts.filter((act) => act === `${verb} by force`).length, 5);
      assert.equal(recorded.acts.filter((act) => act === verb).length, 6);
    });

    it(`keep ${verb} behind a key and a readable body`, async () => {
      assert.equal((await bench.server.inject({ method: 'POST', url: `/v1/${verb}` })).statusCode, 401);
      assert.equal((await ask(`/v1/${verb}`, '{', { 'content-type': 'application/json' })).statusCode, 503);
      assert.equal((await bench.server.inject({ url: `/v1/${verb}`, headers: withKey })).statusCode, 404);
      assert.deepEqual(recorded.acts, []);
    });

    it(`let an app’s key ${verb}`, async () => {
      const answer = await ask(`/v1/${verb}`, {}, { authorization: `Bearer ${APP_2_KEY}` });
      assert.equal(answer.statusCode, 202);
    });
  }

  it('blink whatever the body is', async () => {
    const answer = await ask('/v1/blink', '{', { 'content-type': 'application/json' });
    assert.deepEqual([answer.statusCode, answer.payload], [200, 'OK']);
    assert.equal(answer.headers['content-type'], 'text/plain; charset=utf-8');
    assert.deepEqual(recorded.acts, ['blink']);
    assert.equal((await bench.server.inject({ method: 'POST', url: '/v1/blink' })).statusCode, 401);
  });
});

describe('/v1/device/host-config', () => {
  const FIRST = 'Could not parse host config input to a valid format:\n';
  let bench: Bench;
  let held: boolean[];
  let lock: string | undefined;
  beforeEach(async () => {
    held = [];
    lock = undefined;
    bench = await aServer({
      host: aHost({
        network: async () => ({
          hostname: '27b0fdc',
          proxy: { type: 'socks5', ip: 'a', port: 8123, login: 'u', password: 'p', dns: '8.8.8.8:53', noProxy: ['b'] },
        }),
        underLocks: async (force, action) => {
          held.push(force);
          return lock === undefined ? { is: 'done', value: await action() } : { is: 'locked', message: lock };
        },
      }),
    });
  });
  afterEach(() => bench.close());

  /** A controller that concludes so about each new spec, and lets go what is deleted. */
  const endPass = (end: 'Ready' | 'Stalled' | 'Waiting', reason = 'Settled') =>
    bench.store.watch(({ key, object, parts, type }) => {
      if (key !== 'HostConfig/network' || type === 'DELETED') return;
      if (object.metadata.deletionTimestamp !== undefined) void bench.store.release(object);
      if (parts.includes('spec') || parts.length === 0) {
        setImmediate(() => report(bench.store, 'HostConfig', 'network', {}, end, reason));
      }
    });
  const patch = (payload: object | string, headers: object = {}) =>
    bench.server.inject({
      method: 'PATCH',
      url: '/v1/device/host-config',
      headers: { ...withKey, ...headers },
      payload,
    });
  const spec = () => bench.store.get('HostConfig', 'network')?.spec;

  it('shows what the host’s files say, in order', async () => {
    const answer = await bench.server.inject({ url: '/v1/device/host-config', headers: withKey });
    assert.equal(answer.statusCode, 200);
    assert.equal(
      answer.payload,
      '{"network":{"hostname":"27b0fdc","proxy":{"type":"socks5","ip":"a","port":8123,"login":"u","password":"p","dns":"8.8.8.8:53","noProxy":["b"]}}}',
    );
  });

  it('answers 503 when they cannot be read', async () => {
    await bench.close();
    const network = async () => {
      throw new Error('Could not read');
    };
    bench = await aServer({ host: aHost({ network }) });
    const answer = await bench.server.inject({ url: '/v1/device/host-config', headers: withKey });
    assert.deepEqual([answer.statusCode, answer.payload], [503, '{"status":"failed","message":"Could not read"}']);
  });

  it('puts a patch into the document, and answers when it is true', async () => {
    endPass('Ready');
    const answer = await patch({ network: { hostname: 'kiosk', proxy: { ip: 'c' } }, force: 'on' });
    assert.deepEqual([answer.statusCode, answer.payload], [200, 'OK']);
    assert.equal(answer.headers['content-type'], 'text/html; charset=utf-8');
    assert.deepEqual(held, [true]);
    const document = bench.store.get('HostConfig', 'network');
    assert.equal(document?.metadata.origin, 'api');
    assert.deepEqual(document?.spec, {
      hostname: 'kiosk',
      proxy: { type: 'socks5', ip: 'c', port: 8123, login: 'u', password: 'p', dns: '8.8.8.8:53' },
    });
  });

  it('takes a form', async () => {
    endPass('Ready');
    const answer = await patch('network[hostname]=x', { 'content-type': 'application/x-www-form-urlencoded' });
    assert.equal(answer.statusCode, 200);
    assert.deepEqual(spec(), { hostname: 'x' });
  });

  it('has nothing to do without host name and proxy, and takes no lock', async () => {
    for (const network of [{}, { other: 1 }]) {
      assert.equal((await patch({ network })).payload, 'OK');
    }
    assert.deepEqual(held, []);
    assert.equal(spec(), undefined);
  });

  it('answers a lock with 423, and nothing has changed', async () => {
    lock = 'Lockfile exists for { appId: 1, service: main }';
    const answer = await patch({ network: { hostname: 'x' } });
    assert.deepEqual([answer.statusCode, answer.payload], [423, lock]);
    assert.equal(spec(), undefined);
  });

  it('leaves a document of somebody else alone', async () => {
    await declare(bench.store, 'files', {
      apiVersion: 'supercargo.io/v1',
      kind: 'HostConfig',
      metadata: { name: 'network' },
      spec: { hostname: 'mine' },
    });
    const answer = await patch({ network: { hostname: 'x' } });
    assert.deepEqual(
      [answer.statusCode, answer.payload],
      [409, 'The network settings are declared by files; change them there'],
    );
    assert.deepEqual(spec(), { hostname: 'mine' });
    assert.equal((await patch({ network: { hostname: 'mine' } })).statusCode, 200);
    assert.deepEqual(held, []);
  });

  const refused: readonly (readonly [
    Omit<Case, 'url' | 'code'>,
    end: 'Stalled' | 'Waiting',
    reason: string,
    code: number,
  ])[] = [
    [{ it: 'what cannot be in the file', body: `${FIRST}as the test says` }, 'Stalled', 'InvalidSpec', 400],
    [{ it: 'what the host has not', body: 'as the test says' }, 'Stalled', 'NotApplicable', 503],
    [{ it: 'what fails', body: 'as the test says' }, 'Waiting', 'Retrying', 503],
  ];
  for (const [{ it: what, body }, end, reason, code] of refused) {
    it(`takes back ${what}`, async () => {
      const stop = endPass('Ready');
      await patch({ network: { hostname: 'before' } });
      stop();
      const undo = endPass(end, reason);
      const answer = await patch({ network: { hostname: 'after' } });
      undo();
      assert.deepEqual([answer.statusCode, answer.payload], [code, body]);
      assert.deepEqual(spec(), { hostname: 'before' });
    });

    it(`leaves no document behind for ${what}`, async () => {
      endPass(end, reason);
      await patch({ network: { hostname: 'after' } });
      assert.equal(spec(), undefined);
    });
  }

  const bad: readonly [body: unknown, message: string][] = [
    [{}, 'Expecting Partial<...> at network but instead got: undefined'],
    [{ network: { hostname: 5 } }, 'Expecting string at network.hostname but instead got: 5'],
    [{ network: { hostname: 'x'.repeat(256) } }, `"${'x'.repeat(80)}" at network.hostname is not a host name`],
  ];
  for (const [body, message] of bad) {
    it(`answers ${JSON.stringify(body).slice(0, 40)} with 400`, async () => {
      const answer = await patch(JSON.stringify(body), { 'content-type': 'application/json' });
      assert.equal(answer.statusCode, 400);
      assert.ok(answer.payload.startsWith(FIRST + message), answer.payload);
      assert.equal(spec(), undefined);
    });
  }

  it('carries out patches one after another, none is lost', async () => {
    endPass('Ready');
    const answers = await Promise.all([
      patch({ network: { hostname: 'a' } }),
      patch({ network: { proxy: { noProxy: ['x'] } } }),
      patch({ network: { hostname: 'b' } }),
    ]);
    assert.deepEqual(
      answers.map(({ statusCode }) => statusCode),
      [200, 200, 200],
    );
    assert.deepEqual(spec(), { hostname: 'b', proxy: { noProxy: ['x'] } });
  });
});
