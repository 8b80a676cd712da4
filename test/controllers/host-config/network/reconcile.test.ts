import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BootFiles } from '../../../../controllers/host/boot/boot-files.js';
import { nodeHostFs } from '../../../../controllers/host/fs.js';
import { HostNetwork } from '../../../../controllers/host/network/host-network.js';
import { renderRedsocks } from '../../../../controllers/host/network/redsocks.js';
import { conditionOf, isReady, isStalled } from '../../../../crds/model/conditions.js';
import type { HostConfigSpec } from '../../../../crds/model/types.js';
import { FOLDERS } from '../../../setup/folders.js';
import { CONFIG, FakeAgent, FakeHost } from '../fake-host.js';

const PROXY = { type: 'socks5', ip: '10.0.0.1', port: 1080, login: 'me', password: 'secret' };

describe('the HostConfig network', () => {
  let host: FakeHost;
  let folder: string;
  let agent: FakeAgent;
  const begin = async (boot = true): Promise<void> => {
    host = await FakeHost.make(boot);
    folder = await mkdtemp(join(FOLDERS, 'data-'));
    agent = await FakeAgent.start(host, folder);
  };
  afterEach(async () => {
    await agent.stop();
    for (const one of [host.root, folder]) await rm(one, { recursive: true });
  });

  const apply = async (spec: HostConfigSpec): Promise<void> => {
    await agent.declare(spec);
    await agent.quiet();
  };

  it('puts proxy and host name in place, restarts what does not restart itself, and is Ready', async () => {
    await begin();
    await apply({ hostname: 'kiosk', proxy: { ...PROXY, dns: true, noProxy: ['10.0.0.0/8', 'x'] } });
    assert.ok(isReady(agent.document), JSON.stringify(agent.document.status));
    assert.deepEqual(await host.files(), {
      'etc/hostname': 'old\n',
      'mnt/boot/config.json': JSON.stringify({ ...CONFIG, hostname: 'kiosk' }),
      'mnt/boot/system-proxy/no_proxy': '10.0.0.0/8\nx',
      'mnt/boot/system-proxy/redsocks.conf': renderRedsocks({ fields: PROXY, dns: '8.8.8.8:53' }),
    });
    assert.deepEqual(host.reported, ['restart balena-proxy-config.service']);
  });

  it('reports what is there, without credentials', async () => {
    await begin();
    await apply({ proxy: { ...PROXY, noProxy: ['x'] } });
    const { conditions: _, observedGeneration: __, ...facts } = agent.document.status ?? {};
    assert.deepEqual(facts, {
      hostname: 'old',
      proxy: { type: 'socks5', ip: '10.0.0.1', port: 1080 },
      noProxy: ['x'],
    });
    assert.ok(!JSON.stringify([agent.document.status, agent.store.events()]).includes('secret'));
  });

  it('does nothing in a second pass', async () => {
    await begin();
    await apply({ hostname: 'kiosk', proxy: { ...PROXY, noProxy: ['x'] } });
    const { writes } = host;
    const before = agent.store.resourceVersion;
    agent.loop.resync();
    await agent.quiet();
    assert.equal(host.writes, writes);
    assert.equal(agent.store.resourceVersion, before);
  });

  it('mends what somebody changed', async () => {
    await begin();
    await apply({ proxy: PROXY });
    await host.put('mnt/boot/system-proxy/redsocks.conf', 'junk');
    host.reported.length = 0;
    agent.loop.resync();
    await agent.quiet();
    assert.equal(await host.get('mnt/boot/system-proxy/redsocks.conf'), renderRedsocks({ fields: PROXY }));
    assert.deepEqual(host.reported, ['restart balena-proxy-config.service']);
  });

  it('removes a proxy and keeps the list for {}', async () => {
    await begin();
    await apply({ proxy: { ...PROXY, noProxy: ['x'] } });
    await apply({ proxy: {} });
    const { 'mnt/boot/system-proxy/no_proxy': list, ...rest } = await host.files();
    assert.equal(list, 'x');
    assert.deepEqual(Object.keys(rest), ['etc/hostname', 'mnt/boot/config.json']);
  });

  it('leaves a config.json alone that it does not understand', async () => {
    await begin();
    await host.put('mnt/boot/config.json', '{"uuid": "x", ');
    await apply({ hostname: 'kiosk' });
    assert.equal(conditionOf(agent.document, 'Ready')?.reason, 'Retrying');
    assert.match(conditionOf(agent.document, 'Ready')?.message ?? '', /config.json .* left as it is/);
    assert.equal(await host.get('mnt/boot/config.json'), '{"uuid": "x", ');
    await host.put('mnt/boot/config.json', '{"uuid":"x"}');
    agent.clock.advance(1_000);
    await agent.quiet();
    assert.equal(await host.get('mnt/boot/config.json'), '{"uuid":"x","hostname":"kiosk"}');
    assert.ok(isReady(agent.document));
  });

  it('names a plain host through systemd and in its file', async () => {
    await begin(false);
    await apply({ hostname: 'kiosk' });
    assert.equal(await host.get('etc/hostname'), 'kiosk\n');
    assert.deepEqual(host.reported, ['name kiosk']);
    assert.equal(agent.document.status?.hostname, 'kiosk');
  });

  it('says on a host without systemd when it takes effect', async () => {
    await begin(false);
    host.units = undefined;
    await agent.stop();
    agent = await FakeAgent.start(host, folder);
    await apply({ hostname: 'kiosk' });
    assert.ok(isReady(agent.document));
    assert.match(agent.document.status?.note ?? '', /next boot/);
    assert.deepEqual(host.reported, []);
  });

  it('stalls, without a loop, when nothing on the host would read a proxy', async () => {
    await begin(false);
    await apply({ proxy: PROXY });
    assert.ok(isStalled(agent.document));
    assert.equal(conditionOf(agent.document, 'Ready')?.reason, 'NotApplicable');
    assert.deepEqual(agent.clock.planned, []);
    assert.equal(host.writes, 0);
  });

  it('writes the proxy where its services are missing, and says so', async () => {
    await begin();
    host.units = {};
    await agent.stop();
    agent = await FakeAgent.start(host, folder);
    await apply({ proxy: PROXY });
    assert.ok(isReady(agent.document));
    assert.match(agent.document.status?.note ?? '', /proxy takes effect at the next boot/);
  });

  it('gives a document of another name no pass and no status', async () => {
    await begin();
    await agent.declare({ config: { A: '1' } }, 'other');
    await agent.quiet();
    agent.loop.resync();
    await agent.quiet();
    assert.equal(agent.store.get('HostConfig', 'other')?.status, undefined);
    await agent.loop.initialSync;
  });

  describe('when a change has to prove itself', () => {
    const spec: HostConfigSpec = {
      hostname: 'kiosk',
      proxy: { ...PROXY, noProxy: ['x'] },
      confirm: { deadlineSeconds: 60 },
    };
    const restart = async (): Promise<void> => {
      await agent.stop();
      agent = await FakeAgent.start(host, folder, agent.clock);
      await agent.quiet();
    };

    it('takes it back when the device is not reached any more', async () => {
      await begin();
      await apply({ proxy: { ...PROXY, ip: '10.9.9.9' } });
      const before = await host.files();
      host.apiAnswers = false;
      await apply(spec);
      assert.match(agent.ready('network'), /^Confirming: .*Missing: an answer of the API at 127.0.0.1:48484/);
      assert.equal(agent.document.status?.trial?.deadlineSeconds, 60);
      await restart();
      await agent.pass(59_000);
      host.reported.length = 0;
      await agent.pass(2_000);
      assert.deepEqual(await host.files(), before);
      assert.deepEqual(host.reported, ['restart balena-proxy-config.service']);
      assert.match(agent.ready('network'), /^RolledBack: /);
      assert.ok(isStalled(agent.document));
      await agent.pass(3_600_000);
      assert.deepEqual(await host.files(), before);
      host.apiAnswers = true;
      await apply({ ...spec, hostname: 'other' });
      assert.equal(agent.ready('network'), 'True');
    });

    it('keeps it when somebody says so', async () => {
      await begin();
      await apply({ ...spec, confirm: { manual: true } });
      assert.match(agent.ready('network'), /^Confirming: /);
      await agent.store.request('HostConfig/network', { confirm: {} });
      await agent.quiet();
      assert.equal(agent.ready('network'), 'True');
      assert.equal(agent.document.status?.handled?.confirm, agent.document.requests.confirm?.id);
      assert.equal(agent.document.status?.trial, undefined);
      await agent.pass(3_600_000);
      assert.equal(JSON.parse((await host.get('mnt/boot/config.json')) ?? '').hostname, 'kiosk');
    });

    it('gives a plain host its name back', async () => {
      await begin(false);
      host.defaultRoute = true;
      await apply({ hostname: 'kiosk', confirm: { manual: true, deadlineSeconds: 10 } });
      assert.equal(await host.get('etc/hostname'), 'kiosk\n');
      await agent.pass(11_000);
      assert.equal(await host.get('etc/hostname'), 'old\n');
      assert.deepEqual(host.reported, ['name kiosk', 'name old']);
    });

    it('needs no proof for putting back what somebody changed', async () => {
      await begin();
      await apply(spec);
      host.apiAnswers = false;
      await host.put('mnt/boot/system-proxy/no_proxy', 'junk');
      agent.loop.resync();
      await agent.quiet();
      assert.equal(await host.get('mnt/boot/system-proxy/no_proxy'), 'x');
      assert.equal(agent.ready('network'), 'True');
    });
  });

  it('goes back to what was there wherever the machine is switched off meanwhile', async function () {
    this.timeout(180_000);
    const spec: HostConfigSpec = { hostname: 'kiosk', proxy: { ...PROXY, noProxy: ['x'] } };
    for (let at = 0, isCut = true; isCut; at += 1) {
      if (at > 0) {
        await agent.stop();
        for (const one of [host.root, folder]) await rm(one, { recursive: true });
      }
      await begin();
      const before = await host.files();
      host.apiAnswers = false;
      await apply({ ...spec, confirm: { deadlineSeconds: 60 } });
      host.reported.length = 0;
      host.failAfter = host.writes + at;
      await agent.pass(61_000);
      isCut = host.writes >= host.failAfter;
      await agent.stop();
      host.failAfter = Number.POSITIVE_INFINITY;
      agent = await FakeAgent.start(host, folder, agent.clock);
      await agent.quiet();
      assert.deepEqual(await host.files(), before, `switched off after ${at} calls`);
      assert.ok(host.reported.includes('restart balena-proxy-config.service'), `no restart after ${at} calls`);
      assert.match(agent.ready('network'), /^RolledBack: /, `switched off after ${at} calls`);
    }
  });

  it('comes to the same end wherever the machine is switched off', async function () {
    this.timeout(180_000);
    const spec: HostConfigSpec = { hostname: 'kiosk', proxy: { ...PROXY, noProxy: ['x'] } };
    await begin();
    await apply(spec);
    const wanted = await host.files();
    const steps = host.writes;
    assert.ok(steps > 20);
    for (let at = 0; at < steps; at += 1) {
      await agent.stop();
      for (const one of [host.root, folder]) await rm(one, { recursive: true });
      await begin();
      host.failAfter = at;
      await apply(spec);
      await agent.stop();
      host.failAfter = Number.POSITIVE_INFINITY;
      agent = await FakeAgent.start(host, folder);
      await agent.quiet();
      assert.deepEqual(await host.files(), wanted, `switched off after ${at} calls`);
      assert.ok(host.reported.length >= 1, `no restart when switched off after ${at} calls`);
      assert.ok(isReady(agent.document));
      assert.equal(agent.document.status?.restartDue, undefined);
    }
  });
});

describe('a host name file that is mounted from outside', () => {
  it('is written where it is', async () => {
    const root = await mkdtemp(join(FOLDERS, 'host-'));
    try {
      await mkdir(join(root, 'etc'));
      await writeFile(join(root, 'etc/hostname'), 'old\n');
      const busy = async (): Promise<void> => {
        throw Object.assign(new Error('busy'), { code: 'EBUSY' });
      };
      const network = new HostNetwork({
        hostRoot: root,
        files: new BootFiles(),
        fs: { ...nodeHostFs, rename: busy },
      });
      await network.writeHostname('kiosk');
      assert.equal(await readFile(join(root, 'etc/hostname'), 'utf8'), 'kiosk\n');
      assert.deepEqual(await readdir(join(root, 'etc')), ['hostname']);
    } finally {
      await rm(root, { recursive: true });
    }
  });
});
