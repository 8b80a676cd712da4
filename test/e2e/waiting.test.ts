import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { timeoutSignal } from '../../api/platform/time-limit.js';
import type { AppSpec } from '../../crds/model/types.js';
import { CommandProcess } from '../setup/command.js';
import { useRegistry } from '../setup/docker.js';
import { type Container, Scene, unchanged } from '../setup/scene.js';

type Rollout = NonNullable<AppSpec['rollout']>;

/** A window that is open from so many hours on, for half an hour. */
function windowIn(hours: number): Rollout {
  const at = new Date(Date.now() + hours * 3_600_000);
  return { window: { cron: `0 ${at.getUTCHours()} * * *`, duration: '30m', timeZone: 'UTC' } };
}
const ALWAYS: Rollout = { window: { cron: '* * * * *', duration: '5m', timeZone: 'UTC' } };

/** Three Apps at once, because most of the time is waiting: one for its approval, one for a window, one for a boot. */
describe('a release that waits for its time, on a real engine', function () {
  this.timeout(60_000);
  let scene: Scene;
  let command: CommandProcess;
  let root: string;
  before(async () => {
    command = CommandProcess.built();
    root = await mkdtemp(join(tmpdir(), 'e2e-waiting-'));
    await startBoot('first');
    scene = await Scene.open({ args: ['--host-root', root], env: { SUPERCARGO_MIN_READY: '0s' } });
  });
  after(async () => {
    command?.remove();
    await scene?.close();
    await rm(root, { recursive: true, force: true });
  });

  async function startBoot(id: string): Promise<void> {
    const path = join(root, 'proc/sys/kernel/random/boot_id');
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, `${id}\n`);
  }
  const run = async (...args: readonly string[]): Promise<string> => {
    const ended = await command.run(args, { env: { SUPERCARGO_HOST: `127.0.0.1:${scene.agent.port}` } });
    assert.equal(ended.code, 0, `${args.join(' ')}\n${ended.out}${ended.err}\n${scene.agent.tail()}`);
    return ended.out + ended.err;
  };
  const anotherAgent = async (): Promise<void> => {
    await scene.agent.kill();
    await scene.agent.start();
  };
  const byFile = (name: string, appId: number, version: string, rollout: Rollout, image = scene.image) => {
    const services = {
      main: scene.service({ image, environment: { VERSION: version } }),
      other: scene.service(),
    };
    const document = { apiVersion: 'supercargo.io/v1', kind: 'App', metadata: { name } };
    const text = JSON.stringify({ ...document, spec: { appId, rollout, services } });
    return writeFile(join(scene.agent.manifests, `${name}.json`), text);
  };
  const untilVersion = (appId: number, version: string) =>
    scene.until(
      `it runs ${version}`,
      async () =>
        (await scene.containers(appId)).flatMap(({ env }) => env.filter((one) => one.startsWith('VERSION='))).join(),
      (seen) => seen === `VERSION=${version}`,
    );

  const apps = {
    approval: { rollout: { apply: 'approval' }, reason: 'AwaitingApproval', says: /supercargo approve / },
    window: {
      rollout: windowIn(6),
      reason: 'OutsideWindow',
      says: /waits until \d{4}-\d\d-\d\d \d\d:00 GMT\+00:00 \(UTC\)/,
    },
    boot: { rollout: { apply: 'reboot' }, reason: 'AwaitingReboot', says: /next boot of the device/ },
  } as const satisfies Readonly<Record<string, { rollout: Rollout; reason: string; says: RegExp }>>;
  type Name = keyof typeof apps;
  const each = <T>(action: (name: Name) => Promise<T>): Promise<readonly T[]> =>
    Promise.all((Object.keys(apps) as Name[]).map(action));
  const ids = {} as Record<Name, number>;
  const nameOf = (name: Name): string => `${scene.prefix}-${name}`;
  const untilWaits = (name: Name) => scene.untilReason('App', nameOf(name), apps[name].reason, apps[name].says);

  it('is downloaded, and outlives its registry and the agent; what runs is not touched', async () => {
    const registry = await useRegistry();
    scene.onClose(() => registry.close());
    const next = `${registry.address}/${scene.prefix}/shop:2`;
    const unnoticed = next.replace('127.0.0.1', 'localhost');
    await scene.makeImage(unnoticed, { files: [{ path: 'etc/content', content: randomBytes(16) }] });
    await scene.docker.push(unnoticed);
    await scene.docker.engine.removeImage(unnoticed, timeoutSignal(60_000));

    const before: Partial<Record<Name, readonly Container[]>> = {};
    await each(async (name) => {
      ids[name] = scene.appId();
      await byFile(nameOf(name), ids[name], '1', { apply: 'now' });
      await scene.untilReady(nameOf(name));
      before[name] = await scene.untilRunning(ids[name], ['main', 'other']);
    });
    const record = await scene.record(ids.approval);
    await each((name) => byFile(nameOf(name), ids[name], '2', apps[name].rollout, next));
    const messages = await each(untilWaits);
    await registry.close();
    await anotherAgent();
    assert.deepEqual(await each(untilWaits), messages);
    await each(async (name) =>
      assert.deepEqual(unchanged(await scene.containers(ids[name])), unchanged(before[name] ?? [])),
    );
    record.stop();
    assert.deepEqual(record.seen, []);
    const locks = await readdir(join(root, scene.agent.lockRoot), { recursive: true }).catch(() => []);
    assert.deepEqual(
      locks.filter((one) => one.endsWith('.lock')),
      [],
    );
  });

  it('goes ahead when somebody approves it, and the event says who; what runs is repaired before', async () => {
    const [name, appId] = [nameOf('approval'), ids.approval];
    const { revision } = (await scene.agent.document('App', name))?.status?.next ?? {};
    const [main] = await scene.containers(appId);
    await scene.docker.request({ method: 'DELETE', path: `/containers/${main?.id}`, query: { force: '1' } });
    await scene.untilRunning(appId, ['main', 'other']);
    await untilVersion(appId, '1');
    assert.match(await run('why', name), new RegExp(`asked for revision ${revision} .* and waits: AwaitingApproval`));
    await run('approve', name);
    await untilVersion(appId, '2');
    await scene.untilReady(name);
    assert.match(await run('events', `app/${name}`), new RegExp(`Revision ${revision} goes ahead: approved by \\S+@`));
  });

  it('goes ahead in a window that is open', async () => {
    await byFile(nameOf('window'), ids.window, '2', ALWAYS, await imageOf('window'));
    await untilVersion(ids.window, '2');
    await scene.untilReady(nameOf('window'));
  });

  it('goes ahead with a boot of the device', async () => {
    await untilWaits('boot');
    await startBoot('second');
    await anotherAgent();
    await untilVersion(ids.boot, '2');
    await scene.untilReady(nameOf('boot'));
  });

  /** What its document asks for. */
  const imageOf = async (name: Name): Promise<string | undefined> =>
    (await scene.agent.document('App', nameOf(name)))?.spec.services?.main?.image;
});
