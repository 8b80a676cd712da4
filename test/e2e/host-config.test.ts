import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { conditionOf, isReady } from '../../crds/model/conditions.js';
import { CommandProcess } from '../setup/command.js';
import { Scene, unchanged } from '../setup/scene.js';

const CONFIG_TXT = '# theirs\ngpu_mem=16\n[pi4]\narm_boost=1\n[all]\n';
const ROUTE =
  'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\neth0\t00000000\t0102A8C0\t0003\t0\t0\t100\t00000000\n';

/** A balenaOS in a folder, of which nothing is real: its restart is a file that grows. */
class FakeRoot {
  #boots = 0;
  private constructor(readonly path: string) {}

  static async make(): Promise<FakeRoot> {
    const root = new FakeRoot(await mkdtemp(join(tmpdir(), 'e2e-host-')));
    await root.put(
      'etc/os-release',
      'PRETTY_NAME="balenaOS 5.1.20"\nMETA_BALENA_VERSION="5.1.20"\nVARIANT_ID="prod"\n',
    );
    await root.put('etc/hostname', 'old\n');
    await root.put('mnt/boot/device-type.json', '{"slug":"raspberrypi4-64","arch":"amd64"}');
    await root.put('mnt/boot/config.json', `{"uuid":"${'0123456789abcdef'.repeat(2)}","deviceApiKey":"k"}`);
    await root.put('mnt/boot/config.txt', CONFIG_TXT);
    await root.put('proc/net/route', ROUTE);
    await root.put('proc/net/ipv6_route', '');
    await root.put('restarts', '');
    await root.boot();
    return root;
  }

  async put(path: string, text: string): Promise<void> {
    await mkdir(dirname(join(this.path, path)), { recursive: true });
    await writeFile(join(this.path, path), text);
  }

  get(path: string): Promise<string> {
    return readFile(join(this.path, path), 'utf8');
  }

  async boot(): Promise<void> {
    this.#boots += 1;
    await this.put('proc/sys/kernel/random/boot_id', `boot-${this.#boots}\n`);
    await rm(join(this.path, 'tmp'), { recursive: true, force: true });
  }

  async restarts(): Promise<number> {
    return (await this.get('restarts')).length;
  }
}

describe('the host, as an agent process keeps it', () => {
  let root: FakeRoot;
  let scene: Scene;
  let command: CommandProcess;
  before(async () => {
    command = CommandProcess.built();
    root = await FakeRoot.make();
    scene = await Scene.open({
      args: ['--host-root', root.path],
      env: {
        SUPERCARGO_REBOOT_COMMAND: `dd if=/dev/zero of=${root.path}/restarts bs=1 count=1 oflag=append conv=notrunc`,
      },
    });
  });
  after(async () => {
    await scene?.close();
    command?.remove();
    await rm(root.path, { recursive: true, force: true });
  });

  const env = () => ({ SUPERCARGO_HOST: `127.0.0.1:${scene.agent.port}` });
  const device = async () => {
    const document = await scene.agent.document('HostConfig', 'device');
    assert.ok(document);
    return document;
  };
  const declare = (spec: object): Promise<void> =>
    writeFile(
      join(scene.agent.manifests, 'device.json'),
      JSON.stringify({ apiVersion: 'supercargo.io/v1', kind: 'HostConfig', metadata: { name: 'device' }, spec }),
    );
  const untilFile = (text: string) =>
    scene.until(
      'config.txt is as wanted',
      () => root.get('mnt/boot/config.txt'),
      (seen) => seen === text,
      { everyMs: 10 },
    );
  /** What a start of the device is for us. */
  const startDevice = async (): Promise<void> => {
    await scene.agent.stop();
    await root.boot();
    await scene.agent.start();
  };
  let appId: number;

  it('writes a boot file from a document, restarts the device once, and lets apps be', async () => {
    appId = scene.appId();
    await scene.put(`${scene.prefix}-app`, { appId, services: { main: scene.service() } });
    await scene.untilReady(`${scene.prefix}-app`);
    const before = await scene.containers(appId);
    await declare({ config: { HOST_CONFIG_gpu_mem: '64' } });
    await untilFile(CONFIG_TXT.replace('16', '64'));
    await scene.until(
      'the restart is asked for',
      () => root.restarts(),
      (count) => count === 1,
    );
    assert.equal(conditionOf(await device(), 'Ready')?.reason, 'RebootRequired');
    await startDevice();
    await scene.until('the device is Ready', device, isReady);
    assert.equal(await root.restarts(), 1);
    assert.deepEqual(unchanged(await scene.containers(appId)), unchanged(before));
    const { system } = (await device()).status ?? {};
    assert.equal(system?.deviceType, 'raspberrypi4-64');
    assert.equal(system?.osVersion, 'balenaOS 5.1.20');
    assert.equal(system?.osVariant, 'prod');
    assert.equal((await scene.agent.get<{ os_version: string }>('/v1/device')).os_version, 'balenaOS 5.1.20');
    assert.deepEqual((await scene.agent.get<{ info: object }>('/v2/local/device-info')).info, {
      arch: 'amd64',
      deviceType: 'raspberrypi4-64',
    });
  });

  it('puts an edit of somebody else back within a second, and says what it was', async () => {
    const began = performance.now();
    await root.put('mnt/boot/config.txt', CONFIG_TXT.replace('16', '8'));
    await untilFile(CONFIG_TXT.replace('16', '64'));
    const tookMs = performance.now() - began;
    assert.ok(tookMs < 3_000, `${tookMs} ms`); // a second on a machine that has nothing else to do
    await scene.until(
      'the edit is told',
      () => scene.agent.events('HostConfig', 'device'),
      (events) => events.some((one) => /^ForeignEdit: .*HOST_CONFIG_gpu_mem: 64 → 8/.test(one)),
    );
    assert.equal(await root.restarts(), 1);
  });

  it('stalls for a key that may not be changed, and apps go on', async () => {
    const before = await scene.containers(appId);
    await declare({ config: { HOST_CONFIG_gpu_mem: '64', HOST_CONFIG_kernel: 'mine.img' } });
    await scene.untilReason('HostConfig', 'device', 'ForbiddenKey');
    const other = scene.appId();
    await scene.put(`${scene.prefix}-other`, { appId: other, services: { main: scene.service() } });
    await scene.untilReady(`${scene.prefix}-other`);
    assert.deepEqual(unchanged(await scene.containers(appId)), unchanged(before));
    assert.equal(await root.get('mnt/boot/config.txt'), CONFIG_TXT.replace('16', '64'));
  });

  it('takes a change back that leaves the device without a default route', async () => {
    await declare({ config: { HOST_CONFIG_gpu_mem: '256' }, confirm: { deadlineSeconds: 2 } });
    await untilFile(CONFIG_TXT.replace('16', '256'));
    await scene.until(
      'the restart is asked for',
      () => root.restarts(),
      (count) => count === 2,
    );
    await root.put('proc/net/route', '');
    await startDevice();
    await untilFile(CONFIG_TXT.replace('16', '64'));
    await scene.until(
      'the device is restarted with what was there',
      () => root.restarts(),
      (count) => count === 3,
    );
    await startDevice();
    await scene.untilReason('HostConfig', 'device', 'RolledBack', /default route/);
    assert.equal(await root.get('mnt/boot/config.txt'), CONFIG_TXT.replace('16', '64'));
    assert.equal(await root.restarts(), 3);
    await root.put('proc/net/route', ROUTE);
  });

  it('takes a change back at once whose file is removed before it has proved itself, and restarts the device', async () => {
    await declare({ config: { HOST_CONFIG_gpu_mem: '256' }, confirm: { manual: true } });
    await untilFile(CONFIG_TXT.replace('16', '256'));
    const restarted = (times: number) =>
      scene.until(
        `the device is restarted ${times} times`,
        () => root.restarts(),
        (count) => count === times,
      );
    await restarted(4);
    await startDevice();
    await scene.untilReason('HostConfig', 'device', 'Confirming', /a request to confirm it/);
    await rm(join(scene.agent.manifests, 'device.json'));
    await untilFile(CONFIG_TXT.replace('16', '64'));
    await restarted(5);
    await scene.untilReason('HostConfig', 'device', 'RebootRequired', /HOST_CONFIG_gpu_mem: 256 → 64/);
    const late = await command.run(['delete', 'hostconfig', 'device'], { env: env() });
    assert.equal(late.code, 1, 'only a file declares it');
    await startDevice();
    await scene.until(
      'the document is gone',
      () => scene.agent.document('HostConfig', 'device'),
      (one) => !one,
    );
    assert.equal(await root.get('mnt/boot/config.txt'), CONFIG_TXT.replace('16', '64'));
    assert.equal(await root.restarts(), 5);
  });

  it('leaves and enters local mode without a restart', async () => {
    const answer = async (): Promise<number> => (await scene.agent.ask('/v2/version')).status;
    await declare({ config: { SUPERVISOR_LOCAL_MODE: 'false' } });
    await scene.until('a key is needed', answer, (status) => status === 401);
    await declare({ config: { SUPERVISOR_LOCAL_MODE: 'true' } });
    await scene.until('none is needed', answer, (status) => status === 200);
  });

  it('names a host, and keeps the name when somebody confirms it', async () => {
    const spec = { hostname: 'shed', confirm: { manual: true } };
    const path = '/apis/supercargo.io/v1/hostconfigs/network';
    const put = await scene.agent.ask(path, { method: 'PUT', body: { spec } });
    assert.equal(put.status, 201, put.text);
    await scene.untilReason('HostConfig', 'network', 'Confirming', /a request to confirm it/);
    assert.equal(JSON.parse(await root.get('mnt/boot/config.json')).hostname, 'shed');
    assert.equal((await scene.agent.post(`${path}/requests`, { name: 'confirm' })).status, 202);
    await scene.until(
      'the name is Ready',
      () => scene.agent.document('HostConfig', 'network'),
      (one) => one !== undefined && isReady(one),
    );
  });

  it('takes a name back that the command deletes before somebody confirms it, and keeps what was confirmed', async () => {
    const hostname = async () => JSON.parse(await root.get('mnt/boot/config.json')).hostname;
    const spec = { hostname: 'barn', confirm: { manual: true } };
    const path = '/apis/supercargo.io/v1/hostconfigs/network';
    const put = await scene.agent.ask(path, { method: 'PUT', body: { spec } });
    assert.equal(put.status, 200, put.text);
    await scene.untilReason('HostConfig', 'network', 'Confirming', /a request to confirm it/);
    assert.equal(await hostname(), 'barn');
    const ended = await command.run(['delete', 'hostconfig', 'network'], { env: env() });
    assert.deepEqual([ended.code, ended.out], [0, 'hostconfig/network deleted\n'], ended.err);
    assert.equal(await scene.agent.document('HostConfig', 'network'), undefined);
    assert.equal(await hostname(), 'shed');
    const events = await scene.agent.events('HostConfig', 'network');
    assert.ok(
      events.some((one) => /^RolledBack: .*its document was deleted before/.test(one)),
      events.join('\n'),
    );
  });
});
