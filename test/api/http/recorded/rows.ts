import assert from 'node:assert/strict';
import type { Refusal } from '../../../../crds/model/requests.js';
import { controllers } from '../a-device.js';
import { APP_2_KEY, type Bench, withKey } from '../a-server.js';

export const HTML = 'text/html; charset=utf-8';
export const JSON_TYPE = 'application/json; charset=utf-8';
export const TEXT = 'text/plain; charset=utf-8';

/** One request and all of its answer that a client can see. */
export interface Row {
  /** Method and path. */
  readonly ask: string;
  /** An object is sent as JSON, a text as it is under the type of JSON. */
  readonly body?: object | string;
  /** Whose key comes along; the global one unless it says otherwise. */
  readonly by?: 'app 2' | 'nobody';
  /** What the controllers make of a command; they carry it out otherwise. */
  readonly refusal?: Refusal;
  /** Status, content type ('' for none), and the body to the letter. */
  readonly want: readonly [status: number, type: string, body: string];
}

const KEYS = { 'app 2': { authorization: `Bearer ${APP_2_KEY}` }, nobody: {} } as const;

/** An error in the common format. */
export const failed = (message: string): string => `{"status":"failed","message":${JSON.stringify(message)}}`;

/** What the engine says of a text that is not JSON. */
export function wordsFor(text: string): string {
  try {
    JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return error.message;
  }
  throw new Error(`${text} is JSON`);
}

/** One test for each row, on one server: rows do not see what those before them did, but for what they write. */
export function recorded(title: string, open: () => Promise<Bench>, rows: readonly Row[]): void {
  describe(title, () => {
    let bench: Bench;
    before(async () => {
      bench = await open();
    });
    after(() => bench.close());

    for (const { ask, body, by, refusal, want } of rows) {
      const sent = body === undefined ? '' : ` ${typeof body === 'string' ? body : JSON.stringify(body)}`;
      const who = by === undefined ? '' : `, ${by}`;
      it(`${ask}${sent.slice(0, 100)}${who}${refusal ? ` (${refusal.reason})` : ''} is ${want[0]}`, async () => {
        const [method = 'GET', url = ''] = ask.split(' ');
        const played = controllers(bench.store, refusal);
        const reply = await bench.server.inject({
          method,
          url,
          headers: {
            host: 'localhost',
            ...(by === undefined ? withKey : KEYS[by]),
            ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          },
          ...(body === undefined ? {} : { payload: body }),
        });
        played.stop();
        assert.deepEqual([reply.statusCode, reply.headers['content-type'] ?? '', reply.payload], want);
      });
    }
  });
}
