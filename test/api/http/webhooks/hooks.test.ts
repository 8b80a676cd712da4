import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { knowsSecret } from '../../../../api/http/webhooks/hook-signature.js';
import { StrangerBodies } from '../../../../api/http/webhooks/stranger-bodies.js';
import { API_VERSION } from '../../../../crds/model/kinds.js';
import { until } from '../../../setup/until.js';
import { aServer, type Bench, withKey } from '../a-server.js';

const SECRET = 'a long secret';
const BODY = '{"ref":"refs/heads/main"}';
const signature = (body: string, secret = SECRET): string => createHmac('sha256', secret).update(body).digest('hex');

describe('knowsSecret', () => {
  const cases: readonly { it: string; headers: Record<string, string>; want: boolean }[] = [
    {
      it: 'takes the signature of GitHub',
      headers: { 'x-hub-signature-256': `sha256=${signature(BODY)}` },
      want: true,
    },
    { it: 'takes the signature of Gitea', headers: { 'x-gitea-signature': signature(BODY) }, want: true },
    { it: 'takes the token of GitLab', headers: { 'x-gitlab-token': SECRET }, want: true },
    { it: 'takes a plain token', headers: { authorization: `Bearer ${SECRET}` }, want: true },
    { it: 'refuses a call without any sign', headers: {}, want: false },
    {
      it: 'refuses the signature of another body',
      headers: { 'x-hub-signature-256': `sha256=${signature('{}')}` },
      want: false,
    },
    {
      it: 'refuses the signature of another secret',
      headers: { 'x-gitea-signature': signature(BODY, 'x') },
      want: false,
    },
    { it: 'refuses an empty signature', headers: { 'x-hub-signature-256': 'sha256=' }, want: false },
    { it: 'refuses another token', headers: { 'x-gitlab-token': `${SECRET}!` }, want: false },
    { it: 'refuses SHA-1, which GitHub sends beside', headers: { 'x-hub-signature': 'sha1=00' }, want: false },
    {
      it: 'refuses a good token with a bad signature',
      headers: { 'x-gitlab-token': SECRET, 'x-gitea-signature': signature('{}') },
      want: false,
    },
  ];
  for (const { it: name, headers, want } of cases) {
    it(name, () => assert.equal(knowsSecret(headers, Buffer.from(BODY), SECRET), want));
  }
  it('takes nothing for an empty secret', () => {
    assert.equal(knowsSecret({ 'x-gitlab-token': '' }, Buffer.from(BODY), ''), false);
  });
});

describe('POST /hooks/<name>', () => {
  let bench: Bench;
  let touched: string[];
  let secret: string | Error = SECRET;

  beforeEach(async () => {
    secret = SECRET;
    const read = async (): Promise<string> => {
      if (secret instanceof Error) throw secret;
      return secret;
    };
    bench = await aServer({ secrets: { read } });
    const source = (name: string, more: object) => ({
      document: {
        apiVersion: API_VERSION as typeof API_VERSION,
        kind: 'GitSource' as const,
        metadata: { name },
        spec: { url: 'https://git.example.org/x', ...more },
      },
    });
    await bench.store.propose({
      origin: 'files',
      documents: [
        source('fleet', { webhook: { secret: 'hook' } }),
        source('plain', {}),
        source('quiet', { suspend: true, webhook: { secret: 'hook' } }),
      ],
    });
    touched = [];
    bench.store.watch(({ key, parts }) => {
      if (parts.length === 0) touched.push(key);
    });
  });
  afterEach(() => bench.close());

  const call = async (name: string, headers: Record<string, string> = {}, payload = BODY) =>
    (await bench.server.inject({ method: 'POST', url: `/hooks/${name}`, headers, payload })).statusCode;

  it('has the source looked at when the secret is known', async () => {
    assert.equal(await call('fleet', { 'x-gitlab-token': SECRET }), 202);
    assert.equal(await call('fleet', { 'x-hub-signature-256': `sha256=${signature(BODY)}` }), 202);
    assert.deepEqual(touched, ['GitSource/fleet']);
  });

  it('takes many calls as two: at once, and once they are over', async () => {
    for (let count = 0; count < 20; count += 1) await call('fleet', { 'x-gitlab-token': SECRET });
    assert.deepEqual(touched, ['GitSource/fleet']);
    await until(
      'the others count as one',
      () => touched.length,
      (length) => length === 2,
    );
    await call('fleet', { 'x-gitlab-token': SECRET });
    assert.equal(touched.length, 2);
  });

  it('takes the global key too, also without a secret', async () => {
    assert.equal(await call('plain', withKey), 202);
    assert.equal(await call('fleet', withKey), 202);
  });

  it('refuses strangers, whether there is such a source or not', async () => {
    for (const name of ['fleet', 'plain', 'nothing']) assert.equal(await call(name), 401, name);
    assert.equal(await call('fleet', { 'x-gitlab-token': 'wrong' }), 401);
    assert.deepEqual(touched, []);
  });

  it('refuses everybody while the secret cannot be read', async () => {
    secret = new Error('gone');
    assert.equal(await call('fleet', { 'x-gitlab-token': '' }), 401);
  });

  it('says what is not there and what is suspended', async () => {
    assert.equal(await call('nothing', withKey), 404);
    assert.equal(await call('quiet', { 'x-gitlab-token': SECRET }), 409);
    await bench.store.request('GitSource/fleet', { suspend: {} });
    assert.equal(await call('fleet', { 'x-gitlab-token': SECRET }), 409, 'suspended by a request');
    assert.deepEqual(touched, []);
  });
});

describe('bodies that only their signature can prove', () => {
  it('are read twenty at a time: for one more the oldest is given up', async () => {
    const bodies = new StrangerBodies(3_600_000);
    const streams = Array.from({ length: 21 }, () => new PassThrough());
    const read = streams.slice(0, 20).map((one) => bodies.read(one));
    let isGivenUp = false;
    void read[0]?.then(() => {
      isGivenUp = true;
    });
    await nextTurn();
    assert.ok(!isGivenUp);
    const last = bodies.read(streams[20] ?? assert.fail());
    assert.equal(await read[0], 'late');
    for (const one of streams) one.end('x');
    assert.deepEqual((await Promise.all([...read.slice(1), last])).map(String), Array(20).fill('x'));
  });
});
