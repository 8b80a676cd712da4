import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type LogPosition, LogReader } from '../../../../controllers/engine/logs/log-position.js';

describe('A log reader', () => {
  it('takes every line of any log once, however often and wherever the stream was cut', () => {
    const log = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 30 }).map((steps) => {
      let at = 100;
      return steps.map((step, index) => {
        at += step === 3 ? 1 : 0;
        return { timestamp: at, message: `line ${index}` };
      });
    });
    fc.assert(
      fc.property(log, fc.array(fc.nat(12), { maxLength: 10 }), (lines, cuts) => {
        let position: LogPosition = { atMs: 100, count: 0 };
        const taken: string[] = [];
        for (const length of [...cuts, lines.length]) {
          const reader = new LogReader(position);
          // The engine begins with the first line of the millisecond that was asked for.
          const stream = lines.filter(({ timestamp }) => timestamp >= (position === 'now' ? 0 : position.atMs));
          for (const { timestamp, message } of stream.slice(0, length)) {
            if (reader.isNew(timestamp)) taken.push(message);
          }
          position = reader.position;
        }
        assert.deepEqual(
          taken,
          lines.map(({ message }) => message),
        );
      }),
    );
  });

  it('leaves out what is older than where it begins', () => {
    const reader = new LogReader({ atMs: 100, count: 0 });
    assert.deepEqual(
      [99, 100, 101].map((at) => reader.isNew(at)),
      [false, true, true],
    );
  });
});
