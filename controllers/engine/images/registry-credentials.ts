import type { Logger } from 'pino';
import { errorMessage } from '../../../api/platform/errors.js';
import type { Env } from '../../../api/platform/programs.js';
import { HUB, registryName } from '../../../crds/model/image-reference.js';
import type { RegistryAuth } from '../engine.js';
import { askHelper } from './credential-helper.js';
import { dockerConfigPath, readDockerConfig } from './docker-config.js';
import { type AuthEntry, authOf, CredentialsError } from './registry-auth.js';
import { parseSecret } from './registry-secret.js';

export interface CredentialsDeps {
  /** Returns the text of a secret of the device. Rejects with an error that names the file and never shows its content. */
  readonly readSecret: (name: string) => Promise<string>;
  readonly env: Env;
  /** Returns the device's own credentials, and the domains and hosts of the cloud that gave them; undefined on a device without one. */
  readonly device?: () => Promise<{ readonly auth: AuthEntry; readonly domains: readonly string[] } | undefined>;
  readonly log: Pick<Logger, 'warn'>;
}

/** Finds the credentials for the registry of a reference. `secret`: the one that the App names for it. */
export type Credentials = (reference: string, secret?: string) => Promise<RegistryAuth | undefined>;

/**
 * Returns credentials by precedence: the secret that the App names; what `docker login` left for this user; for
 * registries of the device's own cloud, the device's. Read each time, kept nowhere. Throws `CredentialsError` when
 * those configured for that very registry cannot be used.
 */
export function registryCredentials({ readSecret, env, device, log }: CredentialsDeps): Credentials {
  return async (reference, secret) => {
    const { registry } = registryName(reference);
    if (secret !== undefined) return ofSecret(readSecret, secret, registry);
    const path = dockerConfigPath(env);
    const config = await readDockerConfig(path).catch((error: unknown) => {
      log.warn(`${errorMessage(error)}. Going on without it`);
      return undefined;
    });
    const helper = config?.helpers.get(registry);
    const entry =
      (helper === undefined ? undefined : await askHelper(helper, registry, env)) ??
      (config?.store === undefined ? undefined : await askStore(config.store, registry)) ??
      config?.auths.get(registry);
    const found = entry && named(path, () => authOf(entry, registry));
    if (found) return found;
    const own = registry === HUB ? undefined : await device?.();
    return own && belongs(registry, own.domains) ? authOf(own.auth, registry) : undefined;
  };

  /** Asks the store, which is for every registry: having none for one of them is not an error. */
  async function askStore(store: string, registry: string): Promise<AuthEntry | undefined> {
    try {
      return await askHelper(store, registry, env);
    } catch (error) {
      log.warn(`${errorMessage(error)}. Going on without it`);
      return undefined;
    }
  }
}

async function ofSecret(
  readSecret: CredentialsDeps['readSecret'],
  secret: string,
  registry: string,
): Promise<RegistryAuth> {
  const text = await readSecret(secret).catch((cause: unknown) => {
    throw new CredentialsError(errorMessage(cause), { cause });
  });
  return named(`The secret ${secret}`, () => {
    const auth = authOf(parseSecret(text, registry), registry);
    if (!auth) throw new CredentialsError('it has neither a username and a password nor a token');
    return auth;
  });
}

function named<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof CredentialsError) throw new CredentialsError(`${path} cannot be used: ${error.message}`);
    throw error;
  }
}

/** Tells whether a registry is one of these hosts or below one of these domains: the key of a device is sent to nobody else. Pure. */
const belongs = (registry: string, domains: readonly string[]): boolean => {
  const host = registry.replace(/:\d+$/, '');
  return domains.some((domain) => registry === domain || host === domain || host.endsWith(`.${domain}`));
};
