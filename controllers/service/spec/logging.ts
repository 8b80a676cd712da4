import { isMap } from '../../../crds/model/maps.js';
import type { HostOptions } from '../../engine/engine.js';
import type { Findings } from './fields.js';
import { isAbsent, pairs, text } from './fields.js';

type LogConfig = NonNullable<HostOptions['LogConfig']>;

/**
 * Logging of a container whose document sets none. Docker's `json-file` keeps everything forever, and a full disk stops
 * every service. (Not `local`, which programs that read the files do not understand.)
 */
export const BOUNDED_LOGS: LogConfig = { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '3' } };

/** Tells whether logs grow without limit under the engine's log driver. Other drivers do not store them, or limit them themselves. Pure. */
export const isUnbounded = (logDriver: string | undefined): boolean =>
  logDriver === undefined || logDriver === 'json-file';

/** Reads `logging`. A driver without options gets the engine's own. Pure. */
export function readLogging(value: unknown, findings: Findings): LogConfig | undefined {
  if (isAbsent(value)) return undefined;
  if (!isMap(value)) return findings.issue('logging', 'must be a map');
  const Type = text(value.driver, 'logging.driver', findings) ?? '';
  const options = pairs(value.options, 'logging.options', findings).map(([name, one]) => [name, one ?? ''] as const);
  return Type === '' && options.length === 0 ? undefined : { Type, Config: Object.fromEntries(options) };
}
