import type { Lifecycle, Request, ResponseToolkit } from '@hapi/hapi';
import type { Logger } from 'pino';
import type { JournalQuery } from '../../../crds/model/journal.js';
import { isMap, stringOf } from '../../../crds/model/maps.js';
import type { Tags } from '../../device-state/tag-file.js';
import { errorMessage } from '../../platform/errors.js';
import { failed, json } from '../transport/answer.js';
import { bodyOf } from '../transport/body.js';
import { booleanOf, integerOf } from '../transport/coercion.js';
import type { Route } from '../transport/routes.js';
import type { Streams } from '../transport/streams.js';
import type { HostPorts } from './host-ports.js';

export interface HostFactRoutesDeps {
  readonly host: HostPorts;
  readonly tags: Tags;
  readonly streams: Streams;
  readonly log: Pick<Logger, 'warn'>;
}

const NOT_TAGS = 'Invalid tags body, must be an object like `{[tagKey: string]: string}`';

/** Serves `/v2/device/vpn`, `/v2/device/tags`, `/v2/journal-logs`: facts of the host and the device. Every key may call them. */
export function hostFactRoutes({ host, tags, streams, log }: HostFactRoutesDeps): readonly Route[] {
  const follow: Lifecycle.Method = (request, h) => readJournal(request, h, { host, streams });
  return [
    {
      method: 'GET',
      path: '/v2/device/vpn',
      callers: 'device',
      handler: async (_, h) => json(h, { status: 'success', vpn: await host.vpn() }),
    },
    {
      method: 'GET',
      path: '/v2/device/tags',
      callers: 'device',
      handler: (_, h) => json(h, { status: 'success', tags: tags.list() }),
    },
    {
      method: 'PATCH',
      path: '/v2/device/tags',
      callers: 'device',
      body: 'TagsPatch',
      async handler(request, h) {
        const body = bodyOf(request);
        if (!isTags(body)) return failed(h, 400, NOT_TAGS);
        if (Object.keys(body).some((key) => /\s/.test(key))) {
          return failed(h, 400, 'Tag keys cannot contain whitespace');
        }
        try {
          await tags.merge(body);
        } catch (error) {
          log.warn({ err: error }, 'Could not keep the tags');
          return failed(h, 500, errorMessage(error));
        }
        return json(h, { status: 'success' }, 202);
      },
    },
    { method: ['GET', 'POST'], path: '/v2/journal-logs', callers: 'device', body: 'JournalQuery', handler: follow },
  ];
}

/** Tells whether a body is a map of tags. Lists of texts pass, as with the Supervisor: their keys are numbers. */
function isTags(body: unknown): body is Readonly<Record<string, string>> {
  return typeof body === 'object' && body !== null && Object.values(body).every((value) => typeof value === 'string');
}

/** Streams journalctl's output. The program ends when the client disconnects. */
async function readJournal(
  request: Request,
  h: ResponseToolkit,
  { host, streams }: Pick<HostFactRoutesDeps, 'host' | 'streams'>,
): Promise<Lifecycle.ReturnValue> {
  const body = bodyOf(request);
  const query = journalQuery({ ...request.query, ...(isMap(body) ? body : {}) });
  if (typeof query === 'string') return failed(h, 400, query);
  if (request.method === 'head') return streams.answer(request, h, undefined, () => () => undefined);
  const reading = await host.journal(query);
  return streams.answer(request, h, undefined, (stream, onDrain) => {
    const { output } = reading;
    output.on('data', (chunk: Buffer) => {
      if (!stream.write(chunk)) output.pause();
    });
    onDrain(() => output.resume());
    output.once('end', () => stream.end());
    output.once('error', () => stream.end());
    return () => reading.stop();
  });
}

/** Reads the query of the journal, or returns what is wrong with it: an unknown filter must not widen the answer. Pure. */
export function journalQuery(fields: Readonly<Record<string, unknown>>): JournalQuery | string {
  const texts = ['unit', 'containerId', 'since', 'until', 'format'] as const;
  const strange = texts.find((name) => !isText(fields[name]));
  if (strange !== undefined) return `${strange} must be a text`;
  const count = fields.count === undefined ? undefined : integerOf(fields.count);
  const read = (name: (typeof texts)[number]): Partial<JournalQuery> => {
    const value = fields[name];
    return value === undefined || value === null || value === '' ? {} : { [name]: stringOf(value) };
  };
  return {
    all: booleanOf(fields.all),
    follow: booleanOf(fields.follow),
    ...Object.assign({}, ...texts.map(read)),
    ...(count !== undefined && count > 0 ? { count } : {}),
  };
}

const isText = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  typeof value === 'number' ||
  (typeof value === 'string' && !value.includes('\0'));
