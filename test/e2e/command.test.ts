import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CommandProcess, type Ended } from '../setup/command.js';
import { Scene } from '../setup/scene.js';

describe('the supercargo command on a device', () => {
  let scene: Scene;
  let command: CommandProcess;
  before(async () => {
    scene = await Scene.open();
    command = CommandProcess.built();
  });
  after(async () => {
    command?.remove();
    await scene?.close();
  });

  const env = () => ({ SUPERCARGO_HOST: `127.0.0.1:${scene.agent.port}` });
  const run = (...args: readonly string[]): Promise<Ended> =>
    command.run(args, { env: env(), cwd: scene.agent.folder });
  /** Runs it and returns what it printed; throws unless it ends with that code. */
  async function expect(code: number, ...args: readonly string[]): Promise<string> {
    const ended = await run(...args);
    assert.equal(ended.code, code, `${args.join(' ')}\n${ended.out}${ended.err}\n${scene.agent.tail()}`);
    return ended.out;
  }

  it('applies an app, shows it, follows its output, commands it, compares and deletes it', async () => {
    const name = `${scene.prefix}-cli`;
    const appId = scene.appId();
    const write = (greeting: string): void => {
      const main = scene.service({
        command: ['sh', '-c', 'while true; do echo "$GREETING"; sleep 0.2; done'],
        environment: { GREETING: greeting },
      });
      const document = {
        apiVersion: 'supercargo.io/v1',
        kind: 'App',
        metadata: { name },
        spec: { appId, services: { main } },
      };
      writeFileSync(join(scene.agent.folder, 'app.json'), JSON.stringify(document));
    };
    write('hello');
    assert.match(await expect(2, 'diff', '-f', 'app.json'), /\(new\)/);
    const applied = await expect(0, 'apply', '-f', 'app.json');
    assert.match(applied, new RegExp(`^app/${name} created\\n(.*\\n)*app/${name} ready\\n$`));
    const [container] = await scene.untilRunning(appId, ['main']);
    assert.match(await expect(0, 'get', 'service', `${name}.main`), /running/);
    assert.match(await expect(0, 'status'), new RegExp(`${name} +ready +1/1 running`));

    const following = command.start(['logs', '-f', '--tail', '1', `${name}/main`], { env: env() });
    await following.printed(/^hello\nhello\n/);
    const top = JSON.parse((await expect(0, 'top', '--interval', '0.2', '--json')).trim());
    assert.deepEqual([top.app, top.service], [name, 'main']);
    assert.ok(top.memoryBytes > 0 && top.processes >= 1 && top.cpuPercent >= 0, JSON.stringify(top));

    assert.equal(await expect(0, 'stop', `${name}/main`), `service/${name}.main stopped\n`);
    // Docker tells that it has stopped a moment before its inspection shows it.
    await scene.until(
      'the container has stopped',
      async () => (await scene.container(container?.id ?? ''))?.state,
      (state) => state === 'exited',
    );
    assert.equal(await expect(0, 'start', `${name}/main`), `service/${name}.main started\n`);
    await scene.untilRunning(appId, ['main']);

    write('good day');
    assert.match(await expect(2, 'diff', '-f', 'app.json'), /- .*GREETING: "hello"\n.*\+ .*GREETING: "good day"/);
    await expect(0, 'apply', '-f', 'app.json');
    await following.printed(/\ngood day\n/); // the next container, on the same stream
    following.child.kill('SIGINT');
    assert.equal((await following.ended).code, 130);
    assert.equal(await expect(0, 'diff', '-f', 'app.json'), '');

    assert.match(await expect(0, 'describe', `app/${name}`), /Events:[\s\S]*Released/);
    assert.equal(await expect(0, 'delete', '-f', 'app.json'), `app/${name} deleted\n`);
    assert.deepEqual(await scene.containers(appId), []);
    assert.match((await run('get', `app/${name}`)).err, /not found/);
  });

  it('finds the key of the agent on the same device', async () => {
    const { out, code } = await run('key', '--data', scene.agent.data);
    assert.deepEqual([code, out.trim()], [0, await scene.agent.key()]);
  });

  it('starts in little more than the time of Node itself', () => {
    const best = (args: readonly string[]): number =>
      Math.min(
        ...Array.from({ length: 4 }, () => {
          const begun = performance.now();
          assert.equal(spawnSync(process.execPath, args).status, 0);
          return performance.now() - begun;
        }),
      );
    const node = best(['-e', '0']);
    const own = best(['dist/supercargo.js', 'version', '--client']);
    // 150 ms are promised where Node itself takes 40.
    assert.ok(own - node < Math.max(110, node * 2), `${own.toFixed(0)} ms, Node alone ${node.toFixed(0)} ms`);
  });
});
