import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { conditionOf, isReady } from '../../crds/model/conditions.js';
import type { AnyDeclared } from '../../crds/model/kinds.js';
import { imageDocumentName } from '../../crds/model/names.js';
import { declareApp } from '../setup/declared.js';
import { type Agent, Device } from '../simulation/device.js';
import { AT_START } from '../simulation/scenario.js';

const GRACE_MS = 10 * 60_000;
const FULL = { message: 'failed to register layer: write /x: no space left on device', statusCode: 500 };

/** One release after the other of one app; or, named, of another one. */
const release = (number: number, more: Partial<Parameters<typeof declareApp>[1]> = {}): AnyDeclared =>
  declareApp({ web: { image: `shop:${number}` } }, { release: { commit: `c${number}`, id: number }, ...more });

describe('images of the release before', () => {
  let device: Device;
  let agent: Agent;

  beforeEach(async () => {
    device = new Device({ imageGraceMs: GRACE_MS });
    for (const number of [1, 2, 3]) device.engine.images.serve(`shop:${number}`, { content: `shop ${number}` });
    agent = await device.boot();
    await bring(release(1));
    await bring(release(2));
  });
  afterEach(() => device.stop());

  async function bring(...documents: readonly AnyDeclared[]): Promise<void> {
    await agent.propose(documents);
    await agent.settle();
  }
  /** Lets time go by, with the look at everything that there is every few minutes. */
  async function later(ms: number): Promise<void> {
    device.clock.advance(ms);
    await agent.relist();
    for (const loop of agent.loops) loop.resync();
    await agent.settle();
  }
  /** Until `shop:3` is on its way, and nothing more is there than has to be. */
  async function untilHeld(): Promise<void> {
    while (device.engine.images.heldPulls('shop:3') === 0 || local().length > 1) {
      await nextTurn();
      device.clock.advance(0);
    }
  }
  const local = () => [1, 2, 3].filter((number) => device.engine.images.seen(`shop:${number}`) !== undefined);
  const pulls = () => device.engine.verbs.filter((verb) => verb === 'pullImage').length;
  const document = (number: number) => agent.store.get('Image', imageDocumentName('hello', `shop:${number}`));
  const app = () => agent.store.get('App', 'hello') ?? assert.fail('no App');

  it('are kept, and the app is Ready meanwhile; then they are collected', async () => {
    assert.deepEqual(local(), [1, 2]);
    assert.equal(isReady(app()), true);
    await later(GRACE_MS - 60_000);
    assert.deepEqual(local(), [1, 2]);
    await later(60_000);
    assert.deepEqual(local(), [2]);
    assert.equal(document(1), undefined);
  });

  it('are there for who goes back within the time, without a download', async () => {
    const before = pulls();
    await later(60_000);
    await bring(release(1));
    assert.equal(pulls(), before);
    assert.deepEqual(
      device.engine.docker.containers.map(({ name }) => name),
      ['web_7_1_c1'],
    );
    assert.equal(document(1)?.spec.spareSince, undefined, 'wanted again');
    await later(GRACE_MS - 30_000);
    assert.deepEqual(local(), [1, 2], 'now it is the other one that is kept, from now on');
    await later(30_000);
    assert.deepEqual(local(), [1]);
  });

  it('are let go of before a new release is downloaded', async () => {
    device.engine.images.serve('shop:3', { content: 'shop 3', held: true });
    await agent.propose([release(3)]);
    await untilHeld();
    assert.equal(conditionOf(app(), 'Ready')?.reason, 'ImagesNotReady');
    assert.deepEqual(local(), [2], 'what runs has its image');
    device.engine.images.release('shop:3');
    await agent.settle();
    assert.deepEqual(local(), [2, 3]);
  });

  it('are not taken for it when a service has stopped before its download', async () => {
    device.engine.images.serve('shop:3', { content: 'shop 3', held: true });
    const web = { image: 'shop:3', updateStrategy: 'kill-then-download' } as const;
    await agent.propose([declareApp({ web }, { release: { commit: 'c3', id: 3 } })]);
    await untilHeld();
    assert.deepEqual(device.engine.docker.containers, []);
    assert.deepEqual(local(), [2], 'what ran until now may be wanted again');
    device.engine.images.release('shop:3');
    await agent.settle();
    assert.deepEqual(local(), [2, 3]);
  });

  it('do not hold up who goes back from a release that never came', async () => {
    device.engine.images.withdraw('shop:3');
    await agent.propose([release(3)]);
    await agent.quiet();
    await bring(release(2));
    assert.equal(isReady(app()), true);
    assert.equal(document(3), undefined);
  });

  it('make room when another app finds none', async () => {
    device.engine.images.serve('cam:1', { failure: FULL });
    await agent.propose([release(2), declareApp({ cam: { image: 'cam:1' } }, { name: 'cam', appId: 2, uuid: 'v' })]);
    await agent.quiet();
    assert.deepEqual(local(), [2]);
    device.engine.images.serve('cam:1');
    await agent.settle();
  });

  it('go with the app', async () => {
    await bring();
    assert.deepEqual(local(), []);
  });

  it('are not downloaded again when somebody removes them', async () => {
    const before = pulls();
    device.engine.docker.removeImage('shop:1');
    await later(60_000);
    assert.equal(pulls(), before);
    assert.deepEqual([local(), document(1)], [[2], undefined]);
  });

  it('are retained from then on, and no longer than their time, when the clock was ahead', async () => {
    await device.halt();
    device.clock.set(-365 * 86_400_000);
    agent = await device.boot();
    await agent.settle();
    assert.deepEqual(local(), [1, 2]);
    await later(GRACE_MS);
    assert.deepEqual(local(), [2]);
  });

  for (const how of ['halt', 'kill'] as const) {
    it(`are found again by the agent after a ${how}, which has nothing to do`, async () => {
      await agent.flush();
      await device[how]();
      agent = await device.boot();
      await agent.settle();
      assert.deepEqual(
        agent.steps.filter((step) => !AT_START.includes(step)),
        [],
      );
      assert.deepEqual(local(), [1, 2]);
      await later(GRACE_MS);
      assert.deepEqual(local(), [2]);
    });
  }
});
