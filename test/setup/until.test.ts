import assert from 'node:assert/strict';
import { until } from './until.js';

describe('what was seen when time is up', () => {
  const failure = (seen: unknown) =>
    until(
      'it is there',
      () => seen,
      () => false,
      { withinMs: 0 },
    ).catch(String);

  it('of a document begins with its conditions and its status', async () => {
    const document = {
      ...{ apiVersion: 'supercargo.io/v1', kind: 'App', metadata: { name: 'shop', generation: 2 }, spec: { appId: 7 } },
      status: {
        observedGeneration: 1,
        conditions: [{ type: 'Ready', status: 'False', reason: 'Verifying', message: 'Waits' }],
      },
    };
    assert.deepEqual(
      String(await failure(document))
        .split('\n')
        .slice(0, 4),
      [
        'Error: Not within 0 ms: it is there. Last seen: App shop, generation 2',
        '  Ready False, Verifying: Waits',
        '  { observedGeneration: 1 }',
        '{',
      ],
    );
  });

  it('of anything else is the thing itself', async () => {
    assert.equal(await failure([7]), 'Error: Not within 0 ms: it is there. Last seen: [ 7 ]');
  });
});
