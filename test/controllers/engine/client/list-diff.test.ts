import assert from 'node:assert/strict';
import type { ContainerInfo } from 'dockerode';
import { humanDuration, isUnchanged, statusText } from '../../../../controllers/engine/client/list-diff.js';
import type { SeenContainer } from '../../../../controllers/engine/engine.js';

const NOW = Date.parse('2026-11-22T12:00:00Z');
const ago = (seconds: number): string => new Date(NOW - seconds * 1000).toISOString();

const aSeen = (changes: Partial<SeenContainer> = {}): SeenContainer => ({
  id: 'c1',
  name: 'web',
  appId: 1,
  serviceName: 'web',
  specHash: 'h',
  labels: {},
  state: 'running',
  health: undefined,
  exitCode: 0,
  error: '',
  createdAt: ago(100),
  startedAt: ago(90),
  finishedAt: undefined,
  image: 'sha256:1',
  networkMode: 'app_default',
  networks: { app_default: { id: 'n1' } },
  volumes: [],
  ...changes,
});

const aRow = (changes: Partial<ContainerInfo> = {}): ContainerInfo => ({
  Id: 'c1',
  Names: ['/web'],
  Image: 'busybox',
  ImageID: 'sha256:1',
  Command: 'sh',
  Created: 0,
  Ports: [],
  Labels: {},
  State: 'running',
  Status: 'Up About a minute',
  HostConfig: { NetworkMode: 'app_default' },
  NetworkSettings: { Networks: attached({ app_default: 'n1' }) },
  Mounts: [],
  ...changes,
});

const attached = (networks: Record<string, string>): ContainerInfo['NetworkSettings']['Networks'] =>
  Object.fromEntries(
    Object.entries(networks).map(([name, NetworkID]) => [
      name,
      {
        NetworkID,
        EndpointID: '',
        Gateway: '',
        IPAddress: '',
        IPPrefixLen: 0,
        IPv6Gateway: '',
        GlobalIPv6Address: '',
        GlobalIPv6PrefixLen: 0,
        MacAddress: '',
      },
    ]),
  );

describe('isUnchanged', () => {
  const exited = { state: 'exited', exitCode: 3, finishedAt: ago(7200) } as const;
  const cases: { it: string; row?: Partial<ContainerInfo>; seen?: Partial<SeenContainer>; want: boolean }[] = [
    { it: 'knows a container that runs on', want: true },
    {
      it: 'knows it by a status that is a moment older',
      row: { Status: 'Up 9 seconds' },
      seen: { startedAt: ago(8) },
      want: true,
    },
    {
      it: 'knows one that has exited',
      row: { State: 'exited', Status: 'Exited (3) 2 hours ago' },
      seen: exited,
      want: true,
    },
    {
      it: 'sees another exit code',
      row: { State: 'exited', Status: 'Exited (0) 2 hours ago' },
      seen: exited,
      want: false,
    },
    { it: 'sees a restart in between', row: { Status: 'Up 5 seconds' }, want: false },
    { it: 'sees a stop', row: { State: 'exited', Status: 'Exited (0) 5 seconds ago' }, want: false },
    {
      it: 'sees that it has become healthy',
      row: { Status: 'Up About a minute (healthy)' },
      seen: { health: 'starting' },
      want: false,
    },
    { it: 'sees a new name', row: { Names: ['/web2'] }, want: false },
    { it: 'finds its name among link aliases', row: { Names: ['/other/alias', '/web'] }, want: true },
    { it: 'sees a network that was left', row: { NetworkSettings: { Networks: {} } }, want: false },
    {
      it: 'sees a network made again',
      row: { NetworkSettings: { Networks: attached({ app_default: 'n2' }) } },
      want: false,
    },
    {
      it: 'sees a network that was joined',
      row: { NetworkSettings: { Networks: attached({ app_default: 'n1', b: 'n3' }) } },
      want: false,
    },
    { it: 'sees another image', row: { ImageID: 'sha256:2' }, want: false },
    {
      it: 'always looks again at one that was never started, as a failed start does not show in the list',
      row: { State: 'created', Status: 'Created' },
      seen: { state: 'created', startedAt: undefined },
      want: false,
    },
  ];
  for (const { it: title, row, seen, want } of cases) {
    it(title, () => assert.equal(isUnchanged(aRow(row), aSeen(seen), NOW), want));
  }
});

describe('statusText', () => {
  const cases: [Partial<SeenContainer>, string][] = [
    [{}, 'Up About a minute'],
    [{ health: 'healthy' }, 'Up About a minute (healthy)'],
    [{ health: 'starting' }, 'Up About a minute (health: starting)'],
    [{ state: 'paused' }, 'Up About a minute (Paused)'],
    [{ state: 'restarting', exitCode: 3, finishedAt: ago(0.5) }, 'Restarting (3) Less than a second ago'],
    [{ state: 'exited', exitCode: 137, finishedAt: ago(1) }, 'Exited (137) 1 second ago'],
    [{ state: 'created' }, 'Created'],
    [{ state: 'dead' }, 'Dead'],
    [{ state: 'removing' }, 'Removal In Progress'],
  ];
  for (const [seen, want] of cases) it(want, () => assert.equal(statusText(aSeen(seen), NOW), want));
});

describe('humanDuration', () => {
  const cases: [number, string][] = [
    [0.9, 'Less than a second'],
    [1.9, '1 second'],
    [59.9, '59 seconds'],
    [119, 'About a minute'],
    [120, '2 minutes'],
    [59 * 60 + 59, '59 minutes'],
    [60 * 60, 'About an hour'],
    [90 * 60 - 1, 'About an hour'],
    [90 * 60, '2 hours'],
    [47 * 3600, '47 hours'],
    [48 * 3600, '2 days'],
    [13.9 * 86400, '13 days'],
    [14 * 86400, '2 weeks'],
    [60 * 86400, '2 months'],
    [730 * 86400, '2 years'],
  ];
  for (const [seconds, want] of cases)
    it(`${seconds} s is "${want}"`, () => assert.equal(humanDuration(seconds), want));
});
