import assert from 'node:assert/strict';
import { readDefinition } from '../../../controllers/service/definition.js';
import { specHash } from '../../../controllers/service/spec-hash.js';
import { aServiceSpec, identity } from './builders.js';
import { deviations } from './deviations.js';
import { changeVectors } from './vectors.js';

const hashOf = (
  fields: Readonly<Record<string, unknown>>,
  more: Partial<Parameters<typeof specHash>[0]> = {},
): string =>
  specHash({
    definition: readDefinition(aServiceSpec(fields)).definition,
    imageId: 'sha256:feed',
    identity,
    api: undefined,
    cloud: undefined,
    ...more,
  });

describe('specHash', () => {
  const deviating = new Set(deviations.flatMap(({ vectors }) => vectors));
  for (const { id, before, after, recreate, note } of changeVectors) {
    const want = deviating.has(id) ? !recreate : recreate;
    it(`${id}: ${JSON.stringify(before)} → ${JSON.stringify(after)} ${want ? 'recreates' : 'keeps'}${note ? ` (${note})` : ''}`, () => {
      assert.equal(hashOf(before) !== hashOf(after), want);
    });
  }

  it('names only vectors that exist as deviations', () => {
    const known = new Set(changeVectors.map(({ id }) => id));
    assert.deepEqual(
      [...deviating].filter((id) => !known.has(id)),
      [],
    );
  });

  const same: readonly [Record<string, unknown>, Record<string, unknown>][] = [
    [
      {},
      { restart: 'always', tty: true, cap_add: [], mem_limit: 0, hostname: '', shm_size: '64m', networks: ['default'] },
    ],
    [{ environment: { A: 1 } }, { environment: ['A=1'] }],
    [{ ports: [80] }, { ports: ['80:80', { target: 80 }] }],
    [{ running: true, depends_on: ['m'] }, { running: false }],
    [{ mem_limit: '1k' }, { mem_limit: 1024 }],
    [{ tmpfs: ['/a', '/b'] }, { tmpfs: ['/b', '/a'] }],
    [{ networks: ['m', 'n', 'o'] }, { networks: ['m', 'o', 'n'] }],
    [{ command: 'a "b c"' }, { command: ['a', 'b c'] }],
  ];
  for (const [a, b] of same) {
    it(`is the same for ${JSON.stringify(a)} and ${JSON.stringify(b)}`, () => assert.equal(hashOf(a), hashOf(b)));
  }

  it('does not change with a release, its commit or the number of its image', () => {
    assert.equal(hashOf({}), hashOf({}, { identity: { ...identity, releaseId: 971, commit: 'ffff', imageId: 4411 } }));
  });

  it('changes with the image, the app’s name and a new key for the API', () => {
    const api = { key: 'SK', host: '10.114.104.1', port: 48484 };
    const all = [
      hashOf({}),
      hashOf({}, { imageId: 'sha256:f00d' }),
      hashOf({}, { identity: { ...identity, appName: 'other' } }),
      hashOf({}, { api }),
      hashOf({}, { api: { ...api, key: 'NEW' } }),
    ];
    assert.equal(new Set(all).size, all.length);
  });
});
