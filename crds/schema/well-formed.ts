import type { Path } from '../model/issue.js';
import type { Kind } from '../model/kinds.js';
import { isMap, type Values } from '../model/maps.js';

/** What is left of a spec without what its schema refuses. */
export interface WellFormed {
  readonly spec: Values;
  /** The places that were left out. */
  readonly without: readonly Path[];
  /** Converts a place in that spec to the one in the whole spec: items of lists have moved up. */
  placeOf(path: Path): Path;
}

/** Fields that mean something else without another one: they are left out with it. */
const TOGETHER: ReadonlyMap<string, readonly string[]> = new Map([
  ['mem_limit', ['memswap_limit', 'mem_reservation']],
  ['runtime', ['sysctls', 'ulimits']],
  ['tag', ['verify']],
  ['semver', ['verify']],
]);

/**
 * Returns the part of a spec that can be checked further although other parts do not match the schema; `malformed` are
 * the places of those below `spec`. Left out is as much as has one meaning: an item of a list of a service, a value of a
 * map, else a whole field. Undefined when nothing can be told without what is malformed. Pure.
 */
export function wellFormedPart(kind: Kind, spec: unknown, malformed: readonly Path[]): WellFormed | undefined {
  if (!isMap(spec) || malformed.some(([first]) => first === undefined)) return undefined;
  if (kind === 'GitSource' && malformed.some(([first]) => first === 'url')) return undefined;
  const without = malformed.flatMap((path) => unitsOf(kind, spec, path));
  const kept: Record<string, unknown> = { ...(without.reduce(omit, spec) as Values) };
  // Nobody knows what it was meant to say, so nothing is refused for the lack of it.
  if (without.some(([field]) => field === 'allowHostBinds')) kept.allowHostBinds = true;
  return { spec: compact(kept) as Values, without, placeOf: (path) => placeIn(spec, without, path) };
}

const NAMED = ['services', 'networks', 'volumes'];

function unitsOf(kind: Kind, spec: Values, path: Path): readonly Path[] {
  const base = kind === 'Service' ? 0 : kind === 'App' && path[0] === 'services' ? 2 : undefined;
  if (base === undefined) {
    const isInNamed = kind === 'App' && NAMED.includes(String(path[0]));
    return withTogether(path.slice(0, isInNamed ? 3 : 1));
  }
  const inside = path.slice(base);
  const [field, next] = inside;
  if (field === undefined) return [path];
  if (field === 'healthcheck' && next === 'test') return [path.slice(0, base + 2)];
  const item = inside.findIndex((step) => typeof step === 'number');
  if (item >= 0) return [path.slice(0, base + item + 1)];
  // A map of which a part is missing has no meaning; a service without its image still has.
  const isMissing = valueAt(spec, path) === undefined && inside.length > 1;
  return withTogether(isMissing ? path.slice(0, -1) : path);
}

const withTogether = (path: Path): readonly Path[] => [
  path,
  ...(TOGETHER.get(String(path.at(-1))) ?? []).map((field) => [...path.slice(0, -1), field]),
];

const valueAt = (value: unknown, path: Path): unknown =>
  path.reduce<unknown>((inner, step) => Object(inner)[step], value);

/** In a list, stands for an item that was left out, until all have been. */
const GONE = Symbol('left out');

/** Returns a copy without the value at that path. */
function omit(value: unknown, [step, ...rest]: Path): unknown {
  if (step === undefined) return value;
  if (Array.isArray(value)) {
    return value.map((item: unknown, at) => (at === step ? (rest.length === 0 ? GONE : omit(item, rest)) : item));
  }
  if (!isMap(value) || !Object.hasOwn(value, step)) return value;
  const entries = Object.entries(value).flatMap(([name, inner]): [string, unknown][] => {
    if (name !== String(step)) return [[name, inner]];
    return rest.length === 0 ? [] : [[name, omit(inner, rest)]];
  });
  return Object.fromEntries(entries);
}

function compact(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((item) => item !== GONE).map(compact);
  if (!isMap(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, compact(inner)]));
}

function placeIn(spec: Values, without: readonly Path[], path: Path): Path {
  const place: (string | number)[] = [];
  for (const step of path) {
    if (typeof step === 'number' && Array.isArray(valueAt(spec, place))) {
      const gone = new Set(
        without.flatMap((one) =>
          one.length === place.length + 1 && place.every((part, at) => part === one[at]) ? [one[place.length]] : [],
        ),
      );
      let at = 0;
      for (let left = step; left > 0 || gone.has(at); at += 1) if (!gone.has(at)) left -= 1;
      place.push(at);
    } else place.push(step);
  }
  return place;
}
