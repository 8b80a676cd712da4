import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { splitNetworks } from '../../../../controllers/engine/client/container-creation.js';
import { connectEngine } from '../../../../controllers/engine/client/dockerode-engine.js';
import { splitReference } from '../../../../controllers/engine/client/engine-streams.js';
import {
  type Engine,
  EngineError,
  EngineUnreachable,
  type SeenContainer,
} from '../../../../controllers/engine/engine.js';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

describe('connectEngine', () => {
  let socket: string;
  const { signal } = new AbortController();
  let folder = '';
  let server: Server;
  let engine: Engine;
  let requests: string[] = [];
  let handle: Handler = () => undefined;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'supercargo-'));
    socket = join(folder, 'docker.sock');
    server = createServer((request, response) => {
      requests.push(`${request.method} ${decodeURIComponent(request.url ?? '')}`);
      handle(request, response);
    });
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    engine = connectEngine({ dockerHost: `unix://${socket}`, now: () => Date.parse('2026-11-22T12:00:00Z') });
  });
  beforeEach(() => {
    requests = [];
  });
  after(async () => {
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
    await rm(folder, { recursive: true });
  });

  const reply =
    (status: number, body?: unknown): Handler =>
    (_, response) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(body === undefined ? undefined : JSON.stringify(body));
    };
  const inspected = (id: string) => ({
    Id: id,
    Name: `/${id}`,
    Image: 'sha256:1',
    Created: '2026-11-22T11:00:00.123456789Z',
    Config: { Labels: null },
    State: {
      Status: 'running',
      ExitCode: 0,
      Error: '',
      StartedAt: '2026-11-22T11:00:00.9Z',
      FinishedAt: '0001-01-01T00:00:00Z',
    },
    HostConfig: { NetworkMode: 'default' },
    NetworkSettings: { Networks: {} },
    Mounts: [],
  });
  const row = (id: string, status: string) => ({
    Id: id,
    Names: [`/${id}`],
    ImageID: 'sha256:1',
    State: 'running',
    Status: status,
    NetworkSettings: { Networks: {} },
  });

  it('sends one request for the list and one for each container, and passes over those that went', async () => {
    handle = (request, response) => {
      const url = request.url ?? '';
      if (url.startsWith('/containers/json'))
        reply(200, [row('a', 'Up 5 seconds'), row('b', 'Up 5 seconds')])(request, response);
      else if (url.startsWith('/containers/a/')) reply(200, inspected('a'))(request, response);
      else reply(404, { message: 'No such container: b' })(request, response);
    };
    const seen = await engine.listContainers(signal);
    assert.deepEqual(
      seen.map(({ id, createdAt, finishedAt }) => ({ id, createdAt, finishedAt })),
      [{ id: 'a', createdAt: '2026-11-22T11:00:00.123Z', finishedAt: undefined }],
    );
    assert.deepEqual(requests.sort(), [
      'GET /containers/a/json?',
      'GET /containers/b/json?',
      'GET /containers/json?all=1&filters={"label":["io.balena.supervised"]}',
    ]);
  });

  it('sends no inspection for what is known and unchanged', async () => {
    handle = reply(200, inspected('a'));
    const known = await engine.inspectContainer('a', signal);
    requests = [];
    handle = reply(200, [row('a', 'Up About an hour')]);
    const [seen] = await engine.listContainers(signal, (): SeenContainer | undefined => known);
    assert.equal(seen, known);
    assert.equal(requests.length, 1);
  });

  it('throws what Docker says when it is not expected', async () => {
    handle = reply(500, { message: 'no space left on device' });
    await assert.rejects(engine.listNetworks(signal), (error) => {
      assert.ok(error instanceof EngineError);
      assert.deepEqual([error.message, error.statusCode], ['no space left on device', 500]);
      return true;
    });
    handle = (_, response) => response.writeHead(502).end('Bad Gateway\n');
    await assert.rejects(engine.listNetworks(signal), { name: 'EngineError', message: 'Bad Gateway', statusCode: 502 });
  });

  it('does not take the absence of a network for the absence of the container', async () => {
    handle = reply(404, { message: 'network n1 not found' });
    await assert.rejects(engine.startContainer('a', signal), { name: 'EngineError', statusCode: 404 });
    handle = reply(404, { message: 'No such container: parent' });
    await assert.rejects(engine.startContainer('a', signal), { name: 'EngineError', statusCode: 404 });
    handle = reply(404, { message: 'No such container: a' });
    assert.equal(await engine.startContainer('a', signal), 'absent');
  });

  it('waits for a removal that somebody else has started', async () => {
    handle = (request, response) =>
      request.method === 'DELETE'
        ? reply(409, { message: 'removal of container a is already in progress' })(request, response)
        : reply(200, { StatusCode: 0 })(request, response);
    assert.equal(await engine.removeContainer('a', signal), 'removed');
    assert.deepEqual(requests, ['DELETE /containers/a?force=1&v=1', 'POST /containers/a/wait?condition=removed']);
  });

  it('removes a container that it could not connect to all of its networks', async () => {
    handle = (request, response) => {
      const url = request.url ?? '';
      if (url.startsWith('/containers/create')) reply(201, { Id: 'c1', Warnings: [] })(request, response);
      else if (request.method === 'DELETE') reply(204)(request, response);
      else reply(500, { message: 'no addresses left' })(request, response);
    };
    const options = { Image: 'i', NetworkingConfig: { EndpointsConfig: { one: {}, two: {} } } };
    await assert.rejects(engine.createContainer('web', options, signal), { message: 'no addresses left' });
    assert.deepEqual(requests, [
      'POST /containers/create?name=web',
      'POST /networks/two/connect?',
      'DELETE /containers/c1?force=1&v=1',
    ]);
  });

  it('is unreachable where nobody listens', async () => {
    for (const dockerHost of [`unix://${join(folder, 'none.sock')}`, 'tcp://127.0.0.1:1']) {
      await assert.rejects(connectEngine({ dockerHost }).info(signal), (error) => {
        assert.ok(error instanceof EngineUnreachable);
        assert.match(error.message, new RegExp(`at ${dockerHost}: connect`));
        return true;
      });
    }
  });

  it('is unreachable when the engine dies before or within an answer', async () => {
    handle = (request) => request.socket.destroy();
    await assert.rejects(engine.listVolumes(signal), EngineUnreachable);
    handle = (request, response) => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('{"Volumes":', () => request.socket.destroy());
    };
    await assert.rejects(engine.listVolumes(signal), EngineUnreachable);
  });

  it('gives up with the reason of the signal while it waits', async () => {
    const stop = new AbortController();
    const reason = new Error('newer spec');
    handle = () => stop.abort(reason);
    await assert.rejects(engine.stopContainer('a', stop.signal), reason);
    const later = new AbortController();
    handle = (_, response) => response.write('[', () => later.abort(reason));
    await assert.rejects(engine.listNetworks(later.signal), reason);
  });

  const event = (id: string, nano: string): string =>
    `{"Type":"volume","Action":"create","Actor":{"ID":"${id}","Attributes":{}},"timeNano":${nano}}\n`;

  it('reads events across chunks and throws when the stream ends by itself', async () => {
    handle = (_, response) => {
      const text = event('a', '1') + event('b', '2');
      response.write(text.slice(0, 30), () => response.end(text.slice(30)));
    };
    const received: string[] = [];
    let opened = 0;
    const listen = async (): Promise<void> => {
      for await (const { id } of engine.events('1795386107903162591', () => opened++, signal)) received.push(id);
    };
    await assert.rejects(listen(), EngineUnreachable);
    assert.deepEqual(received, ['a', 'b']);
    assert.equal(opened, 1);
    assert.match(requests[0] ?? '', /&since=1795386107\.903162591$/);
  });

  it('ends events quietly with the signal', async () => {
    const stop = new AbortController();
    handle = (_, response) => response.write(event('a', '1'));
    for await (const _ of engine.events(undefined, () => undefined, stop.signal)) stop.abort();
  });

  it('closes the event stream when nobody reads on', async () => {
    const closed = new Promise<void>((resolve) => {
      handle = (request, response) => {
        request.on('close', resolve);
        response.write(event('a', '1'));
      };
    });
    for await (const _ of engine.events(undefined, () => undefined, signal)) break;
    await closed;
  });

  it('tells a pull’s percent once each and throws the error inside its stream', async () => {
    handle = (_, response) => {
      response.write('{"status":"Downloading","id":"a","progressDetail":{"current":5,"total":10}}\r\n');
      response.write('{"status":"Downloading","id":"a","progressDetail":{"current":5,"total":10}}\r\n');
      response.end('{"errorDetail":{"message":"unexpected EOF"},"error":"unexpected EOF"}\r\n');
    };
    const reported: number[] = [];
    const auth = { username: 'u', password: 'p', serveraddress: 'r' };
    const pulling = engine.pullImage('r.test:5000/app:1', { auth }, (percent) => reported.push(percent), signal);
    await assert.rejects(pulling, { name: 'EngineError', message: 'unexpected EOF' });
    assert.deepEqual(reported, [45]);
    assert.deepEqual(requests, ['POST /images/create?fromImage=r.test:5000/app&tag=1']);
  });

  it('hands on the platform and the credentials of a pull, a token as well', async () => {
    let shown = '';
    handle = (request, response) => {
      shown = String(request.headers['x-registry-auth']);
      response.end('{"status":"Download complete","id":"a"}\r\n');
    };
    const auth = { identitytoken: 'token?', serveraddress: 'r.test' };
    await engine.pullImage('r.test/app:1', { auth, platform: 'linux/arm/v7' }, () => undefined, signal);
    assert.deepEqual(JSON.parse(Buffer.from(shown, 'base64url').toString()), auth);
    assert.deepEqual(requests, ['POST /images/create?fromImage=r.test/app&tag=1&platform=linux/arm/v7']);
  });

  it('gives up a pull that has become silent', async () => {
    handle = (_, response) =>
      response.write('{"status":"Downloading","id":"a","progressDetail":{"current":5,"total":10}}\r\n');
    const impatient = connectEngine({ dockerHost: `unix://${socket}`, pullSilenceMs: 50 });
    const pulling = impatient.pullImage('r.test/app:1', {}, () => undefined, signal);
    await assert.rejects(pulling, { name: 'EngineError', message: /^Nothing has come for/ });
  });

  it('asks much at once and keeps few connections afterwards', async () => {
    let atOnce = 0;
    let waiting: ServerResponse[] = [];
    handle = (_, response) => {
      waiting.push(response);
      atOnce = Math.max(atOnce, waiting.length);
      if (waiting.length < 32) return;
      for (const one of waiting) one.end('[]');
      waiting = [];
    };
    await Promise.all(Array.from({ length: 32 }, () => engine.listNetworks(signal)));
    assert.equal(atOnce, 32);
    const connections = (): Promise<number> =>
      new Promise((resolve, reject) =>
        server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
      );
    while ((await connections()) > 4) await new Promise((resolve) => setImmediate(resolve));
  });
});

describe('splitReference', () => {
  const cases: [string, string, string][] = [
    ['busybox', 'busybox', 'latest'],
    ['busybox:1.36', 'busybox', '1.36'],
    ['localhost:5000/app', 'localhost:5000/app', 'latest'],
    ['localhost:5000/app:2', 'localhost:5000/app', '2'],
    ['app@sha256:ab', 'app', 'sha256:ab'],
    ['localhost:5000/app:2@sha256:ab', 'localhost:5000/app', 'sha256:ab'],
  ];
  for (const [reference, fromImage, tag] of cases) {
    it(`takes ${reference} apart`, () => assert.deepEqual(splitReference(reference), { fromImage, tag }));
  }
});

describe('splitNetworks', () => {
  it('creates with the network of the mode and connects the others later', () => {
    const { body, later } = splitNetworks({
      Image: 'i',
      HostConfig: { NetworkMode: 'b' },
      NetworkingConfig: { EndpointsConfig: { a: { Aliases: ['x'] }, b: { Aliases: ['y'] } } },
    });
    assert.deepEqual(body.NetworkingConfig, { EndpointsConfig: { b: { Aliases: ['y'] } } });
    assert.deepEqual(later, { a: { Aliases: ['x'] } });
  });

  it('leaves options with one network or none as they are', () => {
    const options = { Image: 'i', NetworkingConfig: { EndpointsConfig: { a: {} } } };
    assert.deepEqual(splitNetworks(options), { body: options, later: {} });
    assert.deepEqual(splitNetworks({ Image: 'i' }), { body: { Image: 'i' }, later: {} });
  });
});
