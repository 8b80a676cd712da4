import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { until } from '../../../setup/until.js';
import { anApp, aServer, type Bench, declare, report, withKey } from '../a-server.js';

const asJson = { 'content-type': 'application/json' };
const target = (apps?: object, extra: object = {}) =>
  JSON.stringify({ local: { name: 'Home', config: {}, ...(apps ? { apps } : {}) }, ...extra });
const app1 = {
  '1': {
    name: 'localapp',
    commit: 'localcommit',
    releaseId: '1',
    services: {
      '1': { serviceName: 'main', imageId: 1, image: 'local_main', environment: { A: 'b' }, labels: {}, running: true },
    },
    volumes: {},
    networks: {},
  },
};

describe('POST /v2/local/target-state', () => {
  let bench: Bench;
  beforeEach(async () => {
    bench = await aServer({ localMode: true });
  });
  afterEach(() => bench.close());

  const post = (payload: string, headers: Record<string, string> = asJson) =>
    bench.server.inject({
      method: 'POST',
      url: '/v2/local/target-state',
      payload,
      headers: { host: 'localhost', ...headers },
    });
  const appState = async (): Promise<string> =>
    JSON.parse((await bench.server.inject({ url: '/v2/state/status', headers: { host: 'localhost' } })).payload)
      .appState;
  const apps = () => bench.store.list('App').filter(({ metadata }) => metadata.deletionTimestamp === undefined);

  it('takes an app, and the next status says applying', async () => {
    const answer = await post(target(app1));
    assert.deepEqual([answer.statusCode, answer.payload], [200, '{"status":"success","message":"OK"}']);
    assert.deepEqual(
      apps().map(({ spec }) => [spec.appId, spec.name]),
      [[1, 'localapp']],
    );
    assert.deepEqual(apps()[0]?.metadata.declaredBy, 'somebody (from this device)');
    assert.equal(await appState(), 'applying');
  });

  it('says applying after the same target again, until a pass has concluded', async () => {
    await post(target(app1));
    const [app] = apps();
    assert(app);
    report(bench.store, 'App', app.metadata.name, {});
    assert.equal(await appState(), 'applied');
    await post(target(app1));
    assert.equal(await appState(), 'applying');
    bench.store.markReconciled(`App/${app.metadata.name}`);
    assert.equal(await appState(), 'applied');
  });

  it('takes nothing that cannot be kept, and all again as soon as it can', async () => {
    rmSync(join(bench.folder, 'documents'), { recursive: true });
    writeFileSync(join(bench.folder, 'documents'), '');
    const answer = await post(target(app1));
    const body = JSON.parse(answer.payload);
    assert.deepEqual([answer.statusCode, body.status, apps()], [503, 'failed', []]);
    assert.match(body.message, /^Could not write \S+documents\/apps: .* \(E\w+\)$/);
    const put = await bench.server.inject({
      method: 'PUT',
      url: '/apis/supercargo.io/v1/apps/one',
      payload: JSON.stringify({ spec: { services: {} } }),
      headers: { host: 'localhost', ...asJson },
    });
    const { kind, reason, message } = JSON.parse(put.payload);
    assert.deepEqual([put.statusCode, kind, reason], [503, 'Status', 'ServiceUnavailable']);
    assert.match(message, /^Could not write \S+documents\/apps: .* \(E\w+\)$/);
    rmSync(join(bench.folder, 'documents'));
    assert.equal((await post(target(app1))).statusCode, 200);
    // Kept by the journal when the answer comes; in its own file a moment later.
    await until(
      'its file',
      () => readdirSync(join(bench.folder, 'documents', 'apps')).length,
      (files) => files === 1,
    );
  });

  it('leaves the apps alone when the body says nothing of them, and empties the device for {}', async () => {
    await post(target(app1));
    assert.equal((await post(target())).statusCode, 200);
    assert.equal(apps().length, 1);
    assert.equal((await post(target({}))).statusCode, 200);
    assert.equal(apps().length, 0);
  });

  it('gives back what can be posted again', async () => {
    await post(target(app1));
    const read = JSON.parse(
      (await bench.server.inject({ url: '/v2/local/target-state', headers: { host: 'localhost' } })).payload,
    );
    assert.equal(read.status, 'success');
    assert.deepEqual(read.state.dependent, { apps: [], devices: [] });
    assert.deepEqual(read.state.local.apps['1'].services['1'].environment, { A: 'b' });
    const { generation } = apps()[0]?.metadata ?? {};
    assert.equal((await post(JSON.stringify(read.state))).statusCode, 200);
    assert.equal(apps()[0]?.metadata.generation, generation);
  });

  it('asks for force when the body does', async () => {
    await post(target(app1, { force: true }));
    assert.ok(apps()[0]?.requests.force);
  });

  const bad: readonly [what: string, body: string, code: number, message: RegExp][] = [
    ['malformed JSON', '{x', 503, /JSON at position 1/],
    ['a body without local', '{}', 400, /^Invalid target state\./],
    ['a list', '[]', 400, /^Invalid target state\./],
    ['an app key that is no number', target({ abc: { name: 'x' } }), 400, /abc/],
    ['a null app', target({ '1': null }), 400, /apps\.1/],
    ['a null service', target({ '1': { ...app1['1'], services: { '1': null } } }), 400, /services/],
    [
      'a service without a name',
      target({ '1': { ...app1['1'], services: { '1': { imageId: 1, image: 'a', environment: {}, labels: {} } } } }),
      400,
      /serviceName/,
    ],
    [
      'an environment of numbers',
      target({ '1': { ...app1['1'], services: { '1': { ...app1['1'].services['1'], environment: { A: 1 } } } } }),
      400,
      /environment\.A/,
    ],
  ];
  for (const [what, body, code, message] of bad) {
    it(`refuses ${what} and keeps what was there`, async () => {
      await post(target(app1));
      const answer = await post(body);
      assert.equal(answer.statusCode, code, answer.payload);
      const { status, message: text } = JSON.parse(answer.payload);
      assert.equal(status, 'failed');
      assert.match(text, message);
      assert.equal(apps().length, 1);
    });
  }

  it('refuses an app that is declared elsewhere', async () => {
    await declare(bench.store, 'files', anApp('hello', { appId: 1 }));
    const answer = await post(target(app1));
    assert.equal(answer.statusCode, 400);
    assert.match(answer.payload, /hello/);
  });

  it('refuses every target outside local mode, without looking at it', async () => {
    const managed = await aServer();
    const answer = await managed.server.inject({ method: 'POST', url: '/v2/local/target-state', headers: withKey });
    assert.deepEqual(
      [answer.statusCode, answer.payload],
      [400, '{"status":"failed","message":"Target state can only set when device is in local mode"}'],
    );
    await managed.close();
  });
});

describe('GET /v2/local/logs', () => {
  let bench: Bench;
  beforeEach(async () => {
    bench = await aServer({ localMode: true });
    await bench.server.start();
  });
  afterEach(() => bench.close());

  async function open(method = 'GET'): Promise<IncomingMessage> {
    const sent = request(`http://${bench.server.addresses[0]}/v2/local/logs`, { method });
    sent.end();
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    return answer;
  }
  const linesOf = (answer: IncomingMessage) => createInterface({ input: answer })[Symbol.asyncIterator]();

  for (const method of ['GET', 'POST']) {
    it(`streams by ${method}, the first line at once and without a type`, async () => {
      const answer = await open(method);
      assert.deepEqual(
        [answer.statusCode, answer.headers['content-type'], answer.headers['transfer-encoding']],
        [200, undefined, 'chunked'],
      );
      const lines = linesOf(answer);
      assert.equal((await lines.next()).value, '{"message":"Streaming logs","isSystem":true}');
      bench.logs.write(
        { serviceName: 'main', message: 'hello', isStdErr: false, timestamp: 1, serviceId: 1 },
        { app: 1 },
      );
      assert.equal(
        (await lines.next()).value,
        '{"serviceName":"main","message":"hello","isStdErr":false,"timestamp":1,"serviceId":1}',
      );
      answer.destroy();
    });
  }

  it('forgets a listener that has left', async () => {
    const left = new Promise<void>((resolve) => {
      let came = false;
      bench.logs.onAudience((listening) => {
        if (listening) came = true;
        else if (came) resolve();
      });
    });
    const answer = await open();
    await linesOf(answer).next();
    answer.destroy();
    await left;
  });

  it('drops lines for a listener that does not keep up, and says how many', async () => {
    const answer = await open();
    answer.pause();
    const message = 'x'.repeat(64 * 1024);
    const total = 500;
    for (let i = 0; i < total; i += 1) {
      bench.logs.write({ serviceName: 'main', message, isStdErr: false, timestamp: i, serviceId: 1 }, { app: 1 });
    }
    let received = 0;
    for await (const line of createInterface({ input: answer })) {
      const { isSystem, message: text } = JSON.parse(line);
      if (isSystem && text.includes('dropped')) {
        const dropped = Number.parseInt(text, 10);
        assert.equal(received + dropped, total);
        assert.ok(dropped > 0);
        break;
      }
      if (!isSystem) received += 1;
    }
    answer.destroy();
  });

  it('ends when the server stops', async () => {
    const answer = await open();
    answer.resume();
    const ended = once(answer, 'end');
    await bench.server.stop(1_000);
    await ended;
  });
});
