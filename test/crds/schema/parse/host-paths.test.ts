import assert from 'node:assert/strict';
import { app, document, issuesOf } from './a-document.js';

describe('parseDocument', () => {
  describe('refuses', () => {
    const at = 'spec.services.web';
    describe('paths of the host, although the App allows them', () => {
      const binding = (volume: unknown) =>
        app({ allowHostBinds: true, services: { web: { image: 'busybox:1.36', volumes: [volume] } } });
      const bind = (more: object) => ({ type: 'bind', source: '/etc', target: '/host/etc', ...more });
      const good: readonly unknown[] = [
        '/etc:/host/etc',
        '/etc:/host/etc:ro',
        '/mnt:/mnt:ro,rslave,z',
        '/srv:/srv:cached',
        bind({}),
        bind({ read_only: true, bind: { propagation: 'rshared', create_host_path: false } }),
        bind({ source: '/a:b', bind: { create_host_path: false } }),
      ];
      for (const volume of good) {
        it(`not ${JSON.stringify(volume)}`, () => assert.deepEqual(issuesOf(binding(volume)), []));
      }
      const bad: readonly [volume: unknown, want: string][] = [
        ['./x:/x', '[0]: The path "./x" must begin with /: documents have no folder that it could start from'],
        ['~/x:/x', '[0]: The path "~/x" must begin with /: documents have no folder that it could start from'],
        ['/etc:etc', '[0]: The path "etc" must begin with /'],
        ['/etc:/etc:rw,foo', '[0]: "foo" is no mode of a bind: ro, rw, z, Z or a propagation such as rslave'],
        [{ type: 'bind', target: '/x' }, '[0]: A bind needs a source: a path of the host'],
        [
          bind({ source: 'data' }),
          '[0]: The path "data" must begin with /: documents have no folder that it could start from',
        ],
        [bind({ source: '/a:b' }), '[0]: A path with a colon needs bind.create_host_path: false'],
        [{ type: 'volume', source: '/etc', target: '/x' }, '[0]: "/etc" is a path of the host: its type is bind'],
        [
          bind({ bind: { propagation: 'all' } }),
          '[0].bind.propagation: Expected private, rprivate, shared, rshared, slave or rslave, found "all"',
        ],
      ];
      for (const [volume, want] of bad) {
        it(JSON.stringify(volume), () => assert.deepEqual(issuesOf(binding(volume)), [`${at}.volumes${want}`]));
      }

      it('not in a Service, whose App decides', () => {
        const spec = { app: 'hello', serviceName: 'web', image: 'busybox', volumes: ['/etc:/etc'] };
        assert.deepEqual(issuesOf(document('Service', 'hello.web', spec)), []);
      });
    });
  });
});
