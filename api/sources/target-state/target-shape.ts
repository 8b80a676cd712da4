import { isMap } from '../../../crds/model/maps.js';
/**
 * What a Supervisor checks of a target state, with its messages (docs/reference/http-api.md §8.3, §8.5). Checks the v3
 * form, to which v2 is converted first: that is why paths of a v2 document contain the device's uuid and `releases`.
 */
import { Lines, shown } from '../lines.js';

const MAX_TEXT = 255;
const VARIABLE = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const CONFIG = /^[a-zA-Z_][a-zA-Z0-9_:]*$/;
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;
/** Printable ASCII without space, quotes and backtick. */
const LABEL = /^[!#-&(-_a-~]+$/;

const REASONS = {
  EnvVarName: "needs to start with a letter and may only contain alphanumeric characters plus '_'",
  ConfigVarName: "needs to start with a letter and may only contain alphanumeric characters plus '_' or ':'",
  LabelName: 'only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed',
  Label: 'only printable ASCII without spaces, quotes and backticks is allowed',
  DeviceName: 'must not contain newline chars',
  NumericIdentifier: 'must be be an positive integer',
  ShortString: `must not be longer than ${MAX_TEXT} characters`,
} as const;

/** Returns a number, also one written as text; undefined for anything else. Pure. */
export const numericId = (value: unknown): number | undefined => {
  const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 ? number : undefined;
};

/** Collects one line for each mistake. */
class Shape {
  readonly lines = new Lines();

  wrong(type: string, path: string, value: unknown, reason?: (shown: string) => string): void {
    this.lines.add(() => {
      const text = shown(value);
      return `Expecting ${type} at ${path} but instead got: ${text}${reason === undefined ? '' : ` (${reason(text)})`}`;
    });
  }

  text(path: string, value: unknown): void {
    if (typeof value !== 'string') this.wrong('string', path, value);
    else if (value.length > MAX_TEXT) this.wrong('ShortString', path, value, () => REASONS.ShortString);
  }

  id(path: string, value: unknown): void {
    if (typeof value !== 'number' && typeof value !== 'string') {
      this.wrong('number', `${path}.0`, value);
      this.wrong('string', `${path}.1`, value);
    } else if (numericId(value) === undefined) {
      this.wrong('NumericIdentifier', path, value, () => REASONS.NumericIdentifier);
    }
  }

  name(path: string, value: string): void {
    if (value.length > MAX_TEXT || !NAME.test(value))
      this.wrong('LabelName', `${path}.${value}`, value, () => REASONS.LabelName);
  }

  boolean(path: string, value: unknown): void {
    if (value !== undefined && value !== null && typeof value !== 'boolean') this.wrong('boolean', path, value);
  }

  /** Checks a map of texts whose names follow a rule. */
  texts(path: string, value: unknown, type: 'EnvVarName' | 'ConfigVarName' | 'Label', rule: RegExp): void {
    if (!isMap(value)) {
      this.wrong(`{ [K in ${type === 'Label' ? 'LabelName' : type}]: string }`, path, value);
      return;
    }
    for (const [key, item] of Object.entries(value)) {
      const at = `${path}.${key}`;
      if (key.length > MAX_TEXT || !rule.test(key)) {
        this.wrong(type === 'Label' ? 'LabelName' : type, at, key, () => REASONS[type]);
      }
      if (typeof item !== 'string') this.wrong('string', at, item);
    }
  }

  /** Checks a map of volumes or networks by name. */
  members(path: string, value: unknown, type: 'Volume' | 'Network'): void {
    if (value === undefined || value === null) return;
    if (!isMap(value)) {
      this.wrong(`{ [K in LabelName]: ${type} }`, path, value);
      return;
    }
    for (const [key, item] of Object.entries(value)) {
      this.name(path, key);
      if (!isMap(item)) {
        this.wrong(
          type,
          `${path}.${key}`,
          item,
          (text) => `Expected value to be an object of type ${type}, got: ${text}`,
        );
      }
    }
  }
}

/** Returns the mistakes of one device of a v3 document, a line each. Pure. */
export function deviceProblems(uuid: string, device: unknown): readonly string[] {
  const shape = new Shape();
  if (!isMap(device)) {
    shape.wrong('object', uuid, device);
    return shape.lines.texts;
  }
  const { name, config, apps } = device;
  if (name !== undefined && name !== null) {
    shape.text(`${uuid}.name`, name);
    if (typeof name === 'string' && /[\r\n]/.test(name))
      shape.wrong('DeviceName', `${uuid}.name`, name, () => REASONS.DeviceName);
  }
  if (config !== undefined && config !== null) shape.texts(`${uuid}.config`, config, 'ConfigVarName', CONFIG);
  if (apps !== undefined && apps !== null) {
    if (isMap(apps)) for (const [key, app] of Object.entries(apps)) appProblems(shape, `${uuid}.apps.${key}`, app);
    else if (!Array.isArray(apps) || apps.length > 0) shape.wrong('{ [K in UUID]: TargetApp }', `${uuid}.apps`, apps);
  }
  return shape.lines.texts;
}

function appProblems(shape: Shape, path: string, app: unknown): void {
  if (!isMap(app)) {
    shape.wrong('TargetApp', path, app);
    return;
  }
  const at = `${path}.0`;
  shape.id(`${at}.id`, app.id);
  shape.text(`${at}.name`, app.name);
  shape.boolean(`${path}.1.is_host`, app.is_host);
  const releases = app.releases ?? {};
  if (!isMap(releases)) {
    shape.wrong('{ [K in UUID]: TargetRelease }', `${at}.releases`, releases);
    return;
  }
  for (const [commit, release] of Object.entries(releases))
    releaseProblems(shape, `${at}.releases.${commit}`, commit, release);
}

function releaseProblems(shape: Shape, path: string, commit: string, release: unknown): void {
  if (commit === '' || commit.length > MAX_TEXT) shape.wrong('UUID', path, commit);
  if (!isMap(release)) {
    shape.wrong('TargetRelease', path, release);
    return;
  }
  shape.id(`${path}.id`, release.id);
  const services = release.services ?? {};
  if (isMap(services)) {
    for (const [name, service] of Object.entries(services)) {
      shape.name(`${path}.services`, name);
      serviceProblems(shape, `${path}.services.${name}`, service);
    }
  } else {
    shape.wrong('{ [K in ServiceName]: TargetService }', `${path}.services`, services);
  }
  shape.members(`${path}.volumes`, release.volumes, 'Volume');
  shape.members(`${path}.networks`, release.networks, 'Network');
}

function serviceProblems(shape: Shape, path: string, service: unknown): void {
  if (!isMap(service)) {
    shape.wrong('TargetService', path, service);
    return;
  }
  shape.id(`${path}.0.id`, service.id);
  shape.id(`${path}.0.image_id`, service.image_id);
  shape.text(`${path}.0.image`, service.image);
  shape.texts(`${path}.0.environment`, service.environment, 'EnvVarName', VARIABLE);
  shape.texts(`${path}.0.labels`, service.labels, 'Label', LABEL);
  shape.boolean(`${path}.1.running`, service.running);
  const { contract, composition } = service;
  if (contract !== undefined && contract !== null && !isMap(contract))
    shape.wrong('object', `${path}.1.contract`, contract);
  if (composition !== undefined && composition !== null && !isMap(composition)) {
    shape.wrong('object', `${path}.1.composition`, composition);
  }
}

/** Types that a contract may require. `sw.spec` (of slug `compose`) is what newer command line clients add by themselves. */
const REQUIREMENTS = ['sw.supervisor', 'sw.l4t', 'sw.os', 'sw.kernel', 'hw.device-type', 'arch.sw', 'sw.spec'];

/** Returns why a contract is malformed; undefined when it is not. Whether the device satisfies it is another question. Pure. */
export function contractProblem(contract: unknown): string | undefined {
  if (!isMap(contract)) return undefined;
  const { type, requires } = contract;
  if (type !== undefined && type !== 'sw.container') return `${shown(type)} is not a valid contract type`;
  if (requires === undefined || requires === null) return undefined;
  if (!Array.isArray(requires)) return 'requires must be a list';
  return firstProblem(requires);
}

function firstProblem(requirements: readonly unknown[]): string | undefined {
  for (const requirement of requirements) {
    if (!isMap(requirement)) return `${shown(requirement)} is not a valid contract requirement`;
    const { or, type } = requirement;
    const problem = Array.isArray(or)
      ? firstProblem(or)
      : typeof type === 'string' && REQUIREMENTS.includes(type)
        ? undefined
        : `${typeof type === 'string' ? type : shown(type)} is not a valid contract requirement type`;
    if (problem !== undefined) return problem;
  }
  return undefined;
}
