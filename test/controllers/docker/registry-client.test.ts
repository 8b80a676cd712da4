import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import { remoteImage } from '../../../controllers/docker/registry-client.js';

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
  const ask = () => remoteImage(`${registry.address}/a:1`, login, 'amd64', AbortSignal.timeout(5_000));
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
