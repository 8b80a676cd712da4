import assert from 'node:assert/strict';
import { identityOf } from '../../../controllers/app/release/children.js';
import { releaseOf } from '../../../crds/model/release.js';
import { parseDocument } from '../../../crds/schema/parse.js';
import { aDocument, anApp } from '../../api/http/a-server.js';

describe('the release of an app', () => {
  it('may have a commit alone', () => {
    const { ok } = parseDocument(anApp('one', { release: { commit: 'a1b2' }, services: {} }));
    assert.equal(ok, true);
  });

  it('has a number that is made from its commit, always the same one', () => {
    const { id, commit } = releaseOf({ commit: 'a1b2' });
    assert.equal(commit, 'a1b2');
    assert.ok(id >= 1_000_000_000);
    assert.deepEqual(releaseOf({ commit: 'a1b2' }), { commit, id });
    assert.notEqual(releaseOf({ commit: 'a1b3' }).id, id);
    assert.deepEqual(identityOf(aDocument('App', 'one', { release: { commit: 'a1b2' } })).release, { commit, id });
  });

  it('keeps the number that it has', () => {
    assert.deepEqual(releaseOf({ commit: 'a1b2', id: 7 }), { commit: 'a1b2', id: 7 });
    assert.deepEqual(releaseOf({ commit: 'a1b2', id: 0 }), { commit: 'a1b2', id: 0 });
  });

  it('is called local without one, and there is none for null', () => {
    assert.deepEqual(
      [releaseOf(undefined), releaseOf({ commit: 'local' }).id, releaseOf(null)],
      [{ commit: 'local', id: 1 }, 1, null],
    );
  });
});
