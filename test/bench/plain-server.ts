/**
 * The least that can answer: `plain-server.ts FILE` gives to every path that the file names the text that stands there, to
 * everything else an empty 200, and prints its port. What clients wait for it is the floor for what they wait for the agent.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const texts = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as Readonly<Record<string, string>>;
const server = createServer((request, response) => {
  const text = texts[request.url ?? ''] ?? '';
  request.resume(); // commands carry a body
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  response.end(text);
});
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
process.once('SIGTERM', () => process.exit());
