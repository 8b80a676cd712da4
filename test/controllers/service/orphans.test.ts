import assert from 'node:assert/strict';
import { orphansOf } from '../../../controllers/service/orphans.js';
import { aContainer } from './service-states.js';

describe('straysOf', () => {
  const known = new Set(['1/web']);

  it('finds nothing among containers of services that are declared', () => {
    assert.deepEqual(orphansOf([aContainer(), aContainer({ id: 'c2', name: 'copy' })], known), []);
  });

  it('names a container of an app, or a service, that no document declares, and the ways out', () => {
    const strays = orphansOf([aContainer({ serviceName: 'db' }), aContainer({ appId: 2, name: 'web_9_9_b' })], known);
    assert.deepEqual(
      strays.map(({ message }) => message),
      [
        'Container web_1_1_a (c1) belongs to service db of app 1, which no document declares: it is left alone; declare it, or remove it with `docker rm -f web_1_1_a`',
        'Container web_9_9_b (c1) belongs to service web of app 2, which no document declares: it is left alone; declare it, or remove it with `docker rm -f web_9_9_b`',
      ],
    );
  });

  it('names a container that does not say whose it is', () => {
    const [stray] = orphansOf([aContainer({ appId: undefined })], new Set(['undefined/web']));
    assert.match(stray?.message ?? '', /does not say whose it is \(io\.balena\.app-id, io\.balena\.service-name\)/);
  });
});
