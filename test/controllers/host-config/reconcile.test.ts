import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { pino } from 'pino';
import { type Disk, nodeDisk } from '../../../api/store/disk.js';
import { openStore } from '../../../api/store/document-store.js';
import type { Store } from '../../../api/store/store.js';
import { BootFiles } from '../../../controllers/host/boot-files.js';
import { type FileCalls, nodeFileCalls } from '../../../controllers/host/file-calls.js';
import { HostNetwork } from '../../../controllers/host/host-network.js';
import { renderRedsocks } from '../../../controllers/host/redsocks.js';
import type { Unit, Units } from '../../../controllers/host/units.js';
import { hostConfigController } from '../../../controllers/host-config/host-config-controller.js';
import { Loop } from '../../../controllers/runtime/loop.js';
import { conditionOf, isReady, isStalled } from '../../../crds/conditions.js';
import { API_VERSION } from '../../../crds/kinds.js';
import type { HostConfigSpec } from '../../../crds/types.js';
import { FakeClock } from '../../setup/fake-clock.js';

const silent = pino({ level: 'silent' });
const PROXY = { type: 'socks5', ip: '10.0.0.1', port: 1080, login: 'me', password: 'secret' };
const CONFIG = { uuid: '3fa91c07e2', apiKey: 'k', listenPort: '48484', nested: { a: [1] } };

/** What is durable is not asked here, and the disks of test machines are slow. */
const disk: Disk = {
  ...nodeDisk,
  create: (path, text) => writeFile(path, text, { flag: 'wx' }),
  syncFolder: async () => undefined,
};

/** A host in a folder; its systemd notes what it was told. */
class Host {
  readonly told: string[] = [];
  /** Calls that changed a file. */
  writes = 0;
  /** The call after so many that change something fails, and all after it. */
  failAfter = Number.POSITIVE_INFINITY;
  units: Readonly<Record<string, Unit>> | undefined = {
    'balena-proxy-config.service': { activeState: 'inactive', partOf: [] },
    'redsocks.service': { activeState: 'active', partOf: ['redsocks-conf.target'] },
  };

  private constructor(readonly root: string) {}

  static async make(boot: boolean): Promise<Host> {
    const host = new Host(await mkdtemp(join(tmpdir(), 'host-')));
    await host.put('etc/hostname', 'old\n');
    if (boot) await host.put('mnt/boot/config.json', JSON.stringify(CONFIG));
    return host;
  }

  #spend(): void {
    if (this.writes >= this.failAfter) throw new Error('the machine is off');
    this.writes += 1;
  }

  get calls(): FileCalls {
    const { rename, remove } = nodeFileCalls;
    const spending =
      <A extends readonly unknown[]>(call: (...args: A) => Promise<void>) =>
      async (...args: A) => {
        this.#spend();
        await call(...args);
      };
    const changed = {
      write: spending((path: string, bytes: Uint8Array) => writeFile(path, bytes)),
      rename: spending(rename),
      remove: spending(remove),
      sync: spending(async (_: string) => undefined),
    };
    return { ...nodeFileCalls, ...changed };
  }

  get systemd(): Units {
    const { units } = this;
    const tell = async (text: string) => {
      this.#spend();
      this.told.push(text);
    };
    return {
      present: units !== undefined,
      find: async (name) => units?.[name],
      restart: (name) => tell(`restart ${name}`),
      setHostname: (name) => tell(`name ${name}`),
    };
  }

  async put(path: string, text: string): Promise<void> {
    await mkdir(dirname(join(this.root, path)), { recursive: true });
    await writeFile(join(this.root, path), text);
  }

  async get(path: string): Promise<string | undefined> {
    return (await nodeFileCalls.read(join(this.root, path)))?.toString();
  }

  /** Every file with its text. */
  async files(): Promise<Readonly<Record<string, string>>> {
    const entries = await readdir(this.root, { recursive: true, withFileTypes: true });
    const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    return Object.fromEntries(
      await Promise.all(
        paths.sort().map(async (path) => [path.slice(this.root.length + 1), await readFile(path, 'utf8')] as const),
      ),
    );
  }
}

/** The agent as far as this controller needs it. */
class Agent {
  private constructor(
    readonly store: Store,
    readonly loop: Loop,
    readonly clock: FakeClock,
  ) {}

  static async start(host: Host, folder: string): Promise<Agent> {
    const clock = new FakeClock();
    const store = await openStore({ folder, now: () => clock.now(), log: silent, statusDelayMs: 0, disk });
    const { calls } = host;
    const network = new HostNetwork({ hostRoot: host.root, files: new BootFiles(calls), calls });
    const controller = hostConfigController({ store, network, units: host.systemd, facts: { uuid: CONFIG.uuid } });
    const loop = new Loop(controller, { store, clock, random: () => 0, log: silent });
    loop.start();
    return new Agent(store, loop, clock);
  }

  async declare(spec: HostConfigSpec, name = 'network'): Promise<void> {
    const document = { apiVersion: API_VERSION, kind: 'HostConfig', metadata: { name }, spec } as const;
    await this.store.propose({ origin: 'files', documents: [{ document }] });
  }

  get document() {
    const document = this.store.get('HostConfig', 'network');
    assert.ok(document);
    return document;
  }

  async quiet(): Promise<void> {
    do await nextTurn();
    while (!this.loop.isQuiet);
  }

  async stop(): Promise<void> {
    await this.loop.stop();
    await this.store.close();
  }
}

describe('the HostConfig controller', () => {
  let host: Host;
  let folder: string;
  let agent: Agent;
  const begin = async (boot = true): Promise<void> => {
    host = await Host.make(boot);
    folder = await mkdtemp(join(tmpdir(), 'data-'));
    agent = await Agent.start(host, folder);
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
    assert.deepEqual(host.told, ['restart balena-proxy-config.service']);
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
    agent.loop.wakeAll();
    await agent.quiet();
    assert.equal(host.writes, writes);
    assert.equal(agent.store.resourceVersion, before);
  });

  it('mends what somebody changed', async () => {
    await begin();
    await apply({ proxy: PROXY });
    await host.put('mnt/boot/system-proxy/redsocks.conf', 'junk');
    host.told.length = 0;
    agent.loop.wakeAll();
    await agent.quiet();
    assert.equal(await host.get('mnt/boot/system-proxy/redsocks.conf'), renderRedsocks({ fields: PROXY }));
    assert.deepEqual(host.told, ['restart balena-proxy-config.service']);
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
    assert.deepEqual(host.told, ['name kiosk']);
    assert.equal(agent.document.status?.hostname, 'kiosk');
  });

  it('says on a host without systemd when it takes effect', async () => {
    await begin(false);
    host.units = undefined;
    await agent.stop();
    agent = await Agent.start(host, folder);
    await apply({ hostname: 'kiosk' });
    assert.ok(isReady(agent.document));
    assert.match(agent.document.status?.note ?? '', /next boot/);
    assert.deepEqual(host.told, []);
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
    agent = await Agent.start(host, folder);
    await apply({ proxy: PROXY });
    assert.ok(isReady(agent.document));
    assert.match(agent.document.status?.note ?? '', /proxy takes effect at the next boot/);
  });

  it('gives the other document no pass and no status', async () => {
    await begin();
    await agent.declare({ config: { A: '1' } }, 'device');
    await agent.quiet();
    agent.loop.wakeAll();
    await agent.quiet();
    assert.equal(agent.store.get('HostConfig', 'device')?.status, undefined);
    await agent.loop.firstRound;
  });

  it('comes to the same end wherever the machine is switched off', async function () {
    this.timeout(30_000);
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
      agent = await Agent.start(host, folder);
      await agent.quiet();
      assert.deepEqual(await host.files(), wanted, `switched off after ${at} calls`);
      assert.ok(host.told.length >= 1, `no restart when switched off after ${at} calls`);
      assert.ok(isReady(agent.document));
      assert.equal(agent.document.status?.restartDue, undefined);
    }
  });
});

describe('a host name file that is mounted from outside', () => {
  it('is written where it is', async () => {
    const root = await mkdtemp(join(tmpdir(), 'host-'));
    try {
      await mkdir(join(root, 'etc'));
      await writeFile(join(root, 'etc/hostname'), 'old\n');
      const busy = async (): Promise<void> => {
        throw Object.assign(new Error('busy'), { code: 'EBUSY' });
      };
      const network = new HostNetwork({
        hostRoot: root,
        files: new BootFiles(),
        calls: { ...nodeFileCalls, rename: busy },
      });
      await network.writeHostname('kiosk');
      assert.equal(await readFile(join(root, 'etc/hostname'), 'utf8'), 'kiosk\n');
      assert.deepEqual(await readdir(join(root, 'etc')), ['hostname']);
    } finally {
      await rm(root, { recursive: true });
    }
  });
});
