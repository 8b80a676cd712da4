import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isObserved } from '../../../../crds/model/conditions.js';
import { awaitsEngine } from '../../../../crds/model/readiness.js';
import type { AppSpec } from '../../../../crds/model/types.js';
import { CommandProcess } from '../../../setup/command.js';
import { until } from '../../../setup/until.js';
import { type MemoryAgent, startMemoryAgent } from '../../../simulation/memory-agent.js';

describe('the command and releases that wait for their time', function () {
  this.timeout(60_000);
  let agent: MemoryAgent;
  let command: CommandProcess;
  let folder: string;
  before(async () => {
    command = await CommandProcess.make();
    folder = mkdtempSync(join(tmpdir(), 'approve-'));
  });
  after(() => {
    command.remove();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    agent = await startMemoryAgent();
    agent.engine.images.add('web:1');
  });
  afterEach(() => agent.close());

  const write = (mode: string, rollout: AppSpec['rollout'] = { apply: 'approval' }): string => {
    const path = join(folder, 'shop.yaml');
    const spec = {
      rollout: { minReadySeconds: 0, ...rollout },
      services: { web: { image: 'web:1', environment: { MODE: mode } } },
    };
    writeFileSync(
      path,
      JSON.stringify({ apiVersion: 'supercargo.io/v1', kind: 'App', metadata: { name: 'shop' }, spec }),
    );
    return path;
  };
  const run = (...args: readonly string[]) => command.run(args, { env: { SUPERCARGO_HOST: agent.host } });
  const next = () => agent.store.get('App', 'shop')?.status?.next;
  const modes = () =>
    agent.engine.docker.containers.map(({ options }) => options.Env?.find((one) => /^MODE=/.test(one)));
  const events = () => agent.store.events().flatMap(({ reason, message }) => (reason === 'Approved' ? [message] : []));

  it('apply says that it waits and does not wait for it; approve lets it go ahead, and the event says who', async () => {
    const applied = await run('apply', '-f', write('slow'));
    assert.equal(applied.code, 0, applied.err);
    assert.match(
      applied.out + applied.err,
      /app\/shop: AwaitingApproval: Revision shop\.\w+ waits until somebody approves it: `supercargo approve shop`/,
    );
    assert.deepEqual(modes(), []);
    const { revision } = next() ?? {};
    const approved = await run('approve', 'shop');
    assert.deepEqual([approved.code, approved.out], [0, 'app/shop goes ahead\n']);
    await until('it runs', modes, (seen) => seen.length > 0);
    assert.match(
      events()[0] ?? '',
      new RegExp(`^Revision ${revision} goes ahead: approved by \\S+@\\S+ \\(from this device\\)$`),
    );
  });

  it('approve refuses another revision than the one that waits, and what waits for nothing', async () => {
    await run('apply', '-f', write('slow'));
    const wrong = await run('approve', 'shop', '--revision', 'shop.0123456789');
    assert.equal(wrong.code, 1);
    assert.match(wrong.err, /declares revision shop\.\w+ by now, and not shop\.0123456789/);
    assert.deepEqual(modes(), []);
    await run('approve', 'shop', '--revision', String(next()?.revision));
    await until('it runs', modes, (seen) => seen.length > 0);
    const late = await run('approve', 'shop');
    assert.equal(late.code, 1);
    assert.match(late.err, /What App shop declares waits for nothing/);
    const request = agent.store.get('App', 'shop')?.requests.approve;
    assert.ok(request?.to, 'an approval of whatever comes was not even asked for');
  });

  it('apply --now approves exactly what it applied, and waits until that is true', async () => {
    const first = await run('apply', '--now', '-f', write('slow'));
    assert.equal(first.code, 0, first.err);
    assert.match(first.out, /app\/shop created\napp\/shop goes ahead\n/);
    assert.deepEqual(modes(), ['MODE=slow']);
    // What was applied without, too.
    await run('apply', '-f', write('fast'));
    assert.deepEqual(modes(), ['MODE=slow']);
    const second = await run('apply', '--now', '-f', write('fast'));
    assert.match(second.out, /app\/shop unchanged\napp\/shop goes ahead\n/);
    assert.deepEqual(modes(), ['MODE=fast']);
    const third = await run('apply', '--now', '-f', write('slow', { apply: 'now' }));
    assert.doesNotMatch(third.out, /goes ahead/);
    assert.deepEqual(modes(), ['MODE=slow']);
  });

  it('apply --now waits for an engine that is away, and approves what it applied', async () => {
    await run('apply', '--now', '-f', write('slow'));
    agent.engine.goAway();
    await until(
      'the engine is away',
      () => awaitsEngine(agent.store.get('App', 'shop') ?? assert.fail('no App')),
      Boolean,
    );
    const late = run('apply', '--now', '-f', write('fast'));
    await until(
      'the agent has seen it',
      () => agent.store.get('App', 'shop'),
      (app) => app !== undefined && app.metadata.generation === 2 && isObserved(app),
    );
    agent.engine.comeBack();
    const { code, out, err } = await late;
    assert.equal(code, 0, err);
    assert.match(out, /app\/shop changed\napp\/shop goes ahead\n/);
    assert.deepEqual(modes(), ['MODE=fast']);
  });

  it('apply --now is content with a release that has gone ahead by itself', async () => {
    // It is promoted as soon as the agent has said of it that it is the next one.
    const stop = agent.store.watch(({ object }) => {
      if (object.kind === 'App' && isObserved(object) && object.status?.next) agent.engine.images.release('web:2');
    });
    agent.engine.images.serve('web:2', { content: 'web:2', held: true });
    const path = write('slow', { window: { cron: '0 0 1 1 *', duration: '1m', timeZone: 'UTC' } });
    writeFileSync(path, readFileSync(path, 'utf8').replace('web:1', 'web:2'));
    const { code, err } = await run('apply', '--now', '-f', path);
    stop();
    assert.equal(code, 0, err);
    assert.deepEqual(modes(), ['MODE=slow']);
  });
});
