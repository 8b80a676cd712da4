import { stringify } from 'yaml';

/** Returns a value as YAML that our own reader accepts. Pure. */
export const toYaml = (value: unknown): string =>
  stringify(value, { version: '1.2', lineWidth: 0, aliasDuplicateObjects: false });
