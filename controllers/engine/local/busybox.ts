import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Env } from '../../../api/platform/programs.js';
import { runCommand } from '../../../api/platform/run-program.js';
import { aptGet, isDebian, isRoot } from './debian-packages.js';
import type { TarEntry } from './tar.js';

const INSTALLED = ['/bin/busybox', '/usr/bin/busybox', '/usr/local/bin/busybox'];

/** Returns the bytes of a busybox that needs no libraries: the installed one, or the one in Debian's package; undefined if neither. */
export async function staticBusybox(env: Env, print: (text: string) => void): Promise<Buffer | undefined> {
  for (const path of INSTALLED) {
    const binary = await readFile(path).catch(() => undefined);
    if (binary !== undefined && isStaticBinary(binary)) return binary;
  }
  return (await isDebian(env)) ? downloadedBusybox(env, print) : undefined;
}

/** Takes the program out of the package; nothing is installed. */
async function downloadedBusybox(env: Env, print: (text: string) => void): Promise<Buffer | undefined> {
  print('Downloading Debian’s busybox-static with apt-get');
  const folder = await mkdtemp(join(tmpdir(), 'supercargo-busybox-'));
  try {
    const download = () => aptGet(['download', 'busybox-static'], { env, cwd: folder });
    await download().catch(async (error: unknown) => {
      if (!isRoot()) throw error;
      await aptGet(['update'], { env }); // fresh machines have no package lists
      await download();
    });
    const archive = (await readdir(folder)).find((name) => name.endsWith('.deb'));
    if (archive === undefined) return undefined;
    await runCommand('dpkg-deb', ['-x', archive, 'out'], { env, cwd: folder });
    for (const path of INSTALLED) {
      const binary = await readFile(join(folder, 'out', path)).catch(() => undefined);
      if (binary !== undefined && isStaticBinary(binary)) return binary;
    }
    return undefined;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Returns a root file system around it: every applet as a link in /bin, and the users and folders that programs expect. */
export async function busyboxFiles(binary: Buffer, env: Env): Promise<readonly TarEntry[]> {
  const applets = await appletsOf(binary, env);
  return [
    ...['bin/', 'dev/', 'etc/', 'home/', 'proc/', 'sys/', 'usr/', 'usr/bin/', 'var/', 'var/www/'].map((path) => ({
      path,
    })),
    { path: 'root/', mode: 0o700 },
    { path: 'tmp/', mode: 0o1777 },
    { path: 'etc/passwd', content: 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n' },
    { path: 'etc/group', content: 'root:x:0:\nnogroup:x:65534:\n' },
    { path: 'etc/nsswitch.conf', content: 'passwd: files\ngroup: files\nhosts: files dns\n' },
    { path: 'bin/busybox', content: binary, mode: 0o755 },
    { path: 'usr/bin/env', link: '/bin/busybox' },
    ...applets.map((applet) => ({ path: `bin/${applet}`, link: 'busybox' })),
  ];
}

/** Asks the program for its applets, which were decided when it was built. */
async function appletsOf(binary: Buffer, env: Env): Promise<readonly string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'supercargo-busybox-'));
  try {
    const program = join(folder, 'busybox');
    await writeFile(program, binary, { mode: 0o755 });
    const listed = await runCommand(program, ['--list'], { env });
    if (!listed.ok) throw new Error(`busybox does not run here: ${listed.output}`);
    return listed.stdout.split('\n').filter((applet) => applet !== '' && applet !== 'busybox');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const ELF_MAGIC = 0x7f454c46;
const PT_INTERP = 3;

/** Tells whether it is an ELF program without an interpreter, i.e. without a dynamic loader. (elf(5).) Pure. */
export function isStaticBinary(binary: Buffer): boolean {
  if (binary.length < 64 || binary.readUInt32BE(0) !== ELF_MAGIC) return false;
  const wide = binary[4] === 2;
  const little = binary[5] === 1;
  const half = (at: number) => (little ? binary.readUInt16LE(at) : binary.readUInt16BE(at));
  const word = (at: number) => (little ? binary.readUInt32LE(at) : binary.readUInt32BE(at));
  const table = wide ? Number(little ? binary.readBigUInt64LE(32) : binary.readBigUInt64BE(32)) : word(28);
  const [entryBytes, entries] = wide ? [half(54), half(56)] : [half(42), half(44)];
  if (entries === 0 || table + entryBytes * entries > binary.length) return false;
  return !Array.from({ length: entries }, (_, index) => word(table + index * entryBytes)).includes(PT_INTERP);
}
