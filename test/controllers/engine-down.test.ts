import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { OPERATIONS } from '../../api/http/openapi/document.js';
import { openStore } from '../../api/store/document-store.js';
import { type Agent, startAgent } from '../../controllers/agent/main.js';
import { readSettings } from '../../controllers/agent/settings.js';
import { API_VERSION } from '../../crds/model/kinds.js';
import { until } from '../setup/until.js';

const silent = pino({ level: 'silent' });
const json = { 'content-type': 'application/json' };

/** What to send where parameters matter. */
const BODIES: Readonly<Record<string, object>> = {
  'POST /v1/restart': { appId: 1 },
  'POST /v1/purge': { appId: 1 },
  'PATCH /v2/device/tags': { a: 'b' },
  'PATCH /v1/device/host-config': { network: {} },
  'POST /v2/local/target-state': { local: { apps: {} } },
};

/** Answers that are not 200: commands cannot be carried out, and some routes have another success or nothing to show. */
const CODES: Readonly<Record<string, number | readonly number[]>> = {
  'POST /v1/update': 204,
  'POST /v1/regenerate-api-key': 503,
  'POST /v1/reboot': 500,
  'POST /v1/shutdown': 500,
  'POST /v1/restart': 503,
  'POST /v1/purge': 503,
  'POST /v1/apps/{appId}/stop': 503,
  'POST /v1/apps/{appId}/start': 503,
  'POST /v2/applications/{appId}/restart': 503,
  'POST /v2/applications/{appId}/purge': 503,
  'POST /v2/applications/{appId}/restart-service': 503,
  'POST /v2/applications/{appId}/stop-service': 503,
  'POST /v2/applications/{appId}/start-service': 503,
  'GET /v2/cleanup-volumes': 503,
  'POST /v2/cleanup-volumes': 503,
  'PATCH /v2/device/tags': 202,
  'GET /v2/journal-logs': [200, 503], // with and without journalctl on this machine
  'POST /v2/journal-logs': [200, 503],
  'GET /apis/supercargo.io/v1/stats': 503,
  // Nothing is known of them: volumes are no documents, and this agent has never seen the engine.
  'GET /apis/supercargo.io/v1/orphanedvolumes': 503,
  'DELETE /apis/supercargo.io/v1/orphanedvolumes/{name}': 503,
  'POST /apis/supercargo.io/v1/plan': 503, // what runs is not known
  'POST /hooks/{name}': [401, 404],
};

const SERVICE = {
  state: 'running',
  container: { id: 'c1', name: 'web', createdAt: '2026-01-02T03:04:05.678Z', image: 'sha256:1' },
};

describe('with an engine that', () => {
  let folder: string;
  let engine: Server;
  const sockets = new Set<Socket>();
  let agent: Promise<Agent>;

  /** A data folder of an agent that had one app running when it ended. */
  async function aPast(): Promise<void> {
    const store = await openStore({ folder: join(folder, 'data'), now: Date.now, log: silent });
    const spec = { appId: 1, services: { web: { image: 'busybox' } } };
    const app = { apiVersion: API_VERSION, kind: 'App', metadata: { name: 'hello' }, spec } as const;
    await store.propose({ origin: 'local', documents: [{ document: app }] });
    const web = { app: 'hello', appId: 1, serviceName: 'web', image: 'busybox:latest' };
    const service = { apiVersion: API_VERSION, kind: 'Service', metadata: { name: 'hello.web' }, spec: web } as const;
    await store.propose({ origin: 'App/hello', owner: 'App/hello', documents: [{ document: service }] });
    store.setStatus(store.get('Service', 'hello.web') ?? assert.fail(), SERVICE);
    await store.close();
  }

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'down-'));
    mkdirSync(join(folder, 'data'));
    mkdirSync(join(folder, 'manifests'));
    engine = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
    });
  });
  afterEach(async () => {
    engine.close();
    for (const socket of sockets) socket.destroy();
    await (await agent).stop();
    rmSync(folder, { recursive: true });
  });

  function ask(method: string, path: string, body: object | undefined): Promise<{ code: number; text: string }> {
    return new Promise((resolve, reject) => {
      const sent = request({ socketPath: join(folder, 'api.sock'), method, path, headers: json }, (answer) => {
        const end = (text: string): void => {
          resolve({ code: answer.statusCode ?? 0, text });
          sent.destroy();
        };
        // A stream has answered with its head.
        if (answer.headers['content-length'] === undefined && answer.statusCode === 200) end('');
        let text = '';
        answer.on('data', (chunk) => {
          text += String(chunk);
        });
        answer.on('end', () => end(text));
      });
      sent.setTimeout(2_000, () => reject(new Error(`${method} ${path}: no answer within 2 s`)));
      sent.on('error', reject);
      sent.end(body && JSON.stringify(body));
    });
  }

  async function start(state: 'is down' | 'hangs'): Promise<void> {
    const socket = join(folder, 'docker.sock');
    if (state === 'hangs') await new Promise<void>((resolve) => engine.listen(socket, resolve));
    const flags = ['--data', join(folder, 'data'), '--manifests', join(folder, 'manifests'), '--host-root', folder];
    const listen = `unix:${join(folder, 'api.sock')}`;
    const settings = readSettings([...flags, '--listen', listen], { DOCKER_HOST: `unix://${socket}` }, '/');
    assert(typeof settings === 'object');
    const reporter = {
      log: silent,
      print: () => undefined,
      follow: () => ({ look: () => undefined, stop: () => undefined }),
    };
    agent = startAgent(settings, reporter, new AbortController().signal);
  }

  it('hangs, the settings of the host are made true all the same', async () => {
    const file = join(folder, 'etc/hostname');
    mkdirSync(join(folder, 'etc'));
    writeFileSync(file, 'before\n');
    await start('hangs');
    const answered = await until(
      'the API answers',
      () => ask('PUT', '/apis/supercargo.io/v1/hostconfigs/network', { spec: { hostname: 'shed' } }),
      ({ code }) => code < 500,
    );
    assert.equal(answered.code, 201, answered.text);
    await until(
      'the host has its name',
      () => readFileSync(file, 'utf8'),
      (text) => text === 'shed\n',
    );
  }).timeout(180_000);

  for (const state of ['is down', 'hangs'] as const) {
    it(`${state}, every endpoint answers within 2 s, from what was known last`, async () => {
      await aPast();
      await start(state);
      if (state === 'is down') await agent;
      while (!(await ask('GET', '/ping', undefined).catch(() => undefined))) await sleep(10);
      await sleep(1_100); // until it is no longer taken for a start

      // What changes documents comes last, so that the others see them.
      const keys = Object.keys(OPERATIONS).sort((a, b) => Number(!a.startsWith('GET')) - Number(!b.startsWith('GET')));
      for (const key of keys) {
        const [method = '', template = ''] = key.split(' ');
        const name = template.includes('/apps/') ? 'hello' : template.includes('/services/') ? 'hello.web' : 'nobody';
        const path = template.replace('{appId}', '1').replace('{name}', name);
        const body = BODIES[key] ?? (template.endsWith('-service') ? { serviceName: 'web' } : undefined);
        const { code, text } = await ask(method, path, body);
        if (template.startsWith('/apis/') && CODES[key] === undefined) {
          const wanted = method !== 'GET' ? [201, 202, 400, 404, 409, 422] : name === 'nobody' ? [200, 404] : [200];
          assert.ok(wanted.includes(code), `${key}: ${code} ${text}`);
        } else assert.ok([CODES[key] ?? 200].flat().includes(code), `${key}: ${code} ${text}`);
      }
      const { text } = await ask('GET', '/v2/state/status', undefined);
      assert.match(text, /"status":"Running","serviceName":"web"/);
    }).timeout(180_000);
  }
});
