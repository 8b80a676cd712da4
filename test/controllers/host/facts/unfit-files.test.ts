import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { readCapabilities } from '../../../../controllers/host/facts/capabilities.js';
import { SystemReader } from '../../../../controllers/host/facts/system-facts.js';
import { kernelBootClock, procText } from '../../../../controllers/host/power/boot-clock.js';

describe('facts of a host in whose files somebody has put something else', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'unfit-'));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  const at = (path: string): string => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    return join(root, path);
  };
  const pipe = (path: string): void => void execFileSync('mkfifo', [at(path)]);
  const huge = (path: string): void => {
    writeFileSync(at(path), '');
    truncateSync(join(root, path), 8 * 1024 ** 3);
  };

  it('come from the kernel itself where those are pipes, devices or without an end', async () => {
    pipe('proc/uptime');
    symlinkSync('/dev/zero', at('proc/sys/kernel/random/boot_id'));
    huge('proc/meminfo');
    const { bootId, uptimeMs } = await kernelBootClock(root).read();
    assert.match(bootId, /^[0-9a-f-]{36}$/);
    assert.ok(uptimeMs > 0);
    assert.match((await procText(root, 'meminfo')) ?? '', /^MemTotal:/);
  });

  it('are unknown otherwise', async () => {
    pipe('etc/os-release');
    huge('usr/lib/os-release');
    const facts = { deviceType: 'x', arch: 'amd64' };
    const offers = await readCapabilities(root, { facts, supervisorVersion: '1.0.0' });
    assert.equal(
      offers.some(({ type }) => type === 'sw.os'),
      false,
    );

    pipe('proc/device-tree/serial-number');
    huge('sys/class/thermal/thermal_zone0/temp');
    pipe('sys/class/thermal/thermal_zone0/type');
    const reader = new SystemReader({
      ...{ hostRoot: root, dataFolder: root, facts: { ...facts, osVersion: '', osVariant: undefined } },
      interfaces: () => ({ ip: [], mac: [] }),
      clock: kernelBootClock(root),
      run: async () => ({ ok: false, stdout: '', output: '' }),
      now: Date.now,
      monotonic: () => performance.now(),
    });
    assert.equal((await reader.facts()).cpuId, undefined);
    assert.equal((await reader.metrics()).cpuTemperatureCelsius, undefined);
  });
});
