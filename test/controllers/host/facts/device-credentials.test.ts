import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deviceCredentials, readDeviceCredentials } from '../../../../controllers/host/facts/device-credentials.js';

describe('readDeviceCredentials', () => {
  it('waits for nobody to write where somebody has put a pipe', async () => {
    const root = await mkdtemp(join(tmpdir(), 'supercargo-credentials-'));
    await mkdir(join(root, 'mnt/boot'), { recursive: true });
    execFileSync('mkfifo', [join(root, 'mnt/boot/config.json')]);
    assert.equal(await readDeviceCredentials(root), undefined);
    await rm(root, { recursive: true });
  });
});

describe('deviceCredentials', () => {
  const managed = {
    uuid: 'abc',
    deviceApiKey: 'device',
    apiEndpoint: 'https://api.example.com',
    registryEndpoint: 'registry2.example.net',
  };
  const cases: ReadonlyArray<{ it: string; config: unknown; want: ReturnType<typeof deviceCredentials> }> = [
    {
      it: 'shows the device key to the registries of its cloud',
      config: managed,
      want: { auth: { username: 'd_abc', password: 'device' }, domains: ['example.com', 'registry2.example.net'] },
    },
    {
      it: 'shows the provisioning key as long as there is one',
      config: { ...managed, apiKey: 'provisioning' },
      want: {
        auth: { username: 'd_abc', password: 'provisioning' },
        domains: ['example.com', 'registry2.example.net'],
      },
    },
    {
      it: 'trusts an endpoint that is not called api with itself only',
      config: { ...managed, apiEndpoint: 'http://cloud.local:3000', registryEndpoint: undefined },
      want: { auth: { username: 'd_abc', password: 'device' }, domains: ['cloud.local'] },
    },
    {
      it: 'has none on a device without a cloud',
      config: { uuid: 'abc', deviceApiKey: 'device', apiEndpoint: '' },
      want: undefined,
    },
    {
      it: 'has none before there is a key',
      config: { uuid: 'abc', apiEndpoint: 'https://api.example.com' },
      want: undefined,
    },
    { it: 'has none in what is no configuration', config: 'x', want: undefined },
  ];
  for (const { it: does, config, want } of cases) it(does, () => assert.deepEqual(deviceCredentials(config), want));
});
