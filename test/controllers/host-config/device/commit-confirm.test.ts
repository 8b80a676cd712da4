import assert from 'node:assert/strict';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isStalled } from '../../../../crds/model/conditions.js';
import { AFTER, BEFORE, CONFIG_TXT, DeviceBench, SPEC } from './device-bench.js';

/** By when a change that lacks its proof is taken back. */
const DEADLINE_MS = 600_000;

/** A change of boot files has to prove that the device is still reached, or what was there before comes back. */
describe('an unconfirmed change of boot files', () => {
  let bench: DeviceBench;
  afterEach(() => bench.close());

  describe('that lacks its proof', () => {
    beforeEach(async () => {
      bench = await DeviceBench.open();
      await bench.bootWithoutRoute();
    });

    it('says what is missing, and stays until its time is over', async () => {
      assert.match(bench.ready, /^Confirming: .*Missing: a default route/);
      assert.deepEqual(bench.status.trial, { deadlineSeconds: 600, waitsFor: ['a default route'] });
      await bench.pass(DEADLINE_MS - 1_000);
      assert.equal(await bench.configTxt(), AFTER);
    });

    it('is taken back with one restart, and is not tried again', async () => {
      await bench.pass(DEADLINE_MS + 1_000);
      assert.equal(await bench.configTxt(), BEFORE);
      assert.deepEqual(bench.host.reported, ['reboot']);
      await bench.startDevice();
      assert.match(bench.ready, /^RolledBack: .*lacked a default route/);
      assert.ok(isStalled(bench.document));
      await bench.resync();
      await bench.pass(3_600_000);
      assert.equal(await bench.configTxt(), BEFORE);
      assert.deepEqual(bench.host.reported, []);
    });

    it('gives way to a changed document after it was taken back', async () => {
      await bench.pass(DEADLINE_MS + 1_000);
      await bench.startDevice();
      bench.host.defaultRoute = true;
      await bench.declare({ config: { HOST_CONFIG_gpu_mem: '128' } });
      assert.match((await bench.configTxt()) ?? '', /gpu_mem=128/);
    });

    const meanwhile: readonly {
      readonly it: string;
      readonly happens: () => Promise<void>;
      readonly want?: string;
    }[] = [
      {
        it: 'although the document names a window that is none',
        happens: () => bench.declare({ ...SPEC, reboot: 'window(at night)' }),
      },
      {
        it: 'although the document has become a bad one',
        happens: () => bench.declare({ config: { HOST_CONFIG_kernel: 'x' } }),
      },
      {
        it: 'but for what somebody else wrote meanwhile',
        happens: () => bench.host.put(CONFIG_TXT, `${AFTER}enable_uart=1\n`),
        want: `${BEFORE}enable_uart=1\n`,
      },
    ];
    for (const { it: what, happens, want = BEFORE } of meanwhile) {
      it(`is taken back ${what}`, async () => {
        await happens();
        await bench.pass(DEADLINE_MS + 1_000);
        assert.equal(await bench.configTxt(), want);
      });
    }

    it('is taken back when the device is started again and again', async () => {
      for (let starts = 0; starts < 3; starts += 1) await bench.startDevice();
      assert.equal(await bench.configTxt(), BEFORE);
    });

    it('is not held against a document that came after it had failed', async () => {
      bench.host.refusal = { code: 'EROFS', below: 'mnt/boot' };
      await bench.pass(DEADLINE_MS + 1_000);
      await bench.pass(1_000);
      assert.match(bench.ready, /^Retrying: /);
      bench.host.defaultRoute = true;
      await bench.declare({ config: { HOST_CONFIG_gpu_mem: '128' } });
      bench.host.refusal = undefined;
      await bench.pass(60_000);
      assert.match((await bench.configTxt()) ?? '', /gpu_mem=128\n[\s\S]*dtparam=audio=on/);
    });

    it('waits while the boot partition is not mounted, and is taken back when it is again', async () => {
      const [mounted, away] = [join(bench.host.root, 'mnt/boot'), join(bench.host.root, 'away')];
      await rename(mounted, away);
      for (let times = 0; times < 4; times += 1) await bench.pass(DEADLINE_MS + 1_000);
      assert.match(bench.ready, /^BootPartitionMissing: /);
      assert.deepEqual(bench.status.rebootRequired, undefined);
      assert.deepEqual(bench.host.reported, []);
      await rename(away, mounted);
      await bench.pass(60_000);
      await bench.pass(DEADLINE_MS + 1_000);
      assert.equal(await bench.configTxt(), BEFORE);
      assert.deepEqual(bench.host.reported, ['reboot']);
    });
  });

  it('is taken back over restarts of the agent, when its API answers no more', async () => {
    bench = await DeviceBench.open();
    await bench.declare(SPEC);
    bench.host.apiAnswers = false;
    await bench.startDevice();
    for (let starts = 0; starts < 10; starts += 1) {
      await bench.agent.stop();
      bench.agent.clock.advance(61_000);
      await bench.startAgent();
    }
    assert.equal(await bench.configTxt(), BEFORE);
    assert.ok(bench.events.some((one) => /RolledBack: .*the API at 127.0.0.1:48484/.test(one)));
  });

  describe('of a file that is not there, or empty', () => {
    const path = 'mnt/boot/extra_uEnv.txt';
    const open = async (text: string): Promise<void> => {
      const files = { [path]: text };
      bench = await DeviceBench.open({ files, change: (host) => Object.assign(host, { deviceType: 'jetson-nano' }) });
    };

    it('brings the file back that has gone meanwhile', async () => {
      const before = 'extra_os_cmdline=isolcpus=1\n';
      await open(before);
      await bench.bootWithoutRoute({ config: { HOST_EXTLINUX_isolcpus: '3' } });
      await rm(join(bench.host.root, path));
      await bench.pass(DEADLINE_MS + 1_000);
      assert.equal(await bench.host.get(path), before);
    });

    it('empties the file again that was empty', async () => {
      await open('');
      await bench.bootWithoutRoute({ config: { HOST_EXTLINUX_isolcpus: '3', HOST_EXTLINUX_fdt: '/boot/a.dtb' } });
      assert.equal(await bench.host.get(path), 'custom_fdt_file=/boot/a.dtb\nextra_os_cmdline=isolcpus=3\n');
      await bench.pass(DEADLINE_MS + 1_000);
      assert.equal(await bench.host.get(path), '');
    });
  });

  describe('that only a request confirms', () => {
    beforeEach(async () => {
      bench = await DeviceBench.open();
      await bench.declare({ ...SPEC, confirm: { manual: true } });
    });

    it('cannot be confirmed before it has taken effect, and says so once', async () => {
      await bench.confirm();
      await bench.resync();
      assert.equal(bench.times('NotConfirmed'), 1);
      assert.equal(bench.status.handled?.confirm, bench.document.requests.confirm?.id);
      await bench.startDevice();
      assert.match(bench.ready, /^Confirming: .*a request to confirm it/);
      await bench.confirm();
      assert.equal(bench.ready, 'True');
    });

    it('stays when somebody confirms it after that', async () => {
      await bench.startDevice();
      await bench.confirm();
      assert.equal(bench.ready, 'True');
      assert.equal(bench.status.handled?.confirm, bench.document.requests.confirm?.id);
      assert.equal(bench.times('NotConfirmed'), 0);
      await bench.pass(3_600_000);
      assert.equal(await bench.configTxt(), AFTER);
    });
  });

  describe('that an App has to prove', () => {
    const spec = { ...SPEC, confirm: { apps: ['hello'], deadlineSeconds: 60 } };
    beforeEach(async () => {
      bench = await DeviceBench.open();
      await bench.declare(spec);
    });

    it('is taken back when the App does not become Ready', async () => {
      await bench.startDevice();
      assert.match(bench.ready, /Missing: App hello being Ready/);
      await bench.pass(61_000);
      assert.equal(await bench.configTxt(), BEFORE);
    });

    it('stays only once the App is Ready since the start of the device, not from before it', async () => {
      await bench.declareApp();
      const app = bench.agent.store.get('App', 'hello') ?? assert.fail('no App');
      const ready = { type: 'Ready', status: 'True', reason: 'Settled', message: '' } as const;
      bench.agent.store.setStatus(app, {
        observedGeneration: 1,
        conditions: [{ ...ready, lastTransitionTime: '2026-01-02T03:04:05Z', observedGeneration: 1 }],
      });
      bench.host.appsAreKnown = false;
      await bench.startDevice();
      assert.match(bench.ready, /Missing: App hello being Ready/);
      bench.host.appsAreKnown = true;
      await bench.pass(2_000);
      assert.equal(bench.ready, 'True');
    });
  });

  it('needs no proof when it came as a target state', async () => {
    bench = await DeviceBench.open();
    bench.host.defaultRoute = false;
    await bench.declare(SPEC, 'local');
    await bench.startDevice();
    assert.equal(bench.ready, 'True');
  });
});
