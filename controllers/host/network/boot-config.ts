import { parseMap, type Values } from '../../../crds/model/maps.js';
/** Reads `hostname` of a config.json; undefined when it has none. Pure; throws for anything but a JSON object. */
export function hostnameIn(text: string): string | undefined {
  const { hostname } = fieldsOf(text);
  return typeof hostname === 'string' ? hostname : undefined;
}

/**
 * Returns the config.json with that host name, or without one, and everything else as it was, without white space as
 * the host OS expects it. Pure.
 */
export const withHostname = (text: string, hostname: string | undefined): string =>
  JSON.stringify({ ...fieldsOf(text), hostname });

function fieldsOf(text: string): Values {
  const fields = parseMap(text);
  if (!fields) throw new Error('config.json of the boot partition is not a JSON object; it was left as it is');
  return fields;
}
