import assert from 'node:assert/strict';
import { restartBudget } from '../../../crds/model/restart-budget.js';

describe('the budget of restart_unhealthy', () => {
  const rows: readonly (readonly [value: boolean | string | null | undefined, want: string])[] = [
    [undefined, 'never'],
    [null, 'never'],
    [false, 'never'],
    [true, '5 within 300000 ms'],
    ['5/300s', '5 within 300000 ms'],
    ['1/1h30m', '1 within 5400000 ms'],
    ['999/1ms', '999 within 1 ms'],
    ['3/0s', 'never'],
    ['3/999999d', 'never'],
    ['0/300s', 'never'],
    ['3', 'never'],
    ['3/', 'never'],
    ['on', 'never'],
  ];
  for (const [value, want] of rows) {
    it(`${JSON.stringify(value)}: ${want}`, () => {
      const budget = restartBudget(value);
      assert.equal(budget ? `${budget.count} within ${budget.withinMs} ms` : 'never', want);
    });
  }
});
