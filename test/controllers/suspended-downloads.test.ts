import assert from 'node:assert/strict';
import { conditionOf } from '../../crds/model/conditions.js';
import { imageDocumentName } from '../../crds/model/names.js';
import { declareApp } from '../setup/declared.js';
import { type Agent, Device } from '../simulation/device.js';
import { viewOf } from '../simulation/device-view.js';

const LARGE = ['a:1', 'b:1', 'c:1', 'd:1', 'e:1'];
const services = Object.fromEntries(LARGE.map((image) => [image.slice(0, 1), { image }]));
/** Five images, of which three are pulled at once. */
const app = (suspend = false) => declareApp(services, suspend ? { suspend } : {});
const other = (...images: readonly string[]) =>
  declareApp(Object.fromEntries(images.map((image) => [`x${image[0]}`, { image }])), {
    ...{ name: 'other', appId: 2, uuid: 'o' },
  });

describe('the downloads of an App that is suspended', () => {
  let device: Device;
  let agent: Agent;

  beforeEach(async () => {
    device = new Device();
    for (const image of LARGE) device.engine.images.serve(image, { progress: [40], held: true });
    agent = await device.boot();
  });
  afterEach(() => device.stop());

  const held = () => LARGE.filter((image) => device.engine.images.heldPulls(image) > 0);
  const asked = () =>
    device.engine.calls.flatMap(({ verb, args }) => (verb === 'pullImage' ? [String(args[0]).slice(0, 3)] : []));
  const imageOf = (reference: string, name = 'hello') =>
    agent.store.get('Image', imageDocumentName(name, reference)) ?? assert.fail(`no document of ${reference}`);
  const saysOf = (reference: string, name?: string) => {
    const { reason, message } = conditionOf(imageOf(reference, name), 'Ready') ?? {};
    return { reason, message };
  };
  const asSuspended = (reference: string) => ({
    reason: 'Suspended',
    message: `App hello is suspended: ${reference} is not downloaded until it is resumed and spec.suspend is taken back`,
  });
  const release = () => {
    for (const image of LARGE) device.engine.images.release(image);
  };

  it('are broken off, and those that wait for their turn do not begin', async () => {
    await agent.propose([app()]);
    await agent.quiet();
    assert.deepEqual(held(), ['a:1', 'b:1', 'c:1']);

    await agent.propose([app(true)]);
    await agent.quiet();
    assert.deepEqual([held(), asked()], [[], ['a:1', 'b:1', 'c:1']]);
    for (const image of LARGE) {
      assert.deepEqual(saysOf(image), asSuspended(image));
      assert.deepEqual([imageOf(image).status?.state, imageOf(image).status?.downloadProgress], [undefined, undefined]);
    }
    const events = agent.store.events(`Image/${imageDocumentName('hello', 'a:1')}`).map(({ message }) => message);
    assert.ok(events.includes('Stopped downloading a:1: App hello is suspended'), events.join('; '));

    const from = agent.steps.length;
    for (const loop of agent.loops) loop.resync();
    device.clock.advance(10 * 60_000);
    await agent.quiet();
    assert.deepEqual(agent.steps.slice(from), [], 'nothing more is done');
  });

  it('go on when it is resumed, also after another agent has started', async () => {
    await agent.propose([app()]);
    await agent.quiet();
    await agent.store.request('App/hello', { suspend: {} });
    await agent.quiet();
    assert.deepEqual(held(), []);
    assert.ok(await agent.flush());
    device.kill();
    agent = await device.boot();
    await agent.propose([app()]);
    await agent.quiet();
    assert.deepEqual([held(), asked().length], [[], 3]);
    assert.deepEqual(saysOf('d:1'), asSuspended('d:1'));

    await agent.store.request('App/hello', { resume: {} });
    await agent.quiet();
    assert.deepEqual(held(), ['a:1', 'b:1', 'c:1']);
    release();
    await agent.settle();
    assert.deepEqual(
      viewOf(device).containers.map((line) => line.split(' ')[1]),
      LARGE.map(() => 'running'),
    );
  });

  it('are tried at once when it is resumed, however often they had failed', async () => {
    device.engine.images.withdraw('a:1');
    await agent.propose([declareApp({ a: { image: 'a:1' } })]);
    for (let step = 0; step < 6; step += 1) {
      await agent.quiet();
      device.clock.step();
    }
    await agent.quiet();
    assert.equal(saysOf('a:1').reason, 'Retrying');
    assert.ok(imageOf('a:1').status?.nextAttemptAt);
    await agent.store.request('App/hello', { suspend: {} });
    await agent.quiet();
    assert.equal(saysOf('a:1').reason, 'Suspended');
    assert.equal(imageOf('a:1').status?.nextAttemptAt, undefined, 'there will be none');
    device.engine.images.serve('a:1');
    await agent.store.request('App/hello', { resume: {} });
    await agent.quiet();
    assert.deepEqual(viewOf(device).images, ['a:1']);
  });

  it('go on for another App that wants the image, until that one is suspended, too', async () => {
    await agent.propose([app(), other('b:1', 'e:1')]);
    await agent.quiet();
    await agent.propose([app(true), other('b:1', 'e:1')]);
    await agent.quiet();
    assert.deepEqual(held(), ['b:1', 'e:1'], 'there is room for the one that waited');
    assert.equal(saysOf('b:1').reason, 'Downloading', 'it is, for the other app');
    assert.deepEqual(saysOf('a:1'), asSuspended('a:1'));

    await agent.store.request('App/other', { suspend: {} });
    await agent.quiet();
    assert.deepEqual(held(), []);
    assert.deepEqual(saysOf('b:1'), asSuspended('b:1'));
    assert.match(saysOf('b:1', 'other').message ?? '', /^App other is suspended/);

    await agent.store.request('App/other', { resume: {} });
    await agent.quiet();
    assert.deepEqual(held(), ['b:1', 'e:1']);
    release();
    await agent.quiet();
    assert.deepEqual(viewOf(device).images, ['b:1', 'e:1']);
    assert.equal(conditionOf(imageOf('b:1'), 'Ready')?.status, 'True', 'and it is there for the suspended one');
  });

  it('end when the App that waited for the image as well is deleted', async () => {
    await agent.propose([app(), other('b:1')]);
    await agent.quiet();
    await agent.propose([app(true), other('b:1')]);
    await agent.quiet();
    assert.deepEqual(held(), ['b:1']);
    await agent.propose([app(true)]);
    await agent.quiet();
    assert.deepEqual(held(), []);
    assert.deepEqual(saysOf('b:1'), asSuspended('b:1'));
  });
});
