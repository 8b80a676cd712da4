import type { Lifecycle, Request, ResponseToolkit } from '@hapi/hapi';
import { Ajv, type JSONSchemaType } from 'ajv';
import { API_VERSION, PLURALS } from '../../../crds/model/kinds.js';
import { errorMessage } from '../../platform/errors.js';
import { timeoutSignal } from '../../platform/time-limit.js';
import type { Reader } from '../../store/store.js';
import type { ContainerReader, LogChoice } from '../container-reader.js';
import { json } from '../transport/answer.js';
import { BOOLEAN, check } from '../transport/check.js';
import { isTrue } from '../transport/coercion.js';
import { ResourceError } from '../transport/kubernetes-status.js';
import type { Route } from '../transport/routes.js';
import type { Streams } from '../transport/streams.js';
import { WATCHER_BUFFER_BYTES } from './watch.js';

export interface ContainerRoutesDeps {
  readonly store: Reader;
  readonly streams: Streams;
  readonly containers: Pick<ContainerReader, 'logs' | 'stats'>;
  readonly now: () => number;
}

/** Longest time that the engine may take for statistics, ms. */
const STATS_MS = 5_000;

interface LogQuery {
  readonly follow?: string;
  readonly sinceSeconds?: number;
  readonly sinceTime?: string;
  readonly tailLines?: number;
  readonly run?: string;
}
const text = { type: 'string', nullable: true } as const;
/** Longest `sinceSeconds`: the two ends of what a date can hold are no further apart. */
const LONGEST_SECONDS = 17_280_000_000_000;
/** Schema of the query of a log. */
export const LOG_QUERY: JSONSchemaType<LogQuery> = {
  type: 'object',
  properties: {
    follow: BOOLEAN,
    sinceSeconds: { type: 'number', minimum: 0, maximum: LONGEST_SECONDS, nullable: true },
    sinceTime: text,
    tailLines: { type: 'integer', minimum: 0, maximum: 2_147_483_647, nullable: true },
    run: { type: 'string', pattern: '^[0-9A-Za-z-]{1,64}$', nullable: true },
  },
  required: [],
};
const checkLogQuery = check(() =>
  new Ajv({ coerceTypes: true, meta: false, validateSchema: false }).compile(LOG_QUERY),
);

/** Serves `…/apps/<name>/log`, `…/services/<name>/log` and `…/stats`, for the global key only, like every document. */
export function containerRoutes(deps: ContainerRoutesDeps): readonly Route[] {
  const { store, containers } = deps;
  return [
    {
      method: 'GET',
      path: '/apis/supercargo.io/v1/apps/{name}/log',
      callers: 'global key',
      handler(request, h) {
        const app = String(request.params.name);
        if (!store.get('App', app)) throw ResourceError.notFound(PLURALS.App, app);
        return answerLog(request, h, deps, { app });
      },
    },
    {
      method: 'GET',
      path: '/apis/supercargo.io/v1/services/{name}/log',
      callers: 'global key',
      handler(request, h) {
        const name = String(request.params.name);
        const service = store.get('Service', name);
        if (!service) throw ResourceError.notFound(PLURALS.Service, name);
        return answerLog(request, h, deps, { app: service.spec.app, service: service.spec.serviceName });
      },
    },
    {
      method: 'GET',
      path: '/apis/supercargo.io/v1/stats',
      callers: 'global key',
      async handler(_, h) {
        const items = await containers.stats(timeoutSignal(STATS_MS)).catch((error: unknown) => {
          throw ResourceError.unavailable(errorMessage(error));
        });
        return json(h, { kind: 'ServiceStatsList', apiVersion: API_VERSION, metadata: {}, items });
      },
    },
  ];
}

function answerLog(
  request: Request,
  h: ResponseToolkit,
  { streams, containers, now }: ContainerRoutesDeps,
  of: Pick<LogChoice, 'app' | 'service'>,
): Lifecycle.ReturnValue {
  const query = checkLogQuery({ ...request.query });
  const sinceMs = sinceOf(query, now());
  const choice: LogChoice = {
    ...of,
    follow: isTrue(query.follow),
    ...(sinceMs === undefined ? {} : { sinceMs }),
    ...(query.tailLines === undefined ? {} : { tailLines: query.tailLines }),
    ...(query.run === undefined || of.service === undefined ? {} : { run: query.run }),
  };
  return streams.answer(request, h, 'application/x-ndjson', (stream, onDrain) => {
    const over = new AbortController();
    const drained: (() => void)[] = [];
    onDrain(() => {
      for (const go of drained.splice(0)) go();
    });
    const room = (): Promise<void> | undefined =>
      stream.waitingBytes <= WATCHER_BUFFER_BYTES || over.signal.aborted
        ? undefined
        : new Promise((go) => {
            drained.push(go);
            over.signal.addEventListener('abort', () => go(), { once: true });
          });
    const write = async (): Promise<void> => {
      for await (const line of containers.logs(choice, over.signal)) {
        stream.write(`${JSON.stringify(line)}\n`);
        await room();
        if (over.signal.aborted) return;
      }
    };
    write()
      .catch((error: unknown) => {
        // The head has been sent: a failure becomes the last line, as in a watch.
        const { status } = ResourceError.unavailable(errorMessage(error));
        if (!over.signal.aborted) stream.write(`${JSON.stringify({ error: status })}\n`);
      })
      .finally(() => {
        if (!over.signal.aborted) stream.end();
      });
    return () => over.abort();
  });
}

function sinceOf({ sinceSeconds, sinceTime }: LogQuery, nowMs: number): number | undefined {
  if (sinceSeconds !== undefined) return Math.max(0, nowMs - sinceSeconds * 1000);
  if (sinceTime === undefined) return undefined;
  const at = Date.parse(sinceTime);
  if (Number.isNaN(at))
    throw ResourceError.badRequest(`sinceTime is "${sinceTime}": expected a time such as 2026-01-02T03:04:05Z`);
  return Math.max(0, at); // the engine has nothing from before 1970
}
