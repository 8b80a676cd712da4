import assert from 'node:assert/strict';
import { finalizersOf } from '../../../api/store/finalizers.js';
import { type Kind, WRITABLE_KINDS } from '../../../crds/model/kinds.js';

describe('finalizersOf', () => {
  it('lets the controller of each kind clean up first, but for what only the agent writes', () => {
    const names: Readonly<Partial<Record<Kind, string>>> = { HostConfig: 'network' };
    for (const kind of WRITABLE_KINDS)
      assert.deepEqual(finalizersOf(kind, names[kind] ?? 'any'), ['supercargo.io/controller']);
    assert.deepEqual(finalizersOf('Revision', 'any'), []);
  });

  it('keeps no HostConfig that nobody acts upon, and would release', () => {
    assert.deepEqual(finalizersOf('HostConfig', 'device'), ['supercargo.io/controller']);
    assert.deepEqual(finalizersOf('HostConfig', 'other'), []);
  });
});
