import type { ResponseObject, ResponseToolkit } from '@hapi/hapi';
import type { Logger } from 'pino';
import { isMap } from '../../../crds/model/maps.js';
import { errorMessage } from '../../platform/errors.js';
import type { Store } from '../../store/store.js';
import { json, sentence, statusOnly } from '../transport/answer.js';
import { bodyOf } from '../transport/body.js';
import { booleanOf } from '../transport/coercion.js';
import type { Route } from '../transport/routes.js';
import { hostConfigPatcher } from './host-config-change.js';
import { PatchError, readPatch } from './host-config-patch.js';
import type { HostPorts } from './host-ports.js';

export interface HostRoutesDeps {
  readonly store: Store;
  readonly host: HostPorts;
  readonly log: Pick<Logger, 'warn'>;
  /** How long a change of the host may take before the answer says that it did not succeed, ms. */
  readonly deadlineMs?: number;
}

const DEADLINE_MS = 30_000;

/** Serves `/v1/blink`, `/v1/reboot`, `/v1/shutdown`, `/v1/device/host-config`: the host itself. Every key may call them. */
export function hostRoutes({ store, host, log, deadlineMs = DEADLINE_MS }: HostRoutesDeps): readonly Route[] {
  const change = hostConfigPatcher({ store, host, log, deadlineMs });
  const power = (verb: 'reboot' | 'shutdown'): Route => ({
    method: 'POST',
    path: `/v1/${verb}`,
    callers: 'device',
    body: 'Force',
    async handler(request, h) {
      try {
        const result = await host.requestPower(verb, forceOf(bodyOf(request)));
        if (result.is === 'scheduled') return json(h, { Data: 'OK', Error: '' }, 202);
        return refused(h, result.is === 'locked' ? 423 : 500, result.message);
      } catch (error) {
        log.warn({ err: error }, `Could not ${verb}`);
        return refused(h, 500, errorMessage(error));
      }
    },
  });

  return [
    {
      method: 'POST',
      path: '/v1/blink',
      callers: 'device',
      body: 'ignored',
      handler(_, h) {
        host.blink();
        return statusOnly(h, 200);
      },
    },
    power('reboot'),
    power('shutdown'),
    {
      method: 'GET',
      path: '/v1/device/host-config',
      callers: 'device',
      handler: async (_, h) => json(h, { network: await host.network() }),
    },
    {
      method: 'PATCH',
      path: '/v1/device/host-config',
      callers: 'device',
      body: 'HostSettingsPatch',
      async handler(request, h) {
        try {
          const body = bodyOf(request);
          const result = await change(readPatch(body), forceOf(body));
          return result.is === 'done' ? sentence(h, 'OK') : sentence(h, result.message, CODES[result.is]);
        } catch (error) {
          if (error instanceof PatchError) return sentence(h, error.message, 400);
          log.warn({ err: error }, 'Could not change the host configuration');
          return sentence(h, errorMessage(error), 503);
        }
      },
    },
  ];
}

const CODES = { invalid: 400, foreign: 409, locked: 423, failed: 503 } as const;

const refused = (h: ResponseToolkit, code: number, message: string): ResponseObject =>
  json(h, { Data: '', Error: message }, code);

const forceOf = (body: unknown): boolean => isMap(body) && 'force' in body && booleanOf(body.force);
