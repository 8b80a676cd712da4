import type { Plugin } from '@hapi/hapi';
import type { Logger } from 'pino';
import { sentence, statusOnly } from './answer.js';

export interface HealthDeps {
  /** True, or what is wrong in one sentence. */
  healthy(): true | string;
  readonly log: Pick<Logger, 'warn'>;
}

/** `/ping` and `/v1/healthy`: no key, no body. */
export const health: Plugin<HealthDeps> = {
  name: 'health',
  register(server, deps) {
    server.route({ method: 'GET', path: '/ping', options: { auth: false }, handler: (_, h) => sentence(h, 'OK') });
    server.route({
      method: 'GET',
      path: '/v1/healthy',
      options: { auth: false },
      handler(_, h) {
        const verdict = verdictOf(deps.healthy);
        if (verdict === true) return statusOnly(h, 200);
        deps.log.warn({ reason: verdict }, 'Unhealthy');
        return sentence(h, 'Unhealthy', 500);
      },
    });
  },
};

/** A check that throws fails. */
function verdictOf(healthy: () => true | string): true | string {
  try {
    return healthy();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
