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
      const { resourceVersion, annotations } = object.metadata;
      if (type === 'BOOKMARK')
        return ['BOOKMARK', resourceVersion, JSON.stringify(annotations)].filter(Boolean).join(' ');
      return `${type} ${object.involvedObject?.name ?? object.metadata.name}`;
    };
    return { next, close: () => answer.destroy() };
  }

  it('begins with what exists, then tells every change', async () => {
    const { next, close } = await watch(`${APPS}?watch=true`);
    assert.deepEqual([await next(), await next()].sort(), ['ADDED one', 'ADDED two']);
    report(bench.store, 'App', 'one', {});
    assert.equal(await next(), 'MODIFIED one');
    await declare(bench.store, 'files', anApp('one'), anApp('two', { name: 'x' }));
    assert.equal(await next(), 'MODIFIED two');
    close();
  });

  it('goes on from a version, and sends the headers before the first change', async () => {
    const { resourceVersion } = bench.store;
    report(bench.store, 'App', 'one', {});
    const { next, close } = await watch(`${APPS}?watch=1&resourceVersion=${resourceVersion}`);
    assert.equal(await next(), 'MODIFIED one');
    close();
    const silent = await watch(`${APPS}?watch=1&resourceVersion=${bench.store.resourceVersion}`);
    silent.close();
  });

  it('does not tell that somebody asked for a pass', async () => {
    const { next, close } = await watch(`${APPS}?watch=1&resourceVersion=${bench.store.resourceVersion}`);
    bench.store.touch('App/one');
    report(bench.store, 'App', 'two', {});
    assert.equal(await next(), 'MODIFIED two');
    close();
  });

  it('tells other kinds nothing', async () => {
    const { next, close } = await watch(`/apis/supercargo.io/v1/images?watch=1`);
    report(bench.store, 'App', 'two', {});
    await declare(bench.store, 'App/one', {
      apiVersion: 'supercargo.io/v1',
      kind: 'Image',
      metadata: { name: 'one.a' },
      spec: { app: 'one', image: 'a:latest', services: [] },
    });
    assert.equal(await next(), 'ADDED one.a');
    close();
  });

  it('sees one name only', async () => {
    const { next, close } = await watch(`${APPS}?watch=1&fieldSelector=metadata.name%3Dtwo`);
    assert.equal(await next(), 'ADDED two');
    report(bench.store, 'App', 'one', {});
    report(bench.store, 'App', 'two', {});
    assert.equal(await next(), 'MODIFIED two');
    close();
  });

  it('sees a document come and go with its labels', async () => {
    const labelled = (labels?: Record<string, string>) => {
      const app = anApp('one');
      return { ...app, metadata: { ...app.metadata, ...(labels ? { labels } : {}) } };
    };
    const { next, close } = await watch(`${APPS}?watch=1&labelSelector=tier`);
    await declare(bench.store, 'files', labelled({ tier: 'web' }), anApp('two'));
    assert.match(await next(), /^(ADDED|MODIFIED) one$/);
    await declare(bench.store, 'files', labelled(), anApp('two'));
    assert.equal(await next(), 'DELETED one');
    await declare(bench.store, 'files', labelled({ tier: 'db' }), anApp('two'));
    assert.equal(await next(), 'ADDED one');
    close();
  });

  it('tells when a document is gone', async () => {
    const { next, close } = await watch(`${APPS}?watch=1&resourceVersion=${bench.store.resourceVersion}`);
    await declare(bench.store, 'files', anApp('one'));
    assert.equal(await next(), 'MODIFIED two');
    const two = bench.store.get('App', 'two');
    assert(two);
    await bench.store.release(two);
    assert.equal(await next(), 'DELETED two');
    close();
  });

  const asList = 'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';

  it('says where the list ends to a client that lists by watching', async () => {
    const { resourceVersion } = bench.store;
    report(bench.store, 'App', 'one', {});
    for (const version of ['', '0', resourceVersion, bench.store.resourceVersion]) {
      const { next, close } = await watch(
        `${APPS}?watch=true&${asList}&resourceVersion=${version}&fieldSelector=metadata.name%3Done`,
      );
      assert.equal(await next(), 'ADDED one');
      assert.equal(await next(), `BOOKMARK ${bench.store.resourceVersion} {"k8s.io/initial-events-end":"true"}`);
      close();
    }
    const { next, close } = await watch(`${APPS}?watch=true&${asList}&fieldSelector=metadata.name%3Dnone`);
    assert.match(await next(), /^BOOKMARK \d+ .*initial-events-end/);
    await declare(bench.store, 'files', anApp('one'), anApp('two'), anApp('none'));
    assert.equal(await next(), 'ADDED none');
    close();
  });

  it('begins with nothing when the state is not wanted', async () => {
    const query = 'watch=true&sendInitialEvents=false&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';
    const { next, close } = await watch(`${APPS}?${query}`);
    report(bench.store, 'App', 'two', {});
    assert.equal(await next(), 'MODIFIED two');
    close();
  });

  for (const [what, query, code] of [
    ['the state without how old it may be', 'sendInitialEvents=true', 422],
    ['how old it may be without the state', 'resourceVersionMatch=NotOlderThan', 422],
    ['another match', 'sendInitialEvents=true&resourceVersionMatch=Exact', 422],
    ['the state of a version from the future', `${asList}&resourceVersion=9007199254740991`, 410],
    ['the state of what is no version', `${asList}&resourceVersion=x`, 410],
  ] as const) {
    it(`refuses ${what}`, async () => {
      const answer = await bench.server.inject({ url: `${APPS}?watch=true&${query}`, headers: withKey });
      const { kind, reason } = JSON.parse(answer.payload);
      assert.deepEqual([answer.statusCode, kind, reason], [code, 'Status', code === 422 ? 'Invalid' : 'Expired']);
    });
  }

  for (const value of ['1', 't', 'T', 'true', 'TRUE', 'True', '']) {
    it(`takes watch=${value} for a watch`, async () => {
      const { next, close } = await watch(`${APPS}?watch=${value}`);
      assert.deepEqual([await next(), await next()].sort(), ['ADDED one', 'ADDED two']);
      close();
    });
  }
  for (const value of ['0', 'f', 'F', 'false', 'FALSE', 'False']) {
    it(`takes watch=${value} for a list`, async () => {
      const answer = await bench.server.inject({ url: `${APPS}?watch=${value}`, headers: withKey });
      assert.deepEqual([answer.statusCode, JSON.parse(answer.payload).kind], [200, 'AppList']);
    });
  }
  for (const [method, url] of [
    ['GET', `${APPS}?watch=yes`],
    ['GET', `${APPS}?watch=tRUE`],
    ['GET', `${APPS}?watch=2`],
    ['GET', `${APPS}/one?watch=on`],
    ['GET', `${APPS}/one/events?watch=on`],
    ['GET', '/apis/supercargo.io/v1/events?watch=on'],
    ['GET', `${APPS}?allowWatchBookmarks=on`],
    ['GET', '/apis/supercargo.io/v1/events?watch=1&allowWatchBookmarks=on'],
    ['GET', `${APPS}?watch=1&sendInitialEvents=on&resourceVersionMatch=NotOlderThan`],
    ['GET', `${APPS}/one/log?follow=on`],
    ['DELETE', `${APPS}/one?orphanDependents=on`],
  ] as const) {
    it(`refuses ${method} ${url}`, async () => {
      const answer = await bench.server.inject({ method, url, headers: withKey });
      const { reason, message } = JSON.parse(answer.payload);
      assert.deepEqual([answer.statusCode, reason], [400, 'BadRequest']);
      assert.match(message, /^\w+ must be true or false \(or 1, t, 0, f\)$/);
      assert.ok(bench.store.get('App', 'one'));
    });
  }

  it('says how far it has come before its time is over', async () => {
    const at = bench.store.resourceVersion;
    const { next } = await watch(`${APPS}?watch=1&resourceVersion=${at}&timeoutSeconds=1&allowWatchBookmarks=true`);
    bench.store.touch('App/one'); // which tells watchers nothing, and still is a newer version
    assert.equal(await next(), `BOOKMARK ${bench.store.resourceVersion}`);
    assert.equal(await next(), 'end');
  });

  it('says where a list of events ends', async () => {
    bench.store.record('App/one', { type: 'Normal', reason: 'Locked', message: 'a' });
    const { next, close } = await watch(`/apis/supercargo.io/v1/events?watch=true&${asList}`);
    assert.equal(await next(), 'ADDED one');
    assert.match(await next(), /^BOOKMARK \d+ {"k8s.io\/initial-events-end":"true"}$/);
    bench.store.record('App/two', { type: 'Normal', reason: 'Unlocked', message: 'b' });
    assert.equal(await next(), 'ADDED two');
    close();
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
    bench.store.record('App/one', { type: 'Normal', reason: 'Locked', message: 'a' });
    const { next, close } = await watch('/apis/supercargo.io/v1/apps/one/events?watch=1');
    assert.equal(await next(), 'ADDED one');
    bench.store.record('App/two', { type: 'Normal', reason: 'Unlocked', message: 'b' });
    bench.store.record('App/one', { type: 'Normal', reason: 'Locked', message: 'a' });
    assert.equal(await next(), 'MODIFIED one');
    close();
  });

  it('goes on with the events after a list, each once, also when the clock was set back since', async () => {
    await bench.close();
    let nowMs = Date.parse('2026-01-02T03:04:05.678Z');
    bench = await aServer({ storeNow: () => nowMs });
    await bench.server.start();
    const happen = (name: string): void =>
      bench.store.record(`App/${name}`, { type: 'Normal', reason: 'Locked', message: 'a' });
    happen('one');
    const list = await bench.server.inject({ url: '/apis/supercargo.io/v1/events', headers: withKey });
    nowMs -= 8 * 3_600_000;
    happen('two');
    const { resourceVersion } = JSON.parse(list.payload).metadata;
    const { next, close } = await watch(`/apis/supercargo.io/v1/events?watch=1&resourceVersion=${resourceVersion}`);
    assert.equal(await next(), 'ADDED two');
    happen('three');
    assert.equal(await next(), 'ADDED three');
    close();
    const future = await watch(`/apis/supercargo.io/v1/events?watch=1&resourceVersion=${Number.MAX_SAFE_INTEGER}`);
    assert.equal(await future.next(), 'ADDED one');
    future.close();
  });
});
