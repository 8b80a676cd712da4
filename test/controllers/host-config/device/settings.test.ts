import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isStalled } from '../../../../crds/model/conditions.js';
import type { HostConfigSpec } from '../../../../crds/model/types.js';
import { cpuStopwatch } from '../../../setup/cpu-time.js';
import { CONFIG } from '../fake-host.js';
import { AFTER, BEFORE, CONFIG_TXT, DeviceBench, SPEC } from './device-bench.js';

/** What becomes of the device's settings, from the document to the files and the status. */
describe('the settings of the device', () => {
  let bench: DeviceBench;
  afterEach(() => bench.close());

  describe('that are declared', () => {
    beforeEach(async () => {
      bench = await DeviceBench.open();
    });

    it('are written among the lines of others, and a copy is kept of what was there', async () => {
      await bench.declare(SPEC);
      assert.equal(await bench.configTxt(), AFTER);
      assert.equal(await readFile(join(bench.folder, 'host-files/config.txt'), 'utf8'), BEFORE);
    });

    it('are Ready after the next start of the device', async () => {
      await bench.declare(SPEC);
      await bench.startDevice();
      assert.equal(bench.ready, 'True');
      assert.equal(await bench.configTxt(), AFTER);
      assert.deepEqual(bench.host.reported, []);
      assert.deepEqual(bench.status.boot, { state: 'Applied', files: ['config.txt', 'splash image'] });
      assert.equal(bench.status.trial, undefined);
    });

    it('are written once: a second pass writes no file and no status', async () => {
      await bench.declare(SPEC);
      await bench.startDevice();
      const { writes } = bench.host;
      const before = bench.agent.store.resourceVersion;
      await bench.resync();
      assert.equal(bench.host.writes, writes);
      assert.equal(bench.agent.store.resourceVersion, before);
    });

    it('are reported in the words of the Supervisor, unknown ones first', async () => {
      await bench.declare({ config: { HOST_CONFIG_gpu_mem: '64', SUPERVISOR_DELTA: 'maybe' } });
      assert.deepEqual(bench.host.output, [
        "Warning: Ignoring invalid device configuration value for SUPERVISOR_DELTA, value: 'maybe'. Falling back to default (false)",
        'Applying boot config: {"HOST_CONFIG_gpu_mem":"64"}',
        'Applied boot config: {"HOST_CONFIG_gpu_mem":"64"}',
        'Reboot has been scheduled to apply changes: HOST_CONFIG_gpu_mem: 16 → 64',
      ]);
    });

    it('are put into config.json, beside what others keep there, where they are the agent’s', async () => {
      const config = { SUPERVISOR_PERSISTENT_LOGGING: 'true', SUPERVISOR_POLL_INTERVAL: '60000' };
      await bench.declare({ config, reboot: 'never' });
      assert.deepEqual(JSON.parse((await bench.host.get('mnt/boot/config.json')) ?? ''), {
        ...CONFIG,
        persistentLogging: true,
        appUpdatePollInterval: 60_000,
      });
      assert.deepEqual(bench.status.rebootRequired, ['SUPERVISOR_PERSISTENT_LOGGING: false → true']);
    });

    it('are removed when they are declared no more, and nothing else is', async () => {
      await bench.declare({
        config: { HOST_CONFIG_gpu_mem: '16', HOST_CONFIG_dtparam: 'audio=on' },
        reboot: 'never',
      });
      assert.equal(await bench.configTxt(), BEFORE);
      assert.equal(bench.ready, 'True');
      await bench.declare({ config: { HOST_CONFIG_dtparam: 'audio=on' }, reboot: 'never' });
      assert.equal(await bench.configTxt(), BEFORE.replace('gpu_mem=16\n', ''));
      await bench.declare({ reboot: 'never' });
      assert.equal(await bench.configTxt(), '# ours and theirs\n[pi4]\narm_boost=1\n[all]\n');
    });
  });

  describe('that this device does not have', () => {
    it('are named, each for what it lacks, and keep nothing from being Ready', async () => {
      bench = await DeviceBench.open();
      const config = {
        HOST_EXTLINUX_fdt: 'a.dtb',
        SUPERVISOR_DELTA: 'maybe',
        NONSENSE: '1',
        HOST_DISCOVERABILITY: 'false',
      };
      await bench.declare({ config });
      assert.equal(bench.ready, 'True');
      assert.deepEqual(bench.status.unknown, ['NONSENSE']);
      assert.deepEqual(bench.status.invalid, ['SUPERVISOR_DELTA']);
      assert.deepEqual(bench.status.boot?.notApplicable, ['HOST_EXTLINUX_fdt']);
      assert.deepEqual(bench.status.notes, ['HOST_DISCOVERABILITY: this host has no avahi-daemon.service']);
    });

    it('are not written on a plain host, which has no boot partition', async () => {
      bench = await DeviceBench.open({ boot: false });
      await bench.declare(SPEC);
      assert.equal(bench.ready, 'True');
      assert.deepEqual(bench.status.boot, {
        state: 'NotApplicable',
        notApplicable: ['HOST_CONFIG_gpu_mem', 'HOST_CONFIG_dtparam'],
      });
      assert.deepEqual(Object.keys(await bench.host.files()), ['etc/hostname']);
    });
  });

  describe('that are units of the host', () => {
    it('are switched once; one that does not obey is noted', async () => {
      const units = { 'avahi-daemon.service': { activeState: 'active', partOf: [] } };
      bench = await DeviceBench.open({ change: (host) => Object.assign(host, { units }) });
      await bench.declare({ config: { HOST_DISCOVERABILITY: 'false' } });
      assert.deepEqual(bench.host.reported, ['stop avahi-daemon.service']);
      assert.equal(bench.ready, 'True');
      assert.deepEqual(bench.status.notes, ['HOST_DISCOVERABILITY: avahi-daemon.service was told to stop and has not']);
    });
  });

  describe('that cannot be made true', () => {
    const refused: readonly [it: string, spec: HostConfigSpec, want: RegExp][] = [
      [
        'a forbidden key',
        { config: { HOST_CONFIG_kernel: 'x.img' } },
        /^ForbiddenKey: Attempt to change blacklisted config value kernel$/,
      ],
      [
        'a list with bad quotes',
        { config: { HOST_CONFIG_dtparam: '"a=on' } },
        /^InvalidSpec: spec.config.HOST_CONFIG_dtparam: /,
      ],
      ['a value of two lines', { config: { HOST_CONFIG_gpu_mem: '1\nkernel=x' } }, /^InvalidSpec: .*Expected one line/],
      ['a picture that is none', { config: { HOST_SPLASH_image: 'QUJD' } }, /^InvalidSpec: .*PNG/],
      [
        'a window that is none',
        { reboot: 'window(at night)' },
        /^InvalidSpec: spec.reboot: "at night" is no cron expression/,
      ],
    ];
    for (const [what, { config, ...spec }, want] of refused) {
      it(`are refused as a whole for ${what}: nothing is written, and nothing tried again`, async () => {
        bench = await DeviceBench.open();
        await bench.declare({ ...spec, config: { HOST_CONFIG_gpu_mem: '64', ...config } });
        assert.match(bench.ready, want);
        assert.ok(isStalled(bench.document));
        assert.equal(await bench.configTxt(), BEFORE);
        assert.deepEqual(bench.agent.clock.planned, []);
      });
    }

    it('are refused at once for a window that would take all memory, in a document from before its check', async () => {
      bench = await DeviceBench.open();
      const usedMs = cpuStopwatch();
      for (const window of ['0-2999999 * * * *', `${'0-59,'.repeat(20_000)}0 * * * *`]) {
        await bench.declare({ ...SPEC, reboot: `window(${window})` });
        assert.ok(isStalled(bench.document));
      }
      assert.ok(usedMs() < 1500);
    });

    it('are written once when the file reads otherwise afterwards, and the difference is named', async () => {
      bench = await DeviceBench.open({
        change: (host) => {
          const { fs } = host;
          const rename = async (from: string, to: string): Promise<void> => {
            await fs.rename(from, to);
            if (to.endsWith('config.txt')) await host.put(CONFIG_TXT, BEFORE);
          };
          Object.defineProperty(host, 'fs', { value: { ...fs, rename } });
        },
      });
      await bench.declare(SPEC);
      assert.match(bench.ready, /^DoesNotConverge: config.txt was written and reads differently: HOST_CONFIG_gpu_mem/);
      await bench.resync(); // what was tried proves itself, or is taken back, all the same
      const { writes } = bench.host;
      await bench.resync();
      assert.equal(bench.host.writes, writes);
      assert.deepEqual(bench.host.reported, []);
    });

    for (const code of ['ENOSPC', 'EROFS']) {
      it(`wait for a partition that answers ${code}, which is left as it is`, async () => {
        bench = await DeviceBench.open();
        bench.host.refusal = { code, below: 'mnt/boot' };
        await bench.declare(SPEC);
        assert.match(bench.ready, new RegExp(`^Retrying: Could not change config.txt: .*${code}`));
        const paths = Object.keys(await bench.host.files()).filter((path) => path.startsWith('mnt'));
        assert.deepEqual(paths, ['mnt/boot/config.json', CONFIG_TXT]);
        assert.equal(await bench.configTxt(), BEFORE);
        assert.deepEqual(bench.host.reported, []);
        bench.host.refusal = undefined;
        await bench.pass(60_000);
        assert.equal(await bench.configTxt(), AFTER);
        assert.deepEqual(bench.host.reported, ['reboot']);
      });
    }
  });

  describe('that somebody else changes', () => {
    beforeEach(async () => {
      bench = await DeviceBench.open();
      await bench.declare(SPEC);
      await bench.startDevice();
    });

    it('are put back without a restart, and an event says what they were', async () => {
      await bench.host.put(CONFIG_TXT, AFTER.replace('gpu_mem=64', 'gpu_mem=8'));
      await bench.resync();
      assert.equal(await bench.configTxt(), AFTER);
      assert.equal(bench.ready, 'True');
      const reported = 'ForeignEdit: config.txt was changed by somebody else (HOST_CONFIG_gpu_mem: 64 → 8)';
      assert.ok(
        bench.events.some((one) => one.startsWith(reported)),
        bench.events.join('\n'),
      );
      assert.deepEqual(bench.host.reported, []);
    });

    it('are contested after five times within a minute, and put back ten minutes later', async () => {
      const { writes } = bench.host;
      for (let times = 0; times < 20; times += 1) {
        await bench.host.put(CONFIG_TXT, BEFORE);
        await bench.resync();
      }
      assert.match(bench.ready, /^Contested: /);
      assert.ok(bench.host.writes - writes < 150);
      assert.equal(bench.times('ForeignEdit'), 5);
      await bench.pass(600_000);
      assert.equal(await bench.configTxt(), AFTER);
      assert.equal(bench.ready, 'True');
    });
  });
});
