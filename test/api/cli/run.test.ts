import assert from 'node:assert/strict';
import type { AppService } from '../../../crds/model/types.js';
import { CommandProcess } from '../../setup/command.js';
import { declareApp } from '../../setup/declared.js';
import { until } from '../../setup/until.js';
import { type MemoryAgent, startMemoryAgent } from '../../simulation/memory-agent.js';

describe('supercargo run', function () {
  this.timeout(120_000);
  let command: CommandProcess;
  let agent: MemoryAgent;
  before(async () => {
    command = await CommandProcess.make();
    agent = await startMemoryAgent();
    agent.engine.images.add('web:1');
    const backup: Partial<AppService> = { schedule: { cron: '0 0 1 1 *', timeZone: 'UTC' } };
    const documents = [{ document: declareApp({ web: {}, backup }) }];
    await agent.store.propose({ origin: 'files', documents });
    await until(
      'the next run',
      () => agent.store.get('Service', 'hello.backup')?.status?.nextRunAt,
      (at) => at !== undefined,
    );
  });
  after(async () => {
    await agent.close();
    await command.remove();
  });
  const run = (...args: readonly string[]) => command.run(args, { env: { SUPERCARGO_HOST: agent.host } });
  const going = () =>
    agent.engine.docker.containers.find(({ name, state }) => /^backup_/.test(name) && state === 'running');

  it('begins a run, prints what it prints and ends with its exit code', async () => {
    const asked = run('run', 'hello/backup');
    const { name } = (await until('a run', going, (one) => one !== undefined)) ?? assert.fail();
    agent.engine.docker.print(name, 'saved');
    const again = await run('run', 'hello/backup');
    assert.equal(again.code, 1);
    assert.match(again.err, /^error: service\/hello\.backup: Run \S+ is going on, and concurrencyPolicy: Forbid/);
    agent.engine.docker.exit(name, 7);
    const { code, out, err } = await asked;
    assert.deepEqual([code, out], [7, 'saved\n'], err);
    assert.match(err, /^Run \S+ exited with 7\n/);
    const status = await run('status');
    assert.match(status.out, /1\/1 running, 1 scheduled, last run failed: backup/);
    const why = await run('why', 'hello/backup');
    assert.match(why.out, /It is a job: .* 0 0 1 1 \* \(UTC\); its next run is due at 20\d\d-01-01T00:00:00\.000Z/);
    assert.match(why.out, /exited with 7/);
  });

  it('follows a run that has begun, though somebody asked for another one before its beginning was told', async () => {
    const known = new Set(agent.engine.docker.containers.map(({ name }) => name));
    let goOn = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    let isHeld = (): void => undefined;
    const starting = new Promise<void>((resolve) => {
      isHeld = resolve;
    });
    agent.engine.before = async (verb) => {
      if (verb !== 'startContainer') return;
      isHeld();
      await held;
    };
    const first = run('run', 'hello/backup');
    await starting;
    const second = run('run', 'hello/backup');
    const firstId = agent.store.get('Service', 'hello.backup')?.requests.run?.id;
    await until(
      'the other request',
      () => agent.store.get('Service', 'hello.backup')?.requests.run?.id,
      (id) => id !== firstId,
    );
    goOn();
    const declined = await second;
    assert.match(declined.err, /concurrencyPolicy: Forbid/);
    const made = agent.engine.docker.containers.filter(({ name }) => /^backup_/.test(name) && !known.has(name));
    assert.equal(made.length, 1);
    agent.engine.docker.exit(made[0]?.name ?? '', 5);
    const { code, err } = await first;
    assert.equal(code, 5, err);
  });

  it('is refused for what keeps running, and for a whole app', async () => {
    const web = await run('run', 'hello/web');
    assert.deepEqual([web.code, web.out], [1, '']);
    assert.match(web.err, /service\/hello\.web: It has no schedule: its container keeps running/);
    const app = await run('run', 'hello');
    assert.equal(app.code, 64);
    assert.match(app.err, /supercargo run hello\/SERVICE/);
  });
});
