import assert from 'node:assert/strict';
import type { UnconfirmedChange } from '../../../../controllers/host/host-state.js';
import type { SeenNetwork } from '../../../../controllers/host/network/host-network.js';
import { renderRedsocks } from '../../../../controllers/host/network/redsocks.js';
import type { NetworkObservation, NetworkStep } from '../../../../controllers/host-config/network/plan.js';
import { type NetworkResult, networkStatus } from '../../../../controllers/host-config/network/status.js';
import { act, type Plan } from '../../../../controllers/runtime/outcome.js';
import type { Progress } from '../../../../controllers/runtime/reconciler.js';
import type { HostConfigStatus } from '../../../../crds/model/types.js';
import { aDocument } from '../../../setup/documents.js';

/** What the status says of the host's network. Each row is a host named `host` without a proxy, at the end of a pass. */
interface Row {
  readonly it: string;
  readonly before?: HostConfigStatus;
  readonly seen?: Partial<SeenNetwork>;
  readonly observation?: Partial<NetworkObservation>;
  /** The step that the pass is about to take. */
  readonly about?: NetworkStep['do'];
  readonly result?: Partial<NetworkResult>;
  readonly want: object;
}

const SEEN: SeenNetwork = {
  ...{ hasBoot: true, hostname: 'host', configured: 'host' },
  ...{ running: undefined, redsocks: undefined, noProxy: undefined },
};
const AT_REST: NetworkObservation = {
  seen: SEEN,
  uuid: '3fa91c07e2',
  restartDue: false,
  canRename: true,
  ...{ unconfirmed: undefined, verdict: undefined, proven: undefined, rolledBack: undefined },
  ...{ request: undefined, note: undefined },
};
const UNCONFIRMED: UnconfirmedChange<object> = {
  ...{ uid: 'u', generation: 1, undo: {}, starts: 1 },
  before: { defaultRoute: true, addresses: [] },
};
const PROXY = { type: 'socks5', ip: '10.0.0.1', port: 1080, login: 'me', password: 'secret' };
const SHOWN = { type: 'socks5', ip: '10.0.0.1', port: 1080 };
const HOST = { hostname: 'host' };
const OPEN = { is: 'open', missing: ['a default route'], leftMs: 9_000, forMs: 2_000 } as const;

const rows: readonly Row[] = [
  { it: 'names the host', want: HOST },
  { it: 'names no host that has no name', seen: { hostname: undefined }, want: {} },
  {
    it: 'says which proxy there is, and nobody its password',
    seen: { redsocks: renderRedsocks({ fields: PROXY }) },
    want: { ...HOST, proxy: SHOWN },
  },
  {
    it: 'says which name server is behind it',
    seen: { redsocks: renderRedsocks({ fields: PROXY, dns: '8.8.8.8:53' }) },
    want: { ...HOST, proxy: { ...SHOWN, dns: '8.8.8.8:53' } },
  },
  { it: 'says nothing of a file that is none', seen: { redsocks: 'junk' }, want: HOST },
  { it: 'says what is reached without it', seen: { noProxy: 'a\nb\n' }, want: { ...HOST, noProxy: ['a', 'b'] } },
  { it: 'says nothing of an empty list', seen: { noProxy: '\n' }, want: HOST },
  {
    it: 'says that services have to be restarted before their file is written',
    about: 'write-redsocks',
    want: { ...HOST, restartDue: true },
  },
  { it: 'and before the list is', about: 'write-no-proxy', want: { ...HOST, restartDue: true } },
  { it: 'but not for a name', about: 'rename', want: HOST },
  { it: 'goes on saying it', before: { restartDue: true }, want: { ...HOST, restartDue: true } },
  { it: 'until they have been', before: { restartDue: true }, result: { restarted: true }, want: HOST },
  {
    it: 'says what takes effect at the next boot',
    observation: { note: 'at the next boot' },
    want: { ...HOST, note: 'at the next boot' },
  },
  {
    it: 'but not while another change is written',
    observation: { note: 'at the next boot' },
    about: 'write-redsocks',
    want: { ...HOST, restartDue: true },
  },
  {
    it: 'keeps what it said of a host that nobody looks at any more: its document goes',
    before: { hostname: 'old', proxy: SHOWN, noProxy: ['a'], note: 'x' },
    observation: { seen: undefined },
    want: { hostname: 'old', proxy: SHOWN, noProxy: ['a'] },
  },
  { it: 'which may be nothing', observation: { seen: undefined }, want: {} },
  {
    it: 'says that a change has to prove itself, and what is missing',
    observation: { unconfirmed: UNCONFIRMED, verdict: OPEN },
    want: { ...HOST, trial: { deadlineSeconds: 600, waitsFor: ['a default route'] } },
  },
  {
    it: 'acknowledges a request to confirm what needs none',
    observation: { request: 'c' },
    want: { ...HOST, handled: { confirm: 'c' } },
  },
  {
    it: 'leaves it unanswered until what it confirms is confirmed',
    observation: { request: 'c', unconfirmed: UNCONFIRMED },
    want: { ...HOST, trial: { deadlineSeconds: 600 } },
  },
];

describe('the status of the host’s network', () => {
  for (const { it: says, before, seen, observation, about, result = {}, want } of rows) {
    it(says, () => {
      const document = aDocument('HostConfig', 'network', {}, before ? { status: before } : {});
      const step = about && ({ do: about, text: '', hostname: '', because: '' } as NetworkStep);
      const plan: Plan<NetworkStep> = act('Writing', ...(step ? [step] : []));
      const progress: Progress<Plan<NetworkStep>, NetworkResult> = step
        ? { at: 'acting', plan, step: step as never, result }
        : { at: 'acted', plan, result };
      const facts = { ...AT_REST, ...(seen ? { seen: { ...SEEN, ...seen } } : {}), ...observation };
      assert.deepEqual(networkStatus(document, facts, progress), want);
    });
  }
});
