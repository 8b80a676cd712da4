import { lstatSync, readdirSync } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing } from '../../platform/errors.js';

/** Tells whether the path exists. */
export const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** Tells whether there is a file, or a folder that is not empty or cannot be read. */
export function hasContent(path: string): boolean {
  try {
    return !lstatSync(path).isDirectory() || readdirSync(path).length > 0;
  } catch (error) {
    return !isMissing(error);
  }
}

/** Returns the size of everything below a folder, bytes; what vanishes meanwhile does not count. */
export async function sizeOf(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(folder, name)).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Removes what a killed process has left in a repository; returns the number of packs. */
export async function clearLeftovers(gitDir: string): Promise<{ readonly packs: number }> {
  const left = await readdir(gitDir, { recursive: true });
  for (const name of left.filter((one) => one.endsWith('.lock') || /(^|\/)tmp_/.test(one))) {
    await rm(join(gitDir, name), { recursive: true, force: true });
  }
  return { packs: left.filter((name) => name.endsWith('.pack')).length };
}
