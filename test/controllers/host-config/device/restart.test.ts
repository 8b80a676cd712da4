import assert from 'node:assert/strict';
import { API_VERSION, keyOf } from '../../../../crds/model/kinds.js';
import { AFTER, BEFORE, CONFIG_TXT, DeviceBench, MARKER, SPEC } from './device-bench.js';

const DUE = 'HOST_CONFIG_gpu_mem: 16 → 64';

/** When the device is restarted for its settings, and when not. */
describe('the restart of the device', () => {
  let bench: DeviceBench;
  beforeEach(async () => {
    bench = await DeviceBench.open();
  });
  afterEach(() => bench.close());

  it('is asked for once, and the status says what for', async () => {
    await bench.declare(SPEC);
    assert.deepEqual(bench.host.reported, ['reboot']);
    assert.match(bench.ready, /^RebootRequired: .*HOST_CONFIG_gpu_mem: 16 → 64/);
    assert.deepEqual(bench.status.rebootRequired, [DUE, 'HOST_CONFIG_dtparam: "audio=on" → "i2c_arm=on","spi=on"']);
    await bench.pass(3_600_000);
    assert.deepEqual(bench.host.reported, ['reboot'], 'asked twice');
  });

  it('is due no more when the change is taken back, and the file that tells programs of it goes', async () => {
    await bench.declare({ ...SPEC, reboot: 'never' });
    assert.match(bench.ready, /^RebootRequired: .*restart it by hand/);
    assert.notEqual(await bench.host.get(MARKER), undefined);
    const config = { HOST_CONFIG_gpu_mem: '16', HOST_CONFIG_dtparam: 'audio=on' };
    await bench.declare({ config, reboot: 'never' });
    assert.equal(bench.ready, 'True');
    assert.equal(await bench.host.get(MARKER), undefined);
    assert.deepEqual(bench.host.reported, []);
  });

  it('happens in its window only', async () => {
    const { clock } = bench.agent;
    const at = new Date(clock.now() + 2 * 3_600_000);
    await bench.declare({ ...SPEC, reboot: `window(* ${at.getHours()} * * *)` });
    assert.match(bench.ready, /^RebootRequired: .*Its window begins at 2026-01-02T/);
    assert.deepEqual(bench.host.reported, []);
    while (clock.now() < at.setMinutes(0, 0, 0) - 60_000) await bench.pass(60_000);
    assert.deepEqual(bench.host.reported, []);
    await bench.pass(180_000);
    assert.deepEqual(bench.host.reported, ['reboot']);
  });

  it('is reported in the same words at every look while its window is far away', async () => {
    await bench.declare({ ...SPEC, reboot: 'window(0 0 1 6 *)' });
    assert.match(bench.ready, /^RebootRequired: .*Its window does not begin within a week$/);
    const before = bench.agent.store.resourceVersion;
    await bench.pass(3_600_000);
    assert.equal(bench.agent.store.resourceVersion, before);
    assert.deepEqual(bench.host.reported, []);
  });

  it('waits for what is on its way, then for locks, and happens once', async () => {
    await bench.declareApp();
    await bench.declare(SPEC);
    assert.match(bench.ready, /^RebootRequired: .*It waits for App hello to settle/);
    assert.deepEqual(bench.host.reported, []);

    const app = bench.agent.store.get('App', 'hello') ?? assert.fail('no App');
    bench.agent.store.setStatus(app, { observedGeneration: 1, conditions: [] });
    bench.host.powerAnswer = { is: 'locked', message: 'Lockfile exists for { appId: 1, service: web }' };
    await bench.pass(5_000);
    assert.match(bench.ready, /^RebootRequired: .*HOST_CONFIG_gpu_mem: 16 → 64.*Lockfile exists/);
    assert.deepEqual(bench.host.reported, ['reboot']);

    bench.host.powerAnswer = { is: 'scheduled' };
    await bench.pass(60_000);
    assert.deepEqual(bench.host.reported, ['reboot', 'reboot']);
    await bench.pass(3_600_000);
    assert.deepEqual(bench.host.reported, ['reboot', 'reboot']);
  });

  describe('and a release that waits for one', () => {
    const NEXT = { revision: 'hello.2', since: '2026-01-02T03:00:00.000Z', bootId: 'boot-1' };
    const release = async (status: object | undefined): Promise<void> => {
      const { store } = bench.agent;
      const spec = { services: { web: { image: 'web:2' } }, rollout: { apply: 'reboot' as const } };
      await store.put('files', {
        document: { apiVersion: API_VERSION, kind: 'App', metadata: { name: 'hello' }, spec },
      });
      const app = store.get('App', 'hello') ?? assert.fail('no App');
      if (!status) return;
      store.markReconciled(keyOf('App', 'hello'));
      store.setStatus(app, { observedGeneration: app.metadata.generation, conditions: [], ...status });
    };

    it('meet in one restart: it waits until the release is on the device', async () => {
      await release({ next: NEXT });
      await bench.declare(SPEC);
      assert.match(bench.ready, /^RebootRequired: .*It waits for App hello, whose release comes with it, to settle$/);
      await bench.pass(20 * 60_000);
      assert.deepEqual(bench.host.reported, []);
      await release({ next: { ...NEXT, reason: 'AwaitingReboot' } });
      await bench.pass(5_000);
      assert.deepEqual(bench.host.reported, ['reboot']);
    });

    it('waits no longer than half an hour', async () => {
      await release({ next: NEXT });
      await bench.declare(SPEC);
      await bench.pass(29 * 60_000);
      assert.deepEqual(bench.host.reported, []);
      await bench.pass(2 * 60_000);
      assert.deepEqual(bench.host.reported, ['reboot']);
    });

    it('waits for one that nobody has looked at yet', async () => {
      await release(undefined);
      await bench.declare(SPEC);
      assert.match(bench.ready, /It waits for App hello/);
      await release({ next: { ...NEXT, reason: 'AwaitingReboot' } });
      await bench.pass(5_000);
      assert.deepEqual(bench.host.reported, ['reboot']);
    });

    it('does not wait for one that has had its boot, or goes ahead without', async () => {
      await release({ next: { ...NEXT, bootId: 'boot-0' } });
      await bench.declare(SPEC);
      assert.deepEqual(bench.host.reported, ['reboot']);
    });

    it('is not caused by it', async () => {
      await bench.declare({});
      await release({ next: { ...NEXT, reason: 'AwaitingReboot' } });
      await bench.pass(3_600_000);
      assert.deepEqual(bench.host.reported, []);
    });
  });

  it('is not tried where this agent cannot, and the status says why', async () => {
    bench.host.obstacle = 'This agent may not reboot the device';
    await bench.declare(SPEC);
    assert.match(bench.ready, /^RebootRequired: .*This agent may not/);
    assert.deepEqual(bench.host.reported, []);
  });

  it('is asked for again, with pauses, where the program for it fails after it was asked, and the status says so', async () => {
    await bench.declare(SPEC);
    assert.deepEqual(bench.host.reported, ['reboot']);
    bench.host.rebootFailure = { message: 'reboot-now failed: no', inMs: 60_000 };
    await bench.pass(10_000);
    assert.match(bench.ready, /^RebootRequired: .*That failed, and is tried again: reboot-now failed: no$/);
    assert.deepEqual(bench.host.reported, ['reboot']);
    bench.host.rebootFailure = { message: 'reboot-now failed: no', inMs: 0 };
    await bench.pass(60_000);
    assert.deepEqual(bench.host.reported, ['reboot', 'reboot']);
    await bench.pass(3_600_000);
    assert.deepEqual(bench.host.reported, ['reboot', 'reboot']);
    assert.match(bench.ready, /It was asked to and has not done so yet$/);
    const failures = bench.agent.events('device').filter((one) => one.startsWith('RebootFailed'));
    assert.deepEqual(failures, [
      'RebootFailed: Could not restart the device: reboot-now failed: no; it is tried again',
    ]);
  });

  it('is asked for again by the next agent of the boot in which it failed', async () => {
    await bench.declare(SPEC);
    bench.host.rebootFailure = { message: 'no', inMs: 60_000 };
    await bench.pass(10_000);
    bench.host.rebootFailure = undefined;
    await bench.agent.stop();
    await bench.startAgent();
    assert.deepEqual(bench.host.reported, ['reboot', 'reboot']);
  });

  it('is not asked for again when something undoes the change at each start', async () => {
    await bench.declare({ ...SPEC, confirm: { deadlineSeconds: 0 } });
    for (let starts = 0; starts < 3; starts += 1) {
      assert.equal(await bench.configTxt(), AFTER);
      await bench.host.put(CONFIG_TXT, BEFORE);
      await bench.startDevice();
      assert.deepEqual(bench.host.reported, []);
    }
    assert.match(bench.ready, /^DoesNotConverge: .*something changed it back/);
  });

  describe('for a container that waits for it', () => {
    const containerWaits = async (id: string): Promise<void> => {
      const document = bench.agent.store.get('Service', 'a.b') ?? assert.fail('no Service');
      const ready = { type: 'Ready', status: 'False', reason: 'RebootRequired', message: 'made' } as const;
      bench.agent.store.setStatus(document, {
        container: { id, name: 'b_1', createdAt: '2026-01-02T03:04:05.678Z', image: 'sha256:c' },
        conditions: [{ ...ready, lastTransitionTime: '2026-01-02T03:04:05Z', observedGeneration: 1 }],
      });
      await bench.agent.quiet();
    };
    const [FIRST, SECOND] = ['1'.repeat(64), '2'.repeat(64)] as const;
    beforeEach(async () => {
      await bench.declare({});
      const spec = { app: 'a', serviceName: 'b', image: 'c' };
      await bench.agent.store.put('files', {
        document: { apiVersion: API_VERSION, kind: 'Service', metadata: { name: 'a.b' }, spec },
      });
    });

    it('is asked for once for each container', async () => {
      await containerWaits(FIRST);
      assert.match(bench.ready, /^RebootRequired: .*Service a.b starts with it \(container 111111111111\)/);
      assert.deepEqual(bench.host.reported, ['reboot']);
      await containerWaits(FIRST);
      assert.deepEqual(bench.host.reported, ['reboot']);
      await containerWaits(SECOND);
      assert.deepEqual(bench.host.reported, ['reboot', 'reboot']);
    });

    it('names the container also while a lock refuses it', async () => {
      bench.host.powerAnswer = { is: 'locked', message: 'Lockfile exists' };
      await containerWaits(FIRST);
      assert.equal(
        bench.ready,
        'RebootRequired: The device has to be restarted: Service a.b starts with it (container 111111111111). Lockfile exists',
      );
    });
  });
});
