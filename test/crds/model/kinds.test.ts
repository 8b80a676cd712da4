import assert from 'node:assert/strict';
import { type Key, KINDS, keyOf, PLURALS, splitKey } from '../../../crds/model/kinds.js';

describe('splitKey', () => {
  it('undoes keyOf for every kind', () => {
    for (const kind of KINDS) assert.deepEqual(splitKey(keyOf(kind, 'hello.web_1')), { kind, name: 'hello.web_1' });
  });

  for (const text of ['', 'App', 'Pod/x', 'app/x', '/x', 'toString/x', 'constructor/x']) {
    it(`refuses ${JSON.stringify(text)}`, () => assert.throws(() => splitKey(text as Key), /^Error: Not a key: /));
  }
});

describe('PLURALS', () => {
  it('are words of their own for paths', () => {
    assert.equal(new Set(Object.values(PLURALS)).size, KINDS.length);
    for (const plural of Object.values(PLURALS)) assert.match(plural, /^[a-z]+s$/);
  });
});
