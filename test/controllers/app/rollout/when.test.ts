import assert from 'node:assert/strict';
import { decideWhen, type WhenFacts } from '../../../../controllers/app/rollout/when.js';
import { windowAt } from '../../../../controllers/app/rollout/window.js';

const NOW_MS = Date.parse('2026-03-10T12:00:00Z');
const HOUR_MS = 3_600_000;
const at = (text: string): number => Date.parse(text);
const open = { is: 'open' } as const;
const closed = { is: 'closed', opensMs: NOW_MS + 2 * HOUR_MS, opensAt: '2026-03-10 14:00 GMT+00:00 (UTC)' } as const;
const never = { is: 'closed', opensMs: undefined, opensAt: undefined } as const;
const since = '2026-03-09T00:00:00.000Z';
const seen = { revision: 'shop.2', since };
const approved = { by: 'ada', at: since };

const facts = (more: Partial<WhenFacts>): WhenFacts => ({
  ...{
    app: 'shop',
    apply: 'now',
    window: undefined,
    revision: 'shop.2',
    isNew: true,
    isStarted: false,
    interrupts: true,
    hasImages: true,
  },
  ...{ next: undefined, bootId: 'b1', nowMs: NOW_MS, goesAhead: false, ...more },
});

describe('decideWhen', () => {
  const cases: readonly (readonly [it: string, facts: Partial<WhenFacts>, want: string])[] = [
    ['goes at once by default', {}, 'now'],
    ['does not let wait what is no new content', { apply: 'approval', isNew: false }, 'now'],
    [
      'does not let wait what is no new content, outside a window',
      { apply: 'window', window: closed, isNew: false },
      'now',
    ],
    ['waits for a window', { apply: 'window', window: closed }, 'OutsideWindow until 2026-03-10T14:00:00.000Z'],
    ['goes in a window', { apply: 'window', window: open }, 'now'],
    ['waits for a window that does not come', { apply: 'window', window: never }, 'OutsideWindow'],
    ['waits for a boot', { apply: 'reboot' }, 'AwaitingReboot, not b1'],
    ['waits while it is the same boot', { apply: 'reboot', next: { ...seen, bootId: 'b1' } }, 'AwaitingReboot, not b1'],
    ['goes after a boot', { apply: 'reboot', next: { ...seen, bootId: 'b0' } }, 'now, not b0'],
    [
      'waits for the next boot where images came after the last one',
      { apply: 'reboot', next: { ...seen, bootId: 'b0' }, hasImages: false },
      'AwaitingReboot, not b1',
    ],
    [
      'waits for the next boot where the last one came while the App was suspended',
      { apply: 'reboot', next: { ...seen, bootId: 'b0' }, isSuspended: true },
      'AwaitingReboot, not b1',
    ],
    [
      'waits for a boot of its own, whatever was declared before',
      { apply: 'reboot', next: { ...seen, revision: 'shop.1', bootId: 'b0' } },
      'AwaitingReboot, not b1',
    ],
    ['waits for an approval', { apply: 'approval' }, 'AwaitingApproval'],
    ['goes when it is approved', { apply: 'approval', next: { ...seen, approved } }, 'now, by ada'],
    [
      'waits for an approval of its own',
      { apply: 'approval', next: { ...seen, revision: 'shop.1', approved } },
      'AwaitingApproval',
    ],
    [
      'goes outside its window when it is approved',
      { apply: 'window', window: closed, next: { ...seen, approved } },
      'now, by ada',
    ],
    [
      'goes without a boot when it is approved',
      { apply: 'reboot', next: { ...seen, approved } },
      'now, not b1, by ada',
    ],
    ['goes outside a window where nothing runs', { apply: 'window', window: closed, interrupts: false }, 'now'],
    ['goes without a boot where nothing runs', { apply: 'reboot', interrupts: false }, 'now, not b1'],
    ['waits for its approval where nothing runs', { apply: 'approval', interrupts: false }, 'AwaitingApproval'],
    ['goes on behind its wait in a rehearsal', { apply: 'approval', goesAhead: true }, 'now'],
  ];
  for (const [what, more, want] of cases) {
    it(what, () => {
      const decided = decideWhen(facts(more));
      const { bootId, approved: who } = decided.next ?? {};
      const waiting =
        decided.is === 'now' ? 'now' : `${decided.reason}${decided.until ? ` until ${decided.until}` : ''}`;
      assert.equal([waiting, ...(bootId ? [`not ${bootId}`] : []), ...(who ? [`by ${who.by}`] : [])].join(', '), want);
    });
  }

  it('says what it waits for, until when and what to do', () => {
    const output = (more: Partial<WhenFacts>): string => {
      const decided = decideWhen(facts(more));
      return decided.is === 'later' ? decided.message : 'now';
    };
    assert.equal(
      output({ apply: 'window', window: closed }),
      'Revision shop.2 waits until 2026-03-10 14:00 GMT+00:00 (UTC), when its window opens; `supercargo approve shop` lets it go ahead at once',
    );
    assert.match(
      output({ apply: 'window', window: never }),
      /none opens within five years: declare another rollout\.window;/,
    );
    assert.match(
      output({ apply: 'reboot' }),
      /waits for the next boot of the device; `supercargo approve shop` .* without$/,
    );
    assert.match(output({ apply: 'approval' }), /waits until somebody approves it: `supercargo approve shop`/);
  });

  it('looks again when the window opens, and within the hour, because clocks jump', () => {
    const forMs = (opensMs: number): number => {
      const decided = decideWhen(facts({ apply: 'window', window: { ...closed, opensMs } }));
      return decided.is === 'later' ? decided.forMs : 0;
    };
    assert.equal(forMs(NOW_MS + 1_000), 1_000);
    assert.equal(forMs(NOW_MS + 30 * HOUR_MS), HOUR_MS);
  });

  it('keeps since when it is declared', () => {
    assert.deepEqual(
      decideWhen(facts({ apply: 'approval', next: { ...seen, reason: 'AwaitingApproval' } })).next,
      seen,
    );
    const first = decideWhen(facts({ apply: 'approval' })).next;
    assert.deepEqual(first, { revision: 'shop.2', since: new Date(NOW_MS).toISOString() });
  });
});

describe('windowAt', () => {
  const berlin = { cron: '0 2 * * *', duration: '90m', timeZone: 'Europe/Berlin' };
  const cases: readonly (readonly [it: string, window: Parameters<typeof windowAt>[0], at: string, want: string])[] = [
    ['is closed before it', berlin, '2026-03-10T00:59:59Z', '2026-03-10 02:00 GMT+01:00 (Europe/Berlin)'],
    ['opens to the second', berlin, '2026-03-10T01:00:00Z', 'open'],
    ['is open to its last second', berlin, '2026-03-10T02:29:59.999Z', 'open'],
    ['is closed after it', berlin, '2026-03-10T02:30:00Z', '2026-03-11 02:00 GMT+01:00 (Europe/Berlin)'],
    ['is left out with its hour', berlin, '2026-03-29T01:10:00Z', '2026-03-30 02:00 GMT+02:00 (Europe/Berlin)'],
    ['is reckoned in summer time', berlin, '2026-07-01T00:30:00Z', 'open'],
    ['opens twice in the hour that comes twice', berlin, '2026-10-25T00:10:00Z', 'open'],
    ['is open the second time', berlin, '2026-10-25T02:20:00Z', 'open'],
    [
      'goes on over midnight',
      { cron: '0 23 * * 5', duration: '3h', timeZone: 'UTC' },
      '2026-03-14T01:59:00Z', // a Saturday
      'open',
    ],
    [
      'ends after midnight',
      { cron: '0 23 * * 5', duration: '3h', timeZone: 'UTC' },
      '2026-03-14T02:00:00Z',
      '2026-03-20 23:00 GMT+00:00 (UTC)',
    ],
    [
      'is always open where windows overlap',
      { cron: '0 * * * *', duration: '2h', timeZone: 'UTC' },
      '2026-03-14T02:00:00Z',
      'open',
    ],
    [
      'opens in leap years',
      { cron: '0 0 29 2 *', duration: '1d', timeZone: 'UTC' },
      '2026-03-01T00:00:00Z',
      '2028-02-29 00:00 GMT+00:00 (UTC)',
    ],
    ['never opens', { cron: '0 0 31 * 1#1', duration: '1d', timeZone: 'UTC' }, '2026-03-01T00:00:00Z', 'never'],
  ];
  for (const [what, window, when, want] of cases) {
    it(what, () => {
      const state = windowAt(window, at(when));
      assert.equal(state.is === 'open' ? 'open' : (state.opensAt ?? 'never'), want);
    });
  }

  it('follows a clock that is set forward and back', () => {
    const window = { cron: '0 2 * * *', duration: '1h', timeZone: 'UTC' };
    const states = [
      '2026-03-10T01:00Z',
      '2026-03-10T02:30Z',
      '2026-03-10T03:30Z',
      '2027-01-01T02:10Z',
      '1970-01-01T05:00Z',
      '2026-03-10T02:59Z',
    ];
    assert.deepEqual(
      states.map((one) => windowAt(window, at(one)).is),
      ['closed', 'open', 'closed', 'open', 'closed', 'open'],
    );
  });
});
