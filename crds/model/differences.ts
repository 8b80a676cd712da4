import { isMap, type Values } from './maps.js';
/** One field that differs; values as JSON on one line. */
export interface Difference {
  readonly path: string;
  readonly before?: string;
  readonly after?: string;
}

/** Returns the differences of two documents, field by field: those of the second in its order, then what only the first has. Pure. */
export function differences(before: unknown, after: unknown, path = ''): readonly Difference[] {
  const [left, right] = [fieldsOf(before), fieldsOf(after)];
  const names = new Set([...Object.keys(right ?? {}), ...Object.keys(left ?? {})]);
  if (left && right && names.size > 0) {
    return [...names].flatMap((name) => differences(left[name], right[name], step(path, name)));
  }
  if (Array.isArray(before) && Array.isArray(after) && [...before, ...after].some(isMap)) {
    const length = Math.max(before.length, after.length);
    return Array.from({ length }, (_, index) => differences(before[index], after[index], `${path}[${index}]`)).flat();
  }
  const [was, is] = [textOf(before), textOf(after)];
  if (was === is) return [];
  return [{ path, ...(was === undefined ? {} : { before: was }), ...(is === undefined ? {} : { after: is }) }];
}

/** Returns the fields of a map, none when it is absent; undefined for any other value. */
const fieldsOf = (value: unknown): Values | undefined => (value === undefined ? {} : isMap(value) ? value : undefined);

const step = (path: string, name: string): string => {
  const word = /^[\w-]+$/.test(name) ? name : JSON.stringify(name);
  return path === '' ? word : word === name ? `${path}.${word}` : `${path}[${word}]`;
};

/** Returns JSON with sorted keys, so that equal values have equal texts. */
const textOf = (value: unknown): string | undefined =>
  value === undefined
    ? undefined
    : JSON.stringify(value, (_, inner: unknown) =>
        isMap(inner) ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))) : inner,
      );

/** Returns the parts of a document that its origin writes. Pure. */
export function writtenParts(document: object | undefined): object | undefined {
  if (!document) return undefined;
  const { metadata, spec } = { metadata: {}, spec: {}, ...document };
  const { labels, annotations } = { labels: undefined, annotations: undefined, ...metadata };
  const own = { ...(labels ? { labels } : {}), ...(annotations ? { annotations } : {}) };
  return { ...(Object.keys(own).length > 0 ? { metadata: own } : {}), spec };
}
