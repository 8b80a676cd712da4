import assert from 'node:assert/strict';
import type { Client } from '../../../../api/cli/client/client.js';
import type { Session } from '../../../../api/cli/client/session.js';
import { waitReady } from '../../../../api/cli/client/wait.js';
import { collectionPath } from '../../../../api/cli/kind-words.js';

const condition = { type: 'Ready', status: 'True', reason: 'Settled', message: '', lastTransitionTime: '' } as const;
const settled = (kind: string, name: string, spec: object, status: object = {}) => ({
  kind,
  metadata: { name, generation: 1, resourceVersion: '1' },
  spec,
  requests: {},
  status: { observedGeneration: 1, conditions: [{ ...condition, observedGeneration: 1 }], ...status },
});
const app = settled('App', 'web', { services: {} }, { phase: 'Settled' });
const service = (health: string) =>
  settled(
    'Service',
    'web.a',
    { app: 'web', serviceName: 'a' },
    { health, runningSince: 'now', container: { id: 'x' } },
  );

/** An API whose watch of Services lags behind: only a list tells that one has been started. */
describe('waiting for an App', () => {
  it('goes by the services as they are when the watch of Apps is ahead of theirs', async () => {
    const out: string[] = [];
    const lists = [[], [service('starting')], [service('healthy')], [service('healthy')]];
    let listed = 0;
    let sendLine: (line: unknown) => void = () => undefined;
    const news = new Promise((resolve) => {
      sendLine = resolve;
    });
    const client = {
      ask: async (_method: string, path: string) => {
        if (path === collectionPath('App')) return { metadata: { resourceVersion: '1' }, items: [app] };
        if (path !== collectionPath('Service')) return { metadata: { resourceVersion: '1' }, items: [] };
        const items = lists[listed++] ?? [];
        return { metadata: { resourceVersion: '1' }, items };
      },
      async *lines(path: string, signal: AbortSignal) {
        if (path.startsWith(collectionPath('Service'))) yield await news;
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
      },
    } as unknown as Client;
    const session = {
      json: false,
      io: {
        hasProgress: false,
        out: (line: string) => {
          out.push(line);
          if (/healthy/.test(line)) sendLine({ type: 'MODIFIED', object: service('healthy') });
        },
      },
    } as unknown as Session;
    await waitReady(session, client, [{ kind: 'App', name: 'web', generation: 1 }], {
      ...{ wait: true, timeout: '10s', before: [] },
    });
    assert.deepEqual(out, ['app/web: waiting until it is healthy', 'app/web ready']);
  });

  it('ends at once when a service of it is not tried again, with what is wrong', async () => {
    const text = { reason: 'InvalidSpec', message: 'spec: the engine refuses it', lastTransitionTime: '' };
    const conditions = [
      { ...text, type: 'Ready', status: 'False', observedGeneration: 1 },
      { ...text, type: 'Stalled', status: 'True', observedGeneration: 1 },
    ];
    const waiting = {
      ...condition,
      status: 'False',
      reason: 'ChildrenNotReady',
      message: 'Waiting',
      observedGeneration: 1,
    };
    const items: Readonly<Record<string, unknown>> = {
      [collectionPath('App')]: settled('App', 'web', { services: {} }, { phase: 'Verifying', conditions: [waiting] }),
      [collectionPath('Service')]: settled('Service', 'web.a', { app: 'web', serviceName: 'a' }, { conditions }),
    };
    const client = {
      ask: async (_method: string, path: string) => ({
        metadata: { resourceVersion: '1' },
        items: items[path] === undefined ? [] : [items[path]],
      }),
      async *lines(_path: string, signal: AbortSignal) {
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
      },
    } as unknown as Client;
    const session = { json: false, io: { hasProgress: false, out: () => undefined } } as unknown as Session;
    const options = { wait: true, timeout: '5s', before: [] };
    await assert.rejects(waitReady(session, client, [{ kind: 'App', name: 'web', generation: 1 }], options), {
      message: 'service/web.a: InvalidSpec: spec: the engine refuses it',
    });
    const locate = (path: string) => ({ file: 'app.yaml', line: path === 'spec.services.a' ? 7 : 1, column: 3 });
    const placed = { kind: 'App', name: 'web', generation: 1, locate } as const;
    await assert.rejects(waitReady(session, client, [placed], options), {
      message: 'app.yaml:7:3: service/web.a: InvalidSpec: spec: the engine refuses it',
    });
  });

  it('that waits for its time ends at once, and goes on where the App was approved', async () => {
    const held = { ...condition, status: 'False', reason: 'AwaitingApproval', observedGeneration: 1 };
    let sendLine: (line: unknown) => void = () => undefined;
    const news = new Promise((resolve) => {
      sendLine = resolve;
    });
    const client = {
      ask: async (_method: string, path: string) => ({
        metadata: { resourceVersion: '1' },
        items: path === collectionPath('App') ? [settled('App', 'web', { services: {} }, { conditions: [held] })] : [],
      }),
      async *lines(path: string, signal: AbortSignal) {
        if (path.startsWith(collectionPath('App'))) yield await news;
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
      },
    } as unknown as Client;
    const out: string[] = [];
    const io = { hasProgress: false, out: (line: string) => void out.push(line) };
    const session = { json: false, io } as unknown as Session;
    const options = { wait: true, timeout: '10s', before: [] };
    const awaited = [{ kind: 'App', name: 'web', generation: 1 }] as const;
    await waitReady(session, client, awaited, options);
    assert.deepEqual(out.splice(0), ['app/web: AwaitingApproval: ']);
    const waiting = waitReady(session, client, awaited, { ...options, isApproved: true });
    await new Promise((resolve) => setImmediate(resolve));
    sendLine({ type: 'MODIFIED', object: app });
    await waiting;
    assert.deepEqual(out, ['app/web ready']);
  });

  it('says which service has yet to end', async () => {
    const verifying = { ...condition, status: 'False', reason: 'Verifying', observedGeneration: 1 };
    const task = (name: string, spec: object) =>
      settled('Service', `web.${name}`, { app: 'web', serviceName: name, ...spec }, { state: 'running' });
    const items: Readonly<Record<string, readonly unknown[]>> = {
      [collectionPath('App')]: [
        settled('App', 'web', { services: {} }, { phase: 'Verifying', conditions: [verifying] }),
      ],
      [collectionPath('Service')]: [
        task('migrate', { restart: 'no' }),
        task('b', { restart: 'no', ports: ['80:80'] }),
        task('c', {}),
      ],
    };
    const client = {
      ask: async (_method: string, path: string) => ({
        metadata: { resourceVersion: '1' },
        items: items[path] ?? [],
      }),
      async *lines(_path: string, signal: AbortSignal) {
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
      },
    } as unknown as Client;
    const out: string[] = [];
    const io = { hasProgress: false, out: (line: string) => void out.push(line) };
    const session = { json: false, io } as unknown as Session;
    const options = { wait: true, timeout: '1s', before: [] };
    await assert.rejects(waitReady(session, client, [{ kind: 'App', name: 'web', generation: 1 }], options));
    assert.equal(
      out.at(-1),
      'app/web: waiting for migrate to end (restart: no); what is to go on has another restart, a published port or a healthcheck',
    );
  });
});
