import type { Logger } from 'pino';
import type { HealthCheck } from '../../../crds/model/health.js';
import { API_VERSION } from '../../../crds/model/kinds.js';
import { errorMessage } from '../../platform/errors.js';
import { HTML_TYPE, json, ready, sentence, TEXT_TYPE, tagged } from '../transport/answer.js';
import type { Route } from '../transport/routes.js';

export interface HealthDeps {
  /** Returns the present state at once, whatever is wrong. */
  checks(): readonly HealthCheck[];
  readonly log: Pick<Logger, 'warn' | 'info'>;
}

/** Serves `/ping` and `/v1/healthy` (no key, no body) and `/apis/supercargo.io/v1/health`: every check, and why it fails. */
export function healthRoutes({ checks, log }: HealthDeps): readonly Route[] {
  const report = changeReporter(log);

  const pong = tagged('OK', HTML_TYPE);
  const healthy = tagged('OK', TEXT_TYPE);
  const check = () => {
    const bad = outcomeOf(checks).filter(({ ok }) => !ok);
    report(bad);
    return bad.length === 0 ? healthy : undefined;
  };
  return [
    { method: 'GET', path: '/ping', callers: 'anyone', cached: () => pong, handler: (_, h) => ready(h, pong) },
    {
      method: 'GET',
      path: '/v1/healthy',
      callers: 'anyone',
      cached: check,
      handler(_, h) {
        const well = check();
        return well ? ready(h, well) : sentence(h, 'Unhealthy', 500);
      },
    },
    {
      method: 'GET',
      path: '/apis/supercargo.io/v1/health',
      callers: 'global key',
      handler(_, h) {
        const all = outcomeOf(checks);
        const status = { healthy: all.every(({ ok }) => ok), checks: all };
        return json(h, { apiVersion: API_VERSION, kind: 'Health', metadata: {}, status });
      },
    },
  ];
}

/** Runs the checks; one that throws fails. */
export function outcomeOf(checks: () => readonly HealthCheck[]): readonly HealthCheck[] {
  try {
    return checks();
  } catch (error) {
    return [{ name: 'checks', ok: false, message: errorMessage(error) }];
  }
}

/** Returns why checks fail, in one line. Pure. */
export const reasonsOf = (checks: readonly HealthCheck[]): string =>
  checks.flatMap(({ ok, name, message }) => (ok ? [] : [message ?? name])).join('; ');

/**
 * Returns a function that logs once what is wrong, however often it is called, and that it is over. It compares which
 * checks fail, because the sentences contain ages.
 */
function changeReporter(log: HealthDeps['log']): (bad: readonly HealthCheck[]) => void {
  const last = { names: '' };
  return (bad) => {
    const names = bad.map(({ name }) => name).join(' ');
    if (names === last.names) return;
    last.names = names;
    if (bad.length === 0) log.info('Healthy again');
    else log.warn({ checks: bad }, `Unhealthy: ${reasonsOf(bad)}`);
  };
}
