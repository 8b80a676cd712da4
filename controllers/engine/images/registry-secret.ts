import { parseJsonWithin, TooMuchJson } from '../../../api/platform/json-text.js';
import { isMap } from '../../../crds/model/maps.js';
import { parseDockerConfig } from './docker-config.js';
import { type AuthEntry, CredentialsError, entryOf } from './registry-auth.js';

/**
 * Reads a secret as credentials of a registry: `{"username", "password"}`, `{"identitytoken"}`, a config file of Docker
 * with an entry for the registry, or one line `username:password`. Throws `CredentialsError` without any of its text.
 * Pure.
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
    const value = parseJsonWithin(trimmed);
    if (isMap(value) && 'auths' in value) {
      const entry = parseDockerConfig(trimmed).auths.get(registry);
      if (!entry) throw new CredentialsError(`it has no entry for ${registry} under auths`);
      return entry;
    }
    return entryOf(value);
  } catch (error) {
    if (error instanceof CredentialsError) throw error;
    throw new CredentialsError(error instanceof TooMuchJson ? error.message : EXPECTED);
  }
}
const EXPECTED = 'expected JSON with username and password, or one line username:password';
