import assert from 'node:assert/strict';
import cron from 'node-cron';
import { cronIssue } from '../../../crds/model/cron.js';
import { parseDocument } from '../../../crds/schema/parse.js';

describe('cronIssue', () => {
  const taken = [
    '* * * * *',
    '*/5 * * * * *',
    '0 4 * * *',
    ' 0  4 * * * ',
    '0-30/10,45 22-2 1,15 JAN-mar,December MON-FRI',
    '0 0 L * ?',
    '0 0 L-3,15W,LW * *',
    '0 0 ? * 5L,1#2,7',
    '0 0 29 2 *',
    '0 0 30,29 2 *',
    '0 0 31 2,3 *',
    '0 0 31 2-4 *',
    '0 0 */31 2 *',
    '0 0 L 2 *',
    '@daily',
  ];
  for (const text of taken) {
    it(`takes "${text}", as the library does`, () => {
      assert.equal(cronIssue(text), undefined);
      assert.ok(cron.validate(text));
    });
  }

  const refused: readonly [string, RegExp][] = [
    ['', /no cron expression/],
    ['at night', /no cron expression/],
    ['* * * *', /no cron expression/],
    ['* * * * * * *', /no cron expression/],
    ['60 * * * *', /"60" is no minute/],
    ['0-9999999999 * * * *', /no minute/],
    ['60 * * * * *', /no second/],
    ['* 0-24 * * *', /no hour/],
    ['* * 0 * *', /no day of the month/],
    ['* * * 13 *', /no month/],
    ['* * * mai *', /no month/],
    ['* * * * 8', /no weekday/],
    ['*/0 * * * *', /no minute/],
    ['*/1000000000 * * * *', /no minute/],
    ['5/10 * * * *', /no minute/],
    ['1,,2 * * * *', /no minute/],
    ['-1 * * * *', /no minute/],
    ['1e9 * * * *', /no minute/],
    ['0 0 30 2 *', /^No month has such a day$/],
    ['0 0 31 4,jun,September *', /^No month has such a day$/],
    ['* 0 0 31/2,31 feb *', /day of the month/],
    ['0 0 30-31 2 mon', /^No month has such a day$/],
    [`${'0-59,'.repeat(20_000)}0 * * * *`, /^Too long for a cron expression: 100009 characters, at most 255$/],
  ];
  for (const [text, want] of refused) {
    it(`refuses "${text.slice(0, 40)}"`, () => assert.match(cronIssue(text) ?? '', want));
  }

  it('guards the window of a HostConfig', () => {
    const issues = (reboot: string): string => {
      const metadata = { name: 'device' };
      const parsed = parseDocument({ apiVersion: 'supercargo.io/v1', kind: 'HostConfig', metadata, spec: { reboot } });
      return parsed.ok ? '' : parsed.issues.map(({ path, message }) => `${path}: ${message}`).join();
    };
    assert.equal(issues('window(* 3 * * *)'), '');
    assert.match(issues('window(0-2999999 * * * *)'), /^spec\.reboot: "0-2999999" is no minute/);
    assert.match(issues(`window(${'0-59,'.repeat(20_000)}0 * * * *)`), /^spec\.reboot: /);
  });
});
