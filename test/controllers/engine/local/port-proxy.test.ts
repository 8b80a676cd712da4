import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { portProxyOf } from '../../../../controllers/engine/local/port-proxy.js';

const PID_FILE = '/run/supercargo-0123456789/dockerd.pid';
const OURS = ['/usr/bin/dockerd', `--pidfile=${PID_FILE}`];
const PROXY =
  '/usr/bin/docker-proxy -proto tcp -host-ip 0.0.0.0 -host-port 80 -container-ip 172.17.0.2 -container-port 8080';

describe('portProxyOf', () => {
  let proc: string;
  beforeEach(() => {
    proc = mkdtempSync(join(tmpdir(), 'proc-'));
    mkdirSync(join(proc, 'net'));
    const line = '   0: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4242 1';
    writeFileSync(join(proc, 'net/tcp'), `  sl  local_address\n${line}\n`);
  });
  afterEach(() => rmSync(proc, { recursive: true }));

  const process = (pid: number, parent: number, words: readonly string[], inode?: number): void => {
    mkdirSync(join(proc, `${pid}/fd`), { recursive: true });
    writeFileSync(join(proc, `${pid}/cmdline`), `${words.join('\0')}\0`);
    writeFileSync(join(proc, `${pid}/comm`), 'x\n');
    writeFileSync(join(proc, `${pid}/status`), `Name:\tx\nPPid:\t${parent}\n`);
    if (inode !== undefined) symlinkSync(`socket:[${inode}]`, join(proc, `${pid}/fd/4`));
  };
  const found = (port = 80) => portProxyOf({ pidFile: PID_FILE }, { address: '0.0.0.0', port }, proc);

  it('finds the proxy of our engine, and where it forwards to', () => {
    process(70, 1, OURS);
    process(77, 70, PROXY.split(' '), 4242);
    assert.deepEqual(found(), { pid: 77, target: '172.17.0.2:8080' });
    assert.equal(found(81), undefined);
  });

  it('finds the daemon itself', () => {
    process(70, 1, OURS, 4242);
    assert.deepEqual(found(), { pid: 70, target: undefined });
  });

  it('leaves the proxy of another engine, and other programs, to their owners', () => {
    process(70, 1, ['/usr/bin/dockerd']);
    process(77, 70, PROXY.split(' '), 4242);
    assert.equal(found(), undefined);
    rmSync(join(proc, '77'), { recursive: true });
    process(78, 1, ['nginx'], 4242);
    assert.equal(found(), undefined);
  });
});
