import { pathText, shorten } from '../../../crds/model/issue.js';
import type { Problem } from '../../../crds/model/kinds.js';
import { isMap } from '../../../crds/model/maps.js';
import { nearest, suggestion } from '../../../crds/schema/nearest.js';
import { LIMIT_PROBLEMS, type YamlItem } from '../../../crds/yaml/yaml-items.js';
import type { DeviceScope } from './device-scope.js';

export type Value = string | number | boolean;

/** The values of `${NAME}`. */
export interface Variables {
  readonly plain: ReadonlyMap<string, Value>;
  /** Never shown, and only allowed in the environment of services. */
  readonly secret: ReadonlyMap<string, string>;
}

/** Returns the facts of the device as variables: `device.name`, `device.tags.site`, … Pure. */
export const deviceVariables = ({ name, uuid, type, arch, tags }: DeviceScope): readonly [string, Value][] => [
  ['device.name', name],
  ['device.uuid', uuid],
  ['device.type', type],
  ['device.arch', arch],
  ...Object.entries(tags).map(([tag, value]): [string, Value] => [`device.tags.${tag}`, value]),
];

const REFERENCE = /\$?\$\{([^}]*)\}/g;
/** Limits of references in one document, and of the characters that they insert: a text of a MiB has room for 350,000 references. */
const LIMITS = { references: 10_000, characters: 1024 * 1024 } as const;
const NAMED = /^([A-Za-z_][\w.-]*?)(?::-(.*))?$/s;

/**
 * Returns the value with every `${NAME}` and `${NAME:-default}` in its texts replaced; `$${…}` becomes `${…}`. A text
 * that is only one variable, and not in quotes, takes its value as it is, also a number or a boolean. Names of fields
 * are left alone. An unknown name, and a secret where it would be seen, are problems. Pure.
 */
export function fillIn(
  { value, locate, isQuoted }: YamlItem,
  variables: Variables,
): { readonly item: YamlItem; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const refuse = (path: readonly (string | number)[], message: string): undefined => {
    if (problems.length < LIMIT_PROBLEMS) {
      const text = pathText(path);
      problems.push({ message, path: text, source: locate(text) });
    }
    return undefined;
  };

  const used = { references: 0, characters: 0 };
  let isTooMuch = false;
  const lookUp = (reference: string, path: readonly (string | number)[]): Value | undefined => {
    if (isTooMuch) return undefined;
    const value = meaningOf(reference, path);
    used.references += 1;
    used.characters += typeof value === 'string' ? value.length : 0;
    isTooMuch = used.references > LIMITS.references || used.characters > LIMITS.characters;
    if (!isTooMuch) return value;
    const most = `${LIMITS.references} of them, and ${LIMITS.characters / 1024 / 1024} MiB of text in their place`;
    problems.splice(LIMIT_PROBLEMS - 1);
    return refuse(path, `There are too many variables in this document: at most ${most}`);
  };
  const meaningOf = (reference: string, path: readonly (string | number)[]): Value | undefined => {
    const [, name, otherwise] = NAMED.exec(reference) ?? [];
    if (name === undefined)
      return refuse(path, `\${${shorten(reference)}} names no variable; write $\${…} for the text itself`);
    const secret = variables.secret.get(name);
    if (secret !== undefined) {
      if (isEnvironment(path)) return secret;
      return refuse(
        path,
        `\${${name}} is a secret, and those are only for the environment of services${meantBy(path)}`,
      );
    }
    const plain = variables.plain.get(name) ?? otherwise;
    if (plain !== undefined) return plain;
    if (problems.length >= LIMIT_PROBLEMS) return undefined;
    const known = [...variables.plain.keys(), ...variables.secret.keys()];
    const meant = suggestion(name, known) || '.';
    return refuse(
      path,
      `There is no variable \${${shorten(name)}}${meant} Write $\${${shorten(name)}} for the text itself`,
    );
  };

  const fill = (inner: unknown, path: readonly (string | number)[]): unknown => {
    if (typeof inner === 'string') {
      const filled = fillText(inner, path, lookUp, () => isTooMuch);
      return typeof filled !== 'string' && isQuoted(pathText(path)) ? String(filled) : filled;
    }
    if (Array.isArray(inner)) return inner.map((one, at) => fill(one, [...path, at]));
    if (!isMap(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).map(([name, one]) => [name, fill(one, [...path, name])]));
  };
  return { item: { value: fill(value, []), locate, isQuoted }, problems };
}

/** Tells whether a path is in the environment of a service, in an App, a Service or a target state. */
function isEnvironment(path: readonly (string | number)[]): boolean {
  const at = path.indexOf('environment');
  return path[at - 2] === 'services' || (at === 1 && path[0] === 'spec');
}

/** Returns `; "env" is no field of a service: did you mean "environment"?` for what stands in its place, or nothing. Pure. */
function meantBy(path: readonly (string | number)[]): string {
  const start = path[0] === 'spec' && path[1] !== 'services' ? 1 : path.indexOf('services') + 2;
  const field = path[start];
  if (typeof field !== 'string' || nearest(field, ['environment']) === undefined || field === 'environment') return '';
  return `; ${JSON.stringify(shorten(field))} is no field of a service: did you mean "environment"?`;
}

function fillText(
  text: string,
  path: readonly (string | number)[],
  lookUp: (reference: string, path: readonly (string | number)[]) => Value | undefined,
  isTooMuch: () => boolean,
): Value {
  if (!text.includes('${')) return text;
  const [whole, reference] = /^\$\{([^}]*)\}$/.exec(text) ?? [];
  if (whole !== undefined && reference !== undefined) return lookUp(reference, path) ?? text;
  // No reference ends behind the last brace: looking for an end at every `${` there would take quadratic time.
  const end = text.lastIndexOf('}') + 1;
  let filled = '';
  let at = 0;
  for (const { 0: found, 1: inner = '', index } of text.slice(0, end).matchAll(REFERENCE)) {
    const value = found.startsWith('$$') ? found.slice(1) : String(lookUp(inner, path) ?? found);
    if (isTooMuch()) return text; // it is refused, so nobody reads it
    filled += text.slice(at, index) + value;
    at = index + found.length;
  }
  return filled + text.slice(at);
}
