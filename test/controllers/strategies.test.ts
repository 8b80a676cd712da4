import assert from 'node:assert/strict';
import type { EngineCall } from '../../controllers/engine/simulated/memory-engine.js';
import type { UpdateStrategy } from '../../crds/model/update-strategy.js';
import { declareApp } from '../setup/declared.js';
import { Device } from '../simulation/device.js';

const READS = /^(info|list|inspect|events|followLogs)/;
const LABEL = 'io.balena.update.strategy';

interface Case {
  readonly by: UpdateStrategy;
  readonly labels?: Readonly<Record<string, string>>;
  /** What is done on the engine, in order. */
  readonly want: readonly string[];
  readonly steps: readonly string[];
}

/** `stopContainer web_7_1_a`; a container keeps the name under which it was first seen. */
function lines(calls: readonly EngineCall[], names: ReadonlyMap<string, string>): string[] {
  return calls
    .filter(({ verb }) => !READS.test(verb))
    .map(({ verb, args }) => [verb, ...args.filter((one) => typeof one === 'string')].join(' '))
    .map((line) =>
      line.replace(/[0-9a-f]{64}/g, (id) => names.get(id) ?? 'new').replace(/\b[0-9a-f]{8}_web/, 'HASH_web'),
    );
}

describe('the order of an update', () => {
  const cases: readonly Case[] = [
    {
      // The engine sees the new container before the old one is stopped: what it refuses stops nothing.
      by: 'download-then-kill',
      want: [
        'pullImage shop:2',
        'createContainer HASH_web_7_1_a',
        'stopContainer old',
        'removeContainer old',
        'renameContainer new web_7_1_a',
        'startContainer new',
        'removeImage shop:1',
      ],
      steps: ['Created', 'Stopping', 'Stopped', 'Removed', 'Started', 'Complete'],
    },
    {
      by: 'kill-then-download',
      want: [
        'stopContainer old',
        'removeContainer old',
        'pullImage shop:2',
        'createContainer web_7_1_a',
        'startContainer new',
        'removeImage shop:1',
      ],
      steps: ['Stopping', 'Stopped', 'Removed', 'Created', 'Started', 'Complete'],
    },
    {
      by: 'delete-then-download',
      want: [
        'stopContainer old',
        'removeContainer old',
        'removeImage shop:1',
        'pullImage shop:2',
        'createContainer web_7_1_a',
        'startContainer new',
      ],
      steps: ['Stopping', 'Stopped', 'Removed', 'Created', 'Started', 'Complete'],
    },
    {
      by: 'hand-over',
      labels: { 'io.balena.update.handover-timeout': '2000' },
      want: [
        'pullImage shop:2',
        'createContainer HASH_web_7_1_a',
        'startContainer new',
        'stopContainer old',
        'removeContainer old',
        'renameContainer new web_7_1_a',
        'removeImage shop:1',
      ],
      steps: ['Created', 'Started', 'TimedOut', 'Stopping', 'Stopped', 'Removed', 'Complete'],
    },
    {
      by: 'rolling',
      want: [
        'pullImage shop:2',
        'createContainer HASH_web_7_1_a',
        'startContainer new',
        'disconnectNetwork u_default new',
        'connectNetwork u_default new',
        'stopContainer old',
        'removeContainer old',
        'renameContainer new web_7_1_a',
        'removeImage shop:1',
      ],
      steps: ['Created', 'Started', 'Steady', 'Introduced', 'Stopping', 'Stopped', 'Removed', 'Complete'],
    },
  ];

  for (const { by, labels, want, steps } of cases) {
    it(`is that of ${by}`, async () => {
      const device = new Device();
      try {
        for (const image of ['shop:1', 'shop:2']) device.engine.images.serve(image);
        const version = (image: string) =>
          declareApp({
            web: { image, labels: { [by === 'rolling' ? 'io.supercargo.update.strategy' : LABEL]: by, ...labels } },
          });
        const agent = await device.boot();
        await agent.propose([version('shop:1')]);
        await agent.settle();
        const names = new Map([[device.engine.docker.container('web_7_1_a').id, 'old']]);
        device.engine.forgetCalls();
        await agent.propose([version('shop:2')]);
        await agent.settle();
        assert.deepEqual(lines(device.engine.calls, names), want);
        const { update } = agent.store.get('Service', 'hello.web')?.status ?? {};
        assert.equal(update?.strategy, by);
        assert.deepEqual(
          update.steps.map(({ step }) => step),
          steps,
        );
        const overlapping = by === 'hand-over' || by === 'rolling';
        assert.equal(update.downtimeMs === 0, overlapping, `${update.downtimeMs} ms`);
      } finally {
        await device.stop();
      }
    });
  }

  it('is reversed when an app goes: whoever depends on a service leaves before it', async () => {
    const device = new Device();
    try {
      device.engine.images.add('web:1');
      const agent = await device.boot();
      const services = {
        base: {},
        db: { depends_on: ['base'] },
        web: { depends_on: { db: {} } },
        side: { network_mode: 'service:web' },
      };
      await agent.propose([declareApp(services)]);
      await agent.settle();
      const names = new Map(device.engine.docker.containers.map(({ id, name }) => [id, name]));
      device.engine.forgetCalls();
      await agent.propose([]);
      await agent.settle();
      const stops = lines(device.engine.calls, names).filter((line) => line.startsWith('stop'));
      assert.deepEqual(
        stops,
        ['side', 'web', 'db', 'base'].map((one) => `stopContainer ${one}_7_1_a`),
      );
    } finally {
      await device.stop();
    }
  });
});
