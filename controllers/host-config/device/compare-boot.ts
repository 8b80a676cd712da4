import { createHash } from 'node:crypto';
import { isBootVariable } from '../../../crds/model/device-variables.js';
import type { BootBackend, BootDevice } from '../../host/boot/backend.js';
import type { SeenBackend, SeenBoot } from '../../host/boot/boot-partition.js';
import { type BootValue, BootValueError, type DesiredValues, sameValue } from '../../host/boot/values.js';
import { InvalidSpecError, TerminalError } from '../../runtime/outcome.js';

/** One variable that differs; `from` and `to` as people read them, undefined when absent. */
export interface Change {
  readonly variable: string;
  readonly from: string | undefined;
  readonly to: string | undefined;
}

/** How one boot file differs from what it should contain. */
export interface Difference {
  readonly backend: BootBackend;
  readonly wanted: DesiredValues;
  readonly changes: readonly Change[];
}

export interface BootComparison {
  readonly differences: readonly Difference[];
  /** Variables that the agent owns, with their desired values. */
  readonly managed: Readonly<Record<string, string>>;
  /** Declared variables of boot files that this device does not have. */
  readonly notApplicable: readonly string[];
}

/** The only variable outside of boot files that takes effect with the next start of the device. */
export const PERSISTENT_LOGGING = 'SUPERVISOR_PERSISTENT_LOGGING';

const LONG = 120;

/** Returns a text that identifies a value and may be stored and shown: the value itself, or a hash of a long one. Pure. */
const fingerprint = (text: string): string =>
  text.length <= LONG
    ? text
    : `${text.slice(0, 16)}… (${text.length} characters, sha256 ${createHash('sha256').update(text).digest('hex').slice(0, 12)})`;

/** Returns the contents of boot files as variables. Pure. */
export const bootVariables = ({ backends }: Pick<SeenBoot, 'backends'>): Record<string, string> =>
  Object.fromEntries(
    backends.flatMap(({ backend, now }) =>
      Object.entries(now).map(([key, value]) => [backend.variableOf(key), backend.renderValue(value)] as const),
    ),
  );

/**
 * Returns what boot files contain, by variable, in a form that can be stored; with the setting outside of them that
 * needs a restart. Pure.
 */
export function valuesByVariable({ backends, config }: SeenBoot): Readonly<Record<string, string>> {
  const values = Object.entries(bootVariables({ backends })).map(([name, text]) => [name, fingerprint(text)] as const);
  return {
    ...Object.fromEntries(values),
    ...(config ? { [PERSISTENT_LOGGING]: String(config.persistentLogging ?? false) } : {}),
  };
}

/**
 * Compares variables with boot files, both as the files would write them. The agent owns what is declared now, and what
 * was declared before (`managed`), which has to be removed. Throws for values that cannot be written, keys that may not
 * be changed, and files that cannot be parsed while something in them is declared. Pure.
 */
export function compareBoot(
  config: Readonly<Record<string, string>>,
  seen: SeenBoot,
  managed: Readonly<Record<string, string>>,
  device: BootDevice,
): BootComparison {
  const issues: { path: string; message: string }[] = [];
  const differences: Difference[] = [];
  const claimed = new Set<string>();
  const present = new Set<string>();
  const ours: Record<string, string> = {};
  for (const one of seen.backends) {
    const { backend } = one;
    const wanted: Record<string, BootValue | undefined> = {};
    for (const variable of Object.keys(managed)) {
      const key = backend.keyOf(variable);
      if (key === undefined) continue;
      present.add(variable);
      wanted[key] = undefined;
    }
    for (const [variable, text] of Object.entries(config)) {
      const key = backend.keyOf(variable);
      if (key === undefined) continue;
      claimed.add(variable);
      try {
        wanted[key] = backend.parseValue(key, text);
        if (backend.refusal(key) === undefined) ours[backend.variableOf(key)] = textOf(backend, wanted[key]) ?? '';
      } catch (error) {
        if (!(error instanceof BootValueError)) throw error;
        issues.push({ path: `spec.config.${variable}`, message: error.message });
      }
    }
    const difference = differenceOf(one, wanted, device);
    if (difference.changes.length > 0) differences.push(difference);
  }
  if (issues.length > 0) throw new InvalidSpecError(issues);
  const absent = Object.entries(managed).filter(([variable]) => !present.has(variable));
  return {
    differences,
    managed: { ...Object.fromEntries(absent), ...ours },
    notApplicable: Object.keys(config).filter((variable) => isBootVariable(variable) && !claimed.has(variable)),
  };
}

function differenceOf({ backend, now, error }: SeenBackend, declared: DesiredValues, device: BootDevice): Difference {
  if (error !== undefined) {
    if (Object.keys(declared).length === 0) return { backend, wanted: declared, changes: [] };
    throw new TerminalError('UnreadableBootFile', `${backend.name}: ${error}`);
  }
  const wanted = backend.required(device, declared, now);
  const differing = Object.keys(wanted).filter((key) => !sameValue(now[key], wanted[key]));
  for (const key of differing) {
    const refusal = backend.refusal(key);
    if (refusal !== undefined) throw new TerminalError('ForbiddenKey', refusal);
  }
  const changes = differing.map((key) => ({
    variable: backend.variableOf(key),
    from: textOf(backend, now[key]),
    to: textOf(backend, wanted[key]),
  }));
  return { backend, wanted, changes };
}

const textOf = (backend: BootBackend, value: BootValue | undefined): string | undefined =>
  value === undefined ? undefined : fingerprint(backend.renderValue(value));

/** Describes a change, as in `HOST_CONFIG_gpu_mem: 16 → 64`. Pure. */
export const changeText = ({ variable, from, to }: Change): string =>
  `${variable}: ${from ?? 'not set'} → ${to ?? 'not set'}`;
