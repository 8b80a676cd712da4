import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

const REGISTERED = 'proc/sys/fs/binfmt_misc';

/** Tells whether the kernel has an emulator for programs of another processor (binfmt_misc, as qemu-user registers them). Never throws. */
export async function hasEmulator(hostRoot: string): Promise<boolean> {
  const roots = [...new Set(['/', hostRoot])]; // in a container the host's /proc may be elsewhere, or ours the same
  const lists = await Promise.all(roots.map((root) => readdir(join(root, REGISTERED)).catch((): string[] => [])));
  return lists.flat().some((name) => /^(qemu-|rosetta|FEX|box64)/.test(name));
}
