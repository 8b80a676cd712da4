import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { on, once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { endianness, tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLocalPeers } from '../../../../api/platform/processes/local-peers.js';
import { localProcesses } from '../../../../api/platform/processes/local-processes.js';
import type { Connection } from '../../../../crds/model/local-peers.js';

const log = { debug: () => undefined };
/** Owns the folders that stand for processes. */
const OWN = process.getuid?.() ?? 0;
const ID = `${'c0ffee'.repeat(10)}beef`;

const CONNECTION: Connection = {
  remoteAddress: '127.0.0.1',
  remotePort: 40_000,
  localAddress: '127.0.0.1',
  localPort: 48_484,
};
const HEAD = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';

interface Sight {
  /** Lists the connection with this user and inode. */
  readonly uid?: number;
  readonly inode?: number;
  /** As the table shows them; of CONNECTION when not said. */
  readonly ends?: string;
  readonly table?: 'tcp' | 'tcp6';
  /** Real, effective, saved and file system user of the holder. */
  readonly ids?: string;
  readonly pidNamespace?: string;
  readonly userNamespace?: string;
  readonly root?: string;
  readonly cgroup?: string;
  /** What the holder's descriptor points at. */
  readonly file?: string;
  /** cgroup of the agent. */
  readonly ownCgroup?: string;
}

describe('local peers', () => {
  let folder: string;
  let proc: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'peers-'));
    proc = join(folder, 'proc');
    for (const root of ['host', 'image']) mkdirSync(join(folder, root));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** A process as the kernel shows it. */
  const makeProcess = (pid: string, sight: Sight): void => {
    const { ids = '0\t0\t0\t0', pidNamespace = 'pid:[1]', userNamespace = 'user:[1]', root = 'host' } = sight;
    for (const part of ['fd', 'ns']) mkdirSync(join(proc, pid, part), { recursive: true });
    symlinkSync(pidNamespace, join(proc, pid, 'ns/pid'));
    symlinkSync(userNamespace, join(proc, pid, 'ns/user'));
    symlinkSync(join(folder, root), join(proc, pid, 'root'));
    writeFileSync(join(proc, pid, 'cgroup'), `0::${sight.cgroup ?? '/system.slice/ssh.service'}\n`);
    writeFileSync(join(proc, pid, 'status'), `Name:\tcurl\nUid:\t${ids}\nGid:\t0\t0\t0\t0\n`);
    symlinkSync('/dev/null', join(proc, pid, 'fd/0'));
    symlinkSync(sight.file ?? 'socket:[777]', join(proc, pid, 'fd/7'));
  };
  /** What is said of the connection when process 50 is as the sight has it. */
  const verdict = (sight: Sight, connection = CONNECTION): Promise<boolean> => {
    const little = sight.table === 'tcp6' ? '0000000000000000FFFF00000100007F' : '0100007F';
    const address =
      endianness() === 'LE' ? little : little.replaceAll('0100007F', '7F000001').replace('FFFF0000', '0000FFFF');
    const ends = sight.ends ?? `${address}:9C40 ${address}:BD64`;
    const { uid = 0, inode = 777, table = 'tcp' } = sight;
    mkdirSync(join(proc, 'net'), { recursive: true });
    writeFileSync(join(proc, 'net/tcp'), HEAD);
    writeFileSync(
      join(proc, 'net', table),
      `${HEAD}   0: ${ends} 01 00000000:00000000 00:00000000 00000000 ${String(uid).padStart(5)}        0 ${inode} 1 0\n`,
    );
    makeProcess('self', { file: '/dev/null', cgroup: sight.ownCgroup ?? '/system.slice/supercargo.service' });
    makeProcess('1', { file: '/dev/null', cgroup: '/init.scope' });
    makeProcess('50', sight);
    makeProcess('60', { file: 'socket:[778]' });
    return openLocalPeers({ proc, uid: OWN, log }).isOwner(connection);
  };

  const cases: readonly { it: string; sight: Sight; want: boolean }[] = [
    { it: 'trusts a process of root', sight: {}, want: true },
    { it: 'trusts it through a socket of IPv6', sight: { table: 'tcp6' }, want: true },
    { it: 'does not trust another user', sight: { uid: 1000, ids: '1000\t1000\t1000\t1000' }, want: false },
    { it: "does not trust another user's socket that root holds", sight: { uid: 1000 }, want: false },
    {
      it: 'does not trust another user who holds a socket of root',
      sight: { ids: '1000\t1000\t1000\t1000' },
      want: false,
    },
    { it: 'does not trust who was root and can be again', sight: { ids: '1000\t0\t0\t0' }, want: false },
    { it: 'does not trust a socket that nobody holds any more', sight: { inode: 0 }, want: false },
    { it: 'does not trust a socket whose process is not to be seen', sight: { inode: 999 }, want: false },
    {
      it: 'does not trust a connection that is not listed',
      sight: { ends: '0100007F:9C41 0100007F:BD64' },
      want: false,
    },
    { it: 'does not take our own end for the other', sight: { ends: '0100007F:BD64 0100007F:9C40' }, want: false },
    { it: 'does not trust root in a container', sight: { pidNamespace: 'pid:[2]' }, want: false },
    { it: 'does not trust root of another user namespace', sight: { userNamespace: 'user:[2]' }, want: false },
    ...[
      `/docker/${ID}`,
      `/system.slice/docker-${ID}.scope`,
      `/../${ID}`,
      `/machine.slice/libpod-${ID}.scope/container`,
      `/kubepods.slice/kubepods-pod1.slice/cri-containerd-${ID}.scope`,
    ].map((cgroup) => ({
      it: `does not trust a container with the pids of the host (${cgroup.replace(ID, '…')})`,
      sight: { cgroup },
      want: false,
    })),
    { it: 'does not trust a container by its root folder', sight: { root: 'image' }, want: false },
    {
      it: "trusts a program in the agent's own container",
      sight: { cgroup: `/docker/${ID}`, ownCgroup: `/docker/${ID}` },
      want: true,
    },
    { it: 'trusts the host from within a container', sight: { ownCgroup: `/docker/${ID}` }, want: true },
  ];
  for (const one of cases) it(one.it, async () => assert.equal(await verdict(one.sight), one.want));

  it('trusts its own user when it is not root, and still root', async () => {
    await verdict({ uid: 1000, ids: '1000\t1000\t1000\t1000' });
    const peers = openLocalPeers({ proc, uid: 1000, log });
    rmSync(join(proc, '50/status'));
    writeFileSync(join(proc, '50/status'), 'Uid:\t1000\t1000\t1000\t1000\n');
    assert.equal(await peers.isOwner(CONNECTION), OWN === 0 || OWN === 1000);
    assert.match(peers.blindness ?? '', /does not run as root/);
  });

  it('does not trust a process that has its number from the holder of the socket', async () => {
    makeProcess('self', { file: '/dev/null' });
    makeProcess('50', {});
    const processes = localProcesses({ proc, uid: OWN });
    let looks = 0;
    const held = await processes.holdings('50', new Set([777]), () => {
      looks += 1;
      if (looks !== 2) return undefined;
      rmSync(join(proc, '50/fd/7'));
      symlinkSync('socket:[9]', join(proc, '50/fd/7'));
      return undefined;
    });
    assert.deepEqual([...held], [[777, 'the kernel does not tell']]);
  });

  it('says when it runs in a container without the processes of the host', async () => {
    await verdict({ ownCgroup: `/docker/${ID}` });
    assert.match(
      openLocalPeers({ proc, uid: 0, log }).blindness ?? '',
      /in a container without the processes of the host/,
    );
    rmSync(join(proc, 'self/ns/pid'));
    symlinkSync('pid:[4026531836]', join(proc, 'self/ns/pid'));
    assert.equal(openLocalPeers({ proc, uid: 0, log }).blindness, undefined);
  });

  it('does not reject when nothing can be read', async () => {
    await verdict({});
    const peers = openLocalPeers({ proc, uid: 0, log });
    rmSync(join(proc, 'net'), { recursive: true });
    assert.equal(await peers.isOwner(CONNECTION), false);
  });

  describe('of this machine', () => {
    let server: Server;
    let port: number;
    const children: ChildProcess[] = [];
    const peers = openLocalPeers({ log });
    beforeEach(async () => {
      server = createServer().listen(0, '::');
      await once(server, 'listening');
      const address = server.address();
      port = typeof address === 'object' && address ? address.port : 0;
    });
    afterEach(() => {
      for (const child of children.splice(0)) child.kill('SIGKILL');
      server.close();
    });

    const accepted = async (): Promise<Socket> => (await once(server, 'connection'))[0];
    const ask = ({ remoteAddress = '', remotePort = 0, localAddress = '', localPort = 0 }: Socket): Promise<boolean> =>
      peers.isOwner({ remoteAddress, remotePort, localAddress, localPort });

    for (const address of ['127.0.0.1', '::1', '::ffff:127.0.0.1']) {
      it(`knows this process at ${address}`, async () => {
        const client = connect(port, address);
        assert.equal(await ask(await accepted()), true);
        client.destroy();
      });
    }

    it('knows each of many that come at once', async () => {
      const clients = Array.from({ length: 50 }, () => connect(port, '127.0.0.1'));
      const sockets: Socket[] = [];
      for await (const [socket] of on(server, 'connection')) if (sockets.push(socket) === clients.length) break;
      assert.deepEqual(new Set(await Promise.all(sockets.map(ask))), new Set([true]));
      for (const client of clients) client.destroy();
    });

    it('does not know one that has gone', async () => {
      const client = connect(port, '127.0.0.1');
      const socket = await accepted();
      const { remoteAddress = '', remotePort = 0, localAddress = '', localPort = 0 } = socket;
      const connection = { remoteAddress, remotePort, localAddress, localPort };
      client.destroy();
      await once(socket.resume(), 'close');
      assert.equal(await peers.isOwner(connection), false);
    });

    if (OWN === 0) {
      const caller = "require('node:net').connect(Number(process.argv[1]), '127.0.0.1').resume()";
      const start = (program: string, args: readonly string[], uid = 0): void => {
        children.push(spawn(program, args, { uid, gid: uid, stdio: 'ignore' }));
      };
      it('knows another program of root, and no program of somebody else', async () => {
        for (const uid of [0, 65534]) {
          start(process.execPath, ['-e', caller, String(port)], uid);
          assert.equal(await ask(await accepted()), uid === 0, `uid ${uid}`);
        }
      });

      it('does not trust root in a pid namespace of its own, nor below another root folder', async () => {
        const node = [process.execPath, '-e', caller, String(port)];
        for (const isolation of [
          ['--pid', '--fork', '--kill-child'],
          ['--user', '--map-root-user'],
        ]) {
          start('unshare', [...isolation, ...node]);
          assert.equal(await ask(await accepted()), false, isolation.join(' '));
        }
      });
    }
  });
});
