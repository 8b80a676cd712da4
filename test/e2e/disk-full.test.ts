import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { timeoutSignal } from '../../api/platform/time-limit.js';
import { remoteImage } from '../../controllers/engine/images/registry-client.js';
import { findEngine, stopPrivateEngine } from '../../controllers/engine/local/private-engine.js';
import { type TestEngine, type TestRegistry, useEngine, useEngineAt, useRegistry } from '../setup/docker.js';
import { Scene, unchanged } from '../setup/scene.js';

const MB = 1024 ** 2;

describe('an engine on a small disk', () => {
  let disk: string;
  let workshop: TestEngine;
  let registry: TestRegistry;
  let scene: Scene;

  before(async function () {
    disk = await mkdtemp(join(tmpdir(), 'supercargo-disk-'));
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=160m', 'tmpfs', disk], { stdio: 'ignore' });
    } catch {
      await rm(disk, { recursive: true });
      this.skip(); // mounting a tmpfs takes root, as does the engine that these tests start: there they run
    }
    const { dockerHost } = await findEngine({
      mode: 'private',
      dataFolder: disk,
      env: process.env,
      print: () => undefined,
    });
    workshop = await useEngine();
    registry = await useRegistry();
    scene = await Scene.open({ docker: useEngineAt(dockerHost), env: { SUPERCARGO_MIN_FREE_DISK: '32m' } });
  });
  after(async () => {
    await scene?.close();
    await registry?.close();
    await workshop?.close();
    if (!workshop) return;
    await stopPrivateEngine(disk);
    execFileSync('umount', ['-l', disk]);
    await rm(disk, { recursive: true });
  });

  it('does not begin a pull that does not fit, says so, and goes on when there is room; what runs goes on', async () => {
    const image = `${registry.address}/${scene.prefix}/large:1`;
    await workshop.makeImage(image, { files: [{ path: 'large', content: randomBytes(30 * MB) }] });
    await workshop.push(image);
    await workshop.engine.removeImage(image, timeoutSignal(60_000));
    const remote = await remoteImage(image, undefined, 'amd64', timeoutSignal(60_000));
    assert.equal(remote?.diffIds.length, 1);
    assert.ok((remote.layers[0] ?? 0) > 30 * MB, 'the registry tells the size');

    const name = `${scene.prefix}-small`;
    const appId = scene.appId();
    await scene.put(name, { appId, services: { main: scene.service() } });
    await scene.untilReady(name);
    const old = await scene.untilRunning(appId, ['main']);
    const filler = join(disk, 'filler');
    await writeFile(filler, Buffer.alloc(70 * MB));

    await scene.put(name, { appId, release: { commit: 'two', id: 2 }, services: { main: scene.service({ image }) } });
    await scene.untilReason(
      'App',
      name,
      'ImagesNotReady',
      /not enough room for .*large:1: it takes about \d+ MB, and \d+ MB are free/,
    );
    const found = (await scene.agent.documents('Image')).find(({ spec }) => spec.image === image);
    await scene.untilReason('Image', found?.metadata.name ?? '', 'NotEnoughDisk', /make room on the disk/);
    assert.deepEqual(unchanged(await scene.containers(appId)), unchanged(old));

    await rm(filler);
    await scene.untilReady(name, { withinMs: 90_000 });
    await scene.untilRunning(appId, ['main']);
  });
});
