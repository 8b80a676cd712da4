import assert from 'node:assert/strict';
import { conditionOf, isSettled, isStalled } from '../../crds/model/conditions.js';
import { keyOf } from '../../crds/model/kinds.js';
import { waitsForItsTime } from '../../crds/model/readiness.js';
import type { AppSpec } from '../../crds/model/types.js';
import type { UpdateStrategy } from '../../crds/model/update-strategy.js';
import { declareApp } from '../setup/declared.js';
import type { Agent, Device } from './device.js';
import { type Scenario, serve } from './scenario.js';

type Rollout = NonNullable<AppSpec['rollout']>;

/** Release a runs shop:1, release b shop:2; `db` is the same in both. */
const shop = (commit: 'a' | 'b', rollout: Rollout = {}, updateStrategy?: UpdateStrategy) => {
  const web = { image: `shop:${'ab'.indexOf(commit) + 1}`, environment: { V: commit } };
  return declareApp(
    { web: { ...web, ...(updateStrategy ? { updateStrategy } : {}) }, db: {} },
    { release: { commit, id: 1 }, rollout },
  );
};
const images = serve('shop:1', 'shop:2');
const running = (commit: 'a' | 'b') => ({
  containers: [
    `db_7_1_${commit} running web:1 on u_default`,
    `web_7_1_${commit} running shop:${'ab'.indexOf(commit) + 1} V=${commit} on u_default`,
  ],
  networks: ['u_default'],
});

/** Devices start at four minutes past three. */
const NIGHT = { window: { cron: '0 13 * * *', duration: '13h', timeZone: 'UTC' } };
const untilNight = ({ clock, agent }: Device): void => {
  clock.advance(10 * 3_600_000);
  for (const loop of agent?.loops ?? []) loop.resync(); // as when a machine has slept
};
const waits =
  (reason: string) =>
  ({ store, device }: Agent): void => {
    const app = store.get('App', 'hello');
    assert.equal(app && conditionOf(app, 'Ready')?.reason, reason);
    const [db, web] = device.engine.docker.containers.map(({ name }) => name).sort();
    assert.deepEqual([db, web], ['db_7_1_a', 'web_7_1_a']);
  };
/** Whoever asks does so again while nobody has heard it. */
const approve = async ({ store }: Agent): Promise<boolean> => {
  const app = store.get('App', 'hello');
  const { next } = app?.status ?? {};
  if (!next || next.approved) return next !== undefined || (app !== undefined && (isSettled(app) || isStalled(app)));
  await store.request(keyOf('App', 'hello'), { approve: { to: next.revision, by: 'ada' } });
  return false;
};
/** The device is started again, and once more where the agent had not noted before in which boot it saw the release. */
const boot = async (agent: Agent): Promise<boolean> => {
  const app = agent.store.get('App', 'hello');
  if (!app || !waitsForItsTime(app)) return app !== undefined && (isSettled(app) || isStalled(app));
  agent.device.kill();
  agent.device.boots += 1;
  return false;
};

/** Releases that wait for their time, and come. */
export const WAITING_SCENARIOS: readonly Scenario[] = [
  {
    it: 'promotes a release in its window, and not before',
    images,
    before: [shop('a')],
    target: [shop('b', NIGHT)],
    obstacle: { seen: waits('OutsideWindow'), cleared: untilNight },
    end: { ...running('b'), images: ['shop:2', 'web:1'] },
  },
  {
    it: 'promotes a release with the next boot, and not before',
    images,
    before: [shop('a')],
    target: [shop('b', { apply: 'reboot' })],
    obstacle: { seen: waits('AwaitingReboot'), cleared: () => undefined },
    asks: boot,
    end: { ...running('b'), images: ['shop:2', 'web:1'] },
  },
  {
    it: 'promotes a release that is approved, and not before',
    images,
    before: [shop('a')],
    target: [shop('b', { apply: 'approval' })],
    obstacle: { seen: waits('AwaitingApproval'), cleared: () => undefined },
    asks: approve,
    end: { ...running('b'), images: ['shop:2', 'web:1'] },
  },
  {
    it: 'makes room for a release that is approved, and not before',
    images,
    before: [shop('a', {}, 'delete-then-download')],
    target: [shop('b', { apply: 'approval' }, 'delete-then-download')],
    obstacle: { seen: waits('AwaitingApproval'), cleared: () => undefined },
    asks: approve,
    end: { ...running('b'), images: ['shop:2', 'web:1'] },
  },
  {
    it: 'leaves what runs alone while a release waits',
    unforeseen: true, // a plan goes on behind the wait
    images,
    before: [shop('a')],
    target: [shop('b', { apply: 'approval' })],
    alwaysRunning: ['web', 'db'],
    waiting: ['App/hello'],
    end: { ...running('a'), images: ['shop:1', 'shop:2', 'web:1'], failures: ['App/hello AwaitingApproval'] },
  },
  {
    it: 'goes back from a release that was approved and is bad',
    unforeseen: true,
    images: (device) => {
      images(device);
      const { engine } = device;
      engine.after = (verb, [id]) => {
        const started = engine.docker.containers.find((one) => one.id === id);
        if (verb === 'startContainer' && engine.images.seen('shop:2')?.id === started?.image)
          engine.docker.setHealth(String(id), 'unhealthy');
      };
    },
    before: [shop('a')],
    target: [shop('b', { apply: 'approval' })],
    obstacle: { seen: waits('AwaitingApproval'), cleared: () => undefined },
    asks: approve,
    end: { ...running('a'), images: ['shop:1', 'shop:2', 'web:1'], failures: ['App/hello RolledBack'] },
  },
];
