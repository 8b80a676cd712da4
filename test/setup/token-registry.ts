import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { Login } from './docker.js';

/**
 * What stands before a registry that wants tokens: refuses with a challenge, gives a token to who shows the login at the
 * address that the challenge names, and hands on what comes with the token.
 */
export async function useTokens(
  registry: string,
  login: Login,
): Promise<{ readonly address: string; close(): Promise<void> }> {
  const token = 'a-token-of-the-test';
  const basic = `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}`;
  const server = createServer((question, answer) => {
    if (question.url?.startsWith('/token')) {
      if (question.headers.authorization !== basic) return void answer.writeHead(401).end('{}');
      return void answer.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ token }));
    }
    if (question.headers.authorization !== `Bearer ${token}`) {
      const challenge = `Bearer realm="http://${address()}/token",service="test"`;
      return void answer.writeHead(401, { 'www-authenticate': challenge }).end('{"errors":[{"code":"UNAUTHORIZED"}]}');
    }
    handOn(registry, question, answer);
  });
  const address = (): string => {
    const bound = server.address();
    return bound !== null && typeof bound === 'object' ? `127.0.0.1:${bound.port}` : '';
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: address(),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function handOn(registry: string, question: IncomingMessage, answer: ServerResponse): void {
  const { authorization: _, ...headers } = question.headers;
  const [host, port] = registry.split(':');
  const inner = request({ host, port, path: question.url, method: question.method, headers }, (response) => {
    answer.writeHead(response.statusCode ?? 502, response.headers);
    response.pipe(answer);
  });
  inner.on('error', () => answer.destroy());
  question.pipe(inner);
}
