import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readComposeProject } from '../../../api/cli/compose-project.js';
import { runCommand } from '../../../api/platform/run-program.js';

describe('the files of a Compose project on this machine', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'supercargo-compose-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const problemsWith = async (envFile: string): Promise<string> => {
    writeFileSync(join(folder, 'compose.yaml'), JSON.stringify({ services: { a: { image: 'x', env_file: envFile } } }));
    return JSON.stringify((await readComposeProject([folder])).problems);
  };

  it('are read', async () => {
    writeFileSync(join(folder, 'a.env'), 'A=é\n');
    assert.equal(await problemsWith('a.env'), '[]');
  });

  it('are not waited for: a pipe that nobody writes', async () => {
    const { ok } = await runCommand('mkfifo', [join(folder, 'pipe')], { env: process.env });
    assert.ok(ok);
    assert.match(await problemsWith('pipe'), /not a file that is kept on a disk/);
  });

  it('end: a device that never does', async () => {
    assert.match(await problemsWith('/dev/zero'), /not a file that is kept on a disk/);
  });

  it('are files: not a folder', async () => {
    mkdirSync(join(folder, 'sub'));
    assert.match(await problemsWith('sub'), /Cannot read .*sub: This is not a file/);
  });

  it('are text: other bytes are told, and not replaced', async () => {
    writeFileSync(join(folder, 'a.env'), Buffer.from([0x41, 0x3d, 0xe9, 0x0a]));
    assert.match(await problemsWith('a.env'), /a\.env is not text in UTF-8/);
  });
});
