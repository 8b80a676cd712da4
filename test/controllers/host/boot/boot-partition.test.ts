import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { loadAcpiTables } from '../../../../controllers/host/boot/acpi-tables.js';
import { BootFiles } from '../../../../controllers/host/boot/boot-files.js';
import { BootPartition } from '../../../../controllers/host/boot/boot-partition.js';
import { ODMDATA_OFFSETS } from '../../../../controllers/host/boot/odmdata.js';
import { splashVariable } from '../../../../controllers/host/boot/splash.js';

const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const picture = (text: string): Buffer => Buffer.concat([PNG, Buffer.from(text)]);

describe('the boot partition', () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'boot-'));
  });
  afterEach(() => rm(root, { recursive: true }));

  const put = async (path: string, content: string | Uint8Array): Promise<void> => {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  };
  const open = (deviceType: string, metaVersion?: string) =>
    new BootPartition({ hostRoot: root, device: { deviceType, metaVersion }, files: new BootFiles() });
  const backendOf = async (boot: BootPartition, name: string) => {
    const found = (await boot.see()).backends.find(({ backend }) => backend.name === name);
    assert.ok(found, name);
    return found;
  };

  const devices: readonly [deviceType: string, metaVersion: string | undefined, files: readonly string[]][] = [
    ['raspberrypi4-64', '5.1.20', ['config.txt', 'splash image']],
    ['fincm3', undefined, ['config.txt', 'splash image']],
    ['jetson-tx2', '2.46.1', ['extlinux.conf', 'extra_uEnv.txt', 'ODMDATA', 'splash image']],
    ['jetson-tx2', '2.47.0-rc1', ['extlinux.conf', 'extra_uEnv.txt', 'ODMDATA', 'splash image']],
    ['jetson-tx2', '2.47.0', ['extra_uEnv.txt', 'ODMDATA', 'splash image']],
    ['jetson-nano', undefined, ['extra_uEnv.txt', 'splash image']],
    ['jetson-agx-orin-devkit', '5.0.0', ['extra_uEnv.txt', 'splash image', 'power and fan']],
    ['imx8mm-var-dart-plt', '5.0.0', ['extra_uEnv.txt', 'splash image']],
    ['up-board', '5.0.0', ['configfs.json', 'splash image']],
    ['generic-amd64', '5.0.0', ['splash image']],
  ];
  for (const [deviceType, metaVersion, files] of devices) {
    it(`of a ${deviceType} with ${metaVersion ?? 'no version'} has ${files.join(', ')}`, async () => {
      await put('mnt/boot/extra_uEnv.txt', '');
      const { backends } = await open(deviceType, metaVersion).see();
      assert.deepEqual(
        backends.map(({ backend }) => backend.name),
        files,
      );
    });
  }

  it('has no extra_uEnv.txt where the file is not there', async () => {
    await put('mnt/boot/config.json', '{}');
    assert.deepEqual(
      (await open('jetson-nano').see()).backends.map(({ backend }) => backend.name),
      ['splash image'],
    );
  });

  it('tells of a file that cannot be understood', async () => {
    await put('mnt/boot/config.json', '{}');
    assert.match((await backendOf(open('jetson-tx2', '2.40.0'), 'extlinux.conf')).error ?? '', /possibly bricked/);
  });

  it('shows a picture, and the one that it came with again', async () => {
    const boot = open('generic-amd64');
    await put('mnt/boot/splash/balena-logo.png', picture('theirs'));
    const { backend } = await backendOf(boot, 'splash image');
    const image = splashVariable(picture('ours'));
    assert.equal(await boot.set(backend, { image }), true);
    assert.deepEqual((await backendOf(boot, 'splash image')).now, { image });
    assert.equal(await boot.set(backend, { image }), false);
    assert.equal(await boot.set(backend, { image: undefined }), true);
    assert.deepEqual(await readFile(join(root, 'mnt/boot/splash/balena-logo.png')), picture('theirs'));
    assert.deepEqual((await backendOf(boot, 'splash image')).now, {});
  });

  it('writes all three bytes of ODMDATA, and locks the partition again', async () => {
    await put('mnt/boot/config.json', '{}');
    await put('dev/mmcblk0boot0', Buffer.alloc(20_000));
    await put('sys/block/mmcblk0boot0/force_ro', '1');
    const boot = open('jetson-tx2');
    const { backend, now } = await backendOf(boot, 'ODMDATA');
    assert.deepEqual(now, { configuration: '1' });
    assert.equal(await boot.set(backend, { configuration: '5' }), true);
    const bytes = await readFile(join(root, 'dev/mmcblk0boot0'));
    assert.deepEqual(
      [...bytes.entries()].filter(([, byte]) => byte !== 0),
      ODMDATA_OFFSETS.map((offset) => [offset, 2]),
    );
    assert.equal(await readFile(join(root, 'sys/block/mmcblk0boot0/force_ro'), 'utf8'), '1');
    await put('dev/mmcblk0boot0', bytes.fill(9, ODMDATA_OFFSETS[0], (ODMDATA_OFFSETS[0] ?? 0) + 1));
    assert.match((await backendOf(boot, 'ODMDATA')).error ?? '', /differ/);
  });

  it('keeps what others wrote into config.json', async () => {
    await put('mnt/boot/config.json', '{"uuid":"a","os":{"network":{"x":1}}}');
    const boot = open('jetson-agx-orin-devkit');
    const { backend } = await backendOf(boot, 'power and fan');
    await put('mnt/boot/config.json', '{"uuid":"a","os":{"network":{"x":2}},"ntpServers":"n"}');
    await boot.set(backend, { power_mode: 'low' });
    await boot.configure({ persistentLogging: true });
    assert.deepEqual(JSON.parse(await readFile(join(root, 'mnt/boot/config.json'), 'utf8')), {
      ...{ uuid: 'a', os: { network: { x: 2 }, power: { mode: 'low' } } },
      ...{ ntpServers: 'n', persistentLogging: true },
    });
  });

  it('loads ACPI tables once, and the others when one is missing', async () => {
    await mkdir(join(root, 'sys/kernel/config/acpi/table'), { recursive: true });
    await put('boot/acpi-tables/spi.aml', 'bytes');
    const warnings: string[] = [];
    const run = async () => assert.fail('a program was run');
    const options = { hostRoot: root, run, log: { warn: (_: object, message: string) => void warnings.push(message) } };
    await loadAcpiTables(['gone', 'spi'], options);
    await loadAcpiTables(['spi'], options);
    assert.equal(await readFile(join(root, 'sys/kernel/config/acpi/table/spi/aml'), 'utf8'), 'bytes');
    assert.deepEqual(warnings, ['Could not load the ACPI table gone']);
  });
});
