import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { tarOf } from '../../../../controllers/engine/local/tar.js';
import { savedImages } from '../../../setup/image-archives.js';
import { type EngineFixture, refused } from './engine-fixture.js';

export function describeImages(fixture: EngineFixture): void {
  const { create, signal } = fixture;

  describe('images', () => {
    it('finds an image by tag and by id', async () => {
      const seen = await fixture.engine.inspectImage(fixture.under.image, signal);
      assert.ok(seen);
      assert.match(seen.id, /^sha256:[0-9a-f]{64}$/);
      assert.ok(seen.tags.includes(fixture.under.image));
      assert.deepEqual(await fixture.engine.inspectImage(seen.id, signal), seen);
      const listed = (await fixture.engine.listImages(signal)).find(({ id }) => id === seen.id);
      assert.deepEqual(listed, { id: seen.id, tags: seen.tags, digests: seen.digests });
      assert.equal(await fixture.engine.inspectImage(`${fixture.names.prefix}/none:1`, signal), undefined);
    });

    it('untags an image that is in use while another tag holds it', async () => {
      const second = fixture.names.image();
      await create();
      await fixture.under.tag(fixture.under.image, second);
      assert.equal(await fixture.engine.removeImage(second, signal), 'removed');
      assert.equal(await fixture.engine.removeImage(second, signal), 'absent');
      assert.ok(await fixture.engine.inspectImage(fixture.under.image, signal));
    });

    it('pulls exactly one tag, tells progress, and does not remove it while a container needs it', async () => {
      const reference = await fixture.under.pullable();
      const reported: number[] = [];
      await fixture.engine.pullImage(reference, {}, (percent) => reported.push(percent), signal);
      assert.equal(reported.at(-1), 100);
      assert.deepEqual(
        reported,
        [...new Set(reported)].sort((a, b) => a - b),
      );
      const seen = await fixture.engine.inspectImage(reference, signal);
      assert.deepEqual(seen?.tags, [reference]);
      assert.equal(seen.digests.length, 1);
      const container = await create({ Image: reference });
      assert.equal(await fixture.engine.removeImage(reference, signal), 'in-use');
      await fixture.engine.removeContainer(container, signal);
      assert.equal(await fixture.engine.removeImage(reference, signal), 'removed');
      assert.equal(await fixture.engine.inspectImage(reference, signal), undefined);
      assert.equal(await fixture.engine.inspectImage(seen.id, signal), undefined);
    });

    it('pulls by digest', async () => {
      const reference = await fixture.under.pullable();
      await fixture.engine.pullImage(reference, {}, () => undefined, signal);
      const [digest = ''] = (await fixture.engine.inspectImage(reference, signal))?.digests ?? [];
      await fixture.engine.removeImage(reference, signal);
      assert.equal(await fixture.engine.inspectImage(digest, signal), undefined);
      await fixture.engine.pullImage(digest, {}, () => undefined, signal);
      const seen = await fixture.engine.inspectImage(digest, signal);
      assert.deepEqual(seen?.digests, [digest]);
      assert.deepEqual(seen.tags, []);
      assert.equal(await fixture.engine.removeImage(digest, signal), 'removed');
    });

    it('keeps what a digest stands for when the tag moves on, and gives the tag back', async () => {
      const reference = await fixture.under.pullable();
      await fixture.engine.pullImage(reference, {}, () => undefined, signal);
      const first = await fixture.engine.inspectImage(reference, signal);
      const [digest = ''] = first?.digests ?? [];
      assert.equal(await fixture.engine.tagImage(fixture.under.image, reference, signal), 'tagged');
      assert.equal((await fixture.engine.inspectImage(digest, signal))?.id, first?.id);
      assert.deepEqual((await fixture.engine.inspectImage(digest, signal))?.tags, []);
      assert.equal(await fixture.engine.tagImage(digest, reference, signal), 'tagged');
      assert.equal(await fixture.engine.tagImage(digest, reference, signal), 'tagged');
      assert.equal((await fixture.engine.inspectImage(reference, signal))?.id, first?.id);
      assert.equal(await fixture.engine.removeImage(reference, signal), 'removed');
      assert.equal(await fixture.engine.tagImage(digest, reference, signal), 'absent');
    });

    it('takes in what docker save wrote, and tells what was in it', async () => {
      const [reference, other] = [fixture.names.image(), fixture.names.image()];
      const image = { files: [{ path: 'name', content: reference }], architecture: 'riscv64' };
      const archive = savedImages({ ...image, references: [reference, other] });
      const load = (bytes: Buffer) => fixture.engine.loadImages(Readable.from([bytes]), signal);
      assert.deepEqual(await load(archive), [reference, other]);
      const seen = await fixture.engine.inspectImage(reference, signal);
      assert.deepEqual([seen?.tags.length, seen?.digests, seen?.platform?.architecture], [2, [], 'riscv64']);
      assert.deepEqual(await load(archive), [reference, other]);
      for (const one of [reference, other]) assert.equal(await fixture.engine.removeImage(one, signal), 'removed');

      const [id = ''] = await load(savedImages({ ...image, references: [] }));
      assert.match(id, /^sha256:[0-9a-f]{64}$/);
      assert.equal(await fixture.engine.removeImage(id, signal), 'removed');
    });

    it('throws what is wrong with an archive, and what the source of one says', async () => {
      const empty = Readable.from([tarOf([{ path: 'a', content: 'b' }])]);
      await assert.rejects(fixture.engine.loadImages(empty, signal), refused(500, /manifest.json|no such file/));
      const failing = new Readable({
        read() {
          this.destroy(new Error('the disk is broken'));
        },
      });
      await assert.rejects(fixture.engine.loadImages(failing, signal), /the disk is broken/);
    });

    it('throws what the registry says about a tag that it does not have', async () => {
      const unknown = (await fixture.under.pullable()).replace(/:[^:/]+$/, ':unknown');
      await assert.rejects(
        fixture.engine.pullImage(unknown, {}, () => undefined, signal),
        refused(404, /manifest unknown|not found/),
      );
    });
  });
}
