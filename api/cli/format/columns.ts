import type { Column } from '../../../crds/model/descriptor.js';
import { descriptorOf, type Kind } from '../../../crds/model/kinds.js';
import { isMap, type Values } from '../../../crds/model/maps.js';
import type { Style } from './io.js';
import { ageText } from './words.js';

/** Returns the columns of a list of that kind as its CRD defines them, all of them only when wide. Pure. */
export const columnsOf = (kind: Kind, isWide: boolean): readonly Column[] => [
  { name: 'Name', type: 'string', jsonPath: '.metadata.name' },
  ...descriptorOf(kind).columns.filter(({ priority = 0 }) => isWide || priority === 0),
];

/** Returns one cell: empty ones are `-`, dates become ages. Pure. */
export function cellOf({ type, jsonPath }: Column, object: unknown, nowMs: number): string {
  const value = saysOfAnother(object, jsonPath) ? undefined : valueAt(object, jsonPath);
  if (value === undefined || value === null || value === '') return '-';
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value.join(', ');
  if (type === 'date' && typeof value === 'string') return ageText(nowMs - Date.parse(value));
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** Tells whether a condition is about an earlier version of the document. Pure. */
const saysOfAnother = (object: unknown, jsonPath: string): boolean =>
  jsonPath.startsWith('.status.conditions') &&
  valueAt(object, '.status.observedGeneration') !== valueAt(object, '.metadata.generation');

/** Returns green for what is well, yellow for what is under way, red for what is stuck. Pure. */
export function cellStyle({ name }: Column, text: string): Style | undefined {
  if (text === 'True' || text === 'running' || text === 'healthy') return 'green';
  if (text === 'unhealthy' || text === 'dead') return 'red';
  return name === 'Ready' && text === 'False' ? 'yellow' : undefined;
}

/** Returns the value at a printer column's path: fields, and list items chosen by an equal field. Pure. */
export function valueAt(object: unknown, jsonPath: string): unknown {
  let value = object;
  for (const [, field, key, wanted, index] of jsonPath.matchAll(
    /\.([\w-]+)|\[\?\(@\.([\w-]+)\s*==\s*["']([^"']*)["']\)\]|\[(\d+)\]/g,
  )) {
    if (typeof value !== 'object' || value === null) return undefined;
    if (field !== undefined) value = (value as Values)[field];
    else if (!Array.isArray(value)) return undefined;
    else if (index !== undefined) value = value[Number(index)];
    else value = value.find((item: unknown) => isMap(item) && item[key ?? ''] === wanted);
  }
  return value;
}
