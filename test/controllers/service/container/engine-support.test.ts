import assert from 'node:assert/strict';
import { readDefinition } from '../../../../controllers/service/container/definition.js';
import { fitToEngine } from '../../../../controllers/service/container/engine-support.js';

const read = (healthcheck: object) =>
  readDefinition({ app: 'a', serviceName: 'web', image: 'busybox', healthcheck }).definition;
const asked = read({ test: 'true', start_interval: '2s' });
const plain = read({ test: 'true' });

describe('fitToEngine', () => {
  const cases: readonly [apiVersion: string | undefined, isPresent: boolean, takes: boolean][] = [
    ['1.41', true, false],
    ['1.43', false, false],
    ['1.44', false, true],
    ['1.52', false, true],
    ['2.0', false, true],
    [undefined, false, false],
    [undefined, true, true],
    ['', false, false],
  ];
  for (const [apiVersion, isPresent, takes] of cases) {
    const there = isPresent ? 'with a container that has it' : 'with none that has it';
    it(`${takes ? 'leaves' : 'leaves out'} start_interval for API ${apiVersion ?? 'unknown'} ${there}`, () => {
      const { definition, warnings } = fitToEngine(asked, { apiVersion }, () => isPresent);
      assert.equal(definition.healthcheck?.StartInterval, takes ? 2e9 : undefined);
      assert.equal(warnings.length, takes ? 0 : 1);
      if (!takes) assert.deepEqual(definition, plain);
    });
  }

  it('leaves what does not ask for it as it is', () => {
    const { definition, warnings } = fitToEngine(plain, { apiVersion: '1.41' }, () => false);
    assert.equal(definition, plain);
    assert.deepEqual(warnings, []);
  });
});
