import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { journalQuery } from '../../../../api/http/supervisor/v2-host.js';
import type { JournalQuery } from '../../../../crds/model/journal.js';
import { aHost } from '../a-host.js';
import { aServer, type Bench, withKey } from '../a-server.js';

describe('/v2/device/vpn', () => {
  it('shows the host’s VPN', async () => {
    const bench = await aServer({ host: aHost({ vpn: async () => ({ enabled: true, connected: false }) }) });
    const answer = await bench.server.inject({ url: '/v2/device/vpn', headers: withKey });
    assert.equal(answer.payload, '{"status":"success","vpn":{"enabled":true,"connected":false}}');
    await bench.close();
  });

  it('answers 503 when nobody knows', async () => {
    const vpn = async () => {
      throw new Error('no bus');
    };
    const bench = await aServer({ host: aHost({ vpn }) });
    const answer = await bench.server.inject({ url: '/v2/device/vpn', headers: withKey });
    assert.deepEqual([answer.statusCode, answer.payload], [503, '{"status":"failed","message":"no bus"}']);
    await bench.close();
  });
});

describe('/v2/device/tags', () => {
  let bench: Bench;
  beforeEach(async () => {
    bench = await aServer();
  });
  afterEach(() => bench.close());
  const patch = (payload: string | object) =>
    bench.server.inject({
      method: 'PATCH',
      url: '/v2/device/tags',
      headers: { ...withKey, 'content-type': 'application/json' },
      payload,
    });
  const tags = async () => (await bench.server.inject({ url: '/v2/device/tags', headers: withKey })).payload;

  it('are none at first', async () => assert.equal(await tags(), '{"status":"success","tags":[]}'));

  it('are merged', async () => {
    const answer = await patch({ DeviceLocation: 'warehouse #3', a: '1' });
    assert.deepEqual([answer.statusCode, answer.payload], [202, '{"status":"success"}']);
    await patch({ a: '2', b: '' });
    assert.equal(
      await tags(),
      '{"status":"success","tags":[{"id":1,"name":"DeviceLocation","value":"warehouse #3"},{"id":2,"name":"a","value":"2"},{"id":3,"name":"b","value":""}]}',
    );
  });

  for (const body of ['[]', '{}', '["a"]', '{"":"x"}']) {
    it(`accept ${body}`, async () => assert.equal((await patch(body)).statusCode, 202));
  }

  const wrong =
    '{"status":"failed","message":"Invalid tags body, must be an object like `{[tagKey: string]: string}`"}';
  const blank = '{"status":"failed","message":"Tag keys cannot contain whitespace"}';
  const bad: readonly [body: string, payload: string][] = [
    ['{"a":1}', wrong],
    ['{"a":null}', wrong],
    ['{"a":{}}', wrong],
    ['[1]', wrong],
    ['{"a b":"x"}', blank],
    ['{"a\\n":"x"}', blank],
  ];
  for (const [body, payload] of bad) {
    it(`refuse ${body}, and nothing changes`, async () => {
      const answer = await patch(body);
      assert.deepEqual([answer.statusCode, answer.payload], [400, payload]);
      assert.equal(await tags(), '{"status":"success","tags":[]}');
    });
  }
});

describe('/v2/journal-logs', () => {
  let bench: Bench;
  let asked: JournalQuery[];
  let output: PassThrough;
  let stopped: Promise<void>;
  beforeEach(async () => {
    asked = [];
    output = new PassThrough();
    let stop: () => void;
    stopped = new Promise((resolve) => {
      stop = resolve;
    });
    const journal = async (query: JournalQuery) => {
      asked.push(query);
      return { output, stop: () => stop() };
    };
    bench = await aServer({ host: aHost({ journal }) });
  });
  afterEach(() => bench.close());

  it('passes on what was asked in a body', async () => {
    output.end('line\n');
    const payload = {
      all: '1',
      follow: false,
      unit: 'x',
      containerId: 'abc',
      count: '5',
      since: 's',
      until: 'u',
      format: 'json',
    };
    const answer = await bench.server.inject({ method: 'POST', url: '/v2/journal-logs', headers: withKey, payload });
    assert.deepEqual([answer.statusCode, answer.payload], [200, 'line\n']);
    assert.equal(answer.headers['content-type'], undefined);
    assert.deepEqual(asked, [
      { all: true, follow: false, unit: 'x', containerId: 'abc', count: 5, since: 's', until: 'u', format: 'json' },
    ]);
    await stopped;
  });

  it('takes a query with GET', async () => {
    output.end();
    await bench.server.inject({ url: '/v2/journal-logs?unit=x&count=-1&all=on', headers: withKey });
    assert.deepEqual(asked, [{ all: true, follow: false, unit: 'x' }]);
  });

  it('opens nothing for HEAD', async () => {
    const answer = await bench.server.inject({ method: 'HEAD', url: '/v2/journal-logs', headers: withKey });
    assert.equal(answer.statusCode, 200);
    assert.deepEqual(asked, []);
  });

  it('answers 503 without a journal', async () => {
    await bench.close();
    const journal = async () => {
      throw new Error('no journalctl');
    };
    bench = await aServer({ host: aHost({ journal }) });
    const answer = await bench.server.inject({ url: '/v2/journal-logs', headers: withKey });
    assert.deepEqual([answer.statusCode, answer.payload], [503, '{"status":"failed","message":"no journalctl"}']);
  });

  it('sends headers before the first line, and stops the reader when the client leaves', async () => {
    await bench.server.start();
    const [address = ''] = bench.server.addresses;
    const call = request(`http://${address}/v2/journal-logs?follow=1`, { headers: withKey });
    call.on('error', () => undefined);
    const response = once(call, 'response');
    call.end();
    const [{ statusCode }] = await response;
    assert.equal(statusCode, 200);
    call.destroy();
    await stopped;
  });

  it('reads no more than the client takes', async () => {
    await bench.server.start();
    const [address = ''] = bench.server.addresses;
    const call = request(`http://${address}/v2/journal-logs?follow=1`, { headers: withKey });
    call.on('error', () => undefined);
    const response = once(call, 'response');
    call.end();
    const [incoming] = await response;
    incoming.pause();
    const chunk = Buffer.alloc(256 * 1024, 'x');
    let written = 0;
    while (written < 256 * 1024 * 1024 && !output.writableNeedDrain) {
      written += chunk.length;
      output.write(chunk);
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.ok(written < 256 * 1024 * 1024, 'the reader was never held back');
    call.destroy();
    await stopped;
  });

  const questions: readonly [it: string, fields: Record<string, unknown>, want: JournalQuery | string][] = [
    ['nothing', {}, { all: false, follow: false }],
    ['empty texts as nothing', { unit: '', since: null }, { all: false, follow: false }],
    ['a number as text', { since: 5 }, { all: false, follow: false, since: '5' }],
    ['a count that is none as nothing', { count: 'x' }, { all: false, follow: false }],
    ['0 as nothing', { count: 0 }, { all: false, follow: false }],
    ['a list as a mistake', { unit: ['a', 'b'] }, 'unit must be a text'],
    ['a text with NUL as a mistake', { format: 'a\0' }, 'format must be a text'],
  ];
  for (const [what, fields, want] of questions) {
    it(`understands ${what}`, () => assert.deepEqual(journalQuery(fields), want));
  }

  it('understands or refuses anything', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom('unit', 'count', 'all', 'since'), fc.anything()), (fields) => {
        const query = journalQuery(fields);
        assert.ok(typeof query === 'string' || (query.count ?? 1) > 0);
      }),
    );
  });
});
