import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { timeoutSignal } from '../../api/platform/time-limit.js';
import { tarOf } from '../../controllers/engine/local/tar.js';
import { conditionOf } from '../../crds/model/conditions.js';
import type { AppService, AppSpec } from '../../crds/model/types.js';
import { type Container, Scene, unchanged } from '../setup/scene.js';

const PORT = 18_099;
/** Leaves one address beside that of its gateway. */
const TINY = { ipam: { config: [{ subnet: '10.93.8.0/30', gateway: '10.93.8.1' }] } };
const LAB = { ipam: { config: [{ subnet: '10.93.9.0/24', gateway: '10.93.9.1' }] } };

describe('a service that cannot run as its document says', () => {
  let scene: Scene;
  let neighbour: { readonly name: string; readonly appId: number; readonly old: readonly Container[] };

  before(async () => {
    scene = await Scene.open();
    const [name, appId] = [`${scene.prefix}-neighbour`, scene.appId()];
    await scene.put(name, { appId, services: { main: scene.service({ ports: [`${PORT}:${PORT}`] }) } });
    await scene.untilReady(name);
    neighbour = { name, appId, old: await scene.untilRunning(appId, ['main']) };
  });
  after(() => scene?.close());
  afterEach(async () => {
    assert.deepEqual(
      unchanged(await scene.containers(neighbour.appId)),
      unchanged(neighbour.old),
      'a neighbour notices nothing',
    );
    assert.equal((await scene.agent.ask('/v1/healthy')).status, 200);
  });

  /** `docker load` of an image that says what it is made for. */
  async function load(reference: string, architecture: string): Promise<void> {
    const layer = tarOf([{ path: 'bin/' }]);
    const rootfs = { type: 'layers', diff_ids: [`sha256:${createHash('sha256').update(layer).digest('hex')}`] };
    const config = JSON.stringify({ architecture, os: 'linux', config: { Cmd: ['sh'] }, rootfs });
    const manifest = JSON.stringify([{ Config: 'config.json', RepoTags: [reference], Layers: ['layer.tar'] }]);
    const file = tarOf([
      { path: 'layer.tar', content: layer },
      { path: 'config.json', content: config },
      { path: 'manifest.json', content: manifest },
    ]);
    await scene.docker.request({ method: 'POST', path: '/images/load', file });
    scene.onClose(() => scene.docker.engine.removeImage(reference, timeoutSignal(60_000)));
  }

  const isStalled = async (name: string): Promise<boolean> => {
    const service = await scene.agent.document('Service', name);
    return service !== undefined && conditionOf(service, 'Stalled')?.status === 'True';
  };

  const cases: readonly {
    readonly it: string;
    readonly fields?: Partial<AppService>;
    readonly more?: AppSpec;
    readonly reason: string;
    readonly says: RegExp;
    readonly stalled: boolean;
  }[] = [
    {
      it: 'names a port of the host that is taken',
      fields: { ports: [`${PORT}:${PORT}`] },
      reason: 'PortInUse',
      says: new RegExp(`port \\S*${PORT} of the host is taken: .*stop that one, or publish another port`),
      stalled: false,
    },
    {
      it: 'names a device that is not there',
      fields: { devices: ['/dev/not-plugged-in'] },
      reason: 'DeviceMissing',
      says: /device \/dev\/not-plugged-in does not exist on this host: plug it in, or correct devices/,
      stalled: false,
    },
    {
      it: 'names a path that is not there',
      fields: { volumes: [{ type: 'bind', source: '/not/mounted', target: '/x', bind: { create_host_path: false } }] },
      more: { allowHostBinds: true },
      reason: 'HostPathMissing',
      says: /\/not\/mounted does not exist on this host: make it, or correct volumes/,
      stalled: false,
    },
    {
      it: 'names an address that its network does not have',
      fields: { networks: { lab: { ipv4_address: '10.1.2.3' } } },
      more: { networks: { lab: LAB } },
      reason: 'InvalidSpec',
      says: /10\.1\.2\.3 is in no subnet of its network/,
      stalled: true,
    },
    {
      it: 'names a command that the image lacks',
      fields: { command: ['no-such-program'] },
      reason: 'CommandNotFound',
      says: /command no-such-program does not exist in the image: correct command or entrypoint/,
      stalled: true,
    },
    {
      it: 'names a runtime that the engine lacks',
      fields: { runtime: 'kata' },
      reason: 'RuntimeMissing',
      says: /the engine has no runtime kata: install it there, or leave runtime out/,
      stalled: true,
    },
    {
      it: 'says that there is no GPU',
      fields: { gpus: 'all' },
      reason: 'GpuMissing',
      says: /no driver for GPUs/,
      stalled: true,
    },
  ];
  for (const [index, { it: title, fields, more, reason, says, stalled }] of cases.entries()) {
    it(`${title}, and ${stalled ? 'is not tried again' : 'is tried again'}`, async () => {
      const [name, appId] = [`${scene.prefix}-bad${index}`, scene.appId()];
      const events = await scene.record(appId);
      await scene.put(name, { appId, services: { main: scene.service(fields) }, ...more });
      await scene.untilReason('Service', `${name}.main`, reason, says);
      assert.equal(await isStalled(`${name}.main`), stalled);
      if (stalled) {
        const tries = () => events.seen.filter((event) => /container (create|die)|network connect/.test(event)).length;
        const before = tries();
        // Other work on the same engine wakes nobody who has given up.
        await scene.put(`${name}-other`, { appId: scene.appId(), services: { main: scene.service() } });
        await scene.untilReady(`${name}-other`);
        assert.ok(tries() - before <= 2, events.seen.join(', '));
      }
      events.stop();
      await scene.delete(name);
    });
  }

  it('gets its port as soon as the other one lets go of it', async () => {
    const [holder, heir] = [`${scene.prefix}-holder`, `${scene.prefix}-heir`];
    const spec = (): AppSpec => ({
      appId: scene.appId(),
      services: { main: scene.service({ ports: [`${PORT + 1}:${PORT + 1}`] }) },
    });
    await scene.put(holder, spec());
    await scene.untilReady(holder);
    await scene.put(heir, spec());
    await scene.untilReason('Service', `${heir}.main`, 'PortInUse');
    await scene.delete(holder);
    await scene.untilReady(heir);
  });

  it('waits for a fixed address that a sibling has, on its first network as on a further one', async () => {
    const [name, appId] = [`${scene.prefix}-address`, scene.appId()];
    const lab = { lab: { ipv4_address: '10.93.9.5' } };
    await scene.put(name, {
      appId,
      services: {
        first: scene.service({ networks: lab }),
        second: scene.service({ networks: lab, depends_on: ['first'] }),
        third: scene.service({ networks: { default: {}, ...lab }, depends_on: ['first'] }),
      },
      networks: { lab: LAB },
    });
    const says = /a fixed address of the service is taken on its network: choose another/;
    await scene.untilReason('Service', `${name}.second`, 'AddressInUse', says);
    await scene.untilReason('Service', `${name}.third`, 'AddressInUse', says);
    await scene.delete(name);
  });

  it('waits for a free address of a network that has no more', async () => {
    const [name, appId] = [`${scene.prefix}-full`, scene.appId()];
    const fields = { networks: ['tiny'] };
    await scene.put(name, {
      appId,
      services: { first: scene.service(fields), second: scene.service({ ...fields, depends_on: ['first'] }) },
      networks: { tiny: TINY },
    });
    const says = /network \d+_tiny has no free address left: give it a larger subnet/;
    await scene.untilReason('Service', `${name}.second`, 'NoFreeAddress', says);
    await scene.delete(name);
  });

  it('keeps its App from a release that the device cannot run, and what ran runs on', async () => {
    const [name, appId] = [`${scene.prefix}-foreign`, scene.appId()];
    const foreign = `${scene.prefix}:foreign`;
    await load(foreign, 'riscv64');
    await scene.put(name, { appId, services: { main: scene.service() } });
    await scene.untilReady(name);
    const old = await scene.containers(appId);
    const says =
      /image \S+:foreign is made for linux\/riscv64, which this device \(amd64\) does not run: name an image for linux\/amd64/;
    await scene.put(name, { appId, services: { main: scene.service({ image: foreign }) } });
    await scene.untilReason('App', name, 'InvalidRelease', says);
    await scene.put(name, { appId, services: { main: scene.service({ platform: 'linux/arm64' }) } });
    await scene.untilReason('App', name, 'InvalidRelease', /for linux\/amd64, and the document asks for linux\/arm64/);
    assert.deepEqual(unchanged(await scene.containers(appId)), unchanged(old));
    await scene.delete(name);
  });

  it('keeps its App from a release that contradicts itself', async () => {
    const [name, appId] = [`${scene.prefix}-loop`, scene.appId()];
    const loop = { a: scene.service({ depends_on: ['b'] }), b: scene.service({ depends_on: ['a'] }) };
    await assert.rejects(scene.put(name, { appId, services: loop }), /: 422 .*services wait for each other: a → b → a/);
    await scene.put(name, { appId, services: { a: scene.service({ networks: ['nowhere'] }) } });
    await scene.untilReason('App', name, 'InvalidRelease', /nowhere is not declared: add it under spec\.networks/);
    await scene.delete(name);
  });

  it('is refused at entry for a port that is none and an environment that is too large', async () => {
    const refused = async (fields: Partial<AppService>, says: RegExp): Promise<void> => {
      const spec = { appId: scene.appId(), services: { main: scene.service(fields) } };
      const path = `/apis/supercargo.io/v1/apps/${scene.prefix}-refused`;
      const reply = await scene.agent.ask(path, { method: 'PUT', body: { spec } });
      assert.ok(reply.status >= 400 && reply.status < 500, String(reply.status));
      assert.match(reply.text, says);
    };
    await refused({ ports: ['eighty'] }, /ports\[0\]: Expected a port such as 8080:80/);
    await refused(
      { environment: { BIG: 'x'.repeat(200_000) } },
      /BIG: Too large: 200004 bytes .*write it to a file in a volume/,
    );
    await refused({ environment: { BIG: 'x'.repeat(1 << 20) } }, /too large|too long|at most 256 KiB/i);
    await refused({ volumes: ['/etc:/etc'] }, /only where the App says allowHostBinds: true/);
  });
});
