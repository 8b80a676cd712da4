import assert from 'node:assert/strict';
import { TerminalError, TransientError } from '../../../../controllers/runtime/outcome.js';
import type { AdoptionFacts } from '../../../../controllers/service/adoption/adoption-facts.js';
import { goBackAfter } from '../../../../controllers/service/adoption/adoption-steps.js';
import type { ServiceDeps } from '../../../../controllers/service/deps.js';
import type { StepContext } from '../../../../controllers/service/steps/step-context.js';

const deps = {
  store: { flush: async () => undefined },
  logs: { system: () => undefined },
  now: () => 0,
} as unknown as ServiceDeps;
const context = { serviceName: 'web', service: { spec: { app: 'shop' } } } as unknown as StepContext;

describe('goBackAfter', () => {
  const inUse = new TransientError('PortInUse', 'a process listens there');
  for (const { it: name, is, error, want } of [
    { it: 'starts theirs again where the port of ours is taken', is: 'taking', error: inUse, want: 'GoingBack' },
    {
      it: 'starts theirs again where the document is wrong',
      is: 'taking',
      error: new TerminalError('CommandNotFound', 'no such command'),
      want: 'GoingBack',
    },
    {
      it: 'tries again soon, while theirs is stopped, what passes by itself',
      is: 'taking',
      error: new TransientError('NetworkNotReady', 'it is recreated'),
      want: 'NetworkNotReady in 5000 ms',
    },
    { it: 'leaves it to the back-off while theirs runs', is: 'pending', error: inUse, want: undefined },
    { it: 'leaves any other error to the back-off', is: 'taking', error: new Error('no engine'), want: undefined },
  ] as const) {
    it(name, async () => {
      const adoption = { id: 'r1', is, record: undefined } as unknown as AdoptionFacts;
      const result = await goBackAfter(deps, context, adoption, error, () => undefined);
      const outcome = result?.outcome;
      const after = outcome?.is === 'waiting' ? ` in ${outcome.forMs} ms` : '';
      assert.equal(outcome && 'reason' in outcome ? `${outcome.reason}${after}` : undefined, want);
    });
  }
});
