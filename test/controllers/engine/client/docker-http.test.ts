import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import { dockerHttp, parseBody } from '../../../../controllers/engine/client/docker-http.js';

describe("Docker's answers", () => {
  let server: Server;
  let bytes: number;
  before(async () => {
    server = createServer((_request, response) => {
      const chunk = Buffer.alloc(1024 * 1024, 'x');
      const more = (): void => {
        while (!response.destroyed && bytes > 0) {
          bytes -= chunk.length;
          if (!response.write(chunk)) return void response.once('drain', more);
        }
        response.end();
      };
      more();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  after(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const ask = () => {
    const address = server.address();
    const port = address !== null && typeof address === 'object' ? address.port : 0;
    return dockerHttp({ host: '127.0.0.1', port }).ask({ path: '/info', signal: new AbortController().signal });
  };

  it('are read whole', async () => {
    bytes = 3 * 1024 * 1024;
    assert.equal(String((await ask()).body).length, 3 * 1024 * 1024);
  });

  it('are given up when they are larger than any engine sends', async () => {
    bytes = Number.POSITIVE_INFINITY;
    await assert.rejects(ask(), /The engine answers more than 16777216 bytes/);
  });

  it('are JSON, a text or nothing', () => {
    assert.deepEqual(parseBody('{"a":1}'), { a: 1 });
    assert.equal(parseBody('Bad gateway'), 'Bad gateway');
    assert.equal(parseBody(' \n'), undefined);
  });
});
