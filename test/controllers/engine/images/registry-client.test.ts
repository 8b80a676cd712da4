import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import { timeoutSignal } from '../../../../api/platform/time-limit.js';
import { remoteImage } from '../../../../controllers/engine/images/registry-client.js';

interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

interface TestServer {
  readonly address: string;
  readonly logins: string[];
  answer: (url: string) => Answer;
  close(): Promise<void>;
}

async function serve(): Promise<TestServer> {
  const server: Server = createServer((request, response) => {
    if (request.headers.authorization !== undefined) served.logins.push(request.headers.authorization);
    const { status, headers = {}, body = {} } = served.answer(request.url ?? '/');
    response.writeHead(status, headers).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const served: TestServer = {
    address: `127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}`,
    logins: [],
    answer: () => ({ status: 404 }),
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  return served;
}

describe('what a registry is shown', () => {
  let registry: TestServer;
  let other: TestServer;
  const login = { username: 'me', password: 'hush-hush', serveraddress: 'r' };
  const ask = () => remoteImage(`${registry.address}/a:1`, login, 'amd64', timeoutSignal(180_000));
  beforeEach(async () => {
    [registry, other] = await Promise.all([serve(), serve()]);
  });
  afterEach(() => Promise.all([registry.close(), other.close()]));

  for (const status of [301, 302, 307, 308]) {
    it(`does not go on to the target of a ${status} on another server`, async () => {
      other.answer = () => ({ status: 200, body: { layers: [{ size: 3 }] } });
      registry.answer = (url): Answer =>
        registry.logins.length === 0
          ? { status: 401, headers: { 'www-authenticate': 'Basic realm="r"' } }
          : { status, headers: { location: `http://${other.address}${url}` } };
      assert.deepEqual(await ask(), { layers: [3], diffIds: [] });
      assert.equal(registry.logins.length, 1);
      assert.deepEqual(other.logins, []);
    });
  }

  it('sends no login without encryption when the registry itself is reached with it', async () => {
    const real = globalThis.fetch;
    const asked: string[] = [];
    globalThis.fetch = async (input, { headers } = {}) => {
      asked.push(`${input} ${new Headers(headers).get('authorization')?.split(' ')[0] ?? 'nothing'}`);
      const challenge = 'Bearer realm="http://tokens.example.org/token"';
      return new Response('{}', { status: 401, headers: { 'www-authenticate': challenge } });
    };
    try {
      await remoteImage('registry.example.org/a:1', login, 'amd64', new AbortController().signal);
    } finally {
      globalThis.fetch = real;
    }
    assert.deepEqual(asked, ['https://registry.example.org/v2/a/manifests/1 nothing']);
  });

  it('goes to the address for tokens that it names, and not on from there', async () => {
    const challenge = `Bearer realm="http://${registry.address}/token"`;
    registry.answer = (url): Answer =>
      url.startsWith('/token')
        ? { status: 302, headers: { location: `http://${other.address}/token` } }
        : { status: 401, headers: { 'www-authenticate': challenge } };
    await ask();
    assert.equal(registry.logins.length, 1);
    assert.deepEqual(other.logins, []);
  });
});

describe('a registry that answers without an end', () => {
  /** Sends `chunk` over and over, for as long as somebody listens. */
  const endless = async (chunk: string, everyMs: number) => {
    let sent = 0;
    const server = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('{"layers":[{"size":1}');
      const timer = setInterval(() => {
        // What nobody takes is not sent.
        if (!response.writableNeedDrain && response.write(chunk)) sent += chunk.length;
      }, everyMs);
      response.on('drain', () => {
        sent += chunk.length;
      });
      response.once('close', () => clearInterval(timer));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    return {
      server,
      address: `127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}`,
      sent: () => sent,
    };
  };
  const closing = async ({ server }: { server: Server }) => {
    const left = new Promise((resolve) => server.close(resolve));
    await left; // its only connection has been given up
  };

  it('is not listened to after 4 MiB', async () => {
    const registry = await endless(',{"size":1}'.repeat(100_000), 1);
    assert.equal(
      await remoteImage(`${registry.address}/a:1`, undefined, 'amd64', new AbortController().signal, 3_600_000),
      undefined,
    );
    await closing(registry);
    // And what two sockets hold.
    assert.ok(registry.sent() < 32 * 1024 * 1024, `${registry.sent()} bytes`);
  });

  it('is not waited for longer than for any other', async () => {
    const registry = await endless(' ', 10);
    const { signal } = new AbortController();
    assert.equal(await remoteImage(`${registry.address}/a:1`, undefined, 'amd64', signal, 100), undefined);
    await closing(registry);
  });

  it('is not believed when it says a million values', async () => {
    const server = createServer((_request, response) => {
      response.writeHead(200).end(`{"layers":[${'1,'.repeat(60_000)}1]}`);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const at = `127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}`;
    assert.equal(await remoteImage(`${at}/a:1`, undefined, 'amd64', new AbortController().signal), undefined);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
});
