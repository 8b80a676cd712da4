import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CommandProcess } from '../../../setup/command.js';
import { composeApp, composeUp } from '../../../setup/compose-project.js';
import { until } from '../../../setup/until.js';
import { type MemoryAgent, startMemoryAgent } from '../../../simulation/memory-agent.js';

describe('the command and what docker compose runs', function () {
  this.timeout(60_000);
  let agent: MemoryAgent;
  let command: CommandProcess;
  before(async () => {
    command = await CommandProcess.make();
  });
  after(() => command.remove());
  beforeEach(async () => {
    agent = await startMemoryAgent();
    agent.engine.images.add('web:1');
  });
  afterEach(() => agent.close());

  const run = (...args: readonly string[]) => command.run(args, { env: { SUPERCARGO_HOST: agent.host } });
  const declare = () =>
    agent.store.propose({
      origin: 'files',
      documents: [{ document: composeApp({ web: { volumes: ['data:/data'] } }) }],
    });
  const reason = () => agent.store.get('App', 'shop')?.status?.conditions?.find(({ type }) => type === 'Ready')?.reason;

  it('tells why something of theirs is not taken over, and takes it over by force; the event says who asked', async () => {
    composeUp(agent.engine.docker, [{ name: 'web', anonymous: '/data' }]);
    await declare();
    await until('it is seen', reason, (seen) => seen === 'AdoptionNeeded');
    const why = await run('why', 'shop');
    assert.match(
      why.out,
      /supercargo adopt shop` would take it over, but: container shop-web-1 has a volume without a name/,
    );
    const refused = await run('adopt', 'shop');
    assert.equal(refused.code, 1);
    assert.match(
      refused.err,
      /app\/shop: Nothing of theirs is touched: container shop-web-1 has a volume without a name/,
    );
    const sent = await run('adopt', 'shop', '--force', '--no-wait');
    assert.deepEqual([sent.code, sent.out], [0, 'app/shop adopt asked for\n']);
    const events = () => agent.store.events().filter(({ reason: said }) => said === 'Adopting');
    const [began] = await until('it has begun', events, (seen) => seen.length > 0);
    assert.match(began?.message ?? '', /\S+@\S+ \(from this device\) asks for it: containers shop-web-1/);
  });

  for (const [args, says] of [
    [['shop/web'], /The project of an app is taken over as a whole; name the containers for service web/],
    [['shop', '--container', 'old'], /Say which service takes the containers over/],
  ] as const) {
    it(`refuses adopt ${args.join(' ')}`, async () => {
      const { code, err } = await run('adopt', ...args);
      assert.equal(code, 64);
      assert.match(err, says);
    });
  }

  it('plans the whole take-over, and touches nothing', async () => {
    composeUp(agent.engine.docker, [{ name: 'web', binds: ['shop_data:/data'], restart: 'always' }]);
    const { metadata, spec, ...rest } = composeApp({ web: { volumes: ['data:/data'] } }, { adopt: true });
    const folder = mkdtempSync(join(tmpdir(), 'adopt-'));
    const path = join(folder, 'shop.json');
    writeFileSync(path, JSON.stringify({ ...rest, metadata, spec }));
    const plan = await run('plan', '-f', path);
    rmSync(folder, { recursive: true });
    assert.match(plan.out, /^replace +Service\/shop\.web/m);
    assert.match(
      plan.out,
      /web:1 takes over\n.*it was made and not started yet\n.*container web_7_1_a is well in its place/,
    );
    assert.deepEqual(
      agent.engine.docker.containers.map(({ name, state }) => `${name} ${state}`),
      ['shop-web-1 running'],
    );
  });

  it('names containers for a service', async () => {
    await declare();
    const refused = await run('adopt', 'shop/web', '--container', 'old', 'older');
    assert.equal(refused.code, 1);
    assert.match(refused.err, /There is no container old; There is no container older/);
  });
});
