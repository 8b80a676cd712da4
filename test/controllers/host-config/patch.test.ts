import assert from 'node:assert/strict';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pino } from 'pino';
import { systemClock } from '../../../api/platform/clock.js';
import { BootFiles } from '../../../controllers/host/boot/boot-files.js';
import { HostNetwork } from '../../../controllers/host/network/host-network.js';
import { systemdUnits } from '../../../controllers/host/units.js';
import { hostConfigController } from '../../../controllers/host-config/controller.js';
import { Loop } from '../../../controllers/runtime/loop.js';
import { conditionOf } from '../../../crds/model/conditions.js';
import { aHost } from '../../api/http/a-host.js';
import { aServer, type Bench, withKey } from '../../api/http/a-server.js';
import { depsOf, FakeHost } from './fake-host.js';

const URL = '/v1/device/host-config';
const PROXY = { type: 'socks5', ip: '10.0.0.1', port: 1080, login: 'me', password: 'pass' };

describe('a host-config patch, from the request to the files', () => {
  let host: FakeHost;
  let root: string;
  let bench: Bench;
  let loop: Loop;
  beforeEach(async () => {
    host = await FakeHost.make(true);
    root = host.root;
    await host.put('mnt/boot/config.json', '{"uuid":"3fa91c07e2"}');
    const network = new HostNetwork({ hostRoot: root, files: new BootFiles() });
    const run = async () => assert.fail('a program was run');
    bench = await aServer({ host: aHost({ network: () => network.show() }) });
    const { store } = bench;
    const units = systemdUnits({ hostRoot: root, run });
    const controller = hostConfigController({
      ...depsOf(host, store, join(root, 'data'), systemClock),
      network,
      units,
    });
    loop = new Loop(controller, { store, clock: systemClock, random: () => 0, log: pino({ level: 'silent' }) });
    loop.start();
  });
  afterEach(async () => {
    await loop.stop();
    await bench.close();
    await rm(root, { recursive: true });
  });

  const network = () => {
    const document = bench.store.get('HostConfig', 'network');
    assert.ok(document);
    return document;
  };
  const patch = async (network: object): Promise<string> => {
    const answer = await bench.server.inject({ method: 'PATCH', url: URL, headers: withKey, payload: { network } });
    return `${answer.statusCode} ${answer.payload}`;
  };
  const shown = async (): Promise<unknown> =>
    JSON.parse((await bench.server.inject({ url: URL, headers: withKey })).payload).network;
  const boot = async () => (await readdir(join(root, 'mnt/boot'), { recursive: true })).sort();

  it('is true when it is answered, and is merged, cleared and shown as recorded', async () => {
    assert.equal(await patch({ proxy: { ...PROXY, port: '1080', noProxy: ['a'], local_port: 1 } }), '200 OK');
    assert.deepEqual(await shown(), { hostname: 'old', proxy: { ...PROXY, noProxy: ['a'] } });
    assert.equal(await patch({ proxy: { noProxy: ['a'] } }), '200 OK');
    assert.equal(await patch({ proxy: { ip: '10.0.0.2', dns: true } }), '200 OK');
    assert.deepEqual(await shown(), {
      hostname: 'old',
      proxy: { ...PROXY, ip: '10.0.0.2', dns: '8.8.8.8:53', noProxy: ['a'] },
    });
    assert.equal(await patch({ hostname: 'kiosk', proxy: {} }), '200 OK');
    assert.deepEqual(await shown(), { hostname: 'old' });
    assert.equal(
      await readFile(join(root, 'mnt/boot/config.json'), 'utf8'),
      '{"uuid":"3fa91c07e2","hostname":"kiosk"}',
    );
    assert.deepEqual(await boot(), ['config.json', 'system-proxy', 'system-proxy/no_proxy']);
    assert.equal(await patch({ hostname: null, proxy: { noProxy: [] } }), '200 OK');
    assert.equal(
      await readFile(join(root, 'mnt/boot/config.json'), 'utf8'),
      '{"uuid":"3fa91c07e2","hostname":"3fa91c0"}',
    );
    assert.deepEqual(await boot(), ['config.json', 'system-proxy']);
  });

  it('is answered when the files are written, before the change has proved itself', async () => {
    host.apiAnswers = false;
    assert.equal(await patch({ hostname: 'kiosk' }), '200 OK');
    assert.equal(conditionOf(network(), 'Ready')?.reason, 'Confirming');
    assert.equal(network().spec.hostname, 'kiosk');
  });

  it('starts from nothing after a proxy that was invalid', async () => {
    assert.equal(await patch({ proxy: { ...PROXY, type: 'socks4' } }), '200 OK');
    const path = join(root, 'mnt/boot/system-proxy/redsocks.conf');
    await writeFile(path, (await readFile(path, 'utf8')).replace('socks4', 'bogus'));
    assert.match(await patch({ proxy: { ...PROXY, type: 'bogus' } }), /^400 .*at network\.proxy\.type$/s);
    assert.deepEqual(await shown(), { hostname: 'old', proxy: {} });
    assert.equal(await patch({ proxy: { type: 'socks4', ip: 'a', port: 1 } }), '200 OK');
    assert.deepEqual(await shown(), { hostname: 'old', proxy: { type: 'socks4', ip: 'a', port: 1 } });
  });

  it('comes after what is being deleted has been taken back', async () => {
    host.apiAnswers = false;
    await patch({ hostname: 'kiosk', proxy: PROXY });
    assert.equal(conditionOf(network(), 'Ready')?.reason, 'Confirming');
    host.refusal = { code: 'EROFS', below: 'mnt/boot' };
    await bench.store.delete('api', 'HostConfig/network');
    const answer = patch({ hostname: 'other' });
    host.refusal = undefined;
    assert.equal(await answer, '200 OK');
    assert.deepEqual(network().spec, { hostname: 'other' });
    assert.deepEqual(await boot(), ['config.json', 'system-proxy']);
  });

  it('repairs a file that was changed manually, although the document says the same', async () => {
    await patch({ proxy: PROXY });
    const path = join(root, 'mnt/boot/system-proxy/redsocks.conf');
    const wanted = await readFile(path, 'utf8');
    await writeFile(path, wanted.replace('off', 'on'));
    assert.equal(await patch({ proxy: PROXY }), '200 OK');
    assert.equal(await readFile(path, 'utf8'), wanted);
  });

  it('changes nothing when a value would break out of the file', async () => {
    assert.match(await patch({ proxy: { ...PROXY, ip: 'a;\n}\nbase {' } }), /^400 Could not parse .*\nspec.proxy.ip: /);
    assert.deepEqual(await boot(), ['config.json']);
    assert.equal(bench.store.get('HostConfig', 'network'), undefined);
  });

  it('changes nothing on a host that has no use for a proxy', async () => {
    await rm(join(root, 'mnt/boot/config.json'));
    assert.match(await patch({ proxy: PROXY }), /^503 This host has no boot partition/);
    assert.deepEqual(await boot(), []);
    assert.equal(bench.store.get('HostConfig', 'network'), undefined);
    assert.equal(await patch({ hostname: 'kiosk' }), '200 OK');
    assert.deepEqual(await shown(), { hostname: 'kiosk' });
  });
});
