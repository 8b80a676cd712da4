import type { DeviceFacts } from '../../host/facts/facts.js';
import type { Findings } from './fields.js';
import { pairs } from './fields.js';
import type { Identity } from './identity.js';

/** Variables by name. `null` means that the variable is not set at all, not even from the image (Compose's name without a value). */
export type Environment = Readonly<Record<string, string | null>>;

/** The device's name when the container was created; only the agent knows it. (docs/reference/composition.md §2.) */
const AGENTS_OWN: ReadonlySet<string> = new Set(['BALENA_DEVICE_NAME_AT_INIT', 'RESIN_DEVICE_NAME_AT_INIT']);

/** Reads `environment`, a map or a list; numbers and booleans become strings. Pure. */
export function readEnvironment(value: unknown, findings: Findings): Environment {
  const all = pairs(value, 'environment', findings);
  for (const [name] of all) {
    if (name === '' || name.includes('='))
      findings.issue('environment', `${JSON.stringify(name)} is not a name of a variable`);
  }
  const given = all.filter(([name]) => AGENTS_OWN.has(name));
  for (const [name] of given) findings.warnings.push(`${name} is set by the agent alone, and left out of environment`);
  return Object.fromEntries(all.filter((one) => !given.includes(one)));
}

/** Returns every variable with the current and the old prefix. Pure. */
export const bothPrefixes = (variables: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(variables).flatMap(([name, value]) => [
      [`BALENA_${name}`, value],
      [`RESIN_${name}`, value],
    ]),
  );

/** Returns the variables that every container gets; the document may override them. Pure. (docs/reference/composition.md §2.) */
export const injectedEnvironment = (identity: Identity, facts: DeviceFacts, deviceName: string): Environment => ({
  BALENA: '1',
  RESIN: '1',
  ...bothPrefixes({
    APP_ID: String(identity.appId),
    APP_UUID: identity.appUuid,
    APP_NAME: identity.appName,
    SERVICE_NAME: identity.serviceName,
    DEVICE_UUID: facts.uuid,
    DEVICE_TYPE: facts.deviceType,
    DEVICE_ARCH: facts.arch,
    HOST_OS_VERSION: facts.osVersion,
    APP_LOCK_PATH: '/tmp/balena/updates.lock',
    DEVICE_NAME_AT_INIT: deviceName,
  }),
  BALENA_SERVICE_HANDOVER_COMPLETE_PATH: '/tmp/balena/handover-complete',
  RESIN_SERVICE_KILL_ME_PATH: '/tmp/balena/handover-complete',
  USER: 'root',
});

/** Reads an image's `Env`. Pure. */
export const imageEnvironment = (env: readonly string[] | null | undefined): Environment =>
  Object.fromEntries(
    (env ?? []).map((line) => {
      const equals = line.indexOf('=');
      return equals < 0 ? [line, null] : [line.slice(0, equals), line.slice(equals + 1)];
    }),
  );

/** Writes Docker's `Env`: `NAME=value`, and a bare `NAME` for a variable that must not be set. Pure. */
export const environmentOptions = (environment: Environment): string[] =>
  Object.entries(environment).map(([name, value]) => (value === null ? name : `${name}=${value}`));
