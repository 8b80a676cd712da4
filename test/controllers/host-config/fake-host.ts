import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { pino } from 'pino';
import type { Clock } from '../../../api/platform/clock.js';
import { type Disk, nodeDisk } from '../../../api/platform/disk.js';
import { openStore } from '../../../api/store/document-store.js';
import type { Store } from '../../../api/store/store.js';
import { BootFiles } from '../../../controllers/host/boot/boot-files.js';
import { BootPartition } from '../../../controllers/host/boot/boot-partition.js';
import { type HostFs, nodeHostFs } from '../../../controllers/host/fs.js';
import { HostStateFile } from '../../../controllers/host/host-state.js';
import { HostNetwork } from '../../../controllers/host/network/host-network.js';
import type { PowerAnswer, PowerFailure } from '../../../controllers/host/power/power-request.js';
import { RebootMarker } from '../../../controllers/host/power/reboot-marker.js';
import type { Unit, Units } from '../../../controllers/host/units.js';
import { type HostConfigDeps, hostConfigController } from '../../../controllers/host-config/controller.js';
import { Loop } from '../../../controllers/runtime/loop.js';
import { conditionOf } from '../../../crds/model/conditions.js';
import { API_VERSION, keyOf, type Origin } from '../../../crds/model/kinds.js';
import type { HostConfigSpec } from '../../../crds/model/types.js';
import { FakeClock } from '../../setup/fake-clock.js';
import { FOLDERS } from '../../setup/folders.js';

const silent = pino({ level: 'silent' });
export const CONFIG = { uuid: '3fa91c07e2', apiKey: 'k', listenPort: '48484', nested: { a: [1] } };

/** What is durable is not asked here, and the disks of test machines are slow. */
const disk: Disk = {
  ...nodeDisk,
  create: (path, text) => writeFile(path, text, { flag: 'wx' }),
  syncFolder: async () => undefined,
};

/** A host in a folder; its systemd notes what it was told, and nothing of it can end a machine. */
export class FakeHost {
  readonly reported: string[] = [];
  /** Calls that changed a file. */
  writes = 0;
  /** The call after so many that change something fails, and all after it. */
  failAfter = Number.POSITIVE_INFINITY;
  /** The store's own disk counts too: the machine may go off between a document and a file. */
  countsStore = false;
  /** What every write answers instead of doing anything. */
  refusal: { readonly code: string; readonly below: string } | undefined;
  units: Readonly<Record<string, Unit>> | undefined = {
    'balena-proxy-config.service': { activeState: 'inactive', partOf: [] },
    'redsocks.service': { activeState: 'active', partOf: ['redsocks-conf.target'] },
  };
  deviceType = 'raspberrypi4-64';
  bootId = 'boot-1';
  /** By the monotonic clock. */
  bootedAtMs = -10_000;
  /** The time of day that files get which are written. */
  now: () => number = Date.now;
  defaultRoute = true;
  apiAnswers = true;
  appsAreKnown = true;
  obstacle: string | undefined;
  powerAnswer: PowerAnswer = { is: 'scheduled' };
  /** How a restart that was promised has failed; it is under way after the next one that is promised. */
  rebootFailure: PowerFailure | undefined;
  readonly output: string[] = [];

  private constructor(readonly root: string) {}

  static async make(boot: boolean): Promise<FakeHost> {
    const host = new FakeHost(await mkdtemp(join(FOLDERS, 'host-')));
    await host.put('etc/hostname', 'old\n');
    if (boot) await host.put('mnt/boot/config.json', JSON.stringify(CONFIG));
    return host;
  }

  #spend(path = ''): void {
    if (this.writes >= this.failAfter) throw new Error('the machine is off');
    const { refusal } = this;
    if (refusal && path.startsWith(join(this.root, refusal.below))) {
      throw Object.assign(new Error(refusal.code), { code: refusal.code });
    }
    this.writes += 1;
  }

  get fs(): HostFs {
    const { rename, remove } = nodeHostFs;
    const spending =
      <A extends readonly unknown[]>(call: (...args: A) => Promise<void>) =>
      async (...args: A) => {
        this.#spend(String(args[0]));
        await call(...args);
      };
    const changed = {
      write: spending(async (path: string, bytes: Uint8Array) => {
        await writeFile(path, bytes);
        const seconds = this.now() / 1000;
        await utimes(path, seconds, seconds);
      }),
      rename: spending(rename),
      remove: spending(remove),
      sync: spending(async (_: string) => undefined),
    };
    return { ...nodeHostFs, ...changed };
  }

  get disk(): Disk {
    const spend = (): void => {
      if (this.countsStore) this.#spend();
    };
    return {
      ...disk,
      create: async (path, text) => {
        spend();
        await disk.create(path, text);
      },
      rename: async (from, to) => {
        spend();
        await disk.rename(from, to);
      },
      remove: async (path) => {
        spend();
        await disk.remove(path);
      },
    };
  }

  /** Asked for; it goes when `startDevice` is called. */
  reboot(): PowerAnswer {
    this.#spend();
    this.reported.push('reboot');
    if (this.powerAnswer.is === 'scheduled') this.rebootFailure = undefined;
    return this.powerAnswer;
  }

  get systemd(): Units {
    const { units } = this;
    const record = async (text: string) => {
      this.#spend();
      this.reported.push(text);
    };
    return {
      present: units !== undefined,
      find: async (name) => units?.[name],
      restart: (name) => record(`restart ${name}`),
      switch: (name, verb) => record(`${verb} ${name}`),
      setHostname: (name) => record(`name ${name}`),
    };
  }

  async put(path: string, text: string): Promise<void> {
    await mkdir(dirname(join(this.root, path)), { recursive: true });
    await writeFile(join(this.root, path), text);
  }

  async get(path: string): Promise<string | undefined> {
    return (await nodeHostFs.read(join(this.root, path)))?.toString();
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

  /** What a start of the device does: the rest is memory that is gone, and a reboot marker that lay in it. */
  async startDevice(nowMs: number): Promise<void> {
    this.bootId = `boot-${Number(this.bootId.slice('boot-'.length)) + 1}`;
    this.bootedAtMs = nowMs;
    this.reported.length = 0;
    await rm(join(this.root, 'tmp'), { recursive: true, force: true });
  }
}

type Time = Pick<Clock, 'now' | 'monotonic'>;

/** What the controller works with on that host. */
export function depsOf(host: FakeHost, store: Store, folder: string, time: Time): HostConfigDeps {
  const { fs } = host;
  const files = new BootFiles(fs);
  const device = { deviceType: host.deviceType, metaVersion: undefined };
  return {
    ...{ store, device, units: host.systemd, facts: { uuid: CONFIG.uuid }, localMode: true, ...time },
    network: new HostNetwork({ hostRoot: host.root, files, fs }),
    boot: new BootPartition({ hostRoot: host.root, device, files, fs }),
    state: new HostStateFile(folder, { now: time.now, fs }),
    marker: new RebootMarker(host.root, fs),
    clock: { read: async () => ({ bootId: host.bootId, uptimeMs: time.monotonic() - host.bootedAtMs }) },
    probes: {
      hasDefaultRoute: async () => host.defaultRoute,
      addresses: () => ['127.0.0.1:48484'],
      answers: async () => host.apiAnswers,
      appsAreKnown: () => host.appsAreKnown,
    },
    obstacle: () => host.obstacle,
    reboot: async () => host.reboot(),
    rebootFailure: () => host.rebootFailure,
    logLine: (message) => void host.output.push(message),
    system: async () => ({ system: { deviceType: host.deviceType, arch: 'aarch64' } }),
  };
}

/** The agent as far as this controller needs it. */
export class FakeAgent {
  private constructor(
    readonly store: Store,
    readonly loop: Loop,
    readonly clock: FakeClock,
  ) {}

  static async start(host: FakeHost, folder: string, clock = new FakeClock()): Promise<FakeAgent> {
    host.now = () => clock.now();
    const store = await openStore({ folder, now: () => clock.now(), log: silent, statusDelayMs: 0, disk: host.disk });
    const controller = hostConfigController(
      depsOf(host, store, folder, {
        now: () => clock.now(),
        monotonic: () => clock.monotonic(),
      }),
    );
    const loop = new Loop(controller, { store, clock, random: () => 0, log: silent });
    loop.start();
    return new FakeAgent(store, loop, clock);
  }

  async declare(spec: HostConfigSpec, name = 'network', origin: Origin = 'files'): Promise<void> {
    const document = { apiVersion: API_VERSION, kind: 'HostConfig', metadata: { name }, spec } as const;
    await this.store.put(origin, { document });
  }

  documentOf(name: string) {
    const document = this.store.get('HostConfig', name);
    assert.ok(document);
    return document;
  }

  get document() {
    return this.documentOf('network');
  }

  /** `True`, or why not. */
  ready(name: string): string {
    const ready = conditionOf(this.documentOf(name), 'Ready');
    return ready?.status === 'True' ? 'True' : `${ready?.reason}: ${ready?.message}`;
  }

  events(name: string): readonly string[] {
    return this.store.events(keyOf('HostConfig', name)).map(({ reason, message }) => `${reason}: ${message}`);
  }

  async quiet(): Promise<void> {
    do await nextTurn();
    while (!this.loop.isQuiet);
  }

  /** Lets time pass, and looks at everything. */
  async pass(ms: number): Promise<void> {
    this.clock.advance(ms);
    await this.quiet();
  }

  /** Lets time pass as on a device: each timer fires, and what it stirs up ends, before the next one does. `isOver` ends it sooner. */
  async run(ms: number, isOver: () => boolean = () => false): Promise<void> {
    const untilMs = this.clock.monotonic() + ms;
    for (;;) {
      const [nextMs = Number.POSITIVE_INFINITY] = this.clock.planned;
      if (this.clock.monotonic() + nextMs > untilMs) break;
      this.clock.step();
      await this.quiet();
      if (isOver()) return;
    }
    await this.pass(untilMs - this.clock.monotonic());
  }

  /** The device starts, and the agent with it: the next one. */
  async startDevice(host: FakeHost, folder: string): Promise<FakeAgent> {
    await this.stop();
    this.clock.advance(30_000);
    await host.startDevice(this.clock.monotonic() - 10_000);
    const next = await FakeAgent.start(host, folder, this.clock);
    await next.quiet();
    return next;
  }

  async stop(): Promise<void> {
    await this.loop.stop();
    await this.store.close();
  }
}
