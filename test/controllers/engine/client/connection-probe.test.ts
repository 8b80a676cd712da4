import assert from 'node:assert/strict';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { probeConnection, probeServer } from '../../../../controllers/engine/client/connection-probe.js';
import { daemonLook } from '../../../../controllers/engine/daemon-look.js';

describe('a look at a server by a connection', () => {
  const patient = new AbortController().signal;
  let folder: string;
  let socketPath: string;
  const servers: Server[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'supercargo-probe-'));
    socketPath = join(folder, 'a.sock');
  });
  afterEach(async () => {
    for (const server of servers.splice(0)) server.close();
    await rm(folder, { recursive: true });
  });
  const listen = async <S extends Server>(server: S, path = socketPath): Promise<S> => {
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(path, resolve));
    return server;
  };
  /** A process that was stopped: the kernel takes connections for it. */
  const hanging = (path?: string, connected = (): void => undefined) =>
    listen(createServer({ allowHalfOpen: true, pauseOnConnect: true }, connected), path);
  /** An engine; what it was asked. */
  async function engine(answers: (path: string) => boolean = () => true, path = socketPath): Promise<string[]> {
    const asked: string[] = [];
    const server = createHttpServer((request, response) => {
      asked.push(request.url?.replace(/\?$/, '') ?? '');
      if (answers(asked.at(-1) ?? '')) response.end('OK');
    });
    await listen(server, path);
    return asked;
  }

  it('finds that it answers, and asks it nothing', async () => {
    const asked = await engine();
    assert.deepEqual(await probeConnection({ socketPath }, patient), { is: 'answers' });
    assert.deepEqual(asked, []);
  });

  it('finds the same over TCP', async () => {
    const server = createHttpServer();
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    assert.ok(address !== null && typeof address === 'object');
    const { port } = address;
    assert.deepEqual(await probeConnection({ host: '127.0.0.1', port }, patient), { is: 'answers' });
  });

  it('finds that it hangs', async () => {
    const patience = new AbortController();
    await hanging(undefined, () => patience.abort());
    assert.deepEqual(await probeConnection({ socketPath }, patience.signal), { is: 'hangs' });
  });

  it('finds that nobody listens, with or without a file', async () => {
    const gone = await probeConnection({ socketPath }, patient);
    assert.ok(gone.is === 'unreachable' && /ENOENT/.test(gone.why), JSON.stringify(gone));
    // The file outlives the server that is closed under another name.
    const server = await listen(createServer());
    await rename(socketPath, join(folder, 'stale.sock'));
    await new Promise((resolve) => server.close(resolve));
    const stale = await probeConnection({ socketPath: join(folder, 'stale.sock') }, patient);
    assert.ok(stale.is === 'unreachable' && /ECONNREFUSED/.test(stale.why), JSON.stringify(stale));
  });

  it('has a question decide where a proxy keeps connections open', async () => {
    await hanging();
    const ask = (answer: boolean) => probeServer({ socketPath }, async () => answer, patient, 20);
    assert.deepEqual([await ask(true), await ask(false)], [{ is: 'answers' }, { is: 'hangs' }]);
  });

  describe('at an engine', () => {
    const look = (sockets: readonly string[] = []) => daemonLook(`unix://${socketPath}`, sockets);

    it('asks nothing while all is well', async () => {
      const asked = await engine();
      assert.deepEqual(await look()(patient, false), { is: 'answers' });
      assert.deepEqual(asked, []);
    });

    it('asks for the version when it looks closely: an engine whose containerd hangs does not answer', async () => {
      const patience = new AbortController();
      const asked = await engine((path) => {
        if (path === '/version') patience.abort();
        return path !== '/version';
      });
      const found = await look()(patience.signal, true);
      assert.ok(found.is === 'half' && /containerd/.test(found.what), JSON.stringify(found));
      assert.deepEqual(asked, ['/version']);
    });

    it('finds that its containerd hangs, by the first socket of those that somebody listens at', async () => {
      await engine();
      const [own, system] = [join(folder, 'own.sock'), join(folder, 'system.sock')];
      assert.deepEqual(await look([own, system])(patient, false), { is: 'answers' });
      const patience = new AbortController();
      await hanging(system, () => patience.abort());
      assert.deepEqual(await look([own, system])(patience.signal, false), {
        is: 'half',
        what: 'its containerd',
      });
      await engine(undefined, own);
      assert.deepEqual(await look([own, system])(patient, false), { is: 'answers' });
    });
  });
});
