import assert from 'node:assert/strict';
import { EVENT_FILTERS, parseEvent, sinceSeconds } from '../../../../controllers/engine/client/engine-events.js';

describe('parseEvent', () => {
  it('keeps every digit of the time', () => {
    const line =
      '{"status":"start","Type":"container","Action":"start","Actor":{"ID":"abc","Attributes":{"name":"web"}},"time":1795386107,"timeNano":1795386107903162591}';
    assert.deepEqual(parseEvent(line), {
      type: 'container',
      action: 'start',
      id: 'abc',
      attributes: { name: 'web' },
      timeNano: '1795386107903162591',
    });
  });

  it('passes over what nobody asked for', () => {
    assert.equal(parseEvent('{"Type":"plugin","Action":"enable","Actor":{"ID":"x"},"timeNano":1}'), undefined);
  });
});

describe('sinceSeconds', () => {
  it('puts the point before the nanoseconds', () => {
    assert.equal(sinceSeconds('1795386107903162591'), '1795386107.903162591');
    assert.equal(sinceSeconds('5'), '0.000000005');
  });
});

describe('EVENT_FILTERS', () => {
  // With health_status among the names Docker compares prefixes.
  for (const unwanted of [
    'exec_create: sh',
    'exec_start: sh',
    'exec_die',
    'attach',
    'top',
    'mount',
    'unmount',
    'resize',
  ]) {
    it(`leaves out ${unwanted}`, () => assert.ok(!EVENT_FILTERS.event.some((name) => unwanted.startsWith(name))));
  }
});
