import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { API_VERSION, keyOf } from '../../../../crds/model/kinds.js';
import type { HostConfigSpec } from '../../../../crds/model/types.js';
import { FOLDERS } from '../../../setup/folders.js';
import { FakeAgent, FakeHost } from '../fake-host.js';

export const CONFIG_TXT = 'mnt/boot/config.txt';
export const MARKER = 'tmp/balena-supervisor/reboot-after-apply';

/** config.txt as it is at first, a spec that changes it, and what it comes to. */
export const BEFORE = '# ours and theirs\ngpu_mem=16\n[pi4]\narm_boost=1\n[all]\ndtparam=audio=on\n';
export const SPEC: HostConfigSpec = {
  config: { HOST_CONFIG_gpu_mem: '64', HOST_CONFIG_dtparam: '"i2c_arm=on","spi=on"' },
};
export const AFTER = '# ours and theirs\ngpu_mem=64\n[pi4]\narm_boost=1\n[all]\ndtparam=i2c_arm=on\ndtparam=spi=on\n';

interface Options {
  /** False: a plain host, without a boot partition. */
  readonly boot?: boolean;
  /** Files of the host besides config.txt, by path. */
  readonly files?: Readonly<Record<string, string>>;
  /** What else of the host is different, before the agent starts. */
  readonly change?: (host: FakeHost) => void;
}

/** A device with a config.txt, and the agent on it, which may be started again. */
export class DeviceBench {
  private constructor(
    readonly host: FakeHost,
    /** The agent's data. */
    readonly folder: string,
    public agent: FakeAgent,
  ) {}

  static async open({ boot = true, files = {}, change }: Options = {}): Promise<DeviceBench> {
    const host = await FakeHost.make(boot);
    for (const [path, text] of Object.entries({ ...(boot ? { [CONFIG_TXT]: BEFORE } : {}), ...files }))
      await host.put(path, text);
    change?.(host);
    const folder = await mkdtemp(join(FOLDERS, 'data-'));
    return new DeviceBench(host, folder, await FakeAgent.start(host, folder));
  }

  async close(): Promise<void> {
    await this.agent.stop();
    for (const one of [this.host.root, this.folder]) await rm(one, { recursive: true });
  }

  async declare(spec: HostConfigSpec, origin: 'files' | 'local' = 'files'): Promise<void> {
    await this.agent.declare(spec, 'device', origin);
    await this.agent.quiet();
  }

  /** The device is restarted, and the agent with it. */
  async startDevice(): Promise<void> {
    this.agent = await this.agent.startDevice(this.host, this.folder);
  }

  async startAgent(clock = this.agent.clock): Promise<void> {
    this.agent = await FakeAgent.start(this.host, this.folder, clock);
    await this.agent.quiet();
  }

  /** A change that has taken effect, after which the device has no default route any more. */
  async bootWithoutRoute(spec: HostConfigSpec = SPEC): Promise<void> {
    await this.declare(spec);
    this.host.defaultRoute = false;
    await this.startDevice();
  }

  /** Time passes at once, as it does for a machine that is busy. */
  pass(ms: number): Promise<void> {
    return this.agent.pass(ms);
  }

  async resync(): Promise<void> {
    this.agent.loop.resync();
    await this.agent.quiet();
  }

  /** Somebody asks to keep the change. */
  async confirm(): Promise<void> {
    await this.agent.store.request(keyOf('HostConfig', 'device'), { confirm: {} });
    await this.agent.quiet();
  }

  /** An App that has not been looked at yet. */
  async declareApp(): Promise<void> {
    const document = { apiVersion: API_VERSION, kind: 'App', metadata: { name: 'hello' }, spec: {} } as const;
    await this.agent.store.put('files', { document });
  }

  get document() {
    return this.agent.documentOf('device');
  }

  get status() {
    return this.document.status ?? {};
  }

  /** `True`, or why not. */
  get ready(): string {
    return this.agent.ready('device');
  }

  get events(): readonly string[] {
    return this.agent.events('device');
  }

  /** How often an event of that reason was recorded; equal ones are kept as one. */
  times(reason: string): number {
    const events = this.agent.store.events(keyOf('HostConfig', 'device')).filter((one) => one.reason === reason);
    return events.reduce((sum, { count }) => sum + count, 0);
  }

  configTxt(): Promise<string | undefined> {
    return this.host.get(CONFIG_TXT);
  }
}
