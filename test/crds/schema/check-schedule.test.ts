import assert from 'node:assert/strict';
import { parseDocument } from '../../../crds/schema/parse.js';

const ENVELOPE = { apiVersion: 'supercargo.io/v1', kind: 'App', metadata: { name: 'shop' } };
const issuesOf = (services: object): string => {
  const parsed = parseDocument({ ...ENVELOPE, spec: { services } });
  return parsed.ok ? '' : parsed.issues.map(({ path, message }) => `${path}: ${message}`).join('; ');
};
const issues = (schedule: object, fields: object = {}): string =>
  issuesOf({ job: { image: 'web:1', schedule: { cron: '0 3 * * *', ...schedule }, ...fields } });

describe('a service with a schedule, as a document says it', () => {
  const taken: readonly (readonly [it: string, schedule: object, fields?: object])[] = [
    ['a cron expression', {}],
    ['a nickname and a time zone', { cron: '@daily', timeZone: 'Europe/Berlin' }],
    [
      'the words of a CronJob',
      {
        ...{ concurrencyPolicy: 'Replace', startingDeadlineSeconds: 60, activeDeadlineSeconds: 600 },
        ...{ successfulRunsHistoryLimit: 0, failedRunsHistoryLimit: 5 },
      },
    ],
    ['a policy that ends', {}, { restart: 'on-failure:3' }],
    ['what Compose writes out', {}, { restart: 'no', tty: false }],
    ['a port of the host for one run at a time', {}, { ports: ['8080:80'] }],
    ['a port without one for several', { concurrencyPolicy: 'Allow' }, { ports: ['80'], expose: ['90'] }],
    [
      'a free port in any form for several',
      { concurrencyPolicy: 'Allow' },
      { ports: ['0:80', 81, '127.0.0.1::82', '127.0.0.1:0:83', { target: 84, published: '0' }] },
    ],
    ['a network without a fixed address for several', { concurrencyPolicy: 'Allow' }, { networks: { default: {} } }],
  ];
  for (const [what, schedule, fields] of taken) it(`takes ${what}`, () => assert.equal(issues(schedule, fields), ''));

  const refused: readonly (readonly [it: string, schedule: object, fields: object, want: RegExp])[] = [
    ['no cron expression', { cron: 'at night' }, {}, /^spec\.services\.job\.schedule\.cron: "at night" is no cron /],
    [
      'seconds',
      { cron: '0 0 2 * * *' },
      {},
      /^spec\.services\.job\.schedule\.cron: Nothing begins between two minutes: .* 0 2 \* \* \*$/,
    ],
    ['a day that never comes', { cron: '0 0 30 2 *' }, {}, /schedule\.cron: No month has such a day$/],
    ['no time zone', { timeZone: 'Mars/Olympus' }, {}, /schedule\.timeZone: "Mars\/Olympus" is no time zone/],
    ['another policy', { concurrencyPolicy: 'Queue' }, {}, /concurrencyPolicy/],
    ['no time at all to begin', { startingDeadlineSeconds: 0 }, {}, /startingDeadlineSeconds/],
    ['always', {}, { restart: 'always' }, /^spec\.services\.job\.restart: A run ends, .* and not always$/],
    ['on-failure without a number', {}, { restart: 'on-failure' }, /job\.restart: Needs a number beside a schedule/],
    ['on-failure:0, which has no end', {}, { restart: 'on-failure:0' }, /job\.restart: /],
    ['running: false', {}, { running: false }, /job\.running: Has no meaning beside a schedule/],
    ['an update strategy', {}, { updateStrategy: 'rolling' }, /job\.updateStrategy: Has no meaning beside a schedule/],
    ['a name of the container', {}, { containerName: 'mine' }, /job\.containerName: Cannot stand beside a schedule/],
    [
      'restarts of an unhealthy one',
      {},
      { restart_unhealthy: true },
      /job\.restart_unhealthy: .*activeDeadlineSeconds/,
    ],
    [
      'a port of the host for several runs at once',
      { concurrencyPolicy: 'Allow' },
      { ports: ['80', '8080:80'] },
      /^spec\.services\.job\.ports\[1\]: Two runs at once cannot both have it/,
    ],
    [
      'a fixed address for several runs at once',
      { concurrencyPolicy: 'Allow' },
      { networks: { default: { ipv4_address: '10.0.0.9' } } },
      /^spec\.services\.job\.networks\.default\.ipv4_address: Two runs at once/,
    ],
    ['a word that it does not know', { jitter: 5 }, {}, /jitter/],
  ];
  for (const [what, schedule, fields, want] of refused)
    it(`refuses ${what}`, () => assert.match(issues(schedule, fields), want));

  it('refuses a port for several runs at once that is the same one of the host where a Supervisor is meant', () => {
    const job = { image: 'web:1', schedule: { cron: '@daily', concurrencyPolicy: 'Allow' }, ports: ['80'] };
    const parsed = parseDocument({ ...ENVELOPE, spec: { defaults: 'supervisor', services: { job } } });
    assert.ok(!parsed.ok);
    assert.match(parsed.issues[0]?.path ?? '', /^spec\.services\.job\.ports\[0\]$/);
  });

  const job = { image: 'web:1', schedule: { cron: '@daily' } };
  for (const [field, value] of [
    ['depends_on', ['job']],
    ['depends_on', { job: { condition: 'service_completed_successfully' } }],
    ['network_mode', 'service:job'],
    ['pid', 'service:job'],
  ] as const) {
    it(`refuses a service that names it in ${field}: ${JSON.stringify(value)}`, () => {
      const found = issuesOf({ job, web: { image: 'web:1', [field]: value } });
      assert.match(
        found,
        new RegExp(`^spec\\.services\\.web\\.${field}: job has a schedule and runs only at its times`),
      );
    });
  }

  it('takes one that depends on others, and the port of another service for its runs', () => {
    assert.equal(
      issuesOf({ job: { ...job, depends_on: ['db'], ports: ['80:80'] }, db: { image: 'db:1', ports: ['80:80'] } }),
      '',
    );
  });

  it('says the same of a Service that somebody writes', () => {
    const spec = { app: 'shop', serviceName: 'job', ...job, restart: 'always' };
    const parsed = parseDocument({ ...ENVELOPE, kind: 'Service', spec });
    assert.match(parsed.ok ? '' : (parsed.issues[0]?.path ?? ''), /^spec\.restart$/);
  });
});
