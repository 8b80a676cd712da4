import assert from 'node:assert/strict';
import type { SeenContainer, Updatable } from '../../../../controllers/engine/engine.js';
import { driftOf, type Tuning } from '../../../../controllers/service/container/drift.js';
import { aContainer, UNLIMITED } from '../service-states.js';

const tuning = (more: Partial<Tuning> = {}): Tuning => ({ ...UNLIMITED, MemorySwap: undefined, ...more });
const seen = (updatable: Partial<Updatable> | undefined, state: SeenContainer['state'] = 'running'): SeenContainer =>
  aContainer({ state, ...(updatable ? { updatable: { ...UNLIMITED, ...updatable } } : {}) });

describe('driftOf', () => {
  const cases: readonly {
    readonly it: string;
    readonly document?: Partial<Tuning>;
    readonly seen?: Partial<Updatable> | undefined;
    readonly state?: SeenContainer['state'];
    readonly want: string;
  }[] = [
    { it: 'sees none where nothing was asked for and nothing is set', want: 'none' },
    {
      it: 'sees none where all is as it was asked for',
      document: { Memory: 64, CpusetCpus: '0', PidsLimit: 9 },
      seen: { Memory: 64, CpusetCpus: '0', PidsLimit: 9 },
      want: 'none',
    },
    { it: 'sees none where the engine does not tell', document: { Memory: 64 }, seen: undefined, want: 'none' },
    {
      it: 'takes a limit that is not there for one that the kernel lacks',
      document: { Memory: 64, PidsLimit: 9, CpusetCpus: '0' },
      seen: {},
      want: 'none',
    },
    { it: 'ends a pause', state: 'paused', want: 'was paused → unpause' },
    {
      it: 'ends a pause before it gives limits back',
      state: 'paused',
      document: { CpuShares: 2 },
      seen: { CpuShares: 3 },
      want: 'was paused → unpause',
    },
    {
      it: 'gives a limit back in place, and swap with memory',
      document: { Memory: 64 },
      seen: { Memory: 32 },
      want: 'was edited: mem_limit is 32, not 64 → update {"Memory":64,"MemorySwap":128}',
    },
    {
      it: 'gives back the swap that was asked for',
      document: { Memory: 64, MemorySwap: 64 },
      seen: { Memory: 32 },
      want: 'was edited: mem_limit is 32, not 64 → update {"Memory":64,"MemorySwap":64}',
    },
    {
      it: 'gives several back at once',
      document: { NanoCpus: 5, CpusetCpus: '0' },
      seen: { NanoCpus: 6, CpusetCpus: '0-1', RestartPolicy: { Name: 'no', MaximumRetryCount: 0 } },
      want:
        'was edited: cpus is 6, not 5, cpuset is 0-1, not 0, restart is no, not always → ' +
        'update {"NanoCpus":5,"CpusetCpus":"0","RestartPolicy":{"Name":"always","MaximumRetryCount":0}}',
    },
    {
      it: 'takes a limit of PIDs away in place',
      seen: { PidsLimit: 9 },
      want: 'was edited: pids_limit is 9, not set → update {"PidsLimit":0}',
    },
    {
      it: 'needs another container to take any other limit away',
      seen: { CpuShares: 9 },
      want: 'was edited: cpu_shares is 9, not set → replace',
    },
    {
      it: 'compares how often a restart is tried',
      document: { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 3 } },
      seen: { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 5 } },
      want:
        'was edited: restart is on-failure:5, not on-failure:3 → ' +
        'update {"RestartPolicy":{"Name":"on-failure","MaximumRetryCount":3}}',
    },
  ];
  for (const one of cases) {
    it(one.it, () => {
      const drift = driftOf(seen('seen' in one ? one.seen : {}, one.state), tuning(one.document));
      const change = drift?.repair === 'update' ? ` ${JSON.stringify(drift.change)}` : '';
      assert.equal(drift ? `${drift.because} → ${drift.repair}${change}` : 'none', one.want);
    });
  }
});
