import assert from 'node:assert/strict';
import { isReady } from '../../crds/model/conditions.js';
import { imageDocumentName } from '../../crds/model/names.js';
import { declareApp } from '../setup/declared.js';
import { type Agent, Device } from '../simulation/device.js';

const HOUR_MS = 3_600_000;
const GRACE_MS = 10 * 60_000;

/** As NTP does it on a device without a clock of its own, a year or a time zone at once. */
for (const byMs of [-365 * 24 * HOUR_MS, -8 * HOUR_MS, 8 * HOUR_MS, 365 * 24 * HOUR_MS]) {
  describe(`a device whose clock is set by ${byMs / HOUR_MS} h`, () => {
    let device: Device;
    let agent: Agent;

    beforeEach(async () => {
      device = new Device({ imageGraceMs: GRACE_MS });
      for (const number of [1, 2]) device.engine.images.serve(`shop:${number}`, { content: `shop ${number}` });
      agent = await device.boot();
    });
    afterEach(() => device.stop());

    const release = (number: number, web: object = {}) =>
      declareApp({ web: { image: `shop:${number}`, ...web } }, { release: { commit: `c${number}`, id: number } });
    const bring = async (...documents: Parameters<Agent['propose']>[0]): Promise<void> => {
      await agent.propose(documents);
      await agent.settle();
    };
    const set = async (): Promise<void> => {
      device.clock.set(byMs);
      for (const loop of agent.loops) loop.resync();
      await agent.quiet();
    };
    const later = async (ms: number): Promise<void> => {
      device.clock.advance(ms);
      for (const loop of agent.loops) loop.resync();
      await agent.quiet();
    };
    const restart = async (): Promise<void> => {
      await agent.flush();
      await device.halt();
      device.clock.set(byMs);
      agent = await device.boot();
      await agent.quiet();
    };
    const names = () => device.engine.docker.containers.map(({ name }) => name).sort();
    const pulls = () => device.engine.verbs.filter((verb) => verb === 'pullImage').length;
    const image = (number: number) => agent.store.get('Image', imageDocumentName('hello', `shop:${number}`));

    it('tries a download again when it would have, and says when by the new time', async () => {
      device.engine.images.withdraw('shop:1');
      await agent.propose([release(1)]);
      await agent.quiet();
      for (let steps = 0; (image(1)?.status?.failures ?? 0) < 5 && steps < 50; steps += 1) {
        device.clock.step();
        await agent.quiet();
      }
      const failures = image(1)?.status?.failures ?? 0;
      await set();
      assert.equal(image(1)?.status?.failures, failures, 'not earlier');
      const dueMs = Date.parse(image(1)?.status?.nextAttemptAt ?? '') - device.clock.now();
      assert.ok(dueMs > 0 && dueMs <= 8_000, `${dueMs} ms`);
      const before = pulls();
      await later(8_000);
      assert.equal(pulls(), before + 1);
    });

    it('keeps the old image for its time, and no longer', async () => {
      await bring(release(1));
      await bring(release(2));
      await later(GRACE_MS / 2);
      await set();
      assert.ok(image(1), 'not collected because the clock was set forward');
      await later(GRACE_MS);
      await agent.settle();
      assert.equal(image(1), undefined);
    });

    it('keeps the old image no longer than twice its time after a start', async () => {
      await bring(release(1));
      await bring(release(2));
      await restart();
      await later(2 * GRACE_MS);
      await agent.settle();
      assert.equal(image(1), undefined);
    });

    it('gives a rolling update its time, no more and no less', async () => {
      const web = { updateStrategy: 'rolling' } as const;
      await bring(release(1, web));
      await agent.propose([release(2, web)]);
      await agent.quiet();
      while (names().length < 2) {
        device.clock.step();
        await agent.quiet();
      }
      await later(2_000);
      await set();
      assert.equal(names().length, 2, 'the old one goes on until the new one is steady');
      await later(10_000);
      await agent.settle();
      assert.equal(names().length, 1);
    });

    it('ends a hand-over at its time, no later and no earlier', async () => {
      const web = { updateStrategy: 'hand-over', labels: { 'io.balena.update.handover-timeout': '60000' } } as const;
      await bring(release(1, web));
      await agent.propose([release(2, web)]);
      await agent.quiet();
      while (names().length < 2) {
        device.clock.step();
        await agent.quiet();
      }
      await later(20_000);
      await set();
      assert.equal(names().length, 2, 'the old one has a minute to hand over');
      await later(45_000);
      await agent.settle();
      assert.equal(names().length, 1);
    });

    it('tells how long an update took the service away, though the clock was set while it did', async () => {
      await bring(release(1));
      device.engine.after = (verb) => {
        if (verb !== 'removeContainer') return;
        device.clock.set(byMs);
        device.clock.advance(700);
      };
      await bring(release(2));
      const { update } = agent.store.get('Service', 'hello.web')?.status ?? {};
      assert.equal(update?.steps.at(-1)?.step, 'Complete');
      const { downtimeMs = -1 } = update;
      assert.ok(downtimeMs >= 700 && downtimeMs < 2_000, `${downtimeMs} ms`);
    });

    it('is Ready, and does nothing for it', async () => {
      await bring(release(1));
      device.engine.forgetCalls();
      await set();
      await agent.relist();
      assert.ok(isReady(agent.store.get('App', 'hello') ?? assert.fail('no App')));
      assert.deepEqual(
        device.engine.verbs.filter((verb) => !/^(info|list|inspect|events)/.test(verb)),
        [],
      );
      assert.ok(device.clock.monotonic() - (agent.cache.vitals.listedAtMs ?? 0) < 60_000, 'listed a moment ago');
    });
  });
}
