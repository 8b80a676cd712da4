import assert from 'node:assert/strict';
import { pino } from 'pino';
import type { HealthCheck } from '../../../../crds/model/health.js';
import { APP_2_KEY, aServer, type Bench, withKey } from '../a-server.js';

const STUCK: HealthCheck = { name: 'passes', ok: false, message: 'A pass is stuck' };
const FULL: HealthCheck = { name: 'data', ok: false, message: 'The disk is full' };
const DOWN: HealthCheck = { name: 'engine', ok: true, message: 'The engine does not answer' };

describe('health', () => {
  let bench: Bench;
  let checks: () => readonly HealthCheck[];
  let lines: string[];
  beforeEach(async () => {
    lines = [];
    checks = () => [];
    const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line).msg) });
    bench = await aServer({ checks: () => checks(), log });
  });
  afterEach(() => bench.close());

  const ask = async () => {
    const { statusCode, payload, headers } = await bench.server.inject('/v1/healthy');
    return [statusCode, payload, headers['content-type']];
  };
  const OK = [200, 'OK', 'text/plain; charset=utf-8'];
  const UNHEALTHY = [500, 'Unhealthy', 'text/html; charset=utf-8'];

  it('answers 500 while a check fails, or throws, and says why in the log: once, and when it changes', async () => {
    assert.deepEqual(await ask(), OK);
    checks = () => [STUCK, DOWN];
    for (let poll = 0; poll < 3; poll += 1) assert.deepEqual(await ask(), UNHEALTHY);
    checks = () => [{ ...STUCK, message: 'A pass is stuck for longer' }];
    await ask();
    checks = () => [STUCK, FULL];
    await ask();
    checks = () => {
      throw new Error('broken');
    };
    assert.deepEqual(await ask(), UNHEALTHY);
    checks = () => [DOWN];
    for (let poll = 0; poll < 3; poll += 1) assert.deepEqual(await ask(), OK);
    assert.deepEqual(lines, [
      'Unhealthy: A pass is stuck',
      'Unhealthy: A pass is stuck; The disk is full',
      'Unhealthy: broken',
      'Healthy again',
    ]);
  });

  it('lists every check in the resource API, for the global key', async () => {
    checks = () => [STUCK, DOWN];
    const url = '/apis/supercargo.io/v1/health';
    const { payload } = await bench.server.inject({ url, headers: withKey });
    assert.deepEqual(JSON.parse(payload), {
      apiVersion: 'supercargo.io/v1',
      kind: 'Health',
      metadata: {},
      status: { healthy: false, checks: [STUCK, DOWN] },
    });
    const other = await bench.server.inject({ url, headers: { authorization: `Bearer ${APP_2_KEY}` } });
    assert.equal(other.statusCode, 403);
  });
});
