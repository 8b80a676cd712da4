import assert from 'node:assert/strict';
import { StopLedger } from '../../../../controllers/service/commands/stop-ledger.js';

const begin = (stops: StopLedger, id: string): void => stops.begin('a', { id, at: '2026-01-01T00:00:00Z' }, 'h');

describe('the stops of this process', () => {
  it('are none at first: what an earlier process stopped is over', () => {
    assert.equal(new StopLedger().of('a'), undefined);
  });

  it('begin undone, and are done when the container is seen stopped', () => {
    const stops = new StopLedger();
    begin(stops, '1');
    assert.deepEqual(stops.of('a'), { id: '1', at: '2026-01-01T00:00:00Z', specHash: 'h', done: false });
    stops.look('a', true);
    assert.equal(stops.of('a')?.done, false, 'it still runs');
    stops.look('a', false);
    assert.equal(stops.of('a')?.done, true);
    stops.look('a', false);
    assert.equal(stops.of('a')?.done, true, 'and stays stopped');
  });

  it('are over when somebody starts the container after that', () => {
    const stops = new StopLedger();
    begin(stops, '1');
    stops.look('a', false);
    stops.look('a', true);
    assert.equal(stops.of('a'), undefined);
  });

  it('do not begin again for the same request, but do for the next', () => {
    const stops = new StopLedger();
    begin(stops, '1');
    stops.look('a', false);
    begin(stops, '1');
    assert.equal(stops.of('a')?.done, true);
    begin(stops, '2');
    assert.equal(stops.of('a')?.done, false);
  });

  it('are of one service each, and can be forgotten', () => {
    const stops = new StopLedger();
    begin(stops, '1');
    stops.look('b', false);
    assert.equal(stops.of('b'), undefined);
    stops.forget('b');
    assert.equal(stops.of('a')?.id, '1');
    stops.forget('a');
    assert.equal(stops.of('a'), undefined);
  });
});
