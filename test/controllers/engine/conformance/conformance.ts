import assert from 'node:assert/strict';
import { describeContainers } from './containers.js';
import { EngineFixture, type EngineUnderTest, Names } from './engine-fixture.js';
import { describeEvents } from './events.js';
import { describeImages } from './images.js';
import { describeLogs } from './logs.js';
import { describeNetworks } from './networks.js';
import { describeVolumes } from './volumes.js';

/** Everything the rest of the code relies on, as tests that the real engine and the one in memory both pass. */
export function describeEngine(title: string, make: () => Promise<EngineUnderTest>): void {
  describe(title, () => {
    const fixture = new EngineFixture();
    const { signal } = fixture;

    before(async () => {
      fixture.under = await make();
    });
    beforeEach(() => {
      fixture.names = new Names();
    });
    afterEach(() => fixture.names.removeAll(fixture.engine, signal));
    after(() => fixture.under?.close());

    it('says which engine it is', async () => {
      const { version, apiVersion, rootDir, logDriver, machine } = await fixture.engine.info(signal);
      assert.match(version, /^\d+\.\d+/);
      assert.match(apiVersion, /^1\.\d+$/);
      assert.match(rootDir, /^\//);
      assert.match(logDriver, /^[a-z-]+$/);
      assert.match(machine, /^\w+$/);
    });

    it('rejects with the reason of a signal that has fired', async () => {
      const reason = new Error('not wanted any more');
      await assert.rejects(fixture.engine.listContainers(AbortSignal.abort(reason)), reason);
    });

    describeContainers(fixture);
    describeLogs(fixture);
    describeNetworks(fixture);
    describeVolumes(fixture);
    describeImages(fixture);
    describeEvents(fixture);
  });
}
