import { durationMs } from '../../../crds/model/duration.js';
import type { AppSpec } from '../../../crds/model/types.js';
import { firstMinute, HORIZON_MS } from '../../runtime/cron-times.js';

type Window = NonNullable<NonNullable<AppSpec['rollout']>['window']>;

/** Whether a window is open. `opensMs`: when the next one opens, ms since the epoch; undefined when that is not within five years. */
export type WindowState =
  | { readonly is: 'open' }
  | { readonly is: 'closed'; readonly opensMs: number | undefined; readonly opensAt: string | undefined };

interface Found {
  readonly fromMs: number;
  readonly toMs: number;
  /** When the first window opens that opens within this span. */
  readonly opensMs: number | undefined;
}

/** What was found last, by the window as a document has it: most passes look within the same span. */
const known = new WeakMap<Window, Found>();

/** Tells whether a window is open at a time. One is open from the minute in which it opens for its duration; they may overlap. */
export function windowAt(window: Window, nowMs: number): WindowState {
  const lengthMs = durationMs(window.duration) ?? 0;
  const opensMs = firstFrom(window, nowMs - lengthMs + 1, lengthMs + HORIZON_MS);
  if (opensMs !== undefined && opensMs <= nowMs) return { is: 'open' };
  return { is: 'closed', opensMs, opensAt: opensMs === undefined ? undefined : zonedText(opensMs, window.timeZone) };
}

/** When the first window opens from a time on. */
function firstFrom(window: Window, fromMs: number, spanMs: number): number | undefined {
  const before = known.get(window);
  if (before && fromMs >= before.fromMs && fromMs <= (before.opensMs ?? before.toMs - HORIZON_MS / 2))
    return before.opensMs;
  const { cron, timeZone } = window;
  const toMs = fromMs + spanMs;
  const opensMs = firstMinute(cron, { fromMs, toMs, timeZone });
  known.set(window, { fromMs, toMs, opensMs });
  return opensMs;
}

/** A time as people read it, to the minute, in a time zone that it names: `2026-11-30 02:00 GMT+01:00 (Europe/Berlin)`. */
function zonedText(ms: number, timeZone: string | undefined): string {
  const format = new Intl.DateTimeFormat('sv-SE', {
    ...{
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      timeZoneName: 'longOffset',
    },
    ...(timeZone === undefined ? {} : { timeZone }),
  } as Intl.DateTimeFormatOptions);
  return `${format.format(ms)} (${format.resolvedOptions().timeZone})`;
}
