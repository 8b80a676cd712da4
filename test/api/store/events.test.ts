import assert from 'node:assert/strict';
import { RecentEvents } from '../../../api/store/events.js';
import type { Happening } from '../../../api/store/store.js';
import type { EventReason } from '../../../crds/model/event-reasons.js';
import type { Key } from '../../../crds/model/kinds.js';

const A: Key = 'App/a';
const B: Key = 'App/b';
const happening = (reason: string, more: Partial<Happening> = {}): Happening => ({
  type: 'Normal',
  reason: reason as EventReason,
  message: 'm',
  ...more,
});
/** `Pulled×2 of App/a`, the latest last. */
const texts = (events: RecentEvents, key?: Key): readonly string[] =>
  events.list(key).map((one) => `${one.reason}×${one.count} of ${one.key}`);

describe('RecentEvents', () => {
  it('counts an equal event up instead of keeping it twice, and moves it to the end', () => {
    const events = new RecentEvents({ perDocument: 9, total: 9 }, 100);
    events.record(A, happening('Pulled'), 1_000);
    events.record(A, happening('Started'), 2_000);
    const again = events.record(A, happening('Pulled'), 3_000);
    assert.deepEqual(texts(events), ['Started×1 of App/a', 'Pulled×2 of App/a']);
    assert.equal(again.firstTimestamp, new Date(1_000).toISOString());
    assert.equal(again.lastTimestamp, new Date(3_000).toISOString());
  });

  it('counts as often as it is recorded', () => {
    const events = new RecentEvents({ perDocument: 9, total: 9 }, 0);
    events.record(A, happening('Restarted', { times: 3 }), 0);
    events.record(A, happening('Restarted', { times: 2 }), 0);
    assert.deepEqual(texts(events), ['Restarted×5 of App/a']);
  });

  for (const [what, other] of [
    ['type', { type: 'Warning' }],
    ['message', { message: 'other' }],
  ] as const) {
    it(`keeps events apart that differ in ${what}`, () => {
      const events = new RecentEvents({ perDocument: 9, total: 9 }, 0);
      events.record(A, happening('Pulled'), 0);
      events.record(A, happening('Pulled', other), 0);
      assert.deepEqual(texts(events), ['Pulled×1 of App/a', 'Pulled×1 of App/a']);
    });
  }

  it('keeps equal events of two documents apart, and lists one or all', () => {
    const events = new RecentEvents({ perDocument: 9, total: 9 }, 0);
    events.record(A, happening('Pulled'), 0);
    events.record(B, happening('Pulled'), 0);
    assert.deepEqual(texts(events, A), ['Pulled×1 of App/a']);
    assert.deepEqual(texts(events), ['Pulled×1 of App/a', 'Pulled×1 of App/b']);
    assert.deepEqual(texts(events, 'App/none'), []);
  });

  it('gives every event a higher version than the one before it, from where it was opened', () => {
    const events = new RecentEvents({ perDocument: 9, total: 9 }, 41);
    const versions = [A, B, A].map((key) => events.record(key, happening('x'), 0).resourceVersion);
    assert.deepEqual(versions, ['42', '43', '44']);
  });

  it('forgets the oldest of a document that has too many, not of others', () => {
    const events = new RecentEvents({ perDocument: 2, total: 9 }, 0);
    events.record(B, happening('First'), 0);
    for (const reason of ['One', 'Two', 'Three']) events.record(A, happening(reason), 0);
    assert.deepEqual(texts(events), ['First×1 of App/b', 'Two×1 of App/a', 'Three×1 of App/a']);
  });

  it('forgets, over the whole, of the document that has been silent longest', () => {
    const events = new RecentEvents({ perDocument: 9, total: 3 }, 0);
    events.record(A, happening('One'), 0);
    events.record(B, happening('Two'), 0);
    events.record(A, happening('Three'), 0);
    events.record('App/c', happening('Four'), 0);
    assert.deepEqual(texts(events), ['One×1 of App/a', 'Three×1 of App/a', 'Four×1 of App/c']);
    events.record('App/c', happening('Five'), 0);
    assert.deepEqual(texts(events), ['Three×1 of App/a', 'Four×1 of App/c', 'Five×1 of App/c']);
  });

  it('counts what it forgot no longer: equal events are kept however often they come', () => {
    const events = new RecentEvents({ perDocument: 2, total: 2 }, 0);
    events.record(A, happening('One'), 0);
    for (let times = 0; times < 9; times += 1) events.record(B, happening('Two'), 0);
    assert.deepEqual(texts(events), ['One×1 of App/a', 'Two×9 of App/b']);
  });
});
