import assert from 'node:assert/strict';
import { SERVICE_NAME } from '../../../../controllers/engine/labels.js';
import { type EngineFixture, received } from './engine-fixture.js';

export function describeEvents(fixture: EngineFixture): void {
  const { network, signal, start } = fixture;

  describe('events', () => {
    it('tells the life of a container in order, with growing times', async () => {
      const { id: networkId, name } = await network();
      let id = '';
      const events = await received(
        fixture.engine,
        (event) => event.id === id && event.action === 'destroy',
        async () => {
          id = await start({ HostConfig: { NetworkMode: name }, Labels: { [SERVICE_NAME]: 'web' } });
          await fixture.engine.renameContainer(id, fixture.names.container(), signal);
          await fixture.engine.stopContainer(id, signal);
          await fixture.engine.removeContainer(id, signal);
        },
      );
      const mine = events.filter((event) => event.id === id || event.attributes.container === id);
      assert.deepEqual(
        mine.map(({ type, action }) => `${type} ${action}`),
        [
          'container create',
          'network connect',
          'container start',
          'container rename',
          'container die',
          'network disconnect',
          'container destroy',
        ],
      );
      assert.equal(mine[0]?.attributes[SERVICE_NAME], 'web');
      assert.equal(mine[1]?.id, networkId);
      assert.equal(mine[1]?.attributes.name, name);
      const times = mine.map(({ timeNano }) => BigInt(timeNano));
      assert.ok(times.every((time, index) => index === 0 || time > (times[index - 1] ?? 0n)));
    });

    it('tells of networks, volumes and tags', async () => {
      const [volume, tag] = [fixture.names.volume(), fixture.names.image()];
      const { id: imageId } = (await fixture.engine.inspectImage(fixture.under.image, signal)) ?? { id: '' };
      let networkId = '';
      const events = await received(
        fixture.engine,
        ({ action, id }) => action === 'untag' && id === imageId,
        async () => {
          networkId = (await network()).id;
          await fixture.engine.removeNetwork(networkId, signal);
          await fixture.engine.createVolume(volume, { Labels: {} }, signal);
          await fixture.engine.removeVolume(volume, signal);
          await fixture.under.tag(fixture.under.image, tag);
          await fixture.engine.removeImage(tag, signal);
        },
      );
      assert.deepEqual(
        events
          .filter(({ id }) => [networkId, volume, imageId].includes(id))
          .map(({ type, action }) => `${type} ${action}`),
        ['network create', 'network destroy', 'volume create', 'volume destroy', 'image tag', 'image untag'],
      );
    });

    it('tells again what was missed since a time', async () => {
      const volume = fixture.names.volume();
      const first = await received(
        fixture.engine,
        ({ id }) => id === volume,
        () => fixture.engine.createVolume(volume, { Labels: {} }, signal),
      );
      await fixture.engine.removeVolume(volume, signal);
      const missed = await received(
        fixture.engine,
        ({ id, action }) => id === volume && action === 'destroy',
        async () => undefined,
        first.at(-1)?.timeNano,
      );
      assert.deepEqual(
        missed.filter(({ id }) => id === volume).map(({ action }) => action),
        ['create', 'destroy'],
      );
    });
  });
}
