import assert from 'node:assert/strict';
import { allocatedPort, holderOf, listenedPort } from '../../../../controllers/service/steps/held-port.js';

describe('allocatedPort', () => {
  const failed = 'driver failed programming external connectivity on endpoint web_1 (abc)';
  const rows: readonly [words: string, port: ReturnType<typeof allocatedPort>][] = [
    [`${failed}: Bind for 0.0.0.0:80 failed: port is already allocated`, { address: '0.0.0.0', port: 80 }],
    [`${failed}: Bind for 127.0.0.1:8080 failed: port is already allocated`, { address: '127.0.0.1', port: 8080 }],
    [`${failed}: Bind for :::80 failed: port is already allocated`, { address: '::', port: 80 }],
    [`${failed}: Bind for [::1]:80 failed: port is already allocated`, { address: '::1', port: 80 }],
    [`${failed}: Error starting userland proxy: listen tcp4 0.0.0.0:80: bind: address already in use`, undefined],
    ['network u_default not found', undefined],
  ];
  for (const [words, port] of rows) {
    it(`finds ${port ? `${port.address} ${port.port}` : 'none'} in "${words}"`, () =>
      assert.deepEqual(allocatedPort(words), port));
  }
});

describe('listenedPort', () => {
  const failed = 'driver failed programming external connectivity on endpoint web_1 (abc)';
  const rows: readonly [words: string, port: ReturnType<typeof listenedPort>][] = [
    [
      `${failed}: Error starting userland proxy: listen tcp4 0.0.0.0:80: bind: address already in use`,
      { address: '0.0.0.0', port: 80 },
    ],
    [`${failed}: listen tcp6 [::]:8080: bind: address already in use`, { address: '::', port: 8080 }],
    [
      `${failed}: failed to bind host port 127.0.0.1:81/tcp: address already in use`,
      { address: '127.0.0.1', port: 81 },
    ],
    [
      `${failed}: failed to bind host port for 0.0.0.0:82:172.17.0.2:80/tcp: address already in use`,
      { address: '0.0.0.0', port: 82 },
    ],
    [`${failed}: Bind for 0.0.0.0:80 failed: port is already allocated`, undefined],
    ['Address already in use', undefined],
  ];
  for (const [words, port] of rows) {
    it(`finds ${port ? `${port.address} ${port.port}` : 'none'} in "${words}"`, () =>
      assert.deepEqual(listenedPort(words), port));
  }
});

describe('holderOf', () => {
  const every = { container: 'every', address: '0.0.0.0', port: 80, protocol: 'tcp' };
  const local = { container: 'local', address: '127.0.0.1', port: 81, protocol: 'udp' };
  const published = [every, local];
  const rows: readonly [it: string, address: string, port: number, protocols: string[], holder: string | undefined][] =
    [
      ['who publishes it', '0.0.0.0', 80, ['tcp'], 'every'],
      ['who publishes it on every address', '10.0.0.1', 80, ['tcp'], 'every'],
      ['who publishes it on one, for every address', '0.0.0.0', 81, ['tcp', 'udp'], 'local'],
      ['nobody on another address', '10.0.0.1', 81, ['udp'], undefined],
      ['nobody in another protocol', '0.0.0.0', 80, ['udp'], undefined],
      ['nobody on another port', '0.0.0.0', 8, ['tcp'], undefined],
    ];
  for (const [what, address, port, protocols, holder] of rows) {
    it(`names ${what}`, () => assert.equal(holderOf({ address, port }, protocols, published), holder));
  }
});
