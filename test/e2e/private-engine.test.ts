import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectEngine } from '../../controllers/engine/client/dockerode-engine.js';
import type { Engine } from '../../controllers/engine/engine.js';
import { SUPERVISED } from '../../controllers/engine/labels.js';
import { isRoot } from '../../controllers/engine/local/debian-packages.js';
import { engineFolders } from '../../controllers/engine/local/engine-folders.js';
import { findEngine, stopPrivateEngine } from '../../controllers/engine/local/private-engine.js';
import { seedImage } from '../../controllers/engine/local/seed-image.js';
import { conditionOf, isReady } from '../../crds/model/conditions.js';
import { AgentProcess } from '../setup/agent.js';
import { until } from '../setup/until.js';

// Only root can start a daemon; with an engine given from outside these tests may run as anybody.
if (isRoot()) {
  describe('an engine of our own', () => {
    const { signal } = new AbortController();
    const said: string[] = [];
    const say = (text: string): void => {
      said.push(text);
    };
    let dataFolder = '';
    let dockerHost = '';
    let engine: Engine;
    const find = () => findEngine({ mode: 'private', dataFolder, env: process.env, print: say });
    const lines = async (id: string): Promise<string[]> => {
      const messages: string[] = [];
      for await (const { message } of engine.followLogs(id, 0, signal)) messages.push(message);
      return messages;
    };

    before(async () => {
      dataFolder = await mkdtemp(join(tmpdir(), 'supercargo-engine-'));
      ({ dockerHost } = await find());
      engine = connectEngine({ dockerHost });
    });
    after(async () => {
      await stopPrivateEngine(dataFolder);
      await rm(dataFolder, { recursive: true });
    });

    it('keeps its data in the data folder and says that it starts', async () => {
      assert.equal((await engine.info(signal)).rootDir, engineFolders(dataFolder).dataRoot);
      assert.ok(said.some((text) => text.includes('Starting a Docker engine of our own')));
    });

    it('is found again instead of started again', async () => {
      said.length = 0;
      assert.deepEqual(await find(), { dockerHost, started: true });
      assert.deepEqual(said, []);
    });

    it('makes an image whose containers reach each other by name', async () => {
      const seed = { dockerHost, reference: 'busybox:latest', print: say };
      assert.equal(await seedImage(seed), 'made');
      assert.equal(await seedImage(seed), 'present');
      await engine.createNetwork('app', { Labels: {} }, signal);
      const run = async (name: string, Cmd: string[], more: object = {}): Promise<string> => {
        const created = await engine.createContainer(
          name,
          {
            Image: 'busybox',
            Cmd,
            StopTimeout: 0,
            Labels: { [SUPERVISED]: '1' },
            HostConfig: { NetworkMode: 'app', ...more },
          },
          signal,
        );
        assert.ok(created.is === 'created');
        await engine.startContainer(created.id, signal);
        return created.id;
      };
      await run('web', ['httpd', '-f', '-p', '80', '-h', '/etc'], { RestartPolicy: { Name: 'always' } });
      const ask = await run('ask', [
        'sh',
        '-c',
        'for n in 1 2 3; do timeout 2 wget -q -O- http://web/passwd && break; done',
      ]);
      assert.deepEqual((await lines(ask)).slice(0, 1), ['root:x:0:0:root:/root:/bin/sh']);
    });

    it('comes back after it was killed, and its containers have run on', async () => {
      const before = await engine.inspectContainer('web', signal);
      process.kill(Number(await readFile(engineFolders(dataFolder).pidFile, 'utf8')), 'SIGKILL');
      while (
        await engine.info(signal).then(
          () => true,
          () => false,
        )
      );
      await find();
      const again = await engine.inspectContainer('web', signal);
      assert.equal(again?.state, 'running');
      assert.deepEqual(again, before);
    });

    it('leaves nothing behind but its data when it is stopped', async () => {
      const { bridge, runFolder, pidFile } = engineFolders(dataFolder);
      const interfaces = new Set(Object.keys(networkInterfaces()));
      const [network] = (await engine.listNetworks(signal)).filter(({ name }) => name === 'app');
      const own = [bridge, `br-${network?.id.slice(0, 12)}`];
      await stopPrivateEngine(dataFolder);
      assert.ok(own.every((name) => interfaces.has(name)));
      assert.ok(own.every((name) => networkInterfaces()[name] === undefined));
      await assert.rejects(readdir(runFolder), { code: 'ENOENT' });
      const commands = await Promise.all(
        (await readdir('/proc'))
          .filter((name) => /^\d+$/.test(name))
          .map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
      );
      assert.ok(commands.every((command) => !command.includes(pidFile)));
      assert.ok(!(await readFile('/proc/self/mounts', 'utf8')).includes(dataFolder));
      await assert.rejects(engine.info(signal), { name: 'EngineUnreachable' });
    });
  });

  describe('an agent with an engine of its own', () => {
    const { signal } = new AbortController();
    let agent: AgentProcess;
    let engine: Engine;
    const daemonPid = async () => Number(await readFile(engineFolders(agent.data).pidFile, 'utf8'));
    const untilReady = () =>
      until(
        'the app is Ready',
        () => agent.document('App', 'kept'),
        (app) => app !== undefined && isReady(app),
        { withinMs: 60_000, hint: () => agent.tail() },
      );
    const container = async () => {
      const [one] = await engine.listContainers(signal);
      return one && { id: one.id, state: one.state, startedAt: one.startedAt };
    };

    const appMessage = async (): Promise<string> => {
      const app = await agent.document('App', 'kept');
      return (app && conditionOf(app, 'Ready')?.message) ?? '';
    };
    /** What the check of the engine tells, '' when all is well. */
    const engineHealth = async (): Promise<string> => {
      type Health = { readonly status: { readonly checks: readonly { name: string; message?: string }[] } };
      const { checks } = (await agent.get<Health>('/apis/supercargo.io/v1/health')).status;
      return checks.find(({ name }) => name === 'engine')?.message ?? '';
    };

    before(async () => {
      const args = ['--engine', 'private', '--seed-image', 'busybox:latest'];
      agent = await AgentProcess.prepare({ dockerHost: '', args });
      await agent.start();
      engine = connectEngine({ dockerHost: `unix://${engineFolders(agent.data).socket}` });
      const main = { image: 'busybox:latest', command: ['sleep', '1000000'], stop_signal: 'SIGKILL' };
      const path = '/apis/supercargo.io/v1/apps/kept';
      await agent.ask(path, { method: 'PUT', body: { spec: { appId: 1, services: { main } } } });
      await untilReady();
    });
    after(async () => {
      await agent.stop();
      await stopPrivateEngine(agent.data);
      await agent.remove();
    });

    it('starts it again when it was killed, and its containers run on', async () => {
      const before = await container();
      const pid = await daemonPid();
      process.kill(pid, 'SIGKILL');
      await until(
        'the app says so',
        () => agent.document('App', 'kept'),
        (app) => app !== undefined && !isReady(app),
      );
      await untilReady();
      assert.notEqual(await daemonPid(), pid);
      assert.deepEqual(await container(), before);
      const reasons = async () => (await agent.events('App', 'kept')).map((event) => event.split(':')[0]);
      await until(
        'events tell it',
        async () => (await reasons()).filter((reason) => reason?.startsWith('Engine')).join(),
        (seen) => seen === 'EngineEnded,EngineStarted',
      );
    });

    it('is named by every status while it hangs', async () => {
      const pid = await daemonPid();
      process.kill(pid, 'SIGSTOP');
      try {
        const message = await until(
          'the app says that the engine hangs',
          appMessage,
          (seen) => /within 15 s/.test(seen),
          {
            withinMs: 90_000,
            hint: () => agent.tail(),
          },
        );
        assert.match(message, /of our own runs, but does not answer within 15 s, since 20\S+Z$/);
        assert.match(await engineHealth(), /does not answer/);
        assert.equal((await agent.ask('/v1/healthy')).status, 200, 'a restart of the agent would not help');
      } finally {
        process.kill(pid, 'SIGCONT');
      }
      await untilReady();
      assert.equal(await daemonPid(), pid);
    });

    it('is named by every status while its containerd hangs, though it takes connections', async () => {
      const commands = await Promise.all(
        (await readdir('/proc'))
          .filter((name) => /^\d+$/.test(name))
          .map(async (pid) => ({
            pid: Number(pid),
            line: await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''),
          })),
      );
      const { execRoot } = engineFolders(agent.data);
      const containerd = commands.find(({ line }) => /containerd\0--config/.test(line) && line.includes(execRoot));
      assert.ok(containerd);
      process.kill(containerd.pid, 'SIGSTOP');
      try {
        const message = await until(
          'the app says that containerd hangs',
          appMessage,
          (seen) => /containerd/.test(seen),
          {
            withinMs: 35_000,
            hint: () => agent.tail(),
          },
        );
        assert.match(message, /takes connections, but its containerd does not answer within 15 s, since 20\S+Z$/);
        assert.match(await engineHealth(), /its containerd does not answer/);
      } finally {
        process.kill(containerd.pid, 'SIGCONT');
      }
      await untilReady();
      assert.equal(await engineHealth(), '');
    });

    it('starts it again when the file of its socket is gone, and its containers run on', async () => {
      const [before, pid] = [await container(), await daemonPid()];
      await rm(engineFolders(agent.data).socket);
      const message = await until('the app says so', appMessage, (seen) => /cannot be reached/.test(seen), {
        hint: () => agent.tail(),
        withinMs: 20_000,
      });
      assert.match(message, /of our own runs, but cannot be reached: connect ENOENT/);
      await untilReady();
      assert.notEqual(await daemonPid(), pid);
      assert.deepEqual(await container(), before);
    });
  });
}
