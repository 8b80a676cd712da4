import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isReady, isStalled } from '../../../../crds/model/conditions.js';
import { keyOf } from '../../../../crds/model/kinds.js';
import type { HostConfigSpec } from '../../../../crds/model/types.js';
import { cpuStopwatch } from '../../../setup/cpu-time.js';
import { FakeClock } from '../../../setup/fake-clock.js';
import { CONFIG, FakeAgent, FakeHost } from '../fake-host.js';

const CONFIG_TXT = '# ours and theirs\ngpu_mem=16\n[pi4]\narm_boost=1\n[all]\ndtparam=audio=on\n';
const SPEC: HostConfigSpec = { config: { HOST_CONFIG_gpu_mem: '64', HOST_CONFIG_dtparam: '"i2c_arm=on","spi=on"' } };
const WANTED = '# ours and theirs\ngpu_mem=64\n[pi4]\narm_boost=1\n[all]\ndtparam=i2c_arm=on\ndtparam=spi=on\n';
const PATH = 'mnt/boot/config.txt';

describe('the HostConfig device', () => {
  let host: FakeHost;
  let folder: string;
  let agent: FakeAgent;
  const begin = async (boot = true): Promise<void> => {
    host = await FakeHost.make(boot);
    if (boot) await host.put(PATH, CONFIG_TXT);
    folder = await mkdtemp(join(tmpdir(), 'data-'));
    agent = await FakeAgent.start(host, folder);
  };
  afterEach(async () => {
    await agent.stop();
    for (const one of [host.root, folder]) await rm(one, { recursive: true });
  });

  const apply = async (spec: HostConfigSpec, origin: 'files' | 'local' = 'files'): Promise<void> => {
    await agent.declare(spec, 'device', origin);
    await agent.quiet();
  };
  const start = async (): Promise<void> => {
    agent = await agent.startDevice(host, folder);
  };
  const status = () => agent.documentOf('device').status ?? {};
  const look = async (): Promise<void> => {
    agent.loop.resync();
    await agent.quiet();
  };

  it('writes what is ours, restarts the device once, proves itself and is Ready', async () => {
    await begin();
    await apply(SPEC);
    assert.equal(await host.get(PATH), WANTED);
    assert.deepEqual(host.told, ['reboot']);
    assert.match(agent.ready('device'), /^RebootRequired: .*HOST_CONFIG_gpu_mem: 16 → 64/);
    assert.deepEqual(status().rebootRequired, [
      'HOST_CONFIG_gpu_mem: 16 → 64',
      'HOST_CONFIG_dtparam: "audio=on" → "i2c_arm=on","spi=on"',
    ]);
    await agent.pass(3_600_000);
    assert.deepEqual(host.told, ['reboot'], 'asked twice');
    await start();
    assert.equal(agent.ready('device'), 'True');
    assert.equal(await host.get(PATH), WANTED);
    assert.deepEqual(host.told, []);
    assert.deepEqual(status().boot, { state: 'Applied', files: ['config.txt', 'splash image'] });
    assert.equal(status().trial, undefined);
    assert.equal(await readFile(join(folder, 'host-files/config.txt'), 'utf8'), CONFIG_TXT);
  });

  it('does nothing in a second pass', async () => {
    await begin();
    await apply(SPEC);
    await start();
    const { writes } = host;
    const before = agent.store.resourceVersion;
    await look();
    assert.equal(host.writes, writes);
    assert.equal(agent.store.resourceVersion, before);
  });

  it('says in the words of the Supervisor what it does', async () => {
    await begin();
    await apply({ config: { HOST_CONFIG_gpu_mem: '64' } });
    assert.deepEqual(host.said, [
      'Applying boot config: {"HOST_CONFIG_gpu_mem":"64"}',
      'Applied boot config: {"HOST_CONFIG_gpu_mem":"64"}',
      'Reboot has been scheduled to apply changes: HOST_CONFIG_gpu_mem: 16 → 64',
    ]);
  });

  it('removes a key that is declared no more, and nothing that nobody declared', async () => {
    await begin();
    await apply({ config: { HOST_CONFIG_gpu_mem: '16', HOST_CONFIG_dtparam: 'audio=on' }, reboot: 'never' });
    assert.equal(await host.get(PATH), CONFIG_TXT);
    assert.equal(agent.ready('device'), 'True');
    await apply({ config: { HOST_CONFIG_dtparam: 'audio=on' }, reboot: 'never' });
    assert.equal(await host.get(PATH), CONFIG_TXT.replace('gpu_mem=16\n', ''));
    await apply({ reboot: 'never' });
    assert.equal(await host.get(PATH), '# ours and theirs\n[pi4]\narm_boost=1\n[all]\n');
  });

  it('takes the need of a restart back when the change is', async () => {
    await begin();
    await apply({ ...SPEC, reboot: 'never' });
    assert.match(agent.ready('device'), /^RebootRequired: .*restart it by hand/);
    assert.notEqual(await host.get('tmp/balena-supervisor/reboot-after-apply'), undefined);
    await apply({ config: { HOST_CONFIG_gpu_mem: '16', HOST_CONFIG_dtparam: 'audio=on' }, reboot: 'never' });
    assert.equal(agent.ready('device'), 'True');
    assert.equal(await host.get('tmp/balena-supervisor/reboot-after-apply'), undefined);
    assert.deepEqual(host.told, []);
  });

  it('restarts the device in its window only', async () => {
    await begin();
    const at = new Date(agent.clock.now() + 2 * 3_600_000);
    await apply({ ...SPEC, reboot: `window(* ${at.getHours()} * * *)` });
    assert.match(agent.ready('device'), /^RebootRequired: .*Its window begins at 2026-01-02T/);
    assert.deepEqual(host.told, []);
    while (agent.clock.now() < at.setMinutes(0, 0, 0) - 60_000) await agent.pass(60_000);
    assert.deepEqual(host.told, []);
    await agent.pass(180_000);
    assert.deepEqual(host.told, ['reboot']);
  });

  it('says of a window that is far away the same at every look', async () => {
    await begin();
    await apply({ ...SPEC, reboot: 'window(0 0 1 6 *)' });
    assert.match(agent.ready('device'), /^RebootRequired: .*Its window does not begin within a week$/);
    const before = agent.store.resourceVersion;
    await agent.pass(3_600_000);
    assert.equal(agent.store.resourceVersion, before);
    assert.deepEqual(host.told, []);
  });

  it('refuses a window that is none, and says what would be one', async () => {
    await begin();
    await apply({ ...SPEC, reboot: 'window(at night)' });
    assert.ok(isStalled(agent.documentOf('device')));
    assert.match(agent.ready('device'), /InvalidSpec: spec.reboot: "at night" is no cron expression/);
    assert.equal(await host.get(PATH), CONFIG_TXT);
  });

  it('refuses at once a window that would take all memory, in a document from before its check', async () => {
    await begin();
    const usedMs = cpuStopwatch();
    for (const window of ['0-2999999 * * * *', `${'0-59,'.repeat(20_000)}0 * * * *`]) {
      await apply({ ...SPEC, reboot: `window(${window})` });
      assert.ok(isStalled(agent.documentOf('device')));
    }
    assert.ok(usedMs() < 1500);
  });

  it('waits for what is on its way before it restarts the device, and for locks', async () => {
    await begin();
    await agent.store.put('files', {
      document: { apiVersion: 'supercargo.io/v1', kind: 'App', metadata: { name: 'hello' }, spec: {} },
    });
    await apply(SPEC);
    assert.match(agent.ready('device'), /^RebootRequired: .*It waits for App hello to settle/);
    assert.deepEqual(host.told, []);
    const app = agent.store.get('App', 'hello');
    assert.ok(app);
    agent.store.setStatus(app, { observedGeneration: 1, conditions: [] });
    host.powerAnswer = { is: 'locked', message: 'Lockfile exists for { appId: 1, service: web }' };
    await agent.pass(5_000);
    assert.match(agent.ready('device'), /^RebootRequired: .*Lockfile exists/);
    assert.deepEqual(host.told, ['reboot']);
    host.powerAnswer = { is: 'scheduled' };
    await agent.pass(60_000);
    assert.deepEqual(host.told, ['reboot', 'reboot']);
    await agent.pass(3_600_000);
    assert.deepEqual(host.told, ['reboot', 'reboot']);
  });

  it('restarts the device for a container that waits for it, once for each', async () => {
    await begin();
    await apply({});
    const service = { app: 'a', serviceName: 'b', image: 'c' };
    await agent.store.put('files', {
      document: { apiVersion: 'supercargo.io/v1', kind: 'Service', metadata: { name: 'a.b' }, spec: service },
    });
    const wait = async (id: string): Promise<void> => {
      const document = agent.store.get('Service', 'a.b');
      assert.ok(document);
      const ready = { type: 'Ready', status: 'False', reason: 'RebootRequired', message: 'made' } as const;
      agent.store.setStatus(document, {
        container: { id, name: 'b_1', createdAt: '2026-01-02T03:04:05.678Z', image: 'sha256:c' },
        conditions: [{ ...ready, lastTransitionTime: '2026-01-02T03:04:05Z', observedGeneration: 1 }],
      });
      await agent.quiet();
    };
    await wait('1'.repeat(64));
    assert.match(agent.ready('device'), /^RebootRequired: .*Service a.b starts with it \(container 111111111111\)/);
    assert.deepEqual(host.told, ['reboot']);
    await wait('1'.repeat(64));
    assert.deepEqual(host.told, ['reboot']);
    await wait('2'.repeat(64));
    assert.deepEqual(host.told, ['reboot', 'reboot']);
  });

  it('says why it cannot restart the device, and does not try', async () => {
    await begin();
    host.obstacle = 'This agent may not reboot the device';
    await apply(SPEC);
    assert.match(agent.ready('device'), /^RebootRequired: .*This agent may not/);
    assert.deepEqual(host.told, []);
  });

  it('does not restart the device for ever when something undoes the change at its start', async () => {
    await begin();
    await apply({ ...SPEC, confirm: { deadlineSeconds: 0 } });
    for (let starts = 0; starts < 3; starts += 1) {
      await host.put(PATH, CONFIG_TXT);
      await start();
      assert.deepEqual(host.told, []);
    }
    assert.match(agent.ready('device'), /^DoesNotConverge: .*something changed it back/);
  });

  describe('a change that has to prove itself', () => {
    it('is taken back, file and all, when it cannot', async () => {
      await begin();
      await apply(SPEC);
      host.defaultRoute = false;
      await start();
      assert.match(agent.ready('device'), /^Confirming: .*Missing: a default route/);
      assert.deepEqual(status().trial, { deadlineSeconds: 600, waitsFor: ['a default route'] });
      await agent.pass(599_000);
      assert.equal(await host.get(PATH), WANTED);
      await agent.pass(2_000);
      assert.equal(await host.get(PATH), CONFIG_TXT);
      assert.deepEqual(host.told, ['reboot']);
      await start();
      assert.match(agent.ready('device'), /^RolledBack: .*lacked a default route/);
      assert.ok(isStalled(agent.documentOf('device')));
      await look();
      await agent.pass(3_600_000);
      assert.equal(await host.get(PATH), CONFIG_TXT);
      assert.deepEqual(host.told, []);
      host.defaultRoute = true;
      await apply({ config: { HOST_CONFIG_gpu_mem: '128' } });
      assert.match((await host.get(PATH)) ?? '', /gpu_mem=128/);
    });

    it('is taken back over restarts of the agent', async () => {
      await begin();
      await apply(SPEC);
      host.apiAnswers = false;
      await start();
      for (let at = 0; at < 10; at += 1) {
        await agent.stop();
        agent.clock.advance(61_000);
        agent = await FakeAgent.start(host, folder, agent.clock);
        await agent.quiet();
      }
      assert.equal(await host.get(PATH), CONFIG_TXT);
      assert.ok(agent.events('device').some((one) => /RolledBack: .*the API at 127.0.0.1:48484/.test(one)));
    });

    it('is taken back when the device starts again and again', async () => {
      await begin();
      await apply(SPEC);
      host.defaultRoute = false;
      for (let starts = 0; starts < 4; starts += 1) await start();
      assert.equal(await host.get(PATH), CONFIG_TXT);
    });

    it('keeps what somebody else wrote meanwhile', async () => {
      await begin();
      await apply(SPEC);
      host.defaultRoute = false;
      await start();
      await host.put(PATH, `${WANTED}enable_uart=1\n`);
      await agent.pass(601_000);
      assert.equal(
        await host.get(PATH),
        '# ours and theirs\ngpu_mem=16\n[pi4]\narm_boost=1\n[all]\ndtparam=audio=on\nenable_uart=1\n',
      );
    });

    it('waits for a request when only that counts', async () => {
      await begin();
      await apply({ ...SPEC, confirm: { manual: true } });
      await agent.store.request(keyOf('HostConfig', 'device'), { confirm: {} });
      await agent.quiet();
      assert.ok(agent.events('device').some((one) => one.startsWith('NotConfirmed: ')));
      await start();
      assert.match(agent.ready('device'), /^Confirming: .*a request to confirm it/);
      await agent.store.request(keyOf('HostConfig', 'device'), { confirm: {} });
      await agent.quiet();
      assert.equal(agent.ready('device'), 'True');
      assert.equal(status().handled?.confirm, agent.documentOf('device').requests.confirm?.id);
      await agent.pass(3_600_000);
      assert.equal(await host.get(PATH), WANTED);
    });

    it('waits for apps that are named', async () => {
      await begin();
      await apply({ ...SPEC, confirm: { apps: ['hello'], deadlineSeconds: 60 } });
      await start();
      assert.match(agent.ready('device'), /Missing: App hello being Ready/);
      await agent.pass(61_000);
      assert.equal(await host.get(PATH), CONFIG_TXT);
    });

    it('is judged although the document names a window that is none', async () => {
      await begin();
      await apply(SPEC);
      host.defaultRoute = false;
      await start();
      await apply({ ...SPEC, reboot: 'window(at night)' });
      await agent.pass(601_000);
      assert.equal(await host.get(PATH), CONFIG_TXT);
    });

    it('is not held against a document that came after it had failed', async () => {
      await begin();
      await apply(SPEC);
      host.defaultRoute = false;
      await start();
      host.refusal = { code: 'EROFS', below: 'mnt/boot' };
      await agent.pass(601_000);
      await agent.pass(1_000);
      assert.match(agent.ready('device'), /^Retrying: /);
      host.defaultRoute = true;
      await apply({ config: { HOST_CONFIG_gpu_mem: '128' } });
      host.refusal = undefined;
      await agent.pass(60_000);
      assert.match((await host.get(PATH)) ?? '', /gpu_mem=128\n[\s\S]*dtparam=audio=on/);
    });

    it('waits while the boot partition is not mounted, and is taken back when it is again', async () => {
      await begin();
      await apply(SPEC);
      host.defaultRoute = false;
      await start();
      const [mounted, away] = [join(host.root, 'mnt/boot'), join(host.root, 'away')];
      await rename(mounted, away);
      for (let at = 0; at < 4; at += 1) await agent.pass(601_000);
      assert.match(agent.ready('device'), /^BootPartitionMissing: /);
      assert.deepEqual(status().rebootRequired, undefined);
      assert.deepEqual(host.told, []);
      await rename(away, mounted);
      await agent.pass(60_000);
      await agent.pass(601_000);
      assert.equal(await host.get(PATH), CONFIG_TXT);
      assert.deepEqual(host.told, ['reboot']);
    });

    it('brings a file back that has gone meanwhile', async () => {
      await begin();
      host.deviceType = 'jetson-nano';
      const before = 'extra_os_cmdline=isolcpus=1\n';
      await host.put('mnt/boot/extra_uEnv.txt', before);
      await agent.stop();
      agent = await FakeAgent.start(host, folder);
      await apply({ config: { HOST_EXTLINUX_isolcpus: '3' } });
      host.defaultRoute = false;
      await start();
      await rm(join(host.root, 'mnt/boot/extra_uEnv.txt'));
      await agent.pass(601_000);
      assert.equal(await host.get('mnt/boot/extra_uEnv.txt'), before);
    });

    it('writes into a file that is empty, and empties it again', async () => {
      await begin();
      host.deviceType = 'jetson-nano';
      await host.put('mnt/boot/extra_uEnv.txt', '');
      await agent.stop();
      agent = await FakeAgent.start(host, folder);
      await apply({ config: { HOST_EXTLINUX_isolcpus: '3', HOST_EXTLINUX_fdt: '/boot/a.dtb' } });
      assert.equal(
        await host.get('mnt/boot/extra_uEnv.txt'),
        'custom_fdt_file=/boot/a.dtb\nextra_os_cmdline=isolcpus=3\n',
      );
      host.defaultRoute = false;
      await start();
      await agent.pass(601_000);
      assert.equal(await host.get('mnt/boot/extra_uEnv.txt'), '');
    });

    it('proves itself by Apps as they are now, not as they were before the device was started', async () => {
      await begin();
      await apply({ ...SPEC, confirm: { apps: ['hello'], deadlineSeconds: 60 } });
      const ready = { type: 'Ready', status: 'True', reason: 'Settled', message: '' } as const;
      await agent.store.put('files', {
        document: { apiVersion: 'supercargo.io/v1', kind: 'App', metadata: { name: 'hello' }, spec: {} },
      });
      const app = agent.store.get('App', 'hello');
      assert.ok(app);
      const lastTransitionTime = '2026-01-02T03:04:05Z';
      agent.store.setStatus(app, {
        observedGeneration: 1,
        conditions: [{ ...ready, lastTransitionTime, observedGeneration: 1 }],
      });
      host.appsAreKnown = false;
      await start();
      assert.match(agent.ready('device'), /Missing: App hello being Ready/);
      host.appsAreKnown = true;
      await agent.pass(2_000);
      assert.equal(agent.ready('device'), 'True');
    });

    it('is judged although the document has become a bad one', async () => {
      await begin();
      await apply(SPEC);
      host.defaultRoute = false;
      await start();
      await apply({ config: { HOST_CONFIG_kernel: 'x' } });
      await agent.pass(601_000);
      assert.equal(await host.get(PATH), CONFIG_TXT);
    });

    it('needs no proof when it came as a target state', async () => {
      await begin();
      host.defaultRoute = false;
      await apply(SPEC, 'local');
      await start();
      assert.equal(agent.ready('device'), 'True');
    });
  });

  it('puts back what somebody else changed, says what it was, and needs no restart for that', async () => {
    await begin();
    await apply(SPEC);
    await start();
    await host.put(PATH, WANTED.replace('gpu_mem=64', 'gpu_mem=8'));
    await look();
    assert.equal(await host.get(PATH), WANTED);
    assert.equal(agent.ready('device'), 'True');
    assert.ok(
      agent
        .events('device')
        .some((one) =>
          one.startsWith('ForeignEdit: config.txt was changed by somebody else (HOST_CONFIG_gpu_mem: 64 → 8)'),
        ),
      agent.events('device').join('\n'),
    );
    assert.deepEqual(host.told, []);
  });

  it('does not fight for ever', async () => {
    await begin();
    await apply(SPEC);
    await start();
    const { writes } = host;
    for (let at = 0; at < 20; at += 1) {
      await host.put(PATH, CONFIG_TXT);
      await look();
    }
    assert.match(agent.ready('device'), /^Contested: /);
    assert.ok(host.writes - writes < 150);
    await agent.pass(600_000);
    assert.equal(await host.get(PATH), WANTED);
    assert.equal(agent.ready('device'), 'True');
  });

  const stalls: readonly [it: string, config: Record<string, string>, want: RegExp][] = [
    [
      'a forbidden key',
      { HOST_CONFIG_kernel: 'x.img' },
      /^ForbiddenKey: Attempt to change blacklisted config value kernel$/,
    ],
    ['a list with bad quotes', { HOST_CONFIG_dtparam: '"a=on' }, /^InvalidSpec: spec.config.HOST_CONFIG_dtparam: /],
    ['a value of two lines', { HOST_CONFIG_gpu_mem: '1\nkernel=x' }, /^InvalidSpec: .*Expected one line/],
    ['a picture that is none', { HOST_SPLASH_image: 'QUJD' }, /^InvalidSpec: .*PNG/],
  ];
  for (const [what, config, want] of stalls) {
    it(`is stalled by ${what}, and nothing is written`, async () => {
      await begin();
      await apply({ config: { HOST_CONFIG_gpu_mem: '64', ...config } });
      assert.match(agent.ready('device'), want);
      assert.ok(isStalled(agent.documentOf('device')));
      assert.equal(await host.get(PATH), CONFIG_TXT);
      assert.deepEqual(agent.clock.planned, []);
    });
  }

  it('writes a file once that reads back differently, and names the difference', async () => {
    await begin();
    const rename = host.fs.rename;
    const fs = {
      ...host.fs,
      rename: (from: string, to: string) =>
        rename(from, to).then(() => (to.endsWith('config.txt') ? host.put(PATH, CONFIG_TXT) : undefined)),
    };
    Object.defineProperty(host, 'fs', { value: fs });
    await agent.stop();
    agent = await FakeAgent.start(host, folder);
    await apply(SPEC);
    assert.match(
      agent.ready('device'),
      /^DoesNotConverge: config.txt was written and reads differently: HOST_CONFIG_gpu_mem/,
    );
    await look(); // what was tried proves itself, or is taken back, all the same
    const { writes } = host;
    await look();
    assert.equal(host.writes, writes);
    assert.deepEqual(host.told, []);
  });

  for (const code of ['ENOSPC', 'EROFS']) {
    it(`leaves a partition as it is that refuses with ${code}, and goes on when it does no more`, async () => {
      await begin();
      host.refusal = { code, below: 'mnt/boot' };
      await apply(SPEC);
      assert.match(agent.ready('device'), new RegExp(`^Retrying: Could not change config.txt: .*${code}`));
      assert.deepEqual(
        Object.keys(await host.files()).filter((path) => path.startsWith('mnt')),
        ['mnt/boot/config.json', PATH],
      );
      assert.equal(await host.get(PATH), CONFIG_TXT);
      assert.deepEqual(host.told, []);
      host.refusal = undefined;
      await agent.pass(60_000);
      assert.equal(await host.get(PATH), WANTED);
      assert.deepEqual(host.told, ['reboot']);
    });
  }

  it('puts agent variables into config.json, beside what others keep there', async () => {
    await begin();
    await apply({
      config: { SUPERVISOR_PERSISTENT_LOGGING: 'true', SUPERVISOR_POLL_INTERVAL: '60000' },
      reboot: 'never',
    });
    assert.deepEqual(JSON.parse((await host.get('mnt/boot/config.json')) ?? ''), {
      ...CONFIG,
      persistentLogging: true,
      appUpdatePollInterval: 60_000,
    });
    assert.deepEqual(status().rebootRequired, ['SUPERVISOR_PERSISTENT_LOGGING: false → true']);
  });

  it('says what it does not know, what it cannot read and what this device does not have', async () => {
    await begin();
    const config = {
      HOST_EXTLINUX_fdt: 'a.dtb',
      SUPERVISOR_DELTA: 'maybe',
      NONSENSE: '1',
      HOST_DISCOVERABILITY: 'false',
    };
    await apply({ config });
    assert.equal(agent.ready('device'), 'True');
    assert.deepEqual(status().unknown, ['NONSENSE']);
    assert.deepEqual(status().invalid, ['SUPERVISOR_DELTA']);
    assert.deepEqual(status().boot?.notApplicable, ['HOST_EXTLINUX_fdt']);
    assert.deepEqual(status().notes, ['HOST_DISCOVERABILITY: this host has no avahi-daemon.service']);
  });

  it('switches units of the host, and does not insist', async () => {
    await begin();
    host.units = { 'avahi-daemon.service': { activeState: 'active', partOf: [] } };
    await agent.stop();
    agent = await FakeAgent.start(host, folder);
    await apply({ config: { HOST_DISCOVERABILITY: 'false' } });
    assert.deepEqual(host.told, ['stop avahi-daemon.service']);
    assert.equal(agent.ready('device'), 'True');
    assert.deepEqual(status().notes, ['HOST_DISCOVERABILITY: avahi-daemon.service was told to stop and has not']);
  });

  it('is at home on a plain host, where boot settings do not apply', async () => {
    await begin(false);
    await apply(SPEC);
    assert.equal(agent.ready('device'), 'True');
    assert.deepEqual(status().boot, {
      state: 'NotApplicable',
      notApplicable: ['HOST_CONFIG_gpu_mem', 'HOST_CONFIG_dtparam'],
    });
    assert.deepEqual(Object.keys(await host.files()), ['etc/hostname']);
  });

  it('goes back to what was there wherever the machine is switched off meanwhile', async function () {
    this.timeout(180_000);
    await begin();
    await apply(SPEC);
    host.defaultRoute = false;
    await start();
    await agent.stop();
    const [from, kept] = [`${host.root}-kept`, `${folder}-kept`];
    await cp(host.root, from, { recursive: true });
    await cp(folder, kept, { recursive: true });
    const { bootId, bootedAtMs } = host;
    const [now, monotonic] = [agent.clock.now(), agent.clock.monotonic()];
    for (let at = 0, isCut = true; isCut; at += 1) {
      for (const [copy, place] of [
        [from, host.root],
        [kept, folder],
      ] as const) {
        await rm(place, { recursive: true });
        await cp(copy, place, { recursive: true });
      }
      Object.assign(host, { bootId, bootedAtMs });
      host.told.length = 0;
      const clock = new FakeClock(now, 'exact', monotonic);
      agent = await FakeAgent.start(host, folder, clock);
      host.failAfter = host.writes + at;
      await agent.pass(601_000);
      isCut = host.writes >= host.failAfter;
      await agent.stop();
      const text = await host.get(PATH);
      assert.ok(text === CONFIG_TXT || text === WANTED, `a torn file after ${at} calls`);
      host.failAfter = Number.POSITIVE_INFINITY;
      agent = await FakeAgent.start(host, folder, clock);
      await agent.quiet();
      assert.equal(await host.get(PATH), CONFIG_TXT, `switched off after ${at} calls`);
      assert.ok(host.told.includes('reboot'), `no restart when switched off after ${at} calls`);
      await start();
      assert.match(agent.ready('device'), /^RolledBack: /, `switched off after ${at} calls`);
      await agent.stop();
    }
    for (const one of [from, kept]) await rm(one, { recursive: true });
    agent = await FakeAgent.start(host, folder);
  });

  it('comes to the same end wherever the machine is switched off', async function () {
    this.timeout(180_000);
    await begin();
    await apply(SPEC);
    await start();
    const wanted = await host.files();
    const steps = host.writes;
    assert.ok(steps > 20);
    for (let at = 0; at < steps; at += 1) {
      await agent.stop();
      for (const one of [host.root, folder]) await rm(one, { recursive: true });
      await begin();
      host.failAfter = at;
      await apply(SPEC);
      await agent.stop();
      const text = await host.get(PATH);
      assert.ok(text === CONFIG_TXT || text === WANTED, `a torn file after ${at} calls`);
      host.failAfter = Number.POSITIVE_INFINITY;
      agent = await FakeAgent.start(host, folder, agent.clock);
      await agent.quiet();
      assert.ok(
        host.told.filter((one) => one === 'reboot').length >= 1,
        `no restart when switched off after ${at} calls`,
      );
      await start();
      assert.deepEqual(await host.files(), wanted, `switched off after ${at} calls`);
      assert.equal(agent.ready('device'), 'True', `switched off after ${at} calls`);
      assert.ok(isReady(agent.documentOf('device')));
    }
  });
});
