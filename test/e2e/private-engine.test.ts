import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, truncate } from 'node:fs/promises';
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
import { freePort, useEngineAt } from '../setup/docker.js';
import { until } from '../setup/until.js';

// Only root can start a daemon; with an engine given from outside these tests may run as anybody.
if (isRoot()) {
  describe('an engine of our own', () => {
    const { signal } = new AbortController();
    const output: string[] = [];
    const say = (text: string): void => {
      output.push(text);
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
      assert.ok(output.some((text) => text.includes('Starting a Docker engine of our own')));
    });

    it('is found again instead of started again', async () => {
      output.length = 0;
      assert.deepEqual(await find(), { dockerHost, started: true });
      assert.deepEqual(output, []);
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
    const containerdPid = async (): Promise<number> => {
      const { execRoot } = engineFolders(agent.data);
      for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
        const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
        if (/containerd\0--config/.test(line) && line.includes(execRoot)) return Number(pid);
      }
      return assert.fail('containerd does not run');
    };
    const untilReady = (name = 'kept') =>
      until(
        `App ${name} is Ready`,
        () => agent.document('App', name),
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
      const containerd = await containerdPid();
      process.kill(containerd, 'SIGSTOP');
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
        process.kill(containerd, 'SIGCONT');
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

    it('ends a container whose record a kill has torn, and runs one in its place', async () => {
      const [torn] = await engine.listContainers(signal);
      assert.ok(torn);
      const docker = useEngineAt(`unix://${engineFolders(agent.data).socket}`);
      const { State } = (await docker.request({ path: `/containers/${torn.id}/json` })) as { State: { Pid: number } };
      const pid = await daemonPid();
      process.kill(pid, 'SIGSTOP'); // it must not write the record again
      await truncate(join(engineFolders(agent.data).dataRoot, 'containers', torn.id, 'config.v2.json'), 100);
      process.kill(pid, 'SIGKILL');
      const events = await until(
        'an event names it',
        () => agent.events('App', 'kept'),
        (seen) => seen.some((event) => event.startsWith('Stray')),
        { withinMs: 60_000, hint: () => agent.tail() },
      );
      assert.match(events.join('\n'), new RegExp(`Stray: Killed \\d+ processes of container ${torn.id}`));
      await until('another container runs', container, (seen) => seen?.state === 'running' && seen.id !== torn.id, {
        withinMs: 60_000,
        hint: () => agent.tail(),
      });
      await untilReady();
      const stat = await readFile(`/proc/${State.Pid}/stat`, 'utf8').catch(() => '');
      assert.ok(stat === '' || /\) Z /.test(stat), `its process runs on: ${stat}`);
    });

    it('is restarted when it keeps a port for nobody, and the service has its port', async () => {
      const port = await freePort();
      const web = {
        ...{ image: 'busybox:latest', command: ['httpd', '-f', '-p', '80', '-h', '/etc'], stop_signal: 'SIGKILL' },
        ports: [`127.0.0.1:${port}:80`],
      };
      // A start reserves the port and then waits for containerd: in between the daemon is killed.
      const containerd = await containerdPid();
      process.kill(containerd, 'SIGSTOP');
      const path = '/apis/supercargo.io/v1/apps/published';
      await agent.ask(path, { method: 'PUT', body: { spec: { appId: 2, services: { web } } } });
      try {
        await until(
          'the proxy listens',
          () =>
            fetch(`http://127.0.0.1:${port}/`).then(
              () => true,
              (error) => error.cause?.code !== 'ECONNREFUSED',
            ),
          (seen) => seen,
          { hint: () => agent.tail() },
        );
      } finally {
        process.kill(await daemonPid(), 'SIGKILL');
        process.kill(containerd, 'SIGKILL');
      }
      const restarting = await until(
        'an event says that the engine is restarted',
        () => agent.events('App', 'published'),
        (seen) => seen.some((event) => event.startsWith('EngineRestarting')),
        { hint: () => agent.tail() },
      );
      assert.match(
        restarting.join('\n'),
        new RegExp(`holds port 127.0.0.1:${port} of the host for no running container`),
      );
      await untilReady('published');
      assert.match(await (await fetch(`http://127.0.0.1:${port}/passwd`)).text(), /^root:/);
    });
  });
}
