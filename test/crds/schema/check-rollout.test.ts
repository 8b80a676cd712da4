import assert from 'node:assert/strict';
import type { AppSpec } from '../../../crds/model/types.js';
import { parseDocument } from '../../../crds/schema/parse.js';

type Window = NonNullable<NonNullable<AppSpec['rollout']>['window']>;

const issues = (rollout: object): string => {
  const spec = { services: { web: { image: 'web:1' } }, rollout };
  const parsed = parseDocument({ apiVersion: 'supercargo.io/v1', kind: 'App', metadata: { name: 'shop' }, spec });
  return parsed.ok ? '' : parsed.issues.map(({ path, message }) => `${path}: ${message}`).join('; ');
};
const window = (more: Partial<Window> = {}) => ({ cron: '0 2 * * *', duration: '2h', ...more });

describe('when a release may be promoted, as a document says it', () => {
  const taken: readonly (readonly [it: string, rollout: object])[] = [
    ['each word', { apply: 'now' }],
    ['reboot', { apply: 'reboot' }],
    ['approval', { apply: 'approval' }],
    ['a window', { apply: 'window', window: window() }],
    ['a window alone', { window: window() }],
    ['a window over midnight', { window: window({ cron: '0 23 * * 5', duration: '3h' }) }],
    ['windows that overlap', { window: window({ cron: '*/10 * * * *', duration: '1d12h' }) }],
    ['a nickname', { window: window({ cron: '@weekly' }) }],
    ['a time zone', { window: window({ timeZone: 'Europe/Berlin' }) }],
    ['UTC', { window: window({ timeZone: 'UTC' }) }],
  ];
  for (const [what, rollout] of taken) it(`takes ${what}`, () => assert.equal(issues(rollout), ''));

  const refused: readonly (readonly [it: string, rollout: object, want: RegExp])[] = [
    ['another word', { apply: 'later' }, /^spec\.rollout\.apply: /],
    ['window without one', { apply: 'window' }, /^spec\.rollout\.apply: Needs a window beside it, such as /],
    [
      'a window beside approval',
      { apply: 'approval', window: window() },
      /^spec\.rollout\.window: Has no effect beside apply: approval/,
    ],
    [
      'a window beside now',
      { apply: 'now', window: window() },
      /^spec\.rollout\.window: Has no effect beside apply: now/,
    ],
    [
      'no cron expression',
      { window: window({ cron: 'at night' }) },
      /^spec\.rollout\.window\.cron: "at night" is no cron expression: expected five fields, such as 0 4 \* \* \*$/,
    ],
    [
      'a day that no month has',
      { window: window({ cron: '0 0 30 2 *' }) },
      /^spec\.rollout\.window\.cron: No month has such a day$/,
    ],
    [
      'seconds',
      { window: window({ cron: '0 0 2 * * *' }) },
      /^spec\.rollout\.window\.cron: Nothing begins between two minutes: five fields, without seconds, such as 0 2 \* \* \*$/,
    ],
    [
      'no time at all',
      { window: window({ duration: '0s' }) },
      /^spec\.rollout\.window\.duration: Too short: 0s, at least 1m$/,
    ],
    ['some seconds', { window: window({ duration: '59s' }) }, /^spec\.rollout\.window\.duration: Too short/],
    [
      'two months',
      { window: window({ duration: '62d' }) },
      /^spec\.rollout\.window\.duration: Too long: 62d, at most 31d/,
    ],
    ['words for a duration', { window: window({ duration: 'two hours' }) }, /^spec\.rollout\.window\.duration: /],
    [
      'an unknown time zone',
      { window: window({ timeZone: 'Mars/Base' }) },
      /^spec\.rollout\.window\.timeZone: "Mars\/Base" is no time zone/,
    ],
    ['a window without its duration', { window: { cron: '0 2 * * *' } }, /^spec\.rollout\.window.*duration/],
    ['an unknown field', { window: { ...window(), zone: 'UTC' } }, /^spec\.rollout\.window.*zone/],
  ];
  for (const [what, rollout, want] of refused) it(`refuses ${what}`, () => assert.match(issues(rollout), want));
});
