import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UPDATE_STRATEGIES } from '../../crds/model/update-strategy.js';
import { declareApp } from '../setup/declared.js';
import { Device } from '../simulation/device.js';

const VALUES = ['hush-hush-one', 'hush-hush-two'];

describe('values of the environment', () => {
  let device: Device;
  beforeEach(() => {
    device = new Device();
  });
  afterEach(() => device.stop());

  for (const by of UPDATE_STRATEGIES) {
    it(`are in no status, event or log of an update by ${by}, and in no file of a status`, async () => {
      device.engine.images.add('web:1');
      const agent = await device.boot();
      const shown: string[] = [];
      agent.store.watch(({ object: { status } }) => void shown.push(JSON.stringify(status ?? {})));
      agent.store.watchEvents((event) => void shown.push(JSON.stringify(event)));
      for (const value of VALUES) {
        const labels = { [by === 'rolling' ? 'io.supercargo.update.strategy' : 'io.balena.update.strategy']: by };
        const timeout = { 'io.balena.update.handover-timeout': '2000' };
        await agent.propose([
          declareApp({ web: { labels: { ...labels, ...timeout }, environment: { PASSWORD: value } } }),
        ]);
        await agent.settle();
        assert.match(
          device.engine.docker.containers.map(({ options }) => options.Env?.join()).join(),
          new RegExp(value),
        );
      }
      const { container } = agent.store.get('Service', 'hello.web')?.status ?? {};
      assert.equal(container?.name, 'web_7_1_a');
      await agent.store.flush();
      const folder = join(device.folder, 'status/services');
      shown.push(...readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8')));
      assert.ok(shown.length > 10);
      for (const text of shown) for (const value of VALUES) assert.ok(!text.includes(value), text);
    });
  }
});
