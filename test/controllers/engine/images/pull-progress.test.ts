import assert from 'node:assert/strict';
import fc from 'fast-check';
import { EngineError } from '../../../../controllers/engine/engine.js';
import { type PullMessage, pullProgress } from '../../../../controllers/engine/images/pull-progress.js';

const layer = (id: string, status: string, current?: number, total?: number): PullMessage => ({
  id,
  status,
  progressDetail: current === undefined || total === undefined ? {} : { current, total },
});

describe('pullProgress', () => {
  const cases: { it: string; messages: PullMessage[]; want: number[] }[] = [
    {
      it: 'counts download as nine tenths and extraction as the rest',
      messages: [
        { id: '1.36', status: 'Pulling from library/busybox' },
        layer('a', 'Pulling fs layer'),
        layer('a', 'Downloading', 50, 100),
        layer('a', 'Download complete'),
        layer('a', 'Extracting', 50, 100),
        layer('a', 'Pull complete'),
      ],
      want: [0, 0, 45, 90, 95, 99],
    },
    {
      it: 'weighs layers by their bytes',
      messages: [
        layer('small', 'Pulling fs layer'),
        layer('large', 'Pulling fs layer'),
        layer('small', 'Downloading', 0, 100),
        layer('large', 'Downloading', 0, 900),
        layer('small', 'Pull complete'),
        layer('large', 'Downloading', 450, 900),
      ],
      want: [0, 0, 0, 0, 10, 50],
    },
    {
      it: 'gives a layer of unknown size the mean of the others',
      messages: [layer('a', 'Pulling fs layer'), layer('b', 'Waiting'), layer('a', 'Downloading', 100, 100)],
      want: [0, 0, 45],
    },
    {
      it: 'does not count layers that are already here',
      messages: [
        layer('old', 'Already exists'),
        layer('new', 'Pulling fs layer'),
        layer('new', 'Downloading', 20, 100),
      ],
      want: [0, 0, 18],
    },
    {
      it: 'ignores lines about the whole',
      messages: [{ status: 'Digest: sha256:1234' }, { status: 'Status: Image is up to date for busybox:1' }],
      want: [0, 0],
    },
  ];
  for (const { it: title, messages, want } of cases) {
    it(title, () => {
      const progress = pullProgress();
      assert.deepEqual(messages.map(progress.take), want);
      assert.equal(progress.finish(), 100);
    });
  }

  it('throws an error of the stream in the words of Docker', () => {
    const progress = pullProgress();
    assert.throws(
      () => progress.take({ error: 'unauthorized: no', errorDetail: { code: 401, message: 'unauthorized: no' } }),
      (error) => error instanceof EngineError && error.message === 'unauthorized: no' && error.statusCode === 401,
    );
    assert.throws(() => pullProgress().take({ error: 'EOF' }), { message: 'EOF', statusCode: 500 });
  });

  it('never goes down and stays whole, whatever the order', () => {
    const status = fc.constantFrom(
      'Pulling fs layer',
      'Waiting',
      'Downloading',
      'Verifying Checksum',
      'Download complete',
      'Extracting',
      'Pull complete',
      'Already exists',
    );
    const message = fc
      .tuple(fc.constantFrom('a', 'b', 'c'), status, fc.nat(200), fc.nat(200))
      .map(([id, text, current, total]) => layer(id, text, current, total));
    fc.assert(
      fc.property(fc.array(message), (messages) => {
        const reported = messages.map(pullProgress().take);
        assert.ok(reported.every((percent) => Number.isInteger(percent) && percent >= 0 && percent <= 99));
        assert.deepEqual(
          reported,
          [...reported].sort((a, b) => a - b),
        );
      }),
    );
  });
});
