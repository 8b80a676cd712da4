import assert from 'node:assert/strict';
import type { NetworkFacts, NetworkPlan } from '../../../controllers/network/plan.js';
import { networkStatus, reachCondition } from '../../../controllers/network/status.js';
import { settled } from '../../../controllers/runtime/outcome.js';
import { aDocument, aNetwork } from '../../setup/documents.js';

const SEEN = { id: 'n1', name: '1_default', gateway: '172.18.0.1' } as NetworkFacts['seen'][number];
const web = { name: 'web' } as NetworkFacts['attached'][number];
const db = { name: 'db' } as NetworkFacts['attached'][number];
const plan = (rebuilding: boolean): NetworkPlan => ({ ...settled(), rebuilding });

describe('the status of a network', () => {
  const FACTS = { wantedElsewhere: false, awaited: false, foreign: [], leaked: new Set<string>() };
  const rows: readonly {
    readonly it: string;
    readonly deleted?: boolean;
    readonly seen?: NetworkFacts['seen'];
    readonly attached?: NetworkFacts['attached'];
    readonly at?: 'acting' | 'acted';
    readonly plan?: NetworkPlan;
    readonly want: object;
  }[] = [
    { it: 'names it and its gateway', want: { id: 'n1', gateway: '172.18.0.1' } },
    { it: 'is empty while there is none', seen: [], want: {} },
    { it: 'names the first of two', seen: [SEEN, { ...SEEN, id: 'n2' }], want: { id: 'n1', gateway: '172.18.0.1' } },
    { it: 'has no gateway where the network has none', seen: [{ ...SEEN, gateway: undefined }], want: { id: 'n1' } },
    { it: 'does not name those that may stay', attached: [web], want: { id: 'n1', gateway: '172.18.0.1' } },
    {
      it: 'names those that have to leave before it is recreated',
      attached: [web, db],
      plan: plan(true),
      want: { id: 'n1', gateway: '172.18.0.1', rebuilding: true, attached: ['db', 'web'] },
    },
    {
      it: 'names those that have to leave before it goes',
      deleted: true,
      attached: [web],
      plan: plan(false),
      want: { id: 'n1', gateway: '172.18.0.1', attached: ['web'] },
    },
    {
      it: 'says that it is recreated when nobody has to leave, too',
      plan: plan(true),
      want: { id: 'n1', gateway: '172.18.0.1', rebuilding: true },
    },
    {
      it: 'says that it is about to be recreated before the first step',
      seen: [],
      at: 'acting',
      plan: plan(true),
      want: { rebuilding: true },
    },
    { it: 'says it no more once the old one has gone', seen: [], plan: plan(true), want: {} },
  ];
  for (const { it: says, deleted = false, seen = [SEEN], attached = [], at = 'acted', plan: planned, want } of rows) {
    it(says, () => {
      const progress = { at, result: {}, ...(planned ? { plan: planned } : {}) };
      assert.deepEqual(networkStatus(aNetwork({ deleted }), { ...FACTS, seen, attached }, progress), want);
    });
  }
});

describe('the condition ApiReachable of a network', () => {
  const shared = aDocument('Network', 'supervisor0', { networkName: 'supervisor0' });
  const reach = (state: { isReachable: boolean; message: string } | undefined) => ({
    state: () => state,
    onChange: () => () => undefined,
  });
  it('says whether containers reach the API', () => {
    assert.deepEqual(reachCondition(reach({ isReachable: true, message: 'on 10.114.104.1' }), shared), [
      { type: 'ApiReachable', status: 'True', reason: 'Listening', message: 'on 10.114.104.1' },
    ]);
    assert.deepEqual(reachCondition(reach({ isReachable: false, message: 'taken' }), shared), [
      { type: 'ApiReachable', status: 'False', reason: 'NotListening', message: 'taken' },
    ]);
  });
  it('is not said of other networks, nor where nobody knows', () => {
    assert.deepEqual(reachCondition(reach({ isReachable: true, message: 'x' }), aNetwork()), []);
    assert.deepEqual(reachCondition(reach(undefined), shared), []);
    assert.deepEqual(reachCondition(undefined, shared), []);
  });
});
