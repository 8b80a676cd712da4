import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePool, overlaps } from '../../../../controllers/engine/local/engine-bridge.js';
import { daemonArguments } from '../../../../controllers/engine/local/engine-daemon.js';
import { forwardingRules } from '../../../../controllers/engine/local/engine-firewall.js';
import { engineFolders } from '../../../../controllers/engine/local/engine-folders.js';
import { findEngine } from '../../../../controllers/engine/local/private-engine.js';

describe('engineFolders', () => {
  it('keeps the API socket in the data folder', () => {
    assert.equal(engineFolders('/var/lib/supercargo').socket, '/var/lib/supercargo/engine/docker.sock');
  });

  it('stays within what a socket path and an interface name may have', () => {
    const { socket, execRoot, bridge } = engineFolders(`/${'long/'.repeat(30)}`);
    assert.ok(Buffer.byteLength(socket) <= 107, socket);
    assert.ok(Buffer.byteLength(execRoot) + 50 <= 107, execRoot);
    assert.ok(bridge.length <= 15, bridge);
  });

  it('gives two data folders nothing in common', () => {
    const [one, two] = [Object.values(engineFolders('/a')), Object.values(engineFolders('/b'))];
    assert.deepEqual(
      one.filter((path) => two.includes(path)),
      [],
    );
  });

  it('is the same for a relative path', () => {
    assert.deepEqual(engineFolders('.data'), engineFolders(join(process.cwd(), '.data')));
  });
});

describe('daemonArguments', () => {
  const folders = engineFolders('/d');

  it('names every folder, so that nothing is shared with another daemon', () => {
    const text = daemonArguments(folders, '172.20.0.0/16', true).join(' ');
    for (const path of [folders.socket, folders.dataRoot, folders.execRoot, folders.pidFile, folders.bridge]) {
      assert.ok(text.includes(`=${path}`) || text.includes(`unix://${path}`), path);
    }
    assert.match(text, /--default-address-pool=base=172\.20\.0\.0\/16,size=24/);
    assert.doesNotMatch(text, /iptables/);
  });

  it('writes no rules beside another daemon', () => {
    assert.ok(daemonArguments(folders, '172.20.0.0/16', false).includes('--iptables=false'));
  });
});

describe('forwardingRules', () => {
  it('concern one pool only', () => {
    for (const rule of forwardingRules('172.20.0.0/16')) assert.ok(rule.includes('172.20.0.0/16'), rule.join(' '));
  });
});

describe('freePool', () => {
  it('takes the first range that nobody has a route into', () => {
    assert.equal(freePool([]), '172.17.0.0/16');
    assert.equal(freePool(['default', '172.17.0.0/16', '172.18.4.0/24', '172.19.0.1']), '172.20.0.0/16');
    assert.equal(freePool(['172.16.0.0/12']), '10.64.0.0/16');
  });

  it('says so when there is none', () => {
    assert.throws(() => freePool(['172.16.0.0/12', '10.0.0.0/8']), /No private IPv4 range is free/);
  });
});

describe('overlaps', () => {
  const cases: [string, string, boolean][] = [
    ['10.0.0.0/8', '10.255.0.0/16', true],
    ['10.0.0.0/16', '10.1.0.0/16', false],
    ['172.17.0.0/16', '172.17.9.9', true],
    ['172.17.0.0/16', 'default', false],
    ['0.0.0.0/0', '1.2.3.4/32', true],
  ];
  for (const [one, other, want] of cases) {
    it(`${one} and ${other}: ${want}`, () => {
      assert.equal(overlaps(one, other), want);
      assert.equal(overlaps(other, one), want);
    });
  }
});

describe('findEngine', () => {
  let folder = '';
  const search = (mode: 'auto' | 'external', dockerHost: string) =>
    findEngine({ mode, dataFolder: join(folder, 'data'), env: { DOCKER_HOST: dockerHost }, print: assert.fail });

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'supercargo-'));
  });
  after(() => rm(folder, { recursive: true }));

  it('takes the engine that DOCKER_HOST names, when it answers', async () => {
    const socket = join(folder, 'docker.sock');
    const server = createServer((_, response) => {
      response.setHeader('api-version', '1.41');
      response.end('{"ServerVersion":"20.10.24","DockerRootDir":"/var/lib/docker"}');
    });
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    try {
      const want = { dockerHost: `unix://${socket}`, started: false };
      assert.deepEqual(await search('auto', `unix://${socket}`), want);
      assert.deepEqual(await search('external', `unix://${socket}`), want);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  it('does not look elsewhere when DOCKER_HOST is wrong', async () => {
    const nobody = `unix://${join(folder, 'nobody.sock')}`;
    await assert.rejects(search('auto', nobody), /no Docker engine answers there: correct it, or unset it/);
    await assert.rejects(search('external', 'ssh://engine'), /ssh:\/\/ is not supported/);
  });
});
