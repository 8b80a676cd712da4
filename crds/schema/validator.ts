import { Ajv, type ValidateFunction } from 'ajv';
import { type Issue, issuesOf, type Path } from '../model/issue.js';
import type { Kind } from '../model/kinds.js';
import { explainError, type Hints, placeOfError } from './explain-errors.js';
import { SCHEMAS } from './schemas.js';

/**
 * Checks the spec of a document. `issues`: every one with its path from the document's root, the first ones with a
 * description; `malformed`: their places below `spec`, at most MOST_MALFORMED. Pure.
 */
export type Validator = (spec: unknown) => { readonly issues: readonly Issue[]; readonly malformed: readonly Path[] };

/** Number of mistakes after which nobody reads on: what is not malformed is then left unchecked. */
export const MOST_MALFORMED = 50;

/** Fields whose values are never shown: environment, credentials of the proxy, the configuration variables of the device. */
const SECRET = ['environment', 'password', 'login'];
/** Such fields of a GitSource: its address may contain a password, and somebody may put a secret where the name of its file belongs. */
const SECRET_OF_SOURCE = ['url', 'credentials', 'webhook', 'vars', 'varsFrom', 'decryption'];

/** Fields of Compose's services that do not exist here (docs/reference/composition.md §1.3), and what to write instead. */
const INSTEAD: Readonly<Record<string, string>> = {
  annotations: 'engines before 25.0 do not know it: use labels',
  attach: 'logs are followed in any case: leave it out',
  build: 'images are built elsewhere: push it to a registry and name it in image',
  configs: 'put the file into the image or a volume, or its content under environment',
  container_name: 'write containerName; services of the app reach it by the name of the service in any case',
  cpu_count: 'only Windows has it: use cpus',
  cpu_percent: 'only Windows has it: use cpus',
  credential_spec: 'only Windows has it: leave it out',
  deploy: 'write its limits as cpus, mem_limit, mem_reservation and restart; a service is one container',
  develop: 'nothing is watched here: leave it out',
  env_file: 'write the variables under environment',
  extends: 'write the fields out, or use an anchor of YAML',
  external_links: 'containers of others are reached by their published ports, see extra_hosts',
  isolation: 'only Windows has it: leave it out',
  label_file: 'write the labels under labels',
  links:
    'services of an app reach each other by name; further names are networks.<name>.aliases, the order is depends_on',
  post_start: 'commands are not run from outside: make it part of command',
  pre_stop: 'commands are not run from outside: let the program act on stop_signal',
  profiles: 'leave the service out, or say running: false',
  scale: 'a service is one container: write a second service',
  secrets: 'put the file into a volume, or its content under environment',
  volumes_from: 'name the same volumes in both services',
};

/** Options of a network that do not exist here, and what to write instead. */
const INSTEAD_WITHIN: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  networks: {
    gw_priority: 'the first network of the list is the main one',
    interface_name: 'engines before 28.0 do not know it: leave it out',
    mac_address: 'engines before 25.0 do not know it here: use mac_address of the service',
    priority: 'the first network of the list is the main one',
  },
};

/** Policies of Compose that do not exist here, and what to do instead. */
const POLICIES: Readonly<Record<string, string>> = {
  build: 'images are built elsewhere: push it to a registry, or build or load it on the device and say never',
  daily: 'a release takes its image once: release again for a newer one',
  weekly: 'a release takes its image once: release again for a newer one',
};

const hintsFor = (kind: Kind): Hints => ({
  isSecret: (path) =>
    path.some((step) => SECRET.includes(String(step))) ||
    (kind === 'HostConfig' && path[1] === 'config') ||
    (kind === 'GitSource' && SECRET_OF_SOURCE.includes(String(path[1]))),
  ofValue: (path, value) => (path.at(-1) === 'pull_policy' ? POLICIES[String(value)] : undefined),
  ofUnknown(path) {
    const name = String(path.at(-1));
    const instead = insteadOf(kind, path);
    if (instead !== undefined) return `Compose has it, but it is not supported here: ${instead}`;
    if (kind !== 'App' || path.length !== 2 || !Object.hasOwn(SCHEMAS.Service.spec.properties ?? {}, name))
      return undefined;
    return 'it belongs to a service, under spec.services.<name>';
  },
});

/** Returns what to write instead of a field of Compose at that path. Pure. */
function insteadOf(kind: Kind, path: Path): string | undefined {
  const start = kind === 'Service' ? 1 : kind === 'App' && path[1] === 'services' ? 3 : undefined;
  if (start === undefined) return undefined;
  const [field = '', ...below] = path.slice(start).map(String);
  const known = below.length === 0 ? INSTEAD : INSTEAD_WITHIN[field];
  const name = below.at(-1) ?? field;
  return known && Object.hasOwn(known, name) ? known[name] : undefined;
}

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

/** Returns the validator of one kind's spec. Compiles nothing before the first check. */
export const validatorOf =
  (kind: Kind): Validator =>
  (spec) => {
    const validate = compiledOf(kind);
    if (validate(spec)) return { issues: [], malformed: [] };
    const hints = hintsFor(kind);
    const errors = validate.errors ?? [];
    return {
      issues: issuesOf(errors, (error) => explainError(error, spec, ['spec'], hints)),
      malformed: errors.slice(0, MOST_MALFORMED).map((error) => placeOfError(error, spec)),
    };
  };
