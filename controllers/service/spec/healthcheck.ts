import { composeDurationMs } from '../../../crds/model/duration.js';
import { isMap } from '../../../crds/model/maps.js';
import type { SeenImage } from '../../engine/engine.js';
import type { Findings } from './fields.js';
import { integer, isAbsent, texts } from './fields.js';

/** Docker's healthcheck; durations in ns. */
export interface Healthcheck {
  readonly Test?: readonly string[];
  readonly Interval?: number;
  readonly Timeout?: number;
  readonly StartPeriod?: number;
  /** Known to engines with API 1.44 and later. */
  readonly StartInterval?: number;
  readonly Retries?: number;
}

const NONE: Healthcheck = { Test: ['NONE'] };
const KINDS = ['NONE', 'CMD', 'CMD-SHELL'];

/** Reads `healthcheck`; the image supplies what it leaves out. Pure. (docs/reference/composition.md §1.6.) */
export function readHealthcheck(value: unknown, findings: Findings): Healthcheck | undefined {
  if (isAbsent(value)) return undefined;
  if (!isMap(value)) return findings.issue('healthcheck', 'must be a map');
  if (value.disable === true) return NONE;
  return defined({
    Test: readTest(value.test, findings),
    Interval: nanoseconds(value.interval, 'interval', findings),
    Timeout: nanoseconds(value.timeout, 'timeout', findings),
    StartPeriod: nanoseconds(value.start_period ?? value.startPeriod, 'start_period', findings),
    StartInterval: nanoseconds(value.start_interval, 'start_interval', findings),
    Retries: integer(value.retries, 'healthcheck.retries', findings),
  });
}

/** Merges the document's healthcheck over the image's, key by key; `NONE` when neither has a test. Pure. */
export const mergeHealthcheck = (
  own: Healthcheck | undefined,
  image: SeenImage['config']['Healthcheck'],
): Healthcheck => ({ ...NONE, ...(image?.Test?.length ? defined(image) : {}), ...own });

/** Reads `test`. An empty list counts as not set, as it does for the engine. */
function readTest(value: unknown, findings: Findings): readonly string[] | undefined {
  if (typeof value === 'string') return value === '' ? undefined : ['CMD-SHELL', value];
  const test = texts(value, 'healthcheck.test', findings);
  if (!test?.length) return undefined;
  if (KINDS.includes(test[0] ?? '')) return test;
  return findings.issue('healthcheck.test[0]', `must be ${KINDS.join(', ')}`);
}

function nanoseconds(value: unknown, key: string, findings: Findings): number | undefined {
  if (isAbsent(value)) return undefined;
  const ms = composeDurationMs(value);
  return ms === undefined ? findings.issue(`healthcheck.${key}`, 'must be a duration such as 1m30s') : ms * 1e6;
}

const defined = (check: { readonly [Key in keyof Healthcheck]: Healthcheck[Key] | undefined }): Healthcheck =>
  Object.fromEntries(Object.entries(check).filter(([, value]) => value !== undefined));
