import { constants } from 'node:fs';
import { open, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { parseDockerConfig } from './docker-config.js';
import { type AuthEntry, CredentialsError, entryOf } from './registry-auth.js';

/** Where secrets lie, below the data folder. */
export const SECRETS = 'secrets';
const LARGEST_BYTES = 64 * 1024;

/**
 * The text of a secret in `<data>/secrets`. The file has to lie there in truth (no link that leads elsewhere) and to be
 * closed to everybody but its owner. Throws `CredentialsError`, which names the file and never its text.
 */
export async function readSecret(dataFolder: string, name: string): Promise<string> {
  const path = join(dataFolder, SECRETS, name);
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(name)) throw new CredentialsError(`${name} is not the name of a secret`);
  try {
    const home = join(await realpath(dataFolder), SECRETS);
    if ((await realpath(path)) !== join(home, name)) {
      throw new CredentialsError(`${path} leads out of ${home}: put the file itself there`);
    }
    const file = await open(join(home, name), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const stat = await file.stat();
      if (!stat.isFile()) throw new CredentialsError(`${path} is not a file`);
      if ((stat.mode & 0o077) !== 0) {
        const mode = (stat.mode & 0o777).toString(8).padStart(4, '0');
        throw new CredentialsError(`${path} can be used by others (mode ${mode}): chmod 600 ${path}`);
      }
      if (stat.size > LARGEST_BYTES)
        throw new CredentialsError(`${path} is too large for a secret: ${stat.size} bytes`);
      return await file.readFile('utf8');
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof CredentialsError) throw error;
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT') throw new CredentialsError(`There is no secret ${path}`);
    throw new CredentialsError(`Could not read the secret ${path}: ${String(code)}`);
  }
}

/**
 * A secret as credentials of a registry: `{"username", "password"}`, `{"identitytoken"}`, a config file of Docker with
 * an entry for the registry, or one line `username:password`. Throws `CredentialsError` without any of its text. Pure.
 */
export function parseSecret(text: string, registry: string): AuthEntry {
  const trimmed = text.trim();
  if (!trimmed.startsWith('{')) {
    const [line = '', ...more] = trimmed.split('\n');
    const colon = line.indexOf(':');
    if (colon <= 0 || more.length > 0) throw new CredentialsError(EXPECTED);
    return { username: line.slice(0, colon), password: line.slice(colon + 1) };
  }
  try {
    const value: unknown = JSON.parse(trimmed);
    if (typeof value === 'object' && value !== null && 'auths' in value) {
      const entry = parseDockerConfig(trimmed).auths.get(registry);
      if (!entry) throw new CredentialsError(`it has no entry for ${registry} under auths`);
      return entry;
    }
    return entryOf(value);
  } catch (error) {
    throw error instanceof CredentialsError ? error : new CredentialsError(EXPECTED);
  }
}
const EXPECTED = 'expected JSON with username and password, or one line username:password';
