import { parseMap } from '../../../crds/model/maps.js';
import type { BootValues, DesiredValues } from './values.js';

/** Reads the names of ACPI tables (SSDT) from a configfs.json. Anything but a JSON object has none. Pure. */
export function readConfigfs(text: string): BootValues {
  const { ssdt } = parseMap(text) ?? {};
  const names = Array.isArray(ssdt) ? ssdt.filter((name): name is string => typeof name === 'string') : [];
  return names.length === 0 ? {} : { ssdt: names };
}

/** Returns the file with those tables and every other member as it was, without white space. Pure. */
export function editConfigfs(text: string, wanted: DesiredValues): string {
  if (!('ssdt' in wanted) || JSON.stringify(wanted.ssdt) === JSON.stringify(readConfigfs(text).ssdt)) return text;
  const { ssdt: _, ...others } = parseMap(text) ?? {};
  return JSON.stringify(wanted.ssdt === undefined ? others : { ...parseMap(text), ssdt: wanted.ssdt });
}

/** Reads a variable's list of tables: one name, or several separated by commas when the first is quoted. Pure. */
export const parseTables = (text: string): readonly string[] => {
  const trimmed = text.trim();
  const names = trimmed.startsWith('"') ? trimmed.replaceAll('"', '').split(',') : [trimmed];
  return names.map((name) => name.trim()).filter((name) => name !== '');
};
