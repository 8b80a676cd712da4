import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readinessOf } from '../../crds/model/conditions.js';
import { keyOf } from '../../crds/model/kinds.js';
import { declareApp } from '../setup/declared.js';
import { Device } from '../simulation/device.js';
import { viewOf } from '../simulation/device-view.js';

describe('an App whose document is lost', () => {
  it('runs on; its children can be deleted one by one, and nothing is left, no lock either', async () => {
    const device = new Device();
    try {
      device.engine.images.add('web:1');
      const first = await device.boot();
      await first.propose([declareApp({ web: {} })], 'local');
      await first.settle();
      const running = viewOf(device).containers;
      assert.equal(running.length, 1);
      await device.halt();
      writeFileSync(join(device.folder, 'documents/apps/hello.json'), 'junk');

      const agent = await device.boot();
      await agent.settle();
      assert.deepEqual(viewOf(device).containers, running);
      assert.equal(agent.store.problems()[0]?.name, 'hello');
      await device.halt();

      const next = await device.boot();
      await next.settle();
      assert.deepEqual(viewOf(device).containers, running);
      assert.equal(next.store.problems()[0]?.name, 'hello');
      for (const one of next.documents().filter(({ metadata }) => metadata.owner === 'App/hello')) {
        assert.equal(readinessOf(one)?.reason, 'OwnerMissing', one.metadata.name);
      }

      for (const { kind, metadata } of next.documents()) {
        assert.equal(await next.store.delete(metadata.origin, keyOf(kind, metadata.name)), 'deleted');
      }
      await next.settle();
      const { containers, networks, locks } = viewOf(device);
      assert.deepEqual({ containers, networks, locks }, { containers: [], networks: [], locks: [] });
      assert.deepEqual(next.documents(), []);
    } finally {
      await device.stop();
    }
  });
});
