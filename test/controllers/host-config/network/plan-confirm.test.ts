import assert from 'node:assert/strict';
import type { NetworkUndo, UnconfirmedChange } from '../../../../controllers/host/host-state.js';
import { type NetworkObservation, planNetwork } from '../../../../controllers/host-config/network/plan.js';
import { attempt, TerminalError } from '../../../../controllers/runtime/outcome.js';
import type { HostConfigSpec } from '../../../../crds/model/types.js';
import { aDocument } from '../../../setup/documents.js';

/**
 * What becomes of a change of the network settings: each row is a host named `old` that differs in one thing from one
 * whose document says the same. What makes the settings true is in `plan.test.ts`.
 */
const UNCONFIRMED: UnconfirmedChange<NetworkUndo> = {
  uid: 'uid-of-network',
  generation: 1,
  undo: { configured: 'before' },
  before: { defaultRoute: true, addresses: [] },
  starts: 1,
};
const FAILED = { ...UNCONFIRMED, failed: 'it lacked a default route' };
const THIS = { uid: 'uid-of-network', generation: 1 };
const GOOD = { is: 'good', because: 'confirmed by request' } as const;
const OPEN = { is: 'open', missing: ['a default route'], leftMs: 9_000, forMs: 2_000 } as const;
const BAD = { is: 'bad', because: 'after 60 s it still lacked a default route' } as const;
const SEEN = {
  ...{ hasBoot: true, hostname: 'old', configured: 'old', running: undefined, redsocks: undefined, noProxy: undefined },
};
const AT_REST: NetworkObservation = {
  seen: SEEN,
  uuid: '3fa91c07e2',
  restartDue: false,
  canRename: true,
  unconfirmed: undefined,
  verdict: undefined,
  proven: THIS,
  rolledBack: undefined,
  request: undefined,
  note: undefined,
};
const RENAMING = 'configure-hostname (the host name is "old", not "new")';
const REFUSED: HostConfigSpec = { hostname: 'a b' };
const REFUSAL =
  'stalled, InvalidSpec: spec.hostname: Not a host name: letters, digits and hyphens, in parts of at most 63 between dots, at most 64 together';
const PROXY = { type: 'socks5', ip: '10.0.0.1', port: 1080 };

function reported(spec: HostConfigSpec, observation: NetworkObservation): string {
  const plan = attempt(() => planNetwork(aDocument('HostConfig', 'network', spec), observation));
  if (plan instanceof TerminalError) return `stalled, ${plan.reason}: ${plan.message}`;
  const steps = plan.steps.map((step) => {
    const undo = step.do === 'checkpoint' ? ` ${JSON.stringify(step.undo)}` : '';
    return `${step.do}${undo} (${step.because})`;
  });
  const { outcome, failure } = plan;
  const end = outcome.is === 'settled' ? 'settled' : `${outcome.is}, ${outcome.reason}`;
  return [...steps, failure ? `stalled, ${failure.reason}: ${failure.message}` : end].join('; ');
}

describe('the plan for the host’s network: a change that has to prove itself', () => {
  const cases: readonly {
    readonly it: string;
    readonly spec?: HostConfigSpec;
    readonly observation?: Partial<NetworkObservation>;
    readonly want: string;
  }[] = [
    { it: 'does nothing when nothing differs', want: 'settled' },
    {
      it: 'notes a generation that is true at once',
      observation: { proven: undefined },
      want: 'note-proven (nothing differs and nothing is unconfirmed); settled',
    },
    {
      it: 'keeps what was there before a change',
      spec: { hostname: 'new' },
      observation: { proven: { uid: 'uid-of-network', generation: 0 } },
      want: `checkpoint {"configured":"old"} (the change has to prove itself); ${RENAMING}; progressing, Renaming`,
    },
    {
      it: 'keeps that there was none',
      spec: { hostname: 'new', proxy: { noProxy: ['a'] } },
      observation: { proven: undefined },
      want: 'checkpoint {"noProxy":null} (the change has to prove itself); write-no-proxy (there was no no_proxy); progressing, Writing',
    },
    {
      it: 'keeps all that is changed at once',
      spec: { proxy: { ...PROXY, noProxy: ['a'] } },
      observation: { seen: { ...SEEN, redsocks: 'by hand' }, proven: undefined },
      want: 'checkpoint {"redsocks":"by hand","noProxy":null} (the change has to prove itself); write-redsocks (redsocks.conf differs); write-no-proxy (there was no no_proxy); progressing, Writing',
    },
    {
      it: 'keeps the name of a plain host',
      spec: { hostname: 'new' },
      observation: { seen: { ...SEEN, hasBoot: false }, proven: undefined },
      want: 'checkpoint {"hostname":"old"} (the change has to prove itself); rename (the host name is "old", not "new"); progressing, Renaming',
    },
    {
      it: 'keeps that a host had no name and no proxy',
      spec: { hostname: 'new', proxy: PROXY },
      observation: { seen: { ...SEEN, configured: undefined }, proven: undefined },
      want: 'checkpoint {"redsocks":null} (the change has to prove itself); write-redsocks (there was no redsocks.conf); progressing, Writing',
    },
    {
      it: 'keeps that a plain host had no name',
      spec: { hostname: 'new' },
      observation: { seen: { ...SEEN, hasBoot: false, hostname: undefined }, proven: undefined },
      want: 'checkpoint {"hostname":null} (the change has to prove itself); rename (the host name is not set, not "new"); progressing, Renaming',
    },
    {
      it: 'keeps nothing before a repair of what has proved itself',
      spec: { hostname: 'new' },
      want: `${RENAMING}; progressing, Renaming`,
    },
    {
      it: 'keeps nothing when no proof is asked for',
      spec: { hostname: 'new', confirm: { deadlineSeconds: 0 } },
      observation: { proven: undefined },
      want: `${RENAMING}; progressing, Renaming`,
    },
    {
      it: 'keeps nothing before services are restarted',
      spec: { proxy: {} },
      observation: { proven: undefined, restartDue: true },
      want: 'restart-proxy (the proxy settings changed); progressing, Restarting',
    },
    {
      it: 'lets the time begin once everything is written',
      observation: { unconfirmed: UNCONFIRMED, verdict: { is: 'begin', starts: 2 }, proven: undefined },
      want: 'start-timer (the change has taken effect); progressing, Confirming',
    },
    {
      it: 'waits while something is missing',
      observation: { unconfirmed: UNCONFIRMED, verdict: OPEN, proven: undefined },
      want: 'waiting, Confirming',
    },
    {
      it: 'confirms what is good, and notes that it is',
      observation: { unconfirmed: UNCONFIRMED, verdict: GOOD, proven: undefined },
      want: 'confirm (confirmed by request); note-proven (nothing differs and nothing is unconfirmed); settled',
    },
    {
      it: 'gives up what is bad',
      observation: { unconfirmed: UNCONFIRMED, verdict: BAD },
      want: `give-up (${BAD.because}); progressing, RollingBack`,
    },
    {
      it: 'restores what was given up, whatever the document says by now',
      spec: REFUSED,
      observation: { unconfirmed: FAILED },
      want: 'roll-back (it lacked a default route); progressing, RollingBack',
    },
    {
      it: 'restores also what was taken back before: it was cut',
      observation: { unconfirmed: FAILED, rolledBack: { ...THIS, because: 'x' } },
      want: 'roll-back (it lacked a default route); progressing, RollingBack',
    },
    {
      it: 'does not try again what was taken back',
      spec: { hostname: 'new' },
      observation: { rolledBack: { ...THIS, because: 'x' } },
      want: 'stalled, RolledBack: What was there before is back: x. Change the document to try again',
    },
    {
      it: 'tries another generation',
      spec: { hostname: 'new' },
      observation: { rolledBack: { uid: 'uid-of-network', generation: 0, because: 'x' } },
      want: `${RENAMING}; progressing, Renaming`,
    },
    {
      it: 'tries another document of the name',
      spec: { hostname: 'new' },
      observation: { rolledBack: { uid: 'v', generation: 1, because: 'x' } },
      want: `${RENAMING}; progressing, Renaming`,
    },
    { it: 'refuses what cannot be made true', spec: REFUSED, want: REFUSAL },
    {
      it: 'judges an earlier change although the document has become a bad one',
      spec: REFUSED,
      observation: { unconfirmed: UNCONFIRMED, verdict: OPEN },
      want: 'waiting, Confirming',
    },
    {
      it: 'confirms although the document has become a bad one, which has proved nothing by that',
      spec: REFUSED,
      observation: { unconfirmed: UNCONFIRMED, verdict: GOOD, proven: undefined },
      want: `confirm (confirmed by request); ${REFUSAL}`,
    },
    { it: 'lets a deleted document go when nothing is unconfirmed', observation: { seen: undefined }, want: 'settled' },
    {
      it: 'gives up what has not proved itself when its document is deleted',
      observation: { seen: undefined, unconfirmed: UNCONFIRMED, verdict: OPEN },
      want: 'give-up (its document was deleted before the change had proved itself); progressing, RollingBack',
    },
    {
      it: 'gives up what nobody could judge when its document is deleted',
      observation: { seen: undefined, unconfirmed: UNCONFIRMED },
      want: 'give-up (its document was deleted before the change had proved itself); progressing, RollingBack',
    },
    {
      it: 'says of a deleted one why it had failed anyway',
      observation: { seen: undefined, unconfirmed: UNCONFIRMED, verdict: BAD },
      want: `give-up (${BAD.because}); progressing, RollingBack`,
    },
    {
      it: 'restores what was given up before its document goes',
      observation: { seen: undefined, unconfirmed: FAILED },
      want: 'roll-back (it lacked a default route); progressing, RollingBack',
    },
    {
      it: 'keeps what was confirmed just before, and lets the document go',
      observation: { seen: undefined, unconfirmed: UNCONFIRMED, verdict: GOOD },
      want: 'confirm (confirmed by request); settled',
    },
  ];
  for (const { it: what, spec = { hostname: 'old' }, observation = {}, want } of cases) {
    it(what, () => assert.equal(reported(spec, { ...AT_REST, ...observation }), want));
  }
});
