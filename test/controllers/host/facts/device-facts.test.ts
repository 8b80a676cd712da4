import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { architecture, parseOsRelease, readDeviceFacts } from '../../../../controllers/host/facts/device-facts.js';

describe('device facts', () => {
  let hostRoot: string;
  let dataFolder: string;
  const read = () =>
    readDeviceFacts({ hostRoot, dataFolder, engineSocket: '/var/run/docker.sock', apiPort: 48484, now: () => 7 });
  const put = async (path: string, content: string) => {
    await mkdir(dirname(join(hostRoot, path)), { recursive: true });
    await writeFile(join(hostRoot, path), content);
  };

  beforeEach(async () => {
    hostRoot = await mkdtemp(join(tmpdir(), 'facts-'));
    dataFolder = join(hostRoot, 'data/agent');
  });
  afterEach(() => rm(hostRoot, { recursive: true, force: true }));

  it('describes a bare machine by its processor', async () => {
    const facts = await read();
    assert.equal(facts.arch, architecture(process.arch));
    assert.equal(facts.deviceType, `generic-${facts.arch}`);
    assert.equal(facts.osVersion, '');
    assert.equal(facts.boardRevision, undefined);
    assert.equal(facts.hasModules, false);
    assert.equal(facts.hostname(), hostname());
  });

  it('believes the boot partition and the host', async () => {
    await put('mnt/boot/device-type.json', '{"slug":"raspberrypi4-64","arch":"aarch64","name":"Pi"}');
    await put('mnt/boot/config.json', `{"uuid":"${'ab'.repeat(31)}"}`);
    await put('etc/os-release', 'ID="balena-os"\nPRETTY_NAME="balenaOS 6.1"\nBALENA_BOARD_REV=0123abc\n');
    await put('etc/hostname', 'kitchen\n');
    await put('lib/modules/x', '');
    const { deviceType, arch, uuid, osVersion, boardRevision, hasModules, hasFirmware, hostname: name } = await read();
    assert.deepEqual(
      { deviceType, arch, uuid, osVersion, boardRevision, hasModules, hasFirmware, name: name() },
      {
        deviceType: 'raspberrypi4-64',
        arch: 'aarch64',
        uuid: 'ab'.repeat(31),
        osVersion: 'balenaOS 6.1',
        boardRevision: '0123abc',
        hasModules: true,
        hasFirmware: false,
        name: 'kitchen',
      },
    );
    assert.equal((await readdir(hostRoot)).includes('data'), false, 'makes no uuid of its own');
  });

  it('makes a uuid once and keeps it for itself', async () => {
    const { uuid } = await read();
    assert.match(uuid, /^[0-9a-f]{32}$/);
    assert.equal((await read()).uuid, uuid);
    assert.equal((await stat(join(dataFolder, 'device.json'))).mode & 0o777, 0o600);
    assert.deepEqual(await readdir(dataFolder), ['device.json']);
  });

  for (const config of ['{', '[]', '{}', '{"uuid":12}', '{"uuid":"short"}']) {
    it(`takes its own uuid when config.json says ${config}`, async () => {
      const { uuid } = await read();
      await put('mnt/boot/config.json', config);
      assert.equal((await read()).uuid, uuid);
    });
  }

  it('sets a broken device.json aside', async () => {
    await mkdir(dataFolder, { recursive: true });
    await writeFile(join(dataFolder, 'device.json'), '{"uu');
    const { uuid } = await read();
    assert.equal((await read()).uuid, uuid);
    assert.equal(await readFile(join(dataFolder, 'device.json.corrupt-7'), 'utf8'), '{"uu');
  });

  it('makes no new uuid while there is a device.json that cannot be read', async () => {
    await mkdir(join(dataFolder, 'device.json'), { recursive: true });
    await assert.rejects(read(), /Could not read .*device\.json/);
    assert.deepEqual(await readdir(dataFolder), ['device.json']);
  });

  const processors = [
    ['x64', undefined, 'amd64'],
    ['arm64', undefined, 'aarch64'],
    ['arm', '7', 'armv7hf'],
    ['arm', undefined, 'armv7hf'],
    ['arm', '6', 'rpi'],
    ['ia32', undefined, 'i386'],
    ['riscv64', undefined, 'riscv64'],
  ] as const;
  for (const [node, arm, want] of processors) {
    it(`calls ${node}${arm ? ` v${arm}` : ''} ${want}`, () => assert.equal(architecture(node, arm), want));
  }

  it('reads os-release as a shell would', () => {
    const content = '# comment\nNAME=Debian\nPRETTY_NAME="Debian \\"12\\""\nID=\'x y\'\nbroken\n';
    assert.deepEqual({ ...parseOsRelease(content) }, { NAME: 'Debian', PRETTY_NAME: 'Debian "12"', ID: 'x y' });
  });
});
