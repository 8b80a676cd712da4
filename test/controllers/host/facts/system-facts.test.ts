import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import {
  cpuUsage,
  mountOf,
  parseCpuInfo,
  parseCpuTimes,
  parseMemory,
  SystemReader,
  withoutJitter,
} from '../../../../controllers/host/facts/system-facts.js';
import { hasDefaultRoute } from '../../../../controllers/host/network/default-route.js';
import { isWatched } from '../../../../controllers/host/watch-files.js';

describe('what a system tells of itself', () => {
  it('counts busy processors since the last look', () => {
    const before = parseCpuTimes('cpu  100 0 100 700 100 0 0 0 0 0\ncpu0 …');
    const now = parseCpuTimes('cpu  150 0 150 750 150 0 0 0 0 0');
    assert.ok(before && now);
    assert.equal(cpuUsage(undefined, before), 20);
    assert.equal(cpuUsage(before, now), 50);
    assert.equal(cpuUsage(now, now), undefined);
    assert.equal(parseCpuTimes('intr 1'), undefined);
  });

  it('counts memory without caches', () => {
    const text =
      'MemTotal:        4096000 kB\nMemFree:  1024000 kB\nBuffers: 102400 kB\nCached: 819200 kB\nSReclaimable: 102400 kB\n';
    assert.deepEqual(parseMemory(text), { totalMiB: 4000, usedMiB: 2000 });
    assert.equal(parseMemory(''), undefined);
  });

  it('knows processors of PCs and boards', () => {
    assert.deepEqual(parseCpuInfo('processor\t: 0\nmodel name\t: ACME 9\nprocessor\t: 1\n'), {
      cpus: 2,
      model: 'ACME 9',
    });
    assert.deepEqual(parseCpuInfo('processor\t: 0\nHardware\t: BCM2835\nModel\t\t: Raspberry Pi 4\n'), {
      cpus: 1,
      model: 'Raspberry Pi 4',
    });
  });

  it('finds the device of a folder', () => {
    const mounts =
      '/dev/sda1 / ext4 rw 0 0\noverlay /var overlay rw 0 0\n/dev/sdb /var/lib ext4 rw 0 0\n/dev/sdc /var/library ext4 rw 0 0\n';
    assert.equal(mountOf('/var/lib/supercargo', mounts), '/dev/sdb');
    assert.equal(mountOf('/srv', mounts), '/dev/sda1');
    assert.equal(mountOf('/var/x', mounts), undefined);
  });

  it('reports another start of the device once its clock has been set', async () => {
    let now = 100_000;
    const uptimeMs = 40_000;
    const reader = new SystemReader({
      ...{ hostRoot: '/nowhere', dataFolder: '/nowhere', now: () => now, monotonic: () => now },
      facts: { deviceType: 'x', arch: 'y', osVersion: '', osVariant: undefined },
      interfaces: () => ({ ip: [], mac: [] }),
      clock: { read: async () => ({ bootId: 'b', uptimeMs }) },
      run: () => assert.fail('a program was run'),
    });
    const bootedAt = async () => (await reader.facts()).bootedAt;
    assert.equal(await bootedAt(), '1970-01-01T00:01:00.000Z');
    now += 5_000;
    assert.equal(await bootedAt(), '1970-01-01T00:01:00.000Z');
    now = Date.parse('2026-01-02T00:00:40Z');
    assert.equal(await bootedAt(), '2026-01-02T00:00:00.000Z');
  });

  it('does not call it a change when a value stays within its step', () => {
    const before = { cpuUsagePercent: 41, memoryUsageMiB: 109, isUndervolted: false };
    assert.deepEqual(withoutJitter(before, { cpuUsagePercent: 59, memoryUsageMiB: 110, isUndervolted: true }), {
      cpuUsagePercent: 41,
      memoryUsageMiB: 110,
      isUndervolted: true,
    });
  });

  const routes: readonly [it: string, route4: string, route6: string, want: boolean][] = [
    ['IPv4', 'Iface\tDestination\tGateway\neth0\t00000000\t0102A8C0\t0003\t0\t0\t100\t00000000\t0\n', '', true],
    ['IPv4 that is down', 'eth0\t00000000\t0102A8C0\t0002\t0\t0\t100\t00000000\t0\n', '', false],
    ['another network', 'eth0\t0002A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\n', '', false],
    ['IPv6', '', `${'0'.repeat(32)} 00 ${'0'.repeat(32)} 00 fe80 00000064 1 0 00000003 eth0\n`, true],
    [
      'IPv6 that is refused',
      '',
      `${'0'.repeat(32)} 00 ${'0'.repeat(32)} 00 ${'0'.repeat(32)} ffffffff 1 0 00200200 lo\n`,
      false,
    ],
    ['nothing', '', '', false],
  ];
  for (const [what, route4, route6, want] of routes) {
    it(`${want ? 'sees' : 'sees no'} default route: ${what}`, () =>
      assert.equal(hasDefaultRoute(route4, route6), want));
  }

  it('watches the files of settings, and nothing else of a host', () => {
    const watched = ['mnt/boot/config.txt', 'mnt/boot/system-proxy/no_proxy', 'etc/hostname', 'mnt/boot', 'etc'];
    const not = ['mnt/boot/overlays', 'etc/passwd', 'mnt/boot/.config.txt.1.2.md5sum', 'mnt/boot/kernel.img', 'usr'];
    assert.deepEqual([...watched, ...not].filter(isWatched), watched);
  });

  it('is read from the host’s own files, of a balenaOS as of a plain one', async () => {
    const root = await mkdtemp(join(tmpdir(), 'system-'));
    try {
      const put = async (path: string, text: string): Promise<void> => {
        await mkdir(dirname(join(root, path)), { recursive: true });
        await writeFile(join(root, path), text);
      };
      await put('proc/cpuinfo', 'processor : 0\nmodel name : ACME 9\n');
      await put('proc/meminfo', 'MemTotal: 1048576 kB\nMemFree: 524288 kB\n');
      await put('proc/stat', 'cpu 1 0 1 8 0 0 0 0 0 0\n');
      await put('proc/sys/kernel/osrelease', '6.1.0\n');
      await put('proc/self/mounts', '/dev/mmcblk0p6 / ext4 rw 0 0\n');
      await put('proc/device-tree/serial-number', '10000000ABCD\0');
      await put('sys/class/thermal/thermal_zone0/type', 'acpitz\n');
      await put('sys/class/thermal/thermal_zone0/temp', '20000\n');
      await put('sys/class/thermal/thermal_zone1/type', 'cpu-thermal\n');
      await put('sys/class/thermal/thermal_zone1/temp', '51200\n');
      const reader = new SystemReader({
        hostRoot: root,
        dataFolder: root,
        facts: { deviceType: 'generic-amd64', arch: 'amd64', osVersion: 'Debian', osVariant: undefined },
        interfaces: () => ({ ip: ['192.0.2.1'], mac: [] }),
        clock: { read: async () => ({ bootId: 'a', uptimeMs: 60_000 }) },
        run: async () => ({ ok: true, stdout: 'hwmon: Undervoltage detected!', output: '' }),
        now: () => Date.parse('2026-01-02T03:05:00.400Z'),
        monotonic: () => 0,
      });
      const { storageTotalMiB, ...facts } = await reader.facts();
      assert.ok((storageTotalMiB ?? 0) > 0);
      assert.deepEqual(facts, {
        ...{ deviceType: 'generic-amd64', arch: 'amd64', osVersion: 'Debian', kernel: '6.1.0' },
        ...{ bootedAt: '2026-01-02T03:04:00.000Z', addresses: ['192.0.2.1'], cpus: 1, cpuModel: 'ACME 9' },
        ...{ cpuId: '10000000abcd', memoryTotalMiB: 1024, storageDevice: '/dev/mmcblk0p6' },
      });
      const { storageUsageMiB, ...metrics } = await reader.metrics();
      assert.ok((storageUsageMiB ?? -1) >= 0);
      assert.deepEqual(metrics, {
        cpuUsagePercent: 20,
        cpuTemperatureCelsius: 51,
        memoryUsageMiB: 512,
        isUndervolted: true,
      });
    } finally {
      await rm(root, { recursive: true });
    }
  });
});
