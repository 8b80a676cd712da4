import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemGit } from '../../../../api/sources/git/git.js';
import { Repository } from '../../../../api/sources/git/repository.js';
import { needPrograms } from '../../../setup/programs.js';

const packet = (text: string): string => `${(text.length + 4).toString(16).padStart(4, '0')}${text}`;

describe('a git server that advertises without an end', function () {
  this.timeout(180_000);
  let folder: string;
  let server: Server;
  let write: (response: ServerResponse) => void;

  before(() => needPrograms('git'));
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'endless-'));
    server = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/x-git-upload-pack-advertisement' });
      response.write(`${packet('# service=git-upload-pack\n')}0000`);
      write(response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    rmSync(folder, { recursive: true, force: true });
  });

  const refs = (more: { memoryBytes?: number; timeoutMs?: number }) => {
    const address = server.address();
    const port = address !== null && typeof address === 'object' ? address.port : 0;
    const { timeoutMs = 50_000, memoryBytes = 32 * 1024 * 1024 } = more;
    const git = systemGit({ folder, env: { PATH: process.env.PATH }, memoryBytes });
    const config = {
      'remote.origin.url': `http://127.0.0.1:${port}/fleet.git`,
      'protocol.allow': 'never',
      'protocol.http.allow': 'always',
    };
    const transport = { config, env: { GIT_ALLOW_PROTOCOL: 'http' } };
    const repository = new Repository({ git, gitDir: join(folder, 'a.git'), transport, timeoutMs });
    return repository.remoteRefs(['refs/heads/main'], new AbortController().signal);
  };

  /** Thousands of refs at a time, as long as they are taken: the same ones, so that nothing but git takes time. */
  const flood = (response: ServerResponse): void => {
    const refs = Array.from({ length: 10_000 }, (_, one) => packet(`${'a'.repeat(40)} refs/heads/b${one}\n`));
    const some = Buffer.from(refs.join(''));
    const more = (): void => {
      while (!response.destroyed) if (!response.write(some)) return void response.once('drain', more);
    };
    more();
  };

  it('is left when git has taken as much memory as it is given', async () => {
    write = flood;
    await assert.rejects(refs({}), {
      reason: 'TooLarge',
      message: /^git ls-remote took more memory than this device gives it/,
    });
  });

  it('is left after the time of the source, though it always says a little more', async () => {
    write = (response) => {
      const timer = setInterval(() => response.write(packet(`${'a'.repeat(40)} refs/heads/b\n`)), 10);
      response.once('close', () => clearInterval(timer));
    };
    await assert.rejects(refs({ timeoutMs: 1_000 }), { reason: 'TimedOut' });
  });

  it('is not believed when it has more branches of the name than there can be', async () => {
    write = (response) => {
      for (let at = 0; at < 30_000; at += 1)
        response.write(packet(`${'a'.repeat(40)} refs/heads/${at}/refs/heads/main\n`));
      response.end('0000');
    };
    await assert.rejects(refs({ memoryBytes: 512 * 1024 * 1024 }), {
      reason: 'TooLarge',
      message: /printed more than/,
    });
  });
});
