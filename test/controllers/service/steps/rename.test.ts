import assert from 'node:assert/strict';
import type { ServiceDeps } from '../../../../controllers/service/deps.js';
import { rename } from '../../../../controllers/service/steps/repair.js';
import type { StepContext, StepOf } from '../../../../controllers/service/steps/step-context.js';
import type { Service } from '../../../../crds/model/kinds.js';

describe('rename()', () => {
  const { signal } = new AbortController();
  const context = { service: { metadata: { name: 'shop.web' } } as Service, appId: 7 } as StepContext;

  /** What was renamed, and the reason for which the step waits, where the application holds its update lock. */
  async function renamed(container: object): Promise<readonly (string | undefined)[]> {
    const calls: string[] = [];
    const deps = {
      engine: {
        renameContainer: async (_id: string, to: string) => {
          calls.push(to);
          return 'renamed';
        },
      },
      cache: { refreshContainer: async () => undefined },
      locks: { during: async () => undefined },
      store: { record: () => undefined },
    } as unknown as ServiceDeps;
    const step = { do: 'rename', container: { id: 'c1', name: 'a', ...container }, to: 'b', because: 'name changed' };
    const outcome = await rename(deps, context, step as unknown as StepOf<'rename'>, signal);
    return [...calls, ...(outcome && 'reason' in outcome ? [outcome.reason] : [])];
  }

  it('waits for the lock of the app where the container has run', async () => {
    assert.deepEqual(await renamed({ state: 'running', startedAt: '2026-01-01T00:00:00Z' }), ['NeedsLock']);
  });

  it('interrupts nobody where it has never run, and needs no lock', async () => {
    assert.deepEqual(await renamed({ state: 'created' }), ['b']);
  });
});
