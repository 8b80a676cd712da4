import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

describe('endProcess', () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'supercargo-end-'));
    execFileSync('mkfifo', [join(root, 'pipe')]);
  });
  afterEach(() => rm(root, { recursive: true }));

  /** How a process ends that asks for a file and then wants to end with 3. */
  const endOf = async (file: string): Promise<unknown> => {
    const module = new URL('../../../controllers/agent/end-process.ts', import.meta.url);
    const text = `
      import { open } from 'node:fs/promises';
      import { endProcess } from ${JSON.stringify(module.href)};
      open(${JSON.stringify(file)}).then((handle) => handle.close());
      endProcess(3, 2000);`;
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', text], { stdio: 'inherit' });
    return (await once(child, 'exit')).find((one) => one !== null);
  };

  it('ends with its code after the last file call', async () => {
    assert.equal(await endOf('/etc/passwd'), 3);
  });

  it('ends although a file call does not', async () => {
    assert.equal(await endOf(join(root, 'pipe')), 'SIGKILL');
  });
});
