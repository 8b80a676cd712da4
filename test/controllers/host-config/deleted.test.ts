import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { keyOf, type Origin } from '../../../crds/model/kinds.js';
import type { HostConfigSpec } from '../../../crds/model/types.js';
import { FakeClock } from '../../setup/fake-clock.js';
import { FOLDERS } from '../../setup/folders.js';
import { CONFIG, FakeAgent, FakeHost } from './fake-host.js';

const CONFIG_TXT = '# theirs\ngpu_mem=16\n';
const PATH = 'mnt/boot/config.txt';
const MARKER = 'tmp/balena-supervisor/reboot-after-apply';
const DEVICE: HostConfigSpec = { config: { HOST_CONFIG_gpu_mem: '64' } };
const WANTED = '# theirs\ngpu_mem=64\n';
const PROXY = { type: 'socks5', ip: '10.0.0.1', port: 1080 };
const NETWORK: HostConfigSpec = { hostname: 'kiosk', proxy: { ...PROXY, noProxy: ['x'] } };
const UNPROVEN = 'its document was deleted before the change had proved itself';

describe('a HostConfig that is deleted while its change is unconfirmed', () => {
  let host: FakeHost;
  let folder: string;
  let agent: FakeAgent;
  beforeEach(async () => {
    host = await FakeHost.make(true);
    await host.put(PATH, CONFIG_TXT);
    folder = await mkdtemp(join(FOLDERS, 'data-'));
    agent = await FakeAgent.start(host, folder);
  });
  afterEach(async () => {
    await agent.stop();
    for (const one of [host.root, folder]) await rm(one, { recursive: true });
  });

  const apply = async (name: 'device' | 'network', spec: HostConfigSpec): Promise<void> => {
    await agent.declare(spec, name);
    await agent.quiet();
  };
  const remove = async (name: 'device' | 'network'): Promise<void> => {
    await agent.store.propose({ origin: 'files', documents: [] });
    await agent.quiet();
    if (isThere(name)) assert.notEqual(agent.documentOf(name).metadata.deletionTimestamp, undefined);
  };
  const isThere = (name: 'device' | 'network'): boolean => agent.store.get('HostConfig', name) !== undefined;
  const restart = async (): Promise<void> => {
    await agent.stop();
    agent = await FakeAgent.start(host, folder, agent.clock);
    await agent.quiet();
  };
  const start = async (): Promise<void> => {
    agent = await agent.startDevice(host, folder);
  };
  /** Nothing is written and nothing asked for, however long one looks. */
  const rests = async (): Promise<void> => {
    const { writes } = host;
    const [reported, before] = [host.reported.length, agent.store.resourceVersion];
    agent.loop.resync();
    await agent.pass(3_600_000);
    assert.deepEqual([host.writes, host.reported.length, agent.store.resourceVersion], [writes, reported, before]);
  };

  describe('of the device', () => {
    it('leaves nothing behind when the change is not booted yet, and needs no restart', async () => {
      await apply('device', { ...DEVICE, reboot: 'never' });
      assert.notEqual(await host.get(MARKER), undefined);
      await remove('device');
      assert.equal(isThere('device'), false);
      assert.equal(await host.get(PATH), CONFIG_TXT);
      assert.equal(await host.get(MARKER), undefined);
      assert.deepEqual(host.reported, []);
      assert.deepEqual(
        agent.events('device').filter((one) => /^Roll/.test(one)),
        [
          `RollingBack: The change is taken back: ${UNPROVEN}`,
          `RolledBack: What was there before is back: ${UNPROVEN}`,
        ],
      );
      await rests();
    });

    it('goes back at once when it is booted, restarts the device once, and is gone after that', async () => {
      await apply('device', DEVICE);
      host.defaultRoute = false;
      await start();
      assert.match(agent.ready('device'), /^Confirming: /);
      await remove('device');
      assert.equal(await host.get(PATH), CONFIG_TXT);
      assert.deepEqual(host.reported, ['reboot']);
      assert.match(agent.ready('device'), /^RebootRequired: .*gpu_mem: 64 → 16. It was asked to/);
      assert.notEqual(await host.get(MARKER), undefined);
      await rests();
      await start();
      assert.equal(isThere('device'), false);
      assert.deepEqual(host.reported, []);
      assert.equal(await host.get(MARKER), undefined);
      await rests();
    });

    it('is not held up by a window, and waits for locks', async () => {
      await apply('device', DEVICE);
      host.defaultRoute = false;
      await start();
      host.powerAnswer = { is: 'locked', message: 'Lockfile exists' };
      const hour = (new Date(agent.clock.now()).getHours() + 2) % 24;
      await apply('device', { ...DEVICE, reboot: `window(* ${hour} * * *)` });
      await remove('device');
      assert.equal(await host.get(PATH), CONFIG_TXT);
      assert.match(agent.ready('device'), /^RebootRequired: .*Lockfile exists/);
      host.powerAnswer = { is: 'scheduled' };
      await agent.pass(60_000);
      await start();
      assert.equal(isThere('device'), false);
    });

    it('goes without a restart where none can be had, and says what is left to do', async () => {
      await apply('device', DEVICE);
      host.defaultRoute = false;
      await start();
      host.obstacle = 'This agent may not reboot the device';
      await remove('device');
      assert.equal(isThere('device'), false);
      assert.equal(await host.get(PATH), CONFIG_TXT);
      assert.notEqual(await host.get(MARKER), undefined);
      assert.deepEqual(host.reported, []);
      const output = 'RebootRequired: The device has to be restarted: HOST_CONFIG_gpu_mem: 64 → 16. This agent may not';
      assert.ok(agent.events('device').some((one) => one.startsWith(output)));
      await rests();
    });

    it('goes back also when it was declared to an agent that knew of no such thing', async () => {
      await apply('device', DEVICE);
      await agent.stop();
      const path = join(folder, 'documents/hostconfigs/device.json');
      const text = await readFile(path, 'utf8');
      await writeFile(path, text.replace(/"finalizers": \[[^\]]*\]/, '"finalizers": []'));
      agent = await FakeAgent.start(host, folder, agent.clock);
      await remove('device');
      assert.equal(isThere('device'), false);
      assert.equal(await host.get(PATH), CONFIG_TXT);
    });

    it('stays when it had proved itself', async () => {
      await apply('device', DEVICE);
      await start();
      assert.equal(agent.ready('device'), 'True');
      host.defaultRoute = false;
      await remove('device');
      assert.equal(isThere('device'), false);
      assert.equal(await host.get(PATH), WANTED);
      assert.deepEqual(host.reported, []);
      await rests();
    });

    it('stays when somebody confirmed it just before', async () => {
      await apply('device', { ...DEVICE, confirm: { manual: true } });
      await start();
      await agent.loop.stop(); // nobody looks between the two
      await agent.store.request(keyOf('HostConfig', 'device'), { confirm: {} });
      await agent.store.propose({ origin: 'files', documents: [] });
      await restart();
      assert.equal(isThere('device'), false);
      assert.equal(await host.get(PATH), WANTED);
      assert.ok(agent.events('device').includes('Confirmed: The change stays: confirmed by request'));
    });

    it('keeps what an earlier generation had proved, and takes only the later change back', async () => {
      await apply('device', DEVICE);
      await start();
      await apply('device', { config: { HOST_CONFIG_gpu_mem: '128' } });
      assert.equal(await host.get(PATH), '# theirs\ngpu_mem=128\n');
      await remove('device');
      assert.equal(await host.get(PATH), WANTED);
    });

    it('waits for a boot partition that is away, and goes back when it is there again', async () => {
      await apply('device', DEVICE);
      host.defaultRoute = false;
      await start();
      const [mounted, away] = [join(host.root, 'mnt/boot'), join(host.root, 'away')];
      await rename(mounted, away);
      await remove('device');
      assert.match(agent.ready('device'), /^BootPartitionMissing: /);
      await rename(away, mounted);
      await agent.pass(60_000);
      assert.equal(await host.get(PATH), CONFIG_TXT);
      assert.deepEqual(host.reported, ['reboot']);
    });

    it('is followed by a later document of the same name, which starts clean', async () => {
      await apply('device', DEVICE);
      await remove('device'); // the restart has been asked for, and what is booted needs none any more
      assert.equal(isThere('device'), false);
      await start();
      await apply('device', DEVICE);
      assert.equal(await host.get(PATH), WANTED);
      assert.deepEqual(host.reported, ['reboot']);
      host.defaultRoute = false;
      await start();
      assert.match(agent.ready('device'), /^Confirming: /);
      // Declared again while the first one is still on its way out: it waits until that has gone.
      await remove('device');
      host.defaultRoute = true;
      await apply('device', { config: { HOST_CONFIG_gpu_mem: '32' } });
      assert.equal(await host.get(PATH), CONFIG_TXT);
      assert.deepEqual(host.reported, ['reboot']);
      await start();
      assert.equal(await host.get(PATH), '# theirs\ngpu_mem=32\n');
      assert.equal(agent.documentOf('device').metadata.generation, 1);
      await start();
      assert.equal(agent.ready('device'), 'True');
    });
  });

  describe('of the network', () => {
    it('puts back what was there, and is gone', async () => {
      await apply('network', { proxy: { ...PROXY, ip: '10.9.9.9' } });
      const before = await host.files();
      host.apiAnswers = false;
      await apply('network', NETWORK);
      assert.match(agent.ready('network'), /^Confirming: /);
      host.reported.length = 0;
      await remove('network');
      assert.equal(isThere('network'), false);
      assert.deepEqual(await host.files(), before);
      assert.deepEqual(host.reported, ['restart balena-proxy-config.service']);
      assert.ok(agent.events('network').includes(`RolledBack: What was there before is back: ${UNPROVEN}`));
      await rests();
      host.apiAnswers = true;
      await apply('network', NETWORK);
      assert.equal(agent.ready('network'), 'True');
    });

    const origins: readonly [it: string, origin: Origin, go: () => Promise<unknown>][] = [
      ['a file is removed', 'files', () => agent.store.propose({ origin: 'files', documents: [] })],
      ['a commit has it no more', 'git/a', () => agent.store.propose({ origin: 'git/a', documents: [], atomic: true })],
      ['somebody deletes it', 'api', () => agent.store.delete('api', keyOf('HostConfig', 'network'))],
    ];
    for (const [what, origin, go] of origins) {
      it(`puts back what was there when ${what}`, async () => {
        const before = await host.files();
        host.apiAnswers = false;
        await agent.declare(NETWORK, 'network', origin);
        await agent.quiet();
        assert.match(agent.ready('network'), /^Confirming: /);
        await go();
        await agent.quiet();
        assert.equal(isThere('network'), false);
        assert.deepEqual(await host.files(), before);
      });
    }

    it('stays when it had proved itself', async () => {
      await apply('network', NETWORK);
      const proved = await host.files();
      host.apiAnswers = false;
      await remove('network');
      assert.equal(isThere('network'), false);
      assert.deepEqual(await host.files(), proved);
    });

    it('stays when somebody confirmed it just before', async () => {
      await apply('network', { ...NETWORK, confirm: { manual: true } });
      await agent.loop.stop(); // nobody looks between the two
      await agent.store.request(keyOf('HostConfig', 'network'), { confirm: {} });
      await agent.store.propose({ origin: 'files', documents: [] });
      await restart();
      assert.equal(isThere('network'), false);
      assert.equal(JSON.parse((await host.get('mnt/boot/config.json')) ?? '').hostname, 'kiosk');
    });

    it('is tried again when a file cannot be put back yet', async () => {
      host.apiAnswers = false;
      await apply('network', NETWORK);
      host.refusal = { code: 'EROFS', below: 'mnt/boot' };
      await remove('network');
      assert.match(agent.ready('network'), /^Retrying: .*EROFS/);
      host.refusal = undefined;
      await agent.pass(60_000);
      assert.equal(isThere('network'), false);
      assert.deepEqual(JSON.parse((await host.get('mnt/boot/config.json')) ?? ''), CONFIG);
    });
  });

  const scenes = [
    { name: 'device', spec: DEVICE, booted: true },
    { name: 'device', spec: DEVICE, booted: false },
    { name: 'network', spec: NETWORK, booted: false },
  ] as const;
  for (const { name, spec, booted } of scenes) {
    it(`comes to the same end wherever the machine is switched off: ${name}${booted ? ', booted' : ''}`, async function () {
      this.timeout(180_000);
      const before = await host.files();
      host.apiAnswers = false;
      host.defaultRoute = false;
      await apply(name, { ...spec, confirm: { manual: true } });
      if (booted) await start();
      assert.notDeepEqual(await host.files(), before);
      await agent.stop();
      const places = [host.root, folder];
      for (const place of places) await cp(place, `${place}-kept`, { recursive: true });
      const { bootId, bootedAtMs } = host;
      const [now, monotonic] = [agent.clock.now(), agent.clock.monotonic()];
      let cuts = 0;
      for (let isCut = true; isCut; cuts += 1) {
        for (const place of places) {
          await rm(place, { recursive: true });
          await cp(`${place}-kept`, place, { recursive: true, preserveTimestamps: true });
        }
        Object.assign(host, { bootId, bootedAtMs });
        host.reported.length = 0;
        agent = await FakeAgent.start(host, folder, new FakeClock(now, 'exact', monotonic));
        await agent.quiet();
        host.countsStore = true;
        host.failAfter = host.writes + cuts;
        await agent.store.propose({ origin: 'files', documents: [] }).catch(() => undefined);
        await agent.quiet();
        isCut = host.writes >= host.failAfter;
        await agent.stop();
        Object.assign(host, { countsStore: false, failAfter: Number.POSITIVE_INFINITY });
        await restart();
        // What was not on disk yet is said again: the file of the document is not there.
        await remove(name);
        if (booted) {
          assert.ok(host.reported.includes('reboot'), `no restart when switched off after ${cuts} calls`);
          await start();
        }
        assert.deepEqual(await host.files(), before, `switched off after ${cuts} calls`);
        assert.equal(isThere(name), false, `switched off after ${cuts} calls`);
        await rests();
        await agent.stop();
      }
      assert.ok(cuts > 25, String(cuts));
      for (const place of places) await rm(`${place}-kept`, { recursive: true });
      agent = await FakeAgent.start(host, folder);
    });
  }
});
