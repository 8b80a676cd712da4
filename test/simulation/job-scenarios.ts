import assert from 'node:assert/strict';
import { RUN, SCHEDULED } from '../../controllers/engine/labels.js';
import { scheduledRunId } from '../../crds/model/jobs.js';
import type { AppService, Schedule } from '../../crds/model/types.js';
import { declareApp } from '../setup/declared.js';
import type { Agent, Device } from './device.js';
import { reasonOf, type Scenario, serve } from './scenario.js';

/** Devices start at four minutes past three on the second of January 2026. */
const DUE = '2026-01-02T13:00:00Z';
const schedule: Schedule = { cron: '0 13 * * *', timeZone: 'UTC' };
const nameAt = (due: string): string =>
  `backup_${scheduledRunId({ app: 'hello', serviceName: 'backup' }, Date.parse(due))}`;

const withJob = (job: Partial<AppService> = {}, more: Partial<Schedule> = {}) =>
  declareApp({ web: {}, backup: { schedule: { ...schedule, ...more }, ...job } });

/** The clock on the wall shows the time that is due, and a little more. */
const untilDue = ({ clock, agent }: Device): void => {
  clock.advance(Math.max(0, Date.parse(DUE) + 60_000 - clock.now()));
  for (const loop of agent?.loops ?? []) loop.resync(); // as when a machine has slept
};
const isReady = (agent: Agent): void => assert.equal(reasonOf(agent, 'Service', 'hello.backup'), 'Settled');

/** Containers that were begun for each time of the schedule. */
const begun = new WeakMap<Device, Map<string, Set<string>>>();
const noteBegun =
  (then: (device: Device, id: string) => void = () => undefined) =>
  (device: Device): void => {
    const times = new Map<string, Set<string>>();
    begun.set(device, times);
    device.engine.after = (verb, [id]) => {
      const container = device.engine.docker.findContainer(String(id));
      const time = container?.options.Labels?.[SCHEDULED];
      if (verb !== 'startContainer' || !container || time === undefined) return;
      times.set(time, (times.get(time) ?? new Set()).add(container.id));
      then(device, container.id);
    };
  };
const onceEach = (device: Device): void => {
  for (const [time, ids] of begun.get(device) ?? []) assert.equal(ids.size, 1, `${time} was run ${ids.size} times`);
};

const WEB = 'web_7_1_a running web:1 on u_default';

/** Services with a schedule. */
export const JOB_SCENARIOS: readonly Scenario[] = [
  {
    it: 'makes no container of a job before its time',
    target: [withJob()],
    end: { containers: [WEB], networks: ['u_default'], images: ['web:1'] },
    also: ({ agent }) => agent && isReady(agent),
  },
  {
    it: 'begins a run at its time, and one only',
    unforeseen: true, // a plan begins no run
    images: noteBegun(),
    before: [withJob()],
    byHand: untilDue,
    target: [withJob()],
    end: {
      containers: [`${nameAt(DUE)} running web:1 on u_default`, WEB],
      networks: ['u_default'],
      images: ['web:1'],
    },
    also: onceEach,
  },
  {
    it: 'keeps nothing of runs that are over where none is kept, and runs none twice',
    unforeseen: true,
    images: noteBegun(({ engine }, id) => {
      if (engine.docker.findContainer(id)?.state === 'running') engine.docker.exit(id, 0);
    }),
    before: [withJob({}, { successfulRunsHistoryLimit: 0 })],
    byHand: untilDue,
    target: [withJob({}, { successfulRunsHistoryLimit: 0 })],
    end: { containers: [WEB], networks: ['u_default'], images: ['web:1'] },
    also: (device) => {
      onceEach(device);
      assert.ok((begun.get(device)?.size ?? 0) > 0, 'it has run');
    },
  },
  {
    it: 'rolls a release out while a run goes on, which stays as it is',
    unforeseen: true,
    images: (device) => {
      serve('shop:1', 'shop:2')(device);
      noteBegun()(device);
    },
    before: [withJob({ image: 'shop:1' })],
    byHand: untilDue,
    noticed: true,
    target: [
      declareApp(
        { web: {}, backup: { schedule, image: 'shop:2', environment: { V: '2' } } },
        { release: { commit: 'b', id: 2 } },
      ),
    ],
    alwaysRunning: ['backup'],
    end: {
      containers: [`${nameAt(DUE)} running shop:1 on u_default`, 'web_7_2_b running web:1 on u_default'],
      networks: ['u_default'],
      images: ['shop:1', 'shop:2', 'web:1'],
    },
    also: onceEach,
  },
  {
    it: 'removes a job, and the run that goes on, with its App',
    unforeseen: true,
    images: noteBegun(),
    before: [withJob()],
    byHand: untilDue,
    noticed: true,
    target: [],
    end: { images: ['web:1'] },
    also: ({ engine }) => assert.ok(!engine.docker.containers.some(({ options }) => options.Labels?.[RUN])),
  },
  {
    it: 'makes a job of a service that runs',
    before: [declareApp({ web: {}, backup: {} })],
    target: [withJob()],
    end: { containers: [WEB], networks: ['u_default'], images: ['web:1'] },
  },
];
