import assert from 'node:assert/strict';
import { SPEC_HASH } from '../../../../controllers/engine/labels.js';
import type { EngineFixture } from './engine-fixture.js';

export function describeVolumes(fixture: EngineFixture): void {
  const { create, signal } = fixture;

  describe('volumes', () => {
    it('creates a volume and leaves one that exists as it is', async () => {
      const name = fixture.names.volume();
      const made = await fixture.engine.createVolume(name, { Labels: { [SPEC_HASH]: 'v1' } }, signal);
      assert.equal(made.name, name);
      assert.equal(made.driver, 'local');
      assert.equal(made.specHash, 'v1');
      assert.deepEqual(made.options, {});
      assert.match(made.mountpoint, new RegExp(`/${name}/`));
      assert.deepEqual(await fixture.engine.createVolume(name, { Labels: { [SPEC_HASH]: 'v2' } }, signal), made);
      assert.deepEqual(await fixture.engine.inspectVolume(name, signal), made);
      assert.deepEqual(
        (await fixture.engine.listVolumes(signal)).find((one) => one.name === name),
        made,
      );
    });

    it('makes none of one letter', async () => {
      await assert.rejects(fixture.engine.createVolume('a', { Labels: {} }, signal), /too short/);
    });

    it('keeps a volume for every container, also one that never ran', async () => {
      const name = fixture.names.volume();
      const container = await create({ HostConfig: { Binds: [`${name}:/data`] } });
      assert.equal(await fixture.engine.removeVolume(name, signal), 'in-use');
      const stranger = fixture.names.container();
      const binds = { Image: fixture.under.image, HostConfig: { Binds: [`${name}:/data`] } };
      await fixture.engine.createContainer(stranger, binds, signal);
      const users = await fixture.engine.volumeUsers(name, signal);
      assert.deepEqual(
        users.filter(({ isOurs }) => !isOurs),
        [{ name: stranger, isOurs: false }],
      );
      assert.equal(users.length, 2);
      await fixture.engine.removeContainer(container, signal);
      await fixture.engine.removeContainer(stranger, signal);
      assert.deepEqual(await fixture.engine.volumeUsers(name, signal), []);
      assert.equal(await fixture.engine.removeVolume(name, signal), 'removed');
      assert.equal(await fixture.engine.removeVolume(name, signal), 'absent');
      assert.equal(await fixture.engine.inspectVolume(name, signal), undefined);
    });
  });
}
