import { stringify } from 'yaml';

/** A value as YAML that our own reader takes. Pure. */
export const toYaml = (value: unknown): string =>
  stringify(value, { version: '1.2', lineWidth: 0, aliasDuplicateObjects: false });
