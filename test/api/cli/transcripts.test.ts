import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { timeoutSignal } from '../../../api/platform/time-limit.js';
import { API_VERSION } from '../../../crds/model/kinds.js';
import { CommandProcess, type Run } from '../../setup/command.js';
import { sideBySide } from '../../setup/side-by-side.js';
import { follow } from '../../setup/transcript.js';
import { until } from '../../setup/until.js';
import { type MemoryAgent, startMemoryAgent } from '../../simulation/memory-agent.js';
import { anApp, declare } from '../http/a-server.js';

const fixture = (name: string): string => resolve('test/api/cli/fixtures', `${name}.txt`);
const cwd = resolve('test/api/cli/documents');

/** Tests at a time: most of one is the moment for which a command watches what it has started. */
const AT_A_TIME = 4;

describe('the supercargo command', function () {
  this.timeout(300_000);
  let command: CommandProcess;
  before(async () => {
    command = await CommandProcess.make();
  });
  after(() => command.remove());

  it('explains, keeps contexts and completes without an agent', () =>
    follow(fixture('alone'), command, { cwd, env: { SUPERCARGO_HOST: '127.0.0.1:9' } }));

  it('says what to do about a key', async () => {
    const agent = await startMemoryAgent({ localMode: false });
    try {
      await follow(fixture('key'), command, { cwd, env: { SUPERCARGO_HOST: agent.host } });
    } finally {
      await agent.close();
    }
  });

  /** What a test of a command works with: an agent of its own. */
  interface Bench {
    readonly agent: MemoryAgent;
    /** Runs against that agent, in the folder of the documents. */
    readonly run: (more?: Run) => Run;
    /** Applies an app of the services `web` and `db`. */
    readonly apply: (...args: readonly string[]) => Promise<void>;
    /** The container of one of them. */
    readonly containerOf: (service: string) => string;
  }
  const withAgent = (test: (bench: Bench) => Promise<void>) => async (): Promise<void> => {
    const agent = await startMemoryAgent();
    agent.engine.images.serve('busybox:1', { progress: [20, 70] });
    agent.engine.images.serve('busybox:2', { progress: [50] });
    const run = (more: Run = {}): Run => ({ cwd, env: { SUPERCARGO_HOST: agent.host }, ...more });
    const apply = async (...args: readonly string[]): Promise<void> => {
      const { code, out, err } = await command.run(['apply', '-f', 'hello.yaml', ...args], run());
      assert.equal(code, 0, out + err);
    };
    const containerOf = (service: string): string =>
      agent.store.get('Service', `hello.${service}`)?.status?.container?.id ?? '';
    try {
      await test({ agent, run, apply, containerOf });
    } finally {
      await agent.close();
    }
  };

  describe('with an agent', () => {
    const add = sideBySide(AT_A_TIME);

    add(
      'applies, shows, changes, commands and deletes an app',
      withAgent(({ run }) => follow(fixture('life'), command, run())),
    );

    add(
      'says what is wrong, where, and what to do next',
      withAgent(async ({ agent, run }) => {
        await declare(agent.store, 'files', anApp('filed', { services: { web: { image: 'busybox:1' } } }));
        await follow(fixture('mistakes'), command, run());
      }),
    );

    add(
      'suspends, resumes, and keeps git sources',
      withAgent(async ({ agent, run }) => {
        await declare(agent.store, 'files', anApp('filed', { services: { web: { image: 'busybox:1' } } }));
        await follow(fixture('suspend'), command, run());
      }),
    );

    add(
      'lets bash complete commands, kinds, and names on the device',
      withAgent(async ({ agent, run, apply }) => {
        await apply('--no-wait');
        const script = await command.run(['completion', 'bash'], run());
        const complete = async (...words: readonly string[]): Promise<string> => {
          const quoted = words.map((word) => `'${word}'`).join(' ');
          const bash = `supercargo() { ${command.line} "$@"; }; ${script.out}
          COMP_WORDS=(supercargo ${quoted}); COMP_CWORD=${words.length}; _supercargo; printf '%s ' "\${COMPREPLY[@]}"`;
          const options = { env: { ...process.env, SUPERCARGO_HOST: agent.host }, encoding: 'utf8' } as const;
          return (await promisify(execFile)('bash', ['-c', bash], options)).stdout.trim();
        };
        assert.equal(await complete('rest'), 'restart');
        assert.equal(await complete('get', 'serv'), 'service');
        assert.equal(await complete('logs', 'hel'), 'hello');
      }),
    );

    add(
      'describes an app with its parts and what happened',
      withAgent(async ({ run, apply }) => {
        await apply();
        const { out, code } = await command.run(['describe', 'app', 'hello'], run());
        assert.equal(code, 0);
        for (const part of [
          /^Name: +hello\nKind: +App\nDeclared by: +api\nAge: +\d+s\nGeneration: +1\nReady: +True\nSpec:\n {2}appId: 1$/m,
          /^Conditions:\n {2}TYPE +STATUS +REASON +MESSAGE\n {2}Ready +True +Settled +Nothing differs$/m,
          /^Parts:\n {2}NAME +READY +REASON\n {2}service\/hello\.web +True +Settled$/m,
          /^Events:\n {2}AGE +TYPE +REASON +MESSAGE\n(?: {2}.*\n)*? {2}\d+s +Normal +Released +Completed release/m,
        ]) {
          assert.match(out, part);
        }
      }),
    );

    add(
      'reads documents from standard input and from folders',
      withAgent(async ({ run }) => {
        const input =
          'apiVersion: supercargo.io/v1\nkind: App\nmetadata: {name: piped}\nspec: {services: {a: {image: "busybox:1"}}}\n';
        const piped = await command.run(['apply', '-f', '-'], run({ input }));
        assert.deepEqual([piped.code, piped.err], [0, '']);
        assert.match(piped.out, /^app\/piped created\n(.*\n)*app\/piped ready\n$/);
        const folder = await command.run(['diff', '-f', '.'], run());
        assert.equal(folder.code, 1, 'the folder has something else, too');
        assert.match(folder.err, /^(?:error: )?compose\.yaml:2:36: /m);
      }),
    );

    add(
      'shows downloads and services on a terminal while it waits',
      withAgent(async ({ agent, run }) => {
        agent.engine.images.serve('busybox:1', { progress: [30], held: true });
        const applying = command.start(['apply', '-f', 'hello.yaml'], run({ onTerminal: true }));
        await applying.printed(/image busybox:1/);
        agent.engine.images.release('busybox:1');
        const { code, out } = await applying.ended;
        assert.equal(code, 0, out);
        assert.match(out, /30%/);
        assert.match(out, /app\/hello ready/);
        assert.ok(out.lastIndexOf('\u001b[?25h') > out.lastIndexOf('\u001b[?25l'), 'the cursor is back');
      }),
    );

    add(
      'fails with the last lines of a service that crashes again and again',
      withAgent(async ({ agent, run, containerOf }) => {
        const applying = command.start(['apply', '-f', 'hello.yaml'], run());
        const { docker } = agent.engine;
        const state = () => agent.store.get('Service', 'hello.web')?.status;
        for (let restarts = 1; restarts <= 3; restarts += 1) {
          await until(`run ${restarts}`, state, (seen) => seen?.runningSince !== undefined);
          docker.print(containerOf('web'), `no database, ${restarts}`, true);
          docker.exit(containerOf('web'), 1);
          await until(`restart ${restarts}`, state, (seen) => seen?.restarts === restarts);
          if (restarts < 3) docker.restartNow(containerOf('web'));
        }
        const { code, out, err } = await applying.ended;
        assert.equal(code, 1, out);
        assert.doesNotMatch(out, /ready/);
        assert.match(err, /^error: service\/hello\.web: CrashLoop: Container web_\S+ exited with 1 and is restarted/);
        assert.match(
          err,
          /\nThe last lines of web:\n {2}no database, 1\n {2}no database, 2\n {2}no database, 3\nMore: /,
        );
        for (const [what, part] of [
          ['status', /^service\/hello\.web +CrashLoop +Container web_/m],
          ['status', /^app\/hello +ServicesNotHealthy +Service\/hello\.web \(CrashLoop: /m],
          ['status', /^hello +ServicesNotHealthy +1\/2 running, crashing: web/m],
          ['get service', /^hello\.web +hello +restarting +- +False +CrashLoop +3 /m],
          ['get app', /^hello .*ServicesNotHealthy/m],
          ['describe service hello.web', /Warning +Exited +Container web_\S+ exited with 1 \(3 times\)/],
        ] as const) {
          assert.match((await command.run(what.split(' '), run())).out, part);
        }
      }),
    );

    add(
      'fails when a healthcheck does, and waits for one that has not decided yet',
      withAgent(async ({ agent, run }) => {
        const input = (name: string) =>
          `{apiVersion: supercargo.io/v1, kind: App, metadata: {name: ${name}}, spec: {services: {a: {image: "busybox:1", healthcheck: {test: [CMD, "false"]}}}}}`;
        for (const [name, health, code] of [
          ['good', 'healthy', 0],
          ['bad', 'unhealthy', 1],
        ] as const) {
          const applying = command.start(['apply', '-f', '-'], run({ input: input(name) }));
          await applying.printed(/waiting until it is healthy/);
          agent.engine.docker.setHealth(agent.store.get('Service', `${name}.a`)?.status?.container?.id ?? '', health);
          const end = await applying.ended;
          assert.equal(end.code, code, end.err);
          if (code === 0) assert.match(end.out, /app\/good ready\n$/);
          else assert.match(end.err, /^error: service\/bad\.a: Unhealthy: .*\na has printed nothing\n/);
        }
      }),
    );

    add(
      'follows output over a restart, and says whose it is',
      withAgent(async ({ agent, run, apply, containerOf }) => {
        await apply();
        agent.engine.docker.print(containerOf('web'), 'hello from web');
        agent.engine.docker.print(containerOf('db'), 'hello from db');
        const past = await command.run(['logs', 'hello'], run());
        assert.deepEqual(past.out.split('\n').sort(), ['', 'db | hello from db', 'web | hello from web']);
        const following = command.start(['logs', '-f', '--since', '0s', 'hello/web', '--json'], run());
        await until(
          'somebody follows',
          () => agent.engine.verbs.includes('followLogs'),
          (yes) => yes,
        );
        agent.engine.docker.print(containerOf('web'), 'live');
        await following.printed(/"message":"live"/);
        await command.run(['restart', 'hello/web'], run());
        agent.engine.docker.print(containerOf('web'), 'again');
        await following.printed(/"message":"again"/);
        following.child.kill('SIGINT');
        assert.equal((await following.ended).code, 130);
      }),
    );

    add(
      'tells events as they happen',
      withAgent(async ({ agent, run, apply }) => {
        await apply();
        const past = await command.run(['events', 'hello'], run());
        assert.match(past.out, /^AGE +TYPE +OBJECT +REASON +MESSAGE\n.*Normal +app\/hello +Staging/);
        const following = command.start(['events', '-f', '--json'], run());
        await following.printed(/"reason":"Released"/);
        agent.store.record('App/hello', { type: 'Warning', reason: 'Recovered', message: 'right now' });
        await following.printed(/"reason":"Recovered".*"type":"Warning"/);
        following.child.kill('SIGINT');
        await following.ended;
        const lines = following.out().trim().split('\n');
        assert.equal(new Set(lines).size, lines.length, 'none twice');
      }),
    );

    add(
      'watches documents',
      withAgent(async ({ run, apply }) => {
        await apply();
        const watching = command.start(['get', 'app', '-w', '-o', 'name'], run());
        await watching.printed(/^app\/hello\n/);
        await command.run(['delete', 'app', 'hello'], run());
        await watching.printed(/(app\/hello\n){3}/);
        watching.child.kill('SIGINT');
        await watching.ended;
      }),
    );

    add(
      'shows volumes of apps that are gone, and removes one that is named',
      withAgent(async ({ agent, run }) => {
        const Labels = { 'io.balena.supervised': 'true', 'io.balena.app-id': '7' };
        const signal = timeoutSignal(180_000);
        for (const name of ['7_data', '7_logs']) {
          await agent.engine.createVolume(name, { Labels }, signal);
          await agent.cache.refreshVolume(name, signal);
        }
        const listed = await command.run(['get', 'volumes', '--orphaned'], run());
        assert.match(listed.out, /^NAME +APP ID +APP UUID +DRIVER\n7_data +7 +- +local\n7_logs +7 /);
        const removed = await command.run(['delete', 'volume', '7_data'], run());
        assert.deepEqual([removed.code, removed.out, removed.err], [0, 'volume/7_data deleted\n', '']);
        const left = await command.run(['get', 'volume', '--orphaned', '-o', 'name'], run());
        assert.equal(left.out, 'volume/7_logs\n');
        const again = await command.run(['delete', 'volume', '7_data'], run());
        assert.equal(again.code, 1);
      }),
    );

    add(
      'waits for a lock of the application only when it is overridden',
      withAgent(async ({ agent, run, apply }) => {
        await apply();
        mkdirSync(join(agent.lockRoot, '1', 'web'), { recursive: true });
        writeFileSync(join(agent.lockRoot, '1', 'web', 'updates.lock'), '');
        const locked = await command.run(['restart', 'hello'], run());
        assert.equal(locked.code, 1);
        assert.match(locked.err, /^error: app\/hello: Lockfile exists .*\n.*--force overrides it/);
        const forced = await command.run(['restart', 'hello', '--force'], run());
        assert.deepEqual([forced.code, forced.out, forced.err], [0, 'app/hello restarted\n', '']);
      }),
    );

    add(
      'does not mind a reader that has enough',
      withAgent(async ({ run, apply }) => {
        await apply();
        const following = command.start(['get', 'all', '-o', 'yaml'], run());
        following.child.stdout?.destroy();
        assert.equal((await following.ended).code, 0);
      }),
    );
  });

  /** What a terminal shows on the way, and what is said within a second or two, depends on the machine: nothing runs beside. */
  describe('with an agent, one after the other', () => {
    it(
      'colours what a terminal shows, and nothing in a pipe',
      withAgent(({ run }) => follow(fixture('terminal'), command, run({ onTerminal: true }))),
    );

    it(
      'fails with what a release waits for when time is up, and the agent goes on',
      withAgent(async ({ agent, run, apply }) => {
        agent.engine.images.serve('busybox:1', { progress: [30], held: true });
        const { code, out, err } = await command.run(['apply', '-f', 'hello.yaml', '--timeout', '1'], run());
        assert.equal(code, 3, err);
        assert.match(out, /app\/hello: getting its images/);
        assert.match(err, /^error: app\/hello is not ready \(getting its images\) after 1 s\nThe agent goes on trying/);
        agent.engine.images.release('busybox:1');
        await apply();
      }),
    );

    it(
      'fails with what a Service waits for when time is up',
      withAgent(async ({ run }) => {
        const input =
          '{apiVersion: supercargo.io/v1, kind: Service, metadata: {name: dep}, spec: {app: none, serviceName: dep, image: "busybox:1"}}';
        const { code, err } = await command.run(['apply', '-f', '-', '--timeout', '2'], run({ input }));
        assert.equal(code, 3, err);
        assert.match(err, /^error: service\/dep is not ready \(AppMissing: Waiting for App none,.*\) after 2 s\n/);
      }),
    );

    it(
      'says what a deletion waits for that takes too long',
      withAgent(async ({ agent, run }) => {
        const document = {
          apiVersion: API_VERSION,
          kind: 'HostConfig',
          metadata: { name: 'device' },
          spec: {},
        } as const;
        await agent.store.put('api', { document });
        const condition = { reason: 'RebootRequired', message: 'Lockfile exists', observedGeneration: 1 };
        const lastTransitionTime = '2026-01-02T03:04:05Z';
        agent.store.setStatus(agent.store.get('HostConfig', 'device') ?? assert.fail(), {
          conditions: [{ type: 'Ready', status: 'False', ...condition, lastTransitionTime }],
        });
        const late = await command.run(['delete', 'hostconfig', 'device', '--timeout', '1s'], run());
        const message = 'error: hostconfig/device is still being removed (RebootRequired: Lockfile exists) after 1 s\n';
        assert.deepEqual([late.code, late.out, late.err.slice(0, message.length)], [3, '', message]);
      }),
    );
  });
});
