import assert from 'node:assert/strict';
import { imageController } from '../../../controllers/image/controller.js';
import type { ImageSpec } from '../../../crds/model/types.js';
import { ControllerBench, type Supplies } from '../../setup/controller-bench.js';

const controllers = (supplies: Supplies) => [imageController(supplies)];
const A = 'hello.busybox-a';
const B = 'other.busybox-b';
const REFERENCE = 'busybox:1.36';

describe('the Image controller', () => {
  let bench: ControllerBench;
  beforeEach(async () => {
    bench = await ControllerBench.open(controllers);
  });
  afterEach(() => bench.close());

  const spec: ImageSpec = { app: 'hello', image: REFERENCE, services: ['web'] };
  const declare = (...names: readonly string[]) =>
    bench.declare(...names.map((name) => ['Image', name, spec] as const));
  const status = (name = A) => bench.store.get('Image', name)?.status;
  const isLocal = () => bench.engine.images.seen(REFERENCE) !== undefined;
  const pulls = () => bench.engine.verbs.filter((verb) => verb === 'pullImage').length;

  it('pulls an image, shows how far it is, and then does nothing', async () => {
    bench.engine.images.serve(REFERENCE, { progress: [10, 42], held: true });
    await declare(A);
    await bench.quiet();
    assert.equal(bench.reason('Image', A), 'Downloading');
    assert.equal(status()?.state, 'Downloading');
    assert.equal(status()?.downloadProgress, 42);

    bench.engine.images.release(REFERENCE);
    await bench.settle();
    const { state, dockerImageId, pulled, downloadProgress } = status() ?? {};
    const id = bench.engine.images.seen(REFERENCE)?.id;
    assert.deepEqual(
      { state, dockerImageId, pulled, downloadProgress },
      { state: 'Downloaded', dockerImageId: id, pulled: true, downloadProgress: undefined },
    );
    assert.deepEqual(
      bench.lines.map(({ message }) => message),
      [`Downloading image '${REFERENCE}'`, `Downloaded image '${REFERENCE}'`],
    );
    assert.deepEqual(await bench.again(), { acts: [], wrote: false });
  });

  it('is content with an image that is there, and leaves it there', async () => {
    bench.engine.images.add(REFERENCE);
    await declare(A);
    await bench.settle();
    assert.deepEqual([pulls(), status()?.pulled], [0, undefined]);
    await declare();
    await bench.settle();
    assert.ok(isLocal());
  });

  it('leaves an image to an App that names it and has not declared it yet', async () => {
    bench.engine.images.serve(REFERENCE);
    const other = ['App', 'other', { appId: 2, services: { web: { image: REFERENCE } } }] as const;
    await declare(A);
    await bench.settle();
    await bench.declare(other);
    await bench.quiet();
    assert.deepEqual([status(A), isLocal()], [undefined, true]);
  });

  it('pulls once for two documents, and collects the image with the last of them', async () => {
    bench.engine.images.serve(REFERENCE);
    await declare(A, B);
    await bench.settle();
    assert.equal(pulls(), 1);
    await declare(B);
    await bench.settle();
    assert.ok(isLocal());
    await declare();
    await bench.settle();
    assert.equal(isLocal(), false);
    assert.ok(bench.lines.some(({ message }) => message === `Deleted image '${REFERENCE}'`));
  });

  it('passes on who pulled the image to a document that comes later', async () => {
    bench.engine.images.serve(REFERENCE);
    await declare(A);
    await bench.settle();
    await declare(A, B);
    await bench.settle();
    await declare(B);
    await bench.settle();
    await declare();
    await bench.settle();
    assert.equal(isLocal(), false);
  });

  it('keeps trying, counts failures and says what to look at', async () => {
    await declare(A);
    await bench.quiet();
    assert.equal(bench.reason('Image', A), 'Retrying');
    assert.match(bench.message('Image', A), /check the name and the tag.*manifest unknown/);
    assert.equal(status()?.failures, 1);
    assert.ok(
      bench.lines.some(({ message }) =>
        message.startsWith(`Failed to download image '${REFERENCE}' due to 'manifest for`),
      ),
    );
    for (let steps = 0; status()?.failures === 1 && steps < 5; steps += 1) {
      bench.clock.step();
      await bench.quiet();
    }
    assert.equal(status()?.failures, 2);
    assert.match(status()?.lastError ?? '', /manifest unknown/);
    assert.ok(Date.parse(status()?.nextAttemptAt ?? '') > bench.clock.now());

    bench.engine.images.serve(REFERENCE);
    await bench.settle();
    assert.deepEqual([status()?.state, status()?.pulled, status()?.failures], ['Downloaded', true, undefined]);
  });

  it('stalls when the registry goes on refusing, asks it again now and then, and counts from zero with the App', async () => {
    const app = (commit: string) =>
      ['App', 'hello', { appId: 1, release: { commit, id: 1 }, services: { web: { image: REFERENCE } } }] as const;
    await bench.declare(['Image', A, spec], app('a'));
    await bench.settleOnly('Image', A);
    assert.equal(bench.reason('Image', A), 'ImageNotFound');
    const tried = pulls();
    assert.equal(status()?.failures, tried);
    await bench.again();
    assert.equal(pulls(), 0, 'not before it is due');
    bench.clock.advance(20 * 60_000);
    await bench.again();
    assert.equal(pulls(), 1);

    bench.engine.images.serve(REFERENCE);
    await bench.declare(['Image', A, spec], app('b'));
    await bench.settleOnly('Image', A);
    assert.equal(status()?.state, 'Downloaded');
  });

  it('says that the disk is full, and goes on by itself when there is room', async () => {
    const failure = { message: 'failed to register layer: write /x: no space left on device', statusCode: 500 };
    bench.engine.images.serve(REFERENCE, { failure });
    await declare(A);
    await bench.quiet();
    assert.equal(bench.reason('Image', A), 'NotEnoughDisk');
    assert.match(bench.message('Image', A), /make room on the disk; what runs is not touched/);
    bench.engine.images.serve(REFERENCE);
    await bench.settle();
    assert.equal(status()?.lastError, undefined);
  });

  it('does not take an image for pulled that came another way', async () => {
    await declare(A);
    await bench.quiet();
    bench.engine.images.add(REFERENCE);
    await bench.settle();
    assert.equal(status()?.state, 'Downloaded');
    assert.equal(status()?.pulled, undefined);
  });

  it('pulls again when the image has gone', async () => {
    bench.engine.images.serve(REFERENCE);
    await declare(A);
    await bench.settle();
    bench.engine.docker.removeImage(REFERENCE);
    await bench.quiet();
    await bench.settle();
    assert.ok(isLocal());
    assert.equal(pulls(), 2);
  });

  it('brings the very image again that the tag stood for, until there is another release', async () => {
    const app = (commit: string) =>
      ['App', 'hello', { appId: 1, release: { commit, id: 1 }, services: { web: { image: REFERENCE } } }] as const;
    const first = bench.engine.images.serve(REFERENCE, { content: 'first' });
    await bench.declare(['Image', A, spec], app('a'));
    await bench.settleOnly('Image', A);
    const id = bench.engine.images.seen(REFERENCE)?.id;
    assert.deepEqual([`busybox@${status()?.digest}`, status()?.resolvedFor], [first, 'a/1']);

    bench.engine.images.serve(REFERENCE, { content: 'second' });
    bench.engine.docker.removeImage(REFERENCE);
    await bench.quiet();
    await bench.settleOnly('Image', A);
    assert.equal(bench.engine.images.seen(REFERENCE)?.id, id, 'not what the tag stands for now');
    assert.equal(`busybox@${status()?.digest}`, first);

    bench.engine.images.withdraw(first);
    bench.engine.docker.removeImage(REFERENCE);
    await bench.quiet();
    assert.match(bench.message('Image', A), /manifest unknown/);
    await bench.declare(['Image', A, spec], app('b'));
    await bench.quiet();
    await bench.settleOnly('Image', A);
    assert.notEqual(bench.engine.images.seen(REFERENCE)?.id, id);
    assert.equal(status()?.resolvedFor, 'b/1');
    assert.deepEqual(await bench.again(), { acts: [], wrote: false });
  });

  it('records no digest for an image that was made here', async () => {
    bench.engine.images.add(REFERENCE);
    await declare(A);
    await bench.settle();
    assert.deepEqual([status()?.digest, status()?.resolvedFor], [undefined, undefined]);
  });

  it('knows after a restart in the middle of a pull that the image is ours to collect', async () => {
    bench.engine.images.serve(REFERENCE, { held: true });
    await declare(A);
    await bench.quiet();
    await bench.halt();
    bench.engine.images.add(REFERENCE, { content: 'finished by the engine' });
    bench = await ControllerBench.open(controllers, bench);
    await bench.settle();
    assert.equal(status()?.pulled, true);
  });

  it('stops a pull that nobody wants any more', async () => {
    bench.engine.images.serve(REFERENCE, { held: true });
    await declare(A);
    await bench.quiet();
    assert.equal(bench.engine.images.heldPulls(REFERENCE), 1);
    await declare();
    await bench.settle();
    assert.equal(bench.engine.images.heldPulls(REFERENCE), 0);
    assert.equal(bench.supplies.pulls.state(REFERENCE).is, 'none');
  });

  it('waits for our containers, and leaves the image to those of others', async () => {
    bench.engine.images.serve(REFERENCE);
    await declare(A);
    await bench.settle();
    const ours = bench.engine.docker.createContainer('web', {
      Image: REFERENCE,
      Labels: { 'io.balena.supervised': 'true' },
    });
    await bench.quiet();
    await declare();
    await bench.quiet();
    assert.equal(bench.reason('Image', A), 'InUse');
    bench.engine.docker.createContainer('theirs', { Image: REFERENCE });
    bench.engine.docker.removeContainer(ours);
    await bench.settle();
    assert.ok(isLocal());
    assert.equal(bench.store.get('Image', A), undefined);
  });

  it('takes off its own name only, when somebody else has given the image another', async () => {
    bench.engine.images.serve(REFERENCE);
    await declare(A);
    await bench.settle();
    bench.engine.images.tag(REFERENCE, 'theirs:1');
    await bench.quiet();
    await declare();
    await bench.settle();
    assert.equal(isLocal(), false);
    assert.ok(bench.engine.images.seen('theirs:1'));
  });

  it('leaves a tag alone with which Docker would forget a digest that another app wants', async () => {
    const digest = bench.engine.images.serve(REFERENCE);
    const other: ImageSpec = { app: 'other', image: digest, services: ['web'] };
    const exact = ['Image', B, other] as const;
    await bench.declare(['Image', A, spec], exact);
    await bench.settle();
    await bench.declare(exact);
    await bench.settle();
    assert.ok(bench.engine.images.seen(digest));
    await bench.again();
    assert.deepEqual(bench.acts(), []);
  });

  it('stalls on what is no reference', async () => {
    await bench.declare(['Image', A, { app: 'hello', image: 'a:b:c', services: [] }]);
    await bench.settle();
    assert.equal(bench.reason('Image', A), 'InvalidSpec');
    assert.equal(pulls(), 0);
  });
});
