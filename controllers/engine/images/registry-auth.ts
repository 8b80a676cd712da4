import { HUB, HUB_KEY } from '../../../crds/model/image-reference.js';
import type { RegistryAuth } from '../engine.js';

/** Configured credentials cannot be used. The message says where they are; never what they are. */
export class CredentialsError extends Error {
  override readonly name = 'CredentialsError';
}

/** One entry of Docker's config file, or the answer of a helper, or a secret. */
export interface AuthEntry {
  readonly username?: string;
  readonly password?: string;
  /** `username:password` in base64 */
  readonly auth?: string;
  readonly identitytoken?: string;
  readonly registrytoken?: string;
}

/** Returns Docker's credentials for a pull; undefined when the entry is empty. Throws a text for people when it is broken. Pure. */
export function authOf(entry: AuthEntry, registry: string): RegistryAuth | undefined {
  const serveraddress = registry === HUB ? HUB_KEY : registry;
  if (entry.registrytoken) return { registrytoken: entry.registrytoken, serveraddress };
  if (entry.identitytoken) return { identitytoken: entry.identitytoken, serveraddress };
  const pair = entry.auth ? decode(entry.auth) : entry;
  const { username, password } = pair;
  return username && password !== undefined ? { username, password, serveraddress } : undefined;
}

function decode(auth: string): AuthEntry {
  const text = Buffer.from(auth, 'base64').toString();
  const colon = text.indexOf(':');
  if (colon <= 0) throw new CredentialsError('auth is not username:password in base64');
  // Docker pads with zero bytes.
  return { username: text.slice(0, colon), password: text.slice(colon + 1).replace(/\0+$/, '') };
}

/** Names of the fields of an entry, of `docker login`, a secret or a helper. */
const FIELDS = new Set(['username', 'password', 'auth', 'identitytoken', 'registrytoken', 'secret']);

/** Reads a value of unknown origin as an entry: only texts with a meaning are taken over. Pure. */
export function entryOf(value: unknown): AuthEntry {
  if (typeof value !== 'object' || value === null)
    throw new CredentialsError('Expected a map of username and password');
  const entry: Record<string, string> = {};
  for (const [name, text] of Object.entries(value)) {
    const field = name.toLowerCase();
    if (typeof text === 'string' && FIELDS.has(field)) entry[field] = text;
  }
  return entry;
}
