import { Ajv, type ValidateFunction } from 'ajv';
import { explainError, type Hints } from './explain-errors.js';
import type { Issue } from './issue.js';
import type { Kind } from './kinds.js';
import { SCHEMAS } from './schemas.js';

/** Checks the spec of a document; every issue with its path from the document's root. Pure. */
export type Validator = (spec: unknown) => readonly Issue[];

/** Values that are never shown: environment, credentials of the proxy, the configuration variables of the device. */
const SECRET = ['environment', 'password', 'login'];

/** Fields of Compose's services that have no counterpart here (composition reference §1.3). */
const UNSUPPORTED = [
  ...['build', 'container_name', 'expose', 'links', 'external_links', 'logging', 'secrets', 'configs', 'deploy'],
  ...['profiles', 'runtime', 'gpus', 'device_cgroup_rules', 'stdin_open', 'uts', 'cgroup', 'isolation', 'env_file'],
  ...['memswap_limit', 'mem_swappiness', 'cpu_period', 'cpu_rt_runtime', 'cpu_rt_period', 'cpu_count', 'cpu_percent'],
  ...['blkio_config', 'volumes_from', 'extends', 'platform', 'pull_policy', 'scale', 'annotations', 'credential_spec'],
];

const hintsFor = (kind: Kind): Hints => ({
  isSecret: (path) =>
    path.some((step) => SECRET.includes(String(step))) || (kind === 'HostConfig' && path[1] === 'config'),
  ofUnknown(path) {
    const name = String(path.at(-1));
    const inService = kind === 'App' ? path.length === 4 && path[1] === 'services' : path.length === 2;
    if (inService && UNSUPPORTED.includes(name)) return 'Compose has it, but it is not supported here';
    if (kind !== 'App' || path.length !== 2 || !Object.hasOwn(SCHEMAS.Service.spec.properties ?? {}, name))
      return undefined;
    return 'it belongs to a service, under spec.services.<name>';
  },
});

const OPTIONS = { allErrors: true, verbose: true, messages: false, strict: false } as const;

/** Compiled at first use, one for each kind: compiling costs tens of ms, which a start need not pay. */
const compiled = new Map<Kind, ValidateFunction>();

function compiledOf(kind: Kind): ValidateFunction {
  const known = compiled.get(kind);
  if (known) return known;
  // Our schemas are checked by tests, and optimizing the code costs more than it gains: compiling takes 70 ms, not 100.
  const ajv = new Ajv({ ...OPTIONS, meta: false, validateSchema: false, code: { optimize: false } });
  const validate = ajv.compile(SCHEMAS[kind].spec);
  compiled.set(kind, validate);
  return validate;
}

/** The check of one kind's spec against its schema. Compiles nothing before the first check. */
export const validatorOf =
  (kind: Kind): Validator =>
  (spec) => {
    const validate = compiledOf(kind);
    if (validate(spec)) return [];
    const hints = hintsFor(kind);
    return (validate.errors ?? []).map((error) => explainError(error, spec, ['spec'], hints));
  };
