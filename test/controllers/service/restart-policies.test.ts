import assert from 'node:assert/strict';
import { declareApp } from '../../setup/declared.js';
import { Device } from '../../simulation/device.js';

const NAME = 'web_7_1_a';

/** How often Docker runs a container that fails each time, by its policy; Infinity: until somebody ends it. */
const POLICIES: readonly (readonly [policy: string, exitCode: number, runs: number])[] = [
  ['no', 0, 1],
  ['no', 1, 1],
  ['on-failure', 0, 1],
  ['on-failure', 1, Number.POSITIVE_INFINITY],
  ['on-failure:3', 0, 1],
  ['on-failure:3', 1, 4],
  ['unless-stopped', 0, Number.POSITIVE_INFINITY],
  ['unless-stopped', 1, Number.POSITIVE_INFINITY],
  ['always', 0, Number.POSITIVE_INFINITY],
  ['always', 1, Number.POSITIVE_INFINITY],
];

const AFTERWARDS: Readonly<Record<string, (device: Device) => Promise<unknown>>> = {
  nothing: async () => undefined,
  'a restart of the engine': async ({ engine, agent }) => {
    engine.goAway();
    engine.docker.restartEngine();
    engine.comeBack();
    await agent?.relist();
  },
  'a restart of the agent': async (device) => {
    await device.halt();
    await device.boot();
  },
  'a restart of both': async (device) => {
    await device.halt();
    device.engine.docker.restartEngine();
    await device.boot();
  },
};

describe('a restart policy', () => {
  let device: Device;
  beforeEach(() => {
    device = new Device();
    device.engine.images.add('web:1');
  });
  afterEach(() => device.stop());

  /** Lets it end so often, or until the engine starts it no more; returns how often it ran. */
  async function endAgainAndAgain(exitCode: number): Promise<number> {
    const { docker } = device.engine;
    for (let runs = 1; ; runs += 1) {
      docker.exit(NAME, exitCode);
      await device.agent?.quiet();
      if (runs === 8 || docker.container(NAME).state !== 'restarting') return runs;
      docker.restartNow(NAME);
      await device.agent?.quiet();
    }
  }

  for (const [restart, exitCode, runs] of POLICIES) {
    for (const [what, happens] of Object.entries(AFTERWARDS)) {
      it(`${restart}, exit code ${exitCode}, then ${what}`, async () => {
        const agent = await device.boot();
        await agent.propose([declareApp({ web: { restart } })]);
        await agent.quiet();
        assert.equal(await endAgainAndAgain(exitCode), Math.min(runs, 8));
        device.engine.forgetCalls();
        await happens(device);
        await device.agent?.quiet();
        const state = device.engine.docker.container(NAME).state;
        assert.ok(
          runs === Number.POSITIVE_INFINITY ? ['running', 'restarting'].includes(state) : state === 'exited',
          state,
        );
        assert.deepEqual(
          device.engine.verbs.filter((verb) => /^(start|stop|create|remove)Container$/.test(verb)),
          [],
          'the engine does it, or nobody',
        );
      });
    }
  }

  it('that has given up starts again when somebody asks for a start, or for another release', async () => {
    const agent = await device.boot();
    await agent.propose([declareApp({ web: { restart: 'on-failure:3' } })]);
    await agent.quiet();
    await endAgainAndAgain(1);
    await agent.store.request('Service/hello.web', { start: {} });
    await agent.quiet();
    assert.equal(device.engine.docker.container(NAME).state, 'running');
    assert.equal(await endAgainAndAgain(1), 4);
    await agent.propose([declareApp({ web: { restart: 'on-failure:3', environment: { V: '2' } } })]);
    await agent.settle();
    assert.equal(device.engine.docker.container(NAME).state, 'running');
  });
});
