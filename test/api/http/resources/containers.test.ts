import assert from 'node:assert/strict';
import type { LogChoice, ServiceLogLine } from '../../../../api/http/container-reader.js';
import { APP_2_KEY, anApp, aServer, type Bench, declare, withKey } from '../a-server.js';

const GROUP = '/apis/supercargo.io/v1';
const NOW = 1_700_000_000_000;
const line = (message: string): ServiceLogLine => ({
  app: 'hello',
  service: 'web',
  message,
  isStdErr: false,
  timestamp: '2026-01-02T03:04:05.000Z',
});

describe('output and use of containers in the resource API', () => {
  let bench: Bench;
  let choices: LogChoice[];
  let fails: string | undefined;
  beforeEach(async () => {
    choices = [];
    fails = undefined;
    bench = await aServer({
      containers: {
        async *logs(choice) {
          choices.push(choice);
          yield line('one');
          if (fails !== undefined) throw new Error(fails);
          yield line('two');
        },
        async stats() {
          if (fails !== undefined) throw new Error(fails);
          return [];
        },
        environment: () => undefined,
      },
      device: {
        uuid: 'f'.repeat(32),
        arch: 'amd64',
        deviceType: 'generic-amd64',
        identity: () => ({ apiPort: 1, osVersion: 'Test OS', interfaces: { ip: ['192.0.2.2'], mac: [] } }),
        usage: async () => ({
          uptimeSeconds: 10,
          agentUptimeSeconds: 5,
          processors: 4,
          loadAverage: [1, 2, 3],
          memory: { totalBytes: 100, availableBytes: 40 },
          disks: [{ path: '/', totalBytes: 1000, availableBytes: 900 }],
        }),
      },
    });
    await declare(bench.store, 'files', anApp('hello', { appId: 1 }));
    await declare(bench.store, 'App/hello', {
      apiVersion: 'supercargo.io/v1',
      kind: 'Service',
      metadata: { name: 'hello.web' },
      spec: { app: 'hello', serviceName: 'web', image: 'busybox' },
    });
  });
  afterEach(() => bench.close());

  async function get(path: string, headers: Record<string, string> = withKey) {
    const answer = await bench.server.inject({ method: 'GET', url: `${GROUP}${path}`, headers });
    return { code: answer.statusCode, text: answer.payload };
  }

  for (const [path, want] of [
    ['/apps/hello/log', { app: 'hello', follow: false }],
    ['/apps/hello/log?follow=true&tailLines=3', { app: 'hello', follow: true, tailLines: 3 }],
    ['/services/hello.web/log?sinceSeconds=60', { app: 'hello', service: 'web', follow: false, sinceMs: NOW - 60_000 }],
    [
      '/services/hello.web/log?sinceTime=2023-11-14T22:13:20Z',
      { app: 'hello', service: 'web', follow: false, sinceMs: NOW },
    ],
  ] as const) {
    it(`reads ${path}, one JSON value a line`, async () => {
      const { code, text } = await get(path);
      assert.equal(code, 200);
      assert.equal(text, `${JSON.stringify(line('one'))}\n${JSON.stringify(line('two'))}\n`);
      assert.deepEqual(choices, [want]);
    });
  }

  it('says at the end that it broke', async () => {
    fails = 'No Docker engine answers';
    const [, last = ''] = (await get('/apps/hello/log')).text.split('\n');
    assert.deepEqual(JSON.parse(last).error.reason, 'ServiceUnavailable');
    assert.match(last, /No Docker engine answers/);
    assert.equal((await get('/stats')).code, 503);
  });

  for (const [path, code] of [
    ['/apps/none/log', 404],
    ['/services/none/log', 404],
    ['/apps/hello/log?tailLines=some', 400],
    ['/apps/hello/log?sinceTime=yesterday', 400],
    ['/apps/hello/log?sinceSeconds=1e308', 400],
    ['/apps/hello/log?tailLines=1e308', 400],
  ] as const) {
    it(`refuses ${path}`, async () => {
      assert.equal((await get(path)).code, code);
      assert.deepEqual(choices, []);
    });
  }

  for (const path of ['/apps/hello/log', '/stats', '/device']) {
    it(`keeps ${path} from the key of an app`, async () => {
      assert.equal((await get(path, { authorization: `Bearer ${APP_2_KEY}` })).code, 403);
    });
  }

  it('tells what the device is and how much of it is in use', async () => {
    const { kind, metadata, status } = JSON.parse((await get('/device')).text);
    assert.deepEqual([kind, metadata.name, metadata.uid], ['Device', 'local', 'f'.repeat(32)]);
    assert.equal(status.memory.availableBytes, 40);
    assert.equal(status.healthy, true);
  });
});
