import assert from 'node:assert/strict';
import type { SeenContainer } from '../../../../controllers/engine/engine.js';
import { readDefinition } from '../../../../controllers/service/container/definition.js';
import {
  dependentsOf,
  guestsOf,
  type Sibling,
  unsatisfiedDependencies,
} from '../../../../controllers/service/dependencies/siblings.js';
import type { ServiceDeps } from '../../../../controllers/service/deps.js';
import type { Service } from '../../../../crds/model/kinds.js';
import { aDocument, anApp, type Parts } from '../../../setup/documents.js';
import { aServiceSpec } from '../builders.js';

const container = (more: Partial<SeenContainer>): SeenContainer => ({
  id: 'd1',
  name: 'db_1_1_a',
  appId: 1,
  serviceName: 'db',
  specHash: 'h',
  labels: {},
  state: 'running',
  health: undefined,
  exitCode: 0,
  error: '',
  createdAt: '2026-01-01T00:00:00.000Z',
  startedAt: '2026-01-01T00:00:00.000Z',
  finishedAt: undefined,
  image: 'sha256:1',
  networkMode: 'x',
  networks: {},
  volumes: [],
  ...more,
});
const sibling = (more: Partial<SeenContainer> | undefined = {}, settled = true, stalled = false): Sibling => ({
  settled,
  stalled,
  container: container(more),
});
const nothing: Sibling = { settled: false, stalled: false, container: undefined };

describe('unmetDependencies', () => {
  const on = (condition: string, required = true): unknown => ({ db: { condition, required } });
  const cases: readonly { it: string; on: unknown; db: Sibling | undefined; want: readonly string[] }[] = [
    { it: 'ignores a name that nobody has', on: ['db'], db: undefined, want: [] },
    { it: 'waits for a container', on: ['db'], db: nothing, want: ['db to be started'] },
    {
      it: 'waits for its first start',
      on: ['db'],
      db: sibling({ state: 'created', startedAt: undefined }),
      want: ['db to be started'],
    },
    { it: 'is content with one that runs', on: ['db'], db: sibling(), want: [] },
    { it: 'is content with one that ran', on: ['db'], db: sibling({ state: 'exited' }), want: [] },
    { it: 'waits while it is being changed', on: ['db'], db: sibling({}, false), want: ['db to be settled'] },
    {
      it: 'waits for health',
      on: on('service_healthy'),
      db: sibling({ health: 'starting' }),
      want: ['db to be healthy (it is starting)'],
    },
    {
      it: 'says when there is no healthcheck',
      on: on('service_healthy'),
      db: sibling(),
      want: ['db to be healthy (it has no healthcheck)'],
    },
    { it: 'is content with health', on: on('service_healthy'), db: sibling({ health: 'healthy' }), want: [] },
    {
      it: 'waits for the end',
      on: on('service_completed_successfully'),
      db: sibling(),
      want: ['db to complete (it is running)'],
    },
    {
      it: 'is content with a successful end',
      on: on('service_completed_successfully'),
      db: sibling({ state: 'exited' }),
      want: [],
    },
    {
      it: 'is not content with a failed end',
      on: on('service_completed_successfully'),
      db: sibling({ state: 'exited', exitCode: 2 }),
      want: ['db to complete (it exited with 2)'],
    },
    {
      it: 'goes on without an optional one that failed',
      on: on('service_completed_successfully', false),
      db: sibling({ state: 'exited', exitCode: 2 }),
      want: [],
    },
    {
      it: 'goes on without an optional one that stalled',
      on: on('service_started', false),
      db: { ...nothing, stalled: true },
      want: [],
    },
    {
      it: 'waits for an optional one that is on its way',
      on: on('service_started', false),
      db: nothing,
      want: ['db to be started'],
    },
    { it: 'reads a map without conditions', on: { db: null }, db: nothing, want: ['db to be started'] },
  ];
  for (const { it: title, on: dependsOn, db, want } of cases) {
    it(title, () => {
      const { dependencies } = readDefinition(aServiceSpec({ depends_on: dependsOn })).definition;
      assert.deepEqual(
        unsatisfiedDependencies(dependencies, () => db),
        want,
      );
    });
  }

  it('depends on the sibling whose network is shared', () => {
    const { dependencies } = readDefinition(aServiceSpec({ network_mode: 'service: vpn' })).definition;
    assert.deepEqual(dependencies, [{ service: 'vpn', condition: 'service_started', required: true }]);
  });
});

describe('the other services of an app', () => {
  /** Services of App `hello` with these fields, of which those have a container that are named. */
  const depsOf = (services: readonly Service[], containers: readonly string[]): ServiceDeps =>
    ({
      store: { list: () => services, get: () => anApp() },
      cache: { containersOf: (_appId: number, name: string) => (containers.includes(name) ? [container({})] : []) },
    }) as unknown as ServiceDeps;
  const service = (name: string, fields: object = {}, parts: Parts<'Service'> = {}): Service =>
    aDocument('Service', `hello.${name}`, { app: 'hello', serviceName: name, image: 'busybox:1', ...fields }, parts);
  const db = service('db', {}, { deleted: true });
  const going = { deleted: true };
  const needsDb = { depends_on: ['db'] };

  const rows: readonly {
    it: string;
    services: readonly Service[];
    containers?: readonly string[];
    want: readonly string[];
  }[] = [
    {
      it: 'keep one that is deleted until they have gone as well',
      services: [service('web', needsDb, going)],
      want: ['web'],
    },
    {
      it: 'keep it when they live in its network',
      services: [service('web', { network_mode: 'service:db' }, going)],
      want: ['web'],
    },
    { it: 'do not keep it when they stay', services: [service('web', needsDb)], want: [] },
    { it: 'do not keep it when they do not depend on it', services: [service('web', {}, going)], want: [] },
    {
      it: 'do not keep it once they have no container',
      services: [service('web', needsDb, going)],
      containers: [],
      want: [],
    },
    {
      it: 'do not keep it when they are of another app',
      services: [service('web', { ...needsDb, app: 'other' }, going)],
      want: [],
    },
  ];
  for (const { it: keep, services, containers = ['web', 'db'], want } of rows) {
    it(keep, () => assert.deepEqual(dependentsOf(depsOf([db, ...services], containers), db), want));
  }
  it('do not keep what depends on itself', () => {
    const odd = service('odd', { depends_on: ['odd'] }, going);
    assert.deepEqual(dependentsOf(depsOf([odd], ['odd']), odd), []);
  });

  it('are its guests when they live in one of its namespaces', () => {
    const services = [
      service('a', { network_mode: 'service:db' }),
      service('b', { pid: 'service:db' }),
      service('c', { ipc: 'service:web' }),
      service('d', { network_mode: 'service:db', app: 'other' }),
      service('e', needsDb),
    ];
    assert.deepEqual(guestsOf(depsOf(services, []), db), ['a', 'b']);
  });
});
