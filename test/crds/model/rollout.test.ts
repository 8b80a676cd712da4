import assert from 'node:assert/strict';
import { onFailureOf, rolloutOf } from '../../../crds/model/rollout.js';
import type { AppService, AppSpec } from '../../../crds/model/types.js';
import { parseDocument } from '../../../crds/schema/parse.js';
import { declareApp } from '../../setup/declared.js';

const specOf = (web: Partial<AppService>, rollout?: AppSpec['rollout']): AppSpec =>
  declareApp({ web, db: {} }, rollout ? { rollout } : {}).spec;

describe('when a release is good', () => {
  const rolloutIs = (spec: AppSpec, replaced: AppSpec = {}, minReadySeconds = 10) => {
    const [services, before] = [spec, replaced].map((one) => Object.values(one.services ?? {}));
    return rolloutOf(spec, { services: services ?? [], ...(before ? { replaced: before } : {}) }, minReadySeconds);
  };
  const deadlines: readonly (readonly [string, AppSpec, number])[] = [
    ['ten minutes where nobody says anything', specOf({}), 600_000],
    ['as the App says', specOf({ healthcheck: { start_period: '20s' } }, { progressDeadlineSeconds: 30 }), 30_000],
    ['and the time of a healthcheck to begin', specOf({ healthcheck: { start_period: '1h' } }), 4_200_000],
    ['in the spelling of the Supervisor, too', specOf({ healthcheck: { startPeriod: 60_000 } }), 660_000],
    ['and the time to stop', specOf({ stop_grace_period: '15m' }), 1_500_000],
    ['and the time to hand over', specOf({ labels: { 'io.balena.update.handover-timeout': '900000' } }), 1_500_000],
    ['and nothing for what is no time', specOf({ labels: { 'io.balena.update.handover-timeout': 'x' } }), 600_000],
  ];
  for (const [what, spec, deadlineMs] of deadlines)
    it(`its deadline is ${what}`, () => assert.equal(rolloutIs(spec).deadlineMs, deadlineMs));

  it('its deadline has the time that what it replaces may take to stop, where that is the longer one', () => {
    const [long, short] = [specOf({ stop_grace_period: '15m' }), specOf({ stop_grace_period: '1m' })];
    assert.equal(rolloutIs(short, long).deadlineMs, 1_500_000);
    assert.equal(rolloutIs(long, short).deadlineMs, 1_500_000);
  });

  it('its deadline is no shorter than a start period, though the App says so for another release', () => {
    const { services } = specOf({ healthcheck: { start_period: '5m' } });
    assert.equal(rolloutIs({ services: services ?? {}, rollout: { progressDeadlineSeconds: 30 } }).deadlineMs, 300_000);
  });

  it('it is well for as long as the App says, else the agent', () => {
    assert.equal(rolloutIs(specOf({}), {}, 7).minReadyMs, 7_000);
    assert.equal(rolloutIs(specOf({}, { minReadySeconds: 0 }), {}, 7).minReadyMs, 0);
  });

  for (const start of ['30s', '0.5m', '30000ms', 30_000])
    it(`a deadline of 30 s is refused for a healthcheck that begins after ${start}`, () => {
      const spec = specOf(
        { healthcheck: { test: ['CMD', 'true'], start_period: start } },
        { progressDeadlineSeconds: 30 },
      );
      const parsed = parseDocument({ apiVersion: 'supercargo.io/v1', kind: 'App', metadata: { name: 'a' }, spec });
      assert.match(
        JSON.stringify(parsed),
        /Shorter than the start period of web \(30 s\), so no release would ever be good/,
      );
    });
});

describe('what happens when a release is bad', () => {
  const label = (value: string): Partial<AppService> => ({ labels: { 'io.supercargo.rollout.on-failure': value } });
  const cases: readonly (readonly [string, AppSpec, 'files' | 'local', string])[] = [
    ['of a file', specOf({}), 'files', 'rollback'],
    ['of a posted target state', specOf({}), 'local', 'hold'],
    ['of a target state with a label', specOf(label('rollback')), 'local', 'rollback'],
    ['with a label', specOf(label('hold')), 'files', 'hold'],
    ['with a label and a field', specOf(label('hold'), { onFailure: 'rollback' }), 'files', 'rollback'],
    ['with a label that means nothing', specOf(label('perhaps')), 'files', 'rollback'],
  ];
  for (const [what, spec, origin, then] of cases)
    it(`${what}: ${then}`, () => {
      const metadata = { name: 'a', origin } as Parameters<typeof onFailureOf>[0]['metadata'];
      assert.equal(onFailureOf({ spec, metadata }), then);
    });
});
