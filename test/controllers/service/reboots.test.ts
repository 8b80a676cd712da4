import assert from 'node:assert/strict';
import { type RebootDeps, rebootWhenSettled, waitingForBoot } from '../../../controllers/service/reboots.js';
import type { AnyResource } from '../../../crds/model/kinds.js';
import { anApp, anImage, aService, notReady, ready } from '../../setup/documents.js';
import { FakeClock } from '../../setup/fake-clock.js';

const bound = aService({ status: notReady('RebootRequired') });
const ofOther = aService({
  spec: { app: 'other', serviceName: 'db' },
  status: notReady('RebootRequired'),
});
const app = anApp({ status: notReady('ChildrenNotReady') });
const downloading = anImage({ status: notReady('Downloading') });

describe('waitingForBoot', () => {
  const cases: readonly (readonly [it: string, documents: readonly AnyResource[], want: number])[] = [
    ['is nobody on a settled device', [aService({ status: ready() })], 0],
    ['is a service that is made', [bound, app, anImage({ status: ready() })], 1],
    ['is nobody while something else is still done', [bound, app, downloading], 0],
    ['counts who depends on it as waiting with it', [bound, aService({ status: notReady('DependencyNotReady') })], 1],
    ['is nobody before the first pass', [bound, aService()], 0],
  ];
  for (const [what, documents, want] of cases) {
    it(what, () => assert.equal(waitingForBoot(documents).length, want));
  }
});

describe('rebootWhenSettled', () => {
  const REBOOTING = [
    ['Rebooting for web', { app: 'hello' }],
    ['Rebooting for db', { app: 'other' }],
  ];
  async function watch(answers: readonly Awaited<ReturnType<RebootDeps['reboot']>>[]) {
    const clock = new FakeClock();
    const output: unknown[] = [];
    let asked = 0;
    const stop = rebootWhenSettled({
      store: {
        list: ((kind: string) => [bound, ofOther, app].filter((one) => one.kind === kind)) as never,
        watch: () => () => undefined,
      },
      reboot: async () => answers[asked++] ?? { is: 'scheduled' },
      after: (ms, call) => clock.after(ms, call),
      logs: { system: (message, owner) => output.push([message, owner]) },
    });
    for (let step = 0; step < 3; step += 1) {
      clock.step();
      await new Promise(setImmediate);
    }
    stop();
    return { output, asked };
  }

  it('boots once, and tells each app of its own services', async () => {
    assert.deepEqual(await watch([{ is: 'scheduled' }]), { output: REBOOTING, asked: 1 });
  });
  it('tries again while an application holds its lock', async () => {
    const { output, asked } = await watch([{ is: 'locked', message: 'Lockfile exists for { appId: 7, service: db }' }]);
    assert.equal(asked, 2);
    assert.deepEqual(output, [
      ['A reboot is needed to start web, and is held back by an update lock', { app: 'hello' }],
      ['A reboot is needed to start db, and is held back by an update lock', { app: 'other' }],
      ['No reboot yet: Lockfile exists for { appId: 7, service: db }', 'nobody'],
      ...REBOOTING,
    ]);
  });
  it('says once that it may not', async () => {
    const { output, asked } = await watch([{ is: 'refused', message: 'not allowed' }]);
    assert.equal(asked, 1);
    assert.deepEqual(output, [
      ['A reboot is needed to start web: not allowed', { app: 'hello' }],
      ['A reboot is needed to start db: not allowed', { app: 'other' }],
    ]);
  });

  it('goes on when a reboot cannot be requested, says so once, and tries again', async () => {
    const clock = new FakeClock();
    const output: unknown[] = [];
    let asked = 0;
    const stop = rebootWhenSettled({
      store: {
        list: ((kind: string) => [bound, app].filter((one) => one.kind === kind)) as never,
        watch: () => () => undefined,
      },
      reboot: async () => {
        asked += 1;
        if (asked > 2) return { is: 'scheduled' };
        throw new Error('Could not take the update lock of app 7: /tmp/balena-supervisor belongs to user 1000');
      },
      after: (ms, call) => clock.after(ms, call),
      logs: { system: (message, owner) => output.push([message, owner]) },
    });
    for (let minute = 0; minute < 4; minute += 1) {
      clock.advance(60_000);
      await new Promise(setImmediate);
    }
    stop();
    assert.equal(asked, 3);
    assert.deepEqual(output, [
      ['A reboot is needed to start web, and could not be requested; it is tried again', { app: 'hello' }],
      ['No reboot yet: Could not take the update lock of app 7: /tmp/balena-supervisor belongs to user 1000', 'nobody'],
      ['Rebooting for web', { app: 'hello' }],
    ]);
  });

  it('boots again, with pauses, when the program for it fails', async () => {
    const clock = new FakeClock();
    let asked = 0;
    let failure: { inMs: number } | undefined;
    const stop = rebootWhenSettled({
      store: {
        list: ((kind: string) => [bound, app].filter((one) => one.kind === kind)) as never,
        watch: () => () => undefined,
      },
      reboot: async () => {
        asked += 1;
        failure = undefined;
        return { is: 'scheduled' };
      },
      failure: () => failure,
      after: (ms, call) => clock.after(ms, call),
      logs: { system: () => undefined },
    });
    const pass = async (minutes: number): Promise<void> => {
      for (let minute = 0; minute < minutes; minute += 1) {
        clock.advance(60_000);
        await new Promise(setImmediate);
      }
    };
    await pass(5);
    assert.equal(asked, 1, 'it is under way');
    failure = { inMs: 120_000 };
    await pass(2);
    assert.equal(asked, 1);
    failure = { inMs: 0 };
    await pass(5);
    assert.equal(asked, 2);
    stop();
    assert.deepEqual(clock.planned, []);
  });

  it('boots when the last of the others has settled, whatever that is', async () => {
    const clock = new FakeClock();
    const documents: AnyResource[] = [bound, app, downloading];
    let asked = 0;
    let change: (image: AnyResource) => void = () => undefined;
    const stop = rebootWhenSettled({
      store: {
        list: ((kind: string) => documents.filter((one) => one.kind === kind)) as never,
        watch: (listener) => {
          change = (object) => listener({ object, parts: ['status'] } as never);
          return () => undefined;
        },
      },
      reboot: async () => {
        asked += 1;
        return { is: 'scheduled' };
      },
      after: (ms, call) => clock.after(ms, call),
      logs: { system: () => undefined },
    });
    clock.advance(60_000);
    assert.equal(asked, 0);
    documents[2] = anImage({ status: ready() });
    change(documents[2]);
    clock.advance(60_000);
    await new Promise(setImmediate);
    assert.equal(asked, 1);
    stop();
  });
});
