import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectEngine } from '../../../controllers/engine/client/dockerode-engine.js';
import { EngineUnreachable } from '../../../controllers/engine/engine.js';
import { type CountedRequest, type CountingProxy, countingProxy, requestReader } from '../../setup/counting-proxy.js';

describe('requestReader', () => {
  const bytes = Buffer.from(
    [
      'GET /a?b=1 HTTP/1.1\r\nHost: d\r\n\r\n',
      'POST /b HTTP/1.1\r\nContent-Length: 18\r\n\r\nGET /no HTTP/1.1\r\n',
      'POST /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nGET /\r\n3\r\nno\n\r\n0\r\n\r\n',
      'DELETE /d HTTP/1.1\r\n\r\n',
      'POST /exec HTTP/1.1\r\nUpgrade: tcp\r\n\r\nGET /raw HTTP/1.1\r\n\r\n',
    ].join(''),
  );
  const want: CountedRequest[] = [
    { method: 'GET', path: '/a?b=1' },
    { method: 'POST', path: '/b' },
    { method: 'POST', path: '/c' },
    { method: 'DELETE', path: '/d' },
    { method: 'POST', path: '/exec' },
  ];

  for (const size of [1, 7, bytes.length]) {
    it(`reads the requests of a connection in chunks of ${size}`, () => {
      const seen: CountedRequest[] = [];
      const read = requestReader((request) => seen.push(request));
      for (let at = 0; at < bytes.length; at += size) read(bytes.subarray(at, at + size));
      assert.deepEqual(seen, want);
    });
  }
});

describe('countingProxy', () => {
  const { signal } = new AbortController();
  let folder = '';
  let server: Server;
  let proxy: CountingProxy;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'supercargo-'));
    server = createServer((request, response) => {
      if (request.url?.startsWith('/events')) {
        response.write('{"Type":"volume","Action":"create","Actor":{"ID":"v"},"timeNano":1}\n');
      } else response.end('[]');
    });
    server.on('upgrade', (_, socket) => {
      socket.write('HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n');
      socket.pipe(socket);
    });
    await new Promise<void>((resolve) => server.listen(join(folder, 'engine.sock'), resolve));
    proxy = await countingProxy(join(folder, 'engine.sock'), join(folder, 'proxy.sock'));
  });
  beforeEach(() => proxy.reset());
  after(async () => {
    await proxy.close();
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
    await rm(folder, { recursive: true });
  });

  it('counts what an engine is asked', async () => {
    const engine = connectEngine({ dockerHost: proxy.dockerHost });
    await engine.listNetworks(signal);
    await engine.listImages(signal);
    assert.deepEqual(proxy.requests, [
      { method: 'GET', path: '/networks?' },
      { method: 'GET', path: '/images/json?' },
    ]);
  });

  it('passes a stream on while it lasts, and cuts it', async () => {
    const engine = connectEngine({ dockerHost: proxy.dockerHost });
    const listen = async (): Promise<void> => {
      for await (const { id } of engine.events(undefined, () => undefined, signal)) {
        assert.equal(id, 'v');
        proxy.cut();
      }
    };
    await assert.rejects(listen(), EngineUnreachable);
  });

  it('refuses and accepts connections as it is told', async () => {
    const engine = connectEngine({ dockerHost: proxy.dockerHost });
    proxy.accept(false);
    await assert.rejects(engine.listNetworks(signal), EngineUnreachable);
    proxy.accept(true);
    assert.deepEqual(await engine.listNetworks(signal), []);
  });

  it('passes every byte of an upgraded connection in both directions', async () => {
    const socket = connect(join(folder, 'proxy.sock'));
    socket.write('POST /exec/1/start HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n');
    const raw = Buffer.from([0, 255, 13, 10, 13, 10, 71, 69, 84]);
    let received = Buffer.alloc(0);
    for await (const chunk of socket) {
      const isFirst = received.length === 0;
      received = Buffer.concat([received, chunk as Buffer]);
      if (isFirst) socket.write(raw);
      if (received.subarray(-raw.length).equals(raw)) break;
    }
    assert.equal(proxy.requests.length, 1);
  });
});
