import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { readSettings } from '../../../../controllers/agent/settings.js';
import type { AllLocks } from '../../../../controllers/host/locks/all-locks.js';
import { seeVpn } from '../../../../controllers/host/network/vpn.js';
import { commandWords, hostPower, type Power, type PowerVerb } from '../../../../controllers/host/power/power.js';
import { PowerFailures, powerRequests } from '../../../../controllers/host/power/power-request.js';
import { parseProperties, type Run, systemdUnits } from '../../../../controllers/host/units.js';
import { FakeClock } from '../../../setup/fake-clock.js';

/** Notes what would be run, and runs nothing. */
function recorder(failing: readonly string[] = [], stdout = ''): { readonly run: Run; readonly ran: string[] } {
  const ran: string[] = [];
  return {
    ran,
    run: async (program, args) => {
      ran.push([program, ...args].join(' '));
      const ok = !failing.includes(program);
      return { ok, stdout, output: ok ? stdout : `${program} says no` };
    },
  };
}

const NONE = { reboot: undefined, shutdown: undefined };
const LOGIN = 'busctl call org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager';

describe('power', () => {
  it('goes through login1', async () => {
    const { run, ran } = recorder();
    const power = hostPower({ commands: NONE, allowed: true, hasSystemd: () => true, run });
    await power.end('reboot');
    await power.end('shutdown');
    assert.deepEqual(ran, [`${LOGIN} Reboot b false`, `${LOGIN} PowerOff b false`]);
  });

  it('falls back to systemctl, and names both when neither works', async () => {
    const fallback = recorder(['busctl']);
    await hostPower({ commands: NONE, allowed: true, hasSystemd: () => true, run: fallback.run }).end('shutdown');
    assert.deepEqual(fallback.ran, [`${LOGIN} PowerOff b false`, 'systemctl poweroff']);
    const neither = recorder(['busctl', 'systemctl']);
    const power = hostPower({ commands: NONE, allowed: true, hasSystemd: () => true, run: neither.run });
    await assert.rejects(power.end('reboot'), /Could not reboot: busctl says no; systemctl says no/);
  });

  it('runs a configured command instead, without asking for permission or systemd', async () => {
    const { run, ran } = recorder();
    const commands = { reboot: ['touch', '/x y'], shutdown: undefined };
    const power = hostPower({ commands, allowed: false, hasSystemd: () => false, run });
    assert.equal(power.obstacle('reboot'), undefined);
    await power.end('reboot');
    assert.deepEqual(ran, ['touch /x y']);
    assert.match(power.obstacle('shutdown') ?? '', /may not shut down .* SUPERCARGO_SHUTDOWN_COMMAND/);
  });

  it('runs nothing unless it is allowed, and nothing without systemd', async () => {
    for (const [allowed, systemd, why] of [
      [false, true, /SUPERCARGO_POWER=on/],
      [true, false, /no systemd/],
    ] as const) {
      const { run, ran } = recorder();
      const power = hostPower({ commands: NONE, allowed, hasSystemd: () => systemd, run });
      for (const verb of ['reboot', 'shutdown'] as const) {
        assert.match(power.obstacle(verb) ?? '', why);
        await assert.rejects(power.end(verb), why);
      }
      assert.deepEqual(ran, []);
    }
  });

  it('is not allowed by default, so no test can end its machine', () => {
    const settings = readSettings([], {}, '/');
    assert.ok(typeof settings === 'object');
    assert.equal(settings.power, false);
    assert.deepEqual(settings.powerCommands, NONE);
  });

  it('is allowed in no test', () => {
    const root = new URL('../../../', import.meta.url).pathname;
    const sources = readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && entry.name !== 'power.test.ts')
      .map((entry) => join(entry.parentPath, entry.name));
    assert.ok(sources.length > 50);
    const suspects = sources.filter((path) =>
      /SUPERCARGO_POWER\W+(?:on|true|1)\b|power: true|hostPower\(/.test(readFileSync(path, 'utf8')),
    );
    assert.deepEqual(suspects, []);
  });

  const words: readonly [string | undefined, readonly string[] | undefined][] = [
    [undefined, undefined],
    [' ', undefined],
    ['systemctl reboot', ['systemctl', 'reboot']],
    [' sh -c "echo a; b" \'c d\' ', ['sh', '-c', 'echo a; b', 'c d']],
    ['a ""', ['a', '']],
  ];
  for (const [text, want] of words) {
    it(`splits ${JSON.stringify(text)}`, () => assert.deepEqual(commandWords(text), want));
  }
  it('refuses an open quote', () => assert.throws(() => commandWords('a "b'), /not closed/));
});

describe('a request to end the system', () => {
  let folder: string;
  let clock: FakeClock;
  let failures: PowerFailures;
  let ended: PowerVerb[];
  let output: string[];
  let locked: string | undefined;
  let obstacle: string | undefined;
  let failure: Error | undefined;
  let forced: boolean[];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'host-'));
    clock = new FakeClock();
    failures = new PowerFailures(clock);
    [ended, output, forced] = [[], [], []];
    locked = obstacle = failure = undefined;
  });
  afterEach(() => rm(folder, { recursive: true }));

  const asker = () => {
    const power: Power = {
      obstacle: () => obstacle,
      end: async (verb) => {
        ended.push(verb);
        if (failure) throw failure;
      },
    };
    const locks: AllLocks = {
      during: async (force, action) => {
        forced.push(force);
        return locked === undefined ? { is: 'done', value: await action() } : { is: 'locked', message: locked };
      },
    };
    const log = { info: () => undefined, error: () => undefined };
    const logLine = (message: string, isError = false) => void output.push(isError ? `error: ${message}` : message);
    return powerRequests({
      hostRoot: folder,
      power,
      locks,
      logLine,
      log,
      failures,
      after: (ms, call) => clock.after(ms, call),
    });
  };
  const marker = async (name: string): Promise<void> => {
    const path = join(folder, 'mnt/state', name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, '');
  };

  it('is announced, and happens a second after the answer', async () => {
    assert.deepEqual(await asker()('reboot', false), { is: 'scheduled' });
    assert.deepEqual(output, ['Rebooting']);
    clock.advance(999);
    assert.deepEqual(ended, []);
    clock.advance(1);
    assert.deepEqual(ended, ['reboot']);
  });

  it('is scheduled once however often it is asked for', async () => {
    const go = asker();
    for (let times = 0; times < 3; times += 1) assert.equal((await go('shutdown', false)).is, 'scheduled');
    clock.advance(5_000);
    assert.deepEqual(ended, ['shutdown']);
    assert.deepEqual(output, ['Shutting down']);
  });

  for (const name of ['rollback-health-breadcrumb', 'rollback-altboot-breadcrumb']) {
    it(`waits for a host OS update (${name}) unless it is forced`, async () => {
      await marker(name);
      const message = 'Waiting for Host OS update to finish';
      assert.deepEqual(await asker()('reboot', false), { is: 'locked', message });
      assert.deepEqual(forced, []);
      assert.deepEqual(await asker()('reboot', true), { is: 'scheduled' });
      assert.deepEqual(forced, [true]);
    });
  }

  it('does not happen against a lock', async () => {
    locked = 'Lockfile exists for { appId: 1, service: main }';
    assert.deepEqual(await asker()('reboot', false), { is: 'locked', message: locked });
    clock.advance(5_000);
    assert.deepEqual([ended, output], [[], []]);
  });

  it('is not promised when it cannot happen', async () => {
    obstacle = 'no systemd';
    assert.deepEqual(await asker()('reboot', false), { is: 'refused', message: 'no systemd' });
    clock.advance(5_000);
    assert.deepEqual([ended, output], [[], []]);
  });

  it('says so when the system refuses after all, and may be asked for again', async () => {
    failure = new Error('inhibited');
    const go = asker();
    await go('reboot', false);
    clock.advance(1_000);
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(output, ['Rebooting', 'error: Could not reboot: inhibited']);
    assert.deepEqual(failures.last('reboot'), { message: 'inhibited', inMs: 60_000 });
    await go('reboot', false);
    assert.equal(failures.last('reboot'), undefined, 'it is under way');
    clock.advance(1_000);
    assert.equal(ended.length, 2);
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(30_000);
    assert.deepEqual(failures.last('reboot'), { message: 'inhibited', inMs: 90_000 });
  });
});

describe('units', () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'host-'));
  });
  afterEach(() => rm(root, { recursive: true }));
  const withSystemd = () => mkdir(join(root, 'run/systemd/system'), { recursive: true });

  it('are none on a host without systemd, and nothing is run', async () => {
    const { run, ran } = recorder();
    const units = systemdUnits({ hostRoot: root, run });
    assert.equal(units.present, false);
    assert.equal(await units.find('redsocks.service'), undefined);
    await assert.rejects(units.restart('redsocks.service'), /no systemd/);
    await assert.rejects(units.setHostname('x'), /no systemd/);
    assert.deepEqual(ran, []);
  });

  it('are asked for without a way to be taken for options', async () => {
    await withSystemd();
    const { run, ran } = recorder([], 'LoadState=loaded\nActiveState=active\nPartOf=a.target b.target\n');
    const units = systemdUnits({ hostRoot: root, run });
    assert.deepEqual(await units.find('x.service'), { activeState: 'active', partOf: ['a.target', 'b.target'] });
    await units.restart('--now');
    await units.setHostname('--static');
    assert.deepEqual(ran, [
      'systemctl show --property=LoadState,ActiveState,PartOf -- x.service',
      'systemctl restart --no-block -- --now',
      'hostnamectl set-hostname -- --static',
    ]);
  });

  it('are unknown when they are not loaded', async () => {
    await withSystemd();
    const { run } = recorder([], 'LoadState=not-found\nActiveState=inactive\nPartOf=\n');
    assert.equal(await systemdUnits({ hostRoot: root, run }).find('x.service'), undefined);
  });

  it('fail with what the program said', async () => {
    await withSystemd();
    const units = systemdUnits({ hostRoot: root, run: recorder(['systemctl']).run });
    await assert.rejects(units.find('x.service'), /systemctl show: systemctl says no/);
  });

  it('have properties whose values may hold =', () =>
    assert.deepEqual(parseProperties('A=b=c\nD=\n\nx'), { A: 'b=c', D: '' }));

  for (const [state, marker, want] of [
    ['active', true, { enabled: true, connected: true }],
    ['failed', false, { enabled: true, connected: false }],
    ['inactive', false, { enabled: false, connected: false }],
    ['deactivating', false, { enabled: false, connected: false }],
    [undefined, true, { enabled: false, connected: true }],
  ] as const) {
    it(`show a VPN that is ${state ?? 'not installed'}`, async () => {
      if (marker) {
        await mkdir(join(root, 'run/openvpn/vpn_status'), { recursive: true });
        await writeFile(join(root, 'run/openvpn/vpn_status/active'), '');
      }
      const units = systemdUnits({ hostRoot: root, run: recorder().run });
      const find = async () => (state === undefined ? undefined : { activeState: state, partOf: [] });
      assert.deepEqual(await seeVpn(root, { ...units, find }), want);
    });
  }
});
