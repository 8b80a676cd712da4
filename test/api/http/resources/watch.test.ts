import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import { anApp, aServer, type Bench, declare, report, withKey } from '../a-server.js';

const APPS = '/apis/supercargo.io/v1/apps';

describe('a watch', () => {
  let bench: Bench;
  beforeEach(async () => {
    bench = await aServer();
    await bench.server.start();
    await declare(bench.store, 'files', anApp('one'), anApp('two'));
  });
  afterEach(() => bench.close());

  /** Opens a stream and reads it as `TYPE name`. */
  async function watch(path: string) {
    const sent = get(`http://${bench.server.addresses[0]}${path}`, { headers: withKey });
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    assert.deepEqual([answer.statusCode, answer.headers['content-type']], [200, 'application/json']);
    const lines = createInterface({ input: answer })[Symbol.asyncIterator]();
    const next = async (): Promise<string> => {
      const { value, done } = await lines.next();
      if (done) return 'end';
      const { type, object } = JSON.parse(value);
      return `${type} ${object.involvedObject?.name ?? object.metadata.name}`;
    };
    return { next, leave: () => answer.destroy() };
  }

  it('begins with what exists, then tells every change', async () => {
    const { next, leave } = await watch(`${APPS}?watch=true`);
    assert.deepEqual([await next(), await next()].sort(), ['ADDED one', 'ADDED two']);
    report(bench.store, 'App', 'one', {});
    assert.equal(await next(), 'MODIFIED one');
    await declare(bench.store, 'files', anApp('one'), anApp('two', { name: 'x' }));
    assert.equal(await next(), 'MODIFIED two');
    leave();
  });

  it('goes on from a version, and sends the headers before the first change', async () => {
    const { resourceVersion } = bench.store;
    report(bench.store, 'App', 'one', {});
    const { next, leave } = await watch(`${APPS}?watch=1&resourceVersion=${resourceVersion}`);
    assert.equal(await next(), 'MODIFIED one');
    leave();
    const silent = await watch(`${APPS}?watch=1&resourceVersion=${bench.store.resourceVersion}`);
    silent.leave();
  });

  it('does not tell that somebody asked for a pass', async () => {
    const { next, leave } = await watch(`${APPS}?watch=1&resourceVersion=${bench.store.resourceVersion}`);
    bench.store.touch('App/one');
    report(bench.store, 'App', 'two', {});
    assert.equal(await next(), 'MODIFIED two');
    leave();
  });

  it('tells other kinds nothing', async () => {
    const { next, leave } = await watch(`/apis/supercargo.io/v1/images?watch=1`);
    report(bench.store, 'App', 'two', {});
    await declare(bench.store, 'App/one', {
      apiVersion: 'supercargo.io/v1',
      kind: 'Image',
      metadata: { name: 'one.a' },
      spec: { app: 'one', image: 'a:latest', services: [] },
    });
    assert.equal(await next(), 'ADDED one.a');
    leave();
  });

  it('sees one name only', async () => {
    const { next, leave } = await watch(`${APPS}?watch=1&fieldSelector=metadata.name%3Dtwo`);
    assert.equal(await next(), 'ADDED two');
    report(bench.store, 'App', 'one', {});
    report(bench.store, 'App', 'two', {});
    assert.equal(await next(), 'MODIFIED two');
    leave();
  });

  it('sees a document come and go with its labels', async () => {
    const labelled = (labels?: Record<string, string>) => {
      const app = anApp('one');
      return { ...app, metadata: { ...app.metadata, ...(labels ? { labels } : {}) } };
    };
    const { next, leave } = await watch(`${APPS}?watch=1&labelSelector=tier`);
    await declare(bench.store, 'files', labelled({ tier: 'web' }), anApp('two'));
    assert.match(await next(), /^(ADDED|MODIFIED) one$/);
    await declare(bench.store, 'files', labelled(), anApp('two'));
    assert.equal(await next(), 'DELETED one');
    await declare(bench.store, 'files', labelled({ tier: 'db' }), anApp('two'));
    assert.equal(await next(), 'ADDED one');
    leave();
  });

  it('tells when a document is gone', async () => {
    const { next, leave } = await watch(`${APPS}?watch=1&resourceVersion=${bench.store.resourceVersion}`);
    await declare(bench.store, 'files', anApp('one'));
    assert.equal(await next(), 'MODIFIED two');
    const two = bench.store.get('App', 'two');
    assert(two);
    await bench.store.release(two);
    assert.equal(await next(), 'DELETED two');
    leave();
  });

  it('ends after its time', async () => {
    const { next } = await watch(`${APPS}?watch=1&resourceVersion=${bench.store.resourceVersion}&timeoutSeconds=1`);
    assert.equal(await next(), 'end');
  });

  it('ends when the server stops', async () => {
    const { next } = await watch(`${APPS}?watch=1&resourceVersion=${bench.store.resourceVersion}`);
    const stopped = bench.server.stop(1_000);
    assert.equal(await next(), 'end');
    await stopped;
  });

  it('tells a client that does not keep up to list again, and goes on without it', async () => {
    const sent = get(`http://${bench.server.addresses[0]}${APPS}?watch=1`, { headers: withKey });
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    answer.pause();
    const image = (round: number) => `a:${round}-${'x'.repeat(100)}`;
    const services = (round: number) =>
      Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`s${index}`, { image: image(round) }]));
    for (let round = 0; round < 150; round += 1) {
      await declare(bench.store, 'files', anApp('one', { services: services(round) }));
    }
    let last = '';
    for await (const line of createInterface({ input: answer })) last = line;
    const { type, object } = JSON.parse(last);
    assert.deepEqual([type, object.reason, object.code], ['ERROR', 'Expired', 410]);
    assert.equal((await bench.server.inject({ url: APPS, headers: withKey })).statusCode, 200);
  });

  it('follows events', async () => {
    bench.store.record('App/one', { type: 'Normal', reason: 'A', message: 'a' });
    const { next, leave } = await watch('/apis/supercargo.io/v1/apps/one/events?watch=1');
    assert.equal(await next(), 'ADDED one');
    bench.store.record('App/two', { type: 'Normal', reason: 'B', message: 'b' });
    bench.store.record('App/one', { type: 'Normal', reason: 'A', message: 'a' });
    assert.equal(await next(), 'MODIFIED one');
    leave();
  });
});
