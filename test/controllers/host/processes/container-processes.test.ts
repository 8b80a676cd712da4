import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { containerProcesses } from '../../../../controllers/host/processes/container-processes.js';

const ID = '3e40393ce8c42a5625a852825b2969f9a51af677b680d7becde5dda220d7156d';
const OTHER = '36e0a6b59de044ffab0f8abadfaac1b40ec5842d1aa618135ffbea07d0a4d857';

describe('containerProcesses', () => {
  let proc: string;
  const killed: number[] = [];
  const processes = () => containerProcesses(proc, (pid) => void killed.push(pid));

  before(async () => {
    proc = await mkdtemp(join(tmpdir(), 'proc-'));
    const add = async (pid: string, cgroup: string, command: readonly string[]): Promise<void> => {
      await mkdir(join(proc, pid));
      await writeFile(join(proc, pid, 'cgroup'), cgroup);
      await writeFile(join(proc, pid, 'cmdline'), command.map((word) => `${word}\0`).join(''));
    };
    await add('10', '0::/init.scope\n', ['/sbin/init']);
    await add('20', `9:name=systemd:/docker/${ID}\n8:pids:/docker/${ID}\n`, ['sleep', '1000']);
    await add('21', `0::/system.slice/docker-${ID}.scope\n`, ['sh']);
    await add('22', `0::/system.slice/docker-${OTHER}.scope\n`, ['sh']);
    await add('30', '0::/\n', ['/usr/bin/containerd-shim-runc-v2', '-namespace', 'moby', '-id', ID]);
    await add('31', '0::/\n', ['/usr/bin/containerd-shim-runc-v2', '-namespace', 'moby', '-id', OTHER]);
    await add('40', '0::/\n', ['grep', ID]);
    await mkdir(join(proc, '50')); // ends just now
    await writeFile(join(proc, 'uptime'), '1 1');
  });
  beforeEach(() => {
    killed.length = 0;
  });
  after(() => rm(proc, { recursive: true }));

  it('kills what is in the control group of the container, by both drivers, and its shim last', async () => {
    assert.equal(await processes().kill(ID), 2);
    assert.deepEqual(killed, [20, 21, 30]);
  });

  it('does not count a shim without a process', async () => {
    await rm(join(proc, '22'), { recursive: true });
    assert.equal(await processes().kill(OTHER), 0);
    assert.deepEqual(killed, [31]);
  });

  it('takes nothing but a whole id', async () => {
    for (const id of ['', ID.slice(0, 12), 'docker']) assert.equal(await processes().kill(id), 0);
    assert.deepEqual(killed, []);
  });

  it('passes over a process that has ended meanwhile', async () => {
    const gone = Object.assign(new Error('no such process'), { code: 'ESRCH' });
    const end = (): void => {
      throw gone;
    };
    assert.equal(await containerProcesses(proc, end).kill(ID), 2);
  });
});
