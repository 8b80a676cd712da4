import { homedir } from 'node:os';
import { join } from 'node:path';
import { errorCode, isMissing } from '../../../api/platform/errors.js';
import { parseJsonWithin, TooMuchJson } from '../../../api/platform/json-text.js';
import type { Env } from '../../../api/platform/programs.js';
import { readBounded, UnfitFileError } from '../../../api/platform/read-file.js';
import { hostOf } from '../../../crds/model/image-reference.js';
import { isMap } from '../../../crds/model/maps.js';
import { type AuthEntry, CredentialsError, entryOf } from './registry-auth.js';

/** Credentials as `docker login` leaves them. */
export interface DockerConfig {
  /** By host. */
  readonly auths: ReadonlyMap<string, AuthEntry>;
  /** Names of helper programs (`docker-credential-<name>`) by host. */
  readonly helpers: ReadonlyMap<string, string>;
  /** The helper for every other registry. */
  readonly store: string | undefined;
}

/** Returns where the Docker command keeps its settings for this user. Pure. */
export const dockerConfigPath = (env: Env): string =>
  join(env.DOCKER_CONFIG || join(env.HOME || homedir(), '.docker'), 'config.json');

/** Reads the file at the path; undefined when there is none. Throws `CredentialsError` for one that cannot be used. */
export async function readDockerConfig(path: string): Promise<DockerConfig | undefined> {
  let text: string;
  try {
    text = (await readBounded(path)).toString();
  } catch (cause) {
    if (isMissing(cause)) return undefined;
    const why = cause instanceof UnfitFileError ? cause.message : String(errorCode(cause));
    throw new CredentialsError(`Could not read ${path}: ${why}`);
  }
  try {
    return parseDockerConfig(text);
  } catch (error) {
    const isExplained = error instanceof CredentialsError || error instanceof TooMuchJson;
    const why = isExplained ? error.message : 'it is not JSON';
    throw new CredentialsError(`${path} cannot be used: ${why}`);
  }
}

/** Reads the credentials of a config file. Throws for anything else, without any of its text. Pure. */
export function parseDockerConfig(text: string): DockerConfig {
  const value = parseJsonWithin(text);
  const { auths = {}, credHelpers = {}, credsStore } = isMap(value) ? value : {};
  if (!isMap(auths)) throw new CredentialsError('auths is not a map');
  return {
    auths: new Map(Object.entries(auths).map(([key, entry]) => [hostOf(key), entryOf(entry)])),
    helpers: new Map(
      Object.entries(isMap(credHelpers) ? credHelpers : {}).flatMap(([key, name]) =>
        typeof name === 'string' ? [[hostOf(key), name]] : [],
      ),
    ),
    store: typeof credsStore === 'string' && credsStore !== '' ? credsStore : undefined,
  };
}
