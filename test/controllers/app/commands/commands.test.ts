import assert from 'node:assert/strict';
import type { Store } from '../../../../api/store/store.js';
import {
  type Command,
  disruptiveOf,
  hasPendingRequest,
  NO_COMMANDS,
  observeCommands,
  type PendingCommands,
  planCommands,
} from '../../../../controllers/app/commands/commands.js';
import type { EngineCache } from '../../../../controllers/engine/engine-cache.js';
import { type AnyResource, API_VERSION, type Declared, type Requests } from '../../../../crds/model/kinds.js';
import { APP_COMMANDS } from '../../../../crds/model/requests.js';
import type { Revision } from '../../../../crds/model/revisions.js';
import { aDocument, aNetwork, anApp, aService, ready } from '../../../setup/documents.js';

const AT = '2026-01-01T00:00:00Z';

/** Each step with what it is about, then how the pass ends and what it says of it. */
function commandPlanText(pending: Partial<PendingCommands>, locked: boolean): string {
  const plan = planCommands({ ...NO_COMMANDS, ...pending }, locked);
  if (!plan) return 'nothing is asked';
  const { steps, outcome } = plan;
  const lines = steps.map((step) => {
    switch (step.do) {
      case 'finish':
        return `finish ${step.commands.map(({ name }) => name).join(', ')} (${step.because})`;
      case 'discard':
        return `discard ${step.volumes.join(', ')} (${step.because})`;
      case 'cleaned':
        return `cleaned ${step.id} (${step.because})`;
      default:
        return `${step.do} (${step.because})`;
    }
  });
  const end =
    outcome.is === 'settled' ? 'settled' : `${outcome.reason}${outcome.is === 'waiting' ? `: ${outcome.message}` : ''}`;
  return [...lines, end].join('; ');
}

describe('planCommands', () => {
  const command = (name: Command['name'], more: Partial<Command> = {}): Command => ({
    ...{ name, id: name, isStarted: true, left: ['Service/hello.web'], failure: undefined },
    ...more,
  });
  const done = { left: [] };
  const cleanup = (victims: readonly string[], isGoing = false) => ({ id: 'c', victims, isGoing });
  const undeclared: readonly Declared<'Volume'>[] = [
    {
      ...{ apiVersion: API_VERSION, kind: 'Volume', metadata: { name: 'hello.stray' } },
      spec: { app: 'hello', appId: 1, appUuid: '1', volumeName: '1_stray', reclaim: 'Retain' },
    },
  ];

  const cases: readonly {
    readonly it: string;
    readonly pending: Partial<PendingCommands>;
    readonly locked?: boolean;
    readonly want: string;
  }[] = [
    { it: 'has nothing to do when nothing is asked', pending: {}, want: 'nothing is asked' },
    {
      it: 'takes the lock before a command that stops something',
      pending: { commands: [command('restart', { isStarted: false })] },
      want: 'claim (restart requested); Locking',
    },
    {
      it: 'begins it under a lock that is held already',
      pending: { commands: [command('stop', { isStarted: false })] },
      locked: true,
      want: 'claim (stop requested); Locking',
    },
    {
      it: 'takes the lock again when it was lost on the way, also when all have done their part',
      pending: { commands: [command('purge', done)] },
      want: 'claim (purge requested); Locking',
    },
    {
      it: 'begins a second command while one is under way, and says both',
      pending: { commands: [command('restart'), command('purge', { isStarted: false })] },
      locked: true,
      want: 'claim (restart and purge requested); Locking',
    },
    {
      it: 'needs no lock for a start',
      pending: { commands: [command('start')] },
      want: 'Commanding: Waiting for Service/hello.web: start requested',
    },
    {
      it: 'waits for services and volumes',
      pending: { commands: [command('purge', { left: ['Service/hello.web', 'Volume/hello.data'] })] },
      locked: true,
      want: 'Commanding: Waiting for Service/hello.web, Volume/hello.data: purge requested',
    },
    {
      it: 'names three of many, each once',
      pending: {
        commands: [command('restart', { left: ['a', 'b', 'c'] }), command('start', { left: ['a', 'b', 'd'] })],
      },
      locked: true,
      want: 'Commanding: Waiting for a, b, c, …: restart and start requested',
    },
    {
      it: 'names three without more',
      pending: { commands: [command('restart', { left: ['a', 'b', 'c'] })] },
      locked: true,
      want: 'Commanding: Waiting for a, b, c: restart requested',
    },
    {
      it: 'ends what all have done, and only that',
      pending: { commands: [command('restart', done), command('start')] },
      locked: true,
      want: 'finish restart (restart and start requested); Commanded',
    },
    {
      it: 'ends a command of an app that has nobody to carry it out',
      pending: { commands: [command('start', done)] },
      want: 'finish start (start requested); Commanded',
    },
    {
      it: 'ends a purge with the first failure: no service comes back before',
      pending: { commands: [command('purge', { failure: 'web: no' })] },
      locked: true,
      want: 'finish purge (purge requested); Commanded',
    },
    {
      it: 'waits for the others after a failure of anything else',
      pending: { commands: [command('restart', { failure: 'web: no' })] },
      locked: true,
      want: 'Commanding: Waiting for Service/hello.web: restart requested',
    },
    {
      it: 'removes retained and stray volumes when that is asked',
      pending: { cleanup: cleanup(['hello.old']), undeclared },
      want: 'discard hello.old, hello.stray (cleanup of volumes requested); Discarding',
    },
    {
      it: 'has cleaned up when there is none',
      pending: { cleanup: cleanup([]) },
      want: 'cleaned c (cleanup of volumes requested); Commanded',
    },
    {
      it: 'lets the volumes go that are being removed',
      pending: { cleanup: cleanup(['hello.old'], true) },
      want: 'nothing is asked',
    },
    {
      it: 'cleans up while a command is carried out',
      pending: { commands: [command('start')], cleanup: cleanup(['hello.old']) },
      want: 'discard hello.old (cleanup of volumes requested); Discarding',
    },
    {
      it: 'waits with a command while volumes go',
      pending: { commands: [command('start')], cleanup: cleanup(['hello.old'], true) },
      want: 'Commanding: Waiting for Service/hello.web: start requested',
    },
  ];
  for (const { it: does, pending, locked = false, want } of cases) {
    it(does, () => assert.equal(commandPlanText(pending, locked), want));
  }

  it('takes the lock for restart, purge and stop', () => {
    const commands = APP_COMMANDS.map((name) => command(name));
    assert.deepEqual(
      disruptiveOf({ commands }).map(({ name }) => name),
      ['restart', 'purge', 'stop'],
    );
  });
});

/** What App `hello` with services `web` and `db` and volumes `data` (declared) and `old` (retained) is asked for. */
interface Row {
  readonly it: string;
  /** Ids of requests of the App, by name. */
  readonly asked?: Readonly<Record<string, string>>;
  readonly status?: object;
  /** What a service or volume has acknowledged. */
  readonly statuses?: Readonly<Record<string, object>>;
  /** Documents that are being deleted. */
  readonly terminating?: readonly string[];
  /** Other documents. */
  readonly others?: readonly AnyResource[];
  /** Volumes on the engine: `name`, or `name of appId` for one with our labels; `name by somebody of appId` lacks one. */
  readonly engine?: readonly string[];
  /** Volumes that containers mount, by the number of the app of the container. */
  readonly mounted?: Readonly<Record<number, readonly string[]>>;
  /** Volumes that its revisions declare, the first one first. */
  readonly promoted?: readonly (readonly string[])[];
  /** What becomes of volumes without an app, as the App says it. */
  readonly volumeReclaim?: 'Delete' | 'Retain';
  readonly want: string;
}

function observed(row: Row): string {
  const { asked = {}, statuses = {}, terminating = [], others = [], engine = [], mounted = {}, promoted = [] } = row;
  const { volumeReclaim } = row;
  const app = anApp({
    spec: { volumes: { data: {} }, ...(volumeReclaim ? { volumeReclaim } : {}) },
    requests: Object.fromEntries(Object.entries(asked).map(([name, id]) => [name, { id, at: AT }])) as Requests,
    status: row.status as never,
  });
  const partsOf = (name: string) => ({
    owner: 'App/hello' as const,
    status: statuses[name] as never,
    deleted: terminating.includes(name),
  });
  const service = (name: string) =>
    aDocument('Service', `hello.${name}`, { app: 'hello', serviceName: name, image: 'busybox:1' }, partsOf(name));
  const volume = (name: string) =>
    aDocument(
      'Volume',
      `hello.${name}`,
      { app: 'hello', appId: 1, appUuid: '1', volumeName: `1_${name}`, reclaim: 'Retain' },
      partsOf(name),
    );
  const documents: readonly AnyResource[] = [
    ...[service('web'), service('db'), volume('data'), volume('old')],
    ...others,
  ];
  const pending = observeCommands(
    {
      list: (kind: string) => documents.filter((one) => one.kind === kind),
      get: (kind: string, name: string) => documents.find((one) => one.kind === kind && one.metadata.name === name),
    } as unknown as Store,
    {
      containers: () => Object.entries(mounted).map(([appId, volumes]) => ({ appId: Number(appId), volumes })),
      volumes: () =>
        engine.map((text) => {
          const [name = '', appId] = text.split(' of ');
          const isOurs = !name.endsWith(' by somebody');
          const labels = { ...(isOurs ? { 'io.balena.supervised': 'true' } : {}), 'io.balena.app-id': appId };
          return { name: name.replace(' by somebody', ''), labels: appId ? labels : {} };
        }),
    } as unknown as EngineCache,
    app,
    promoted.map((names, index) => {
      const volumes = names.map((name) => ({ kind: 'Volume', name: `hello.${name}`, spec: {} }));
      return { spec: { number: index + 1, documents: volumes } } as unknown as Revision;
    }),
  );
  return pendingText(pending);
}

function pendingText({ commands, cleanup, undeclared }: PendingCommands): string {
  return [
    ...commands.map(({ name, id, isStarted, left, failure }) => {
      const waits = left.map((key) => key.replace('/hello.', ' ')).join(', ') || 'nobody';
      return `${name} ${id}${isStarted ? ' has begun' : ''}, left: ${waits}${failure ? `, failed: ${failure}` : ''}`;
    }),
    ...(cleanup ? [`cleanup ${cleanup.id}: ${cleanup.victims.join(', ') || 'nothing'}`] : []),
    ...(cleanup?.isGoing ? ['on its way'] : []),
    ...undeclared.map(
      ({ metadata, spec }) => `stray ${metadata.name} is ${spec.volumeName} of ${spec.appUuid}, ${spec.reclaim}`,
    ),
  ].join('; ');
}

const standalone = aDocument('Service', 'other.web', { app: 'other', serviceName: 'web', image: 'busybox:1' });
const otherVolume = (name: string, more: Partial<Parameters<typeof aDocument<'Volume'>>[2]> = {}, owner = true) =>
  aDocument(
    'Volume',
    name,
    { app: 'hello', appId: 1, appUuid: '1', volumeName: '1_other', reclaim: 'Retain', ...more },
    owner ? { owner: 'App/hello' } : {},
  );

const OBSERVED: Readonly<Record<string, readonly Row[]>> = {
  'of commands': [
    { it: 'sees none', want: '' },
    {
      it: 'sees one that waits for the lock',
      asked: { restart: 'r' },
      want: 'restart r, left: Service web, Service db',
    },
    {
      it: 'sees one that has the lock',
      asked: { restart: 'r' },
      status: { begun: { restart: 'r' } },
      want: 'restart r has begun, left: Service web, Service db',
    },
    {
      it: 'sees that the one before had the lock, not this one',
      asked: { restart: 'r2' },
      status: { begun: { restart: 'r' } },
      want: 'restart r2, left: Service web, Service db',
    },
    {
      it: 'sees a start as started at once',
      asked: { start: 's' },
      want: 'start s has begun, left: Service web, Service db',
    },
    { it: 'does not see one that has ended', asked: { restart: 'r' }, status: { handled: { restart: 'r' } }, want: '' },
    {
      it: 'waits for volumes in a purge only',
      asked: { purge: 'p', stop: 's' },
      want: 'purge p, left: Service web, Service db, Volume data, Volume old; stop s, left: Service web, Service db',
    },
    {
      it: 'does not wait for what is being deleted',
      asked: { purge: 'p' },
      terminating: ['db', 'old'],
      want: 'purge p, left: Service web, Volume data',
    },
    {
      it: 'does not wait for another app',
      asked: { purge: 'p' },
      others: [standalone, otherVolume('other.data', { app: 'other' })],
      want: 'purge p, left: Service web, Service db, Volume data, Volume old',
    },
    {
      it: 'counts who has done it',
      asked: { restart: 'r' },
      statuses: { web: { handled: { 'app.restart': 'r' } }, db: { handled: { 'app.restart': 'r0', 'app.stop': 'r' } } },
      want: 'restart r, left: Service db',
    },
    {
      it: 'waits for one that has acknowledged nothing yet',
      asked: { restart: 'r' },
      statuses: { web: ready(), db: { handled: { 'app.restart': 'r' } } },
      want: 'restart r, left: Service web',
    },
    {
      it: 'tells who has refused it, and why',
      asked: { restart: 'r' },
      statuses: {
        web: { handled: { 'app.restart': 'r' } },
        db: {
          handled: { 'app.restart': 'r' },
          refused: { 'app.restart': { reason: 'Failed', message: 'no image' } },
        },
      },
      want: 'restart r, left: nobody, failed: hello.db: no image',
    },
    {
      it: 'tells no refusal of an earlier one',
      asked: { restart: 'r2' },
      statuses: {
        db: { handled: { 'app.restart': 'r' }, refused: { 'app.restart': { reason: 'Failed', message: 'no' } } },
      },
      want: 'restart r2, left: Service web, Service db',
    },
  ],
  'of a cleanup': [
    { it: 'removes what the App retains and does not declare', asked: { cleanup: 'c' }, want: 'cleanup c: hello.old' },
    {
      it: 'removes nothing that a container mounts, whoever has it',
      asked: { cleanup: 'c' },
      mounted: { 2: ['1_old'] },
      want: 'cleanup c: nothing',
    },
    {
      it: 'removes nothing that a standalone document declares',
      asked: { cleanup: 'c' },
      others: [otherVolume('mine', {}, false)],
      want: 'cleanup c: hello.old',
    },
    {
      it: 'is on its way while one is being removed',
      asked: { cleanup: 'c' },
      terminating: ['old'],
      want: 'cleanup c: nothing; on its way',
    },
    {
      it: 'removes nothing that what was promoted last declares: the document may wait or be refused',
      asked: { cleanup: 'c' },
      promoted: [['spare'], ['old']],
      others: [otherVolume('hello.spare')],
      want: 'cleanup c: hello.spare',
    },
    {
      it: 'removes nothing that a service mounts whose container is gone',
      asked: { cleanup: 'c' },
      others: [
        aDocument('Service', 'hello.fs', {
          ...{ app: 'hello', serviceName: 'fs', image: 'busybox:1' },
          volumes: ['old:/old'],
        }),
      ],
      want: 'cleanup c: nothing',
    },
    {
      it: 'looks at no volume of another app',
      asked: { cleanup: 'c' },
      others: [otherVolume('other.old', { app: 'other' })],
      want: 'cleanup c: hello.old',
    },
  ],
  'of volumes without a document': [
    { it: 'asks for none when nobody wants to know', engine: ['1_stray of 1'], want: '' },
    {
      it: 'asks for none for a restart',
      asked: { restart: 'r' },
      terminating: ['web', 'db'],
      engine: ['1_stray of 1'],
      want: 'restart r, left: nobody',
    },
    {
      it: 'finds those with the number of the App, for a cleanup',
      asked: { cleanup: 'c' },
      engine: ['1_stray of 1', '2_stray of 2', '1_data of 1', '1_old of 1'],
      want: 'cleanup c: hello.old; stray hello.stray is 1_stray of 1, Retain',
    },
    {
      it: 'finds them for a purge',
      asked: { purge: 'p' },
      terminating: ['web', 'db', 'old', 'data'],
      engine: ['1_stray of 1'],
      want: 'purge p, left: nobody; stray hello.stray is 1_stray of 1, Retain',
    },
    {
      it: 'finds one whose name has no number in it',
      asked: { cleanup: 'c' },
      engine: ['stray of 1'],
      want: 'cleanup c: hello.old; stray hello.stray is stray of 1, Retain',
    },
    {
      it: 'gives them what the App says of its volumes',
      asked: { cleanup: 'c' },
      engine: ['1_stray of 1'],
      volumeReclaim: 'Delete',
      want: 'cleanup c: hello.old; stray hello.stray is 1_stray of 1, Delete',
    },
    {
      it: 'finds for a purge an unlabelled one with its prefix, which its container mounts',
      asked: { purge: 'p' },
      terminating: ['web', 'db', 'old', 'data'],
      engine: ['1_stray', '1_unused', 'x_stray'],
      mounted: { 1: ['1_stray', 'x_stray'], 2: ['1_unused'] },
      want: 'purge p, left: nobody; stray hello.stray is 1_stray of 1, Retain',
    },
    {
      it: 'keeps from a cleanup what a container mounts',
      asked: { cleanup: 'c' },
      engine: ['1_stray of 1', '1_spare of 1'],
      mounted: { 1: ['1_stray'] },
      want: 'cleanup c: hello.old; stray hello.spare is 1_spare of 1, Retain',
    },
    {
      it: 'keeps them from a purge and a cleanup at once',
      asked: { purge: 'p', cleanup: 'c' },
      terminating: ['web', 'db'],
      engine: ['1_stray of 1'],
      mounted: { 1: ['1_stray'] },
      want: 'purge p, left: Volume data, Volume old; cleanup c: hello.old',
    },
    {
      it: 'does not find one that a document of another name has',
      asked: { cleanup: 'c' },
      others: [otherVolume('mine', { volumeName: '1_stray' }, false)],
      engine: ['1_stray of 1'],
      want: 'cleanup c: hello.old',
    },
    {
      it: 'does not find one of somebody else who writes that number on it',
      asked: { cleanup: 'c' },
      engine: ['1_stray by somebody of 1'],
      want: 'cleanup c: hello.old',
    },
    {
      it: 'does not find what cannot be named by a document',
      asked: { cleanup: 'c' },
      engine: ['1__x of 1', '1_ of 1'],
      want: 'cleanup c: hello.old',
    },
    {
      it: 'does not find one whose document would have the name of another',
      asked: { cleanup: 'c' },
      engine: ['old of 1', '1_stray of 1'],
      want: 'cleanup c: hello.old; stray hello.stray is 1_stray of 1, Retain',
    },
  ],
};

describe('what an App is asked for', () => {
  for (const [what, rows] of Object.entries(OBSERVED)) {
    describe(what, () => {
      for (const row of rows) it(row.it, () => assert.equal(observed(row), row.want));
    });
  }

  it('knows a volume of an engine whose labels are those of resin', () => {
    const labels = { 'io.resin.supervised': 'true', 'io.balena.app-id': '1' };
    const { undeclared } = observeCommands(
      { list: () => [], get: () => undefined } as unknown as Store,
      { containers: () => [], volumes: () => [{ name: '1_stray', labels }] } as unknown as EngineCache,
      anApp({ requests: { cleanup: { id: 'c', at: AT } } }),
    );
    assert.deepEqual(
      undeclared.map(({ kind, apiVersion, metadata }) => `${apiVersion} ${kind} ${metadata.name}`),
      [`${API_VERSION} Volume hello.stray`],
    );
  });

  it('keeps the lock while a service is asked to stop, start or restart', () => {
    const asked = (name: string) => aService({ requests: { [name]: { id: 'x', at: AT } } as Requests });
    assert.equal(hasPendingRequest(aService()), false);
    for (const name of ['stop', 'start', 'restart']) assert.equal(hasPendingRequest(asked(name)), true, name);
    assert.equal(hasPendingRequest({ ...asked('stop'), status: { handled: { stop: 'x' } } as never }), false);
    assert.equal(hasPendingRequest(aNetwork({ requests: { stop: { id: 'x', at: AT } } as Requests })), false);
  });
});
