import assert from 'node:assert/strict';
import { durableStatus, withoutRetired } from '../../../api/store/status-facts.js';
import { descriptorOf, KINDS } from '../../../crds/model/kinds.js';
import { anImage, aService } from '../../setup/documents.js';

describe('withoutRetired', () => {
  it('drops the environment that earlier versions wrote into the status of a service', () => {
    const status = { state: 'running', container: { id: 'c1', env: { SECRET: 'x' } } };
    assert.deepEqual(withoutRetired('Service', status), { state: 'running', container: { id: 'c1' } });
  });

  const untouched: readonly { it: string; kind: 'Service' | 'Image'; status: object }[] = [
    { it: 'a status without it', kind: 'Service', status: { container: { id: 'c1' } } },
    { it: 'a status without a container', kind: 'Service', status: { state: 'idle' } },
    { it: 'a container that is null', kind: 'Service', status: { container: null } },
    { it: 'the same words of another kind', kind: 'Image', status: { container: { env: {} } } },
  ];
  for (const { it: what, kind, status } of untouched) {
    it(`returns ${what} as it is`, () => assert.equal(withoutRetired(kind, status), status));
  }
});

describe('durableStatus', () => {
  it('is without what a kind keeps in memory only', () => {
    const kinds = KINDS.filter((kind) => descriptorOf(kind).inMemory.length > 0);
    assert.ok(kinds.length > 0);
    for (const kind of kinds) {
      const inMemory = Object.fromEntries(descriptorOf(kind).inMemory.map((name) => [name, 1]));
      const document = { ...aService(), kind, status: { observedGeneration: 1, ...inMemory } };
      assert.deepEqual(durableStatus(document as never), { observedGeneration: 1 }, kind);
    }
  });

  it('is the same object when there is nothing of that kind, or no status', () => {
    const status = { observedGeneration: 1 };
    assert.equal(durableStatus(anImage({ status })), status);
    assert.equal(durableStatus(anImage()), undefined);
  });
});
