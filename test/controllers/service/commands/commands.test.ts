import assert from 'node:assert/strict';
import {
  activeCommandsOf,
  completedCommands,
  isMadeAfter,
  madeAfter,
  pendingCommandsOf,
} from '../../../../controllers/service/commands/commands.js';
import { StopLedger } from '../../../../controllers/service/commands/stop-ledger.js';
import type { App, RequestName, Service } from '../../../../crds/model/kinds.js';
import { anApp, aService, ready } from '../../../setup/documents.js';
import { aContainer } from '../service-states.js';

/**
 * Which of stop, start, restart, purge wins. A request is written by its minute: `own: { stop: 1, start: 2 }` asks the
 * Service to stop at 00:01 and to start at 00:02. Its id is its name and minute: `stop@1`, of the App `app.stop@1`.
 */
interface Requested {
  /** Requests of the Service itself. */
  readonly own?: Partial<Record<RequestName, number>>;
  /** Requests of its App. Disruptive ones have been begun (the App got the lock) unless `waiting` names them. */
  readonly app?: Partial<Record<RequestName, number>>;
  readonly waiting?: readonly RequestName[];
  /** What the status of the Service says was dealt with: `stop`, `app.stop`. */
  readonly handled?: readonly string[];
  /** Of those, the ones that were refused. */
  readonly refused?: readonly string[];
  /** Names under which the status still tells of an earlier request that was refused. */
  readonly refusedBefore?: readonly string[];
  /** The same of the App's status. */
  readonly appHandled?: readonly RequestName[];
  readonly appRefused?: readonly RequestName[];
}

/** A stop that this agent has begun, by its id; the container was of configuration `h1`. */
interface Begun {
  readonly id: string;
  /** The container was seen stopped. */
  readonly done?: boolean;
}

const at = (minute: number): string => `2026-01-01T00:${String(minute).padStart(2, '0')}:00Z`;
const requestsOf = (minutes: Partial<Record<RequestName, number>>, prefix = '') =>
  Object.fromEntries(
    Object.entries(minutes).map(([name, minute]) => [name, { id: `${prefix}${name}@${minute}`, at: at(minute) }]),
  );
const refusals = (names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [name, { reason: 'Locked' as const, message: 'locked' }]));

/** A status without what it has nothing to say of, as the store keeps it. */
function statusOf(parts: Readonly<Record<string, object>>) {
  const output = Object.entries(parts).filter(([, part]) => Object.keys(part).length > 0);
  return output.length > 0 ? { status: Object.fromEntries(output) } : {};
}

function documents(requested: Requested): { readonly service: Service; readonly app: App | undefined } {
  const {
    own = {},
    app,
    waiting = [],
    handled = [],
    refused = [],
    refusedBefore = [],
    appHandled = [],
    appRefused = [],
  } = requested;
  const ids = Object.fromEntries(
    [
      ...Object.entries(own).map(([name, minute]) => [name, `${name}@${minute}`]),
      ...Object.entries(app ?? {}).map(([name, minute]) => [`app.${name}`, `app.${name}@${minute}`]),
    ].filter(([name]) => handled.includes(name ?? '') || refused.includes(name ?? '')),
  );
  const requests = requestsOf(app ?? {}, 'app.');
  const idOf = (name: RequestName): string => requests[name]?.id ?? 'none';
  const given = (Object.keys(app ?? {}) as RequestName[]).filter((name) => !waiting.includes(name));
  return {
    service: aService({
      requests: requestsOf(own),
      ...statusOf({
        handled: { ...ids, ...Object.fromEntries(refusedBefore.map((name) => [name, `${name}@0`])) },
        refused: refusals([...refused, ...refusedBefore]),
      }),
    }),
    app:
      app &&
      anApp({
        requests,
        ...statusOf({
          begun: Object.fromEntries(given.map((name) => [name, idOf(name)])),
          handled: Object.fromEntries([...appHandled, ...appRefused].map((name) => [name, idOf(name)])),
          refused: refusals(appRefused),
        }),
      }),
  };
}

function stopsOf(begun: Begun | undefined): StopLedger {
  const stops = new StopLedger();
  if (begun) stops.begin('hello.web', { id: begun.id, at: at(Number(begun.id.split('@')[1])) }, 'h1');
  if (begun?.done) stops.look('hello.web', false);
  return stops;
}

/** `stop due, start, restart requested (restart@1); overtaken: stop@1`. */
function commandText(
  requested: Requested,
  begun?: Begun,
  { specHash = 'h1' as string | undefined, running = true } = {},
): string {
  const { service, app } = documents(requested);
  const { stop, start, recreate } = activeCommandsOf(service, app, stopsOf(begun), specHash, running);
  const overtaken = Object.values(pendingCommandsOf(service, app).overtaken);
  const commands = [
    ...(stop ? [`stop ${stop}`] : []),
    ...(start ? ['start'] : []),
    ...recreate.map(({ id, name, because }) => `${because} (${name}: ${id})`),
  ];
  return [
    commands.join(', ') || 'nothing',
    ...(overtaken.length > 0 ? [`overtaken: ${overtaken.join(', ')}`] : []),
  ].join('; ');
}

describe('which command wins', () => {
  const tables: Record<string, readonly (Requested & { readonly it: string; readonly want: string })[]> = {
    'when one thing is requested': [
      { it: 'does nothing when nothing is requested', want: 'nothing' },
      { it: 'a stop of the service is due', own: { stop: 1 }, want: 'stop due' },
      { it: 'a start of the service', own: { start: 1 }, want: 'start' },
      {
        it: 'a restart of the service recreates its container',
        own: { restart: 1 },
        want: 'restart requested (restart: restart@1)',
      },
      { it: 'a stop of the app stops the service', app: { stop: 1 }, want: 'stop due' },
      { it: 'a start of the app starts the service', app: { start: 1 }, want: 'start' },
      {
        it: 'a restart of the app',
        app: { restart: 1 },
        want: 'restart of the app requested (app.restart: app.restart@1)',
      },
      { it: 'a purge of the app', app: { purge: 1 }, want: 'purge of the app requested (app.purge: app.purge@1)' },
    ],
    'when the app waits for the lock': [
      { it: 'its stop is not ordered', app: { stop: 1 }, waiting: ['stop'], want: 'nothing' },
      { it: 'its restart is not ordered', app: { restart: 1 }, waiting: ['restart'], want: 'nothing' },
      { it: 'its purge is not ordered', app: { purge: 1 }, waiting: ['purge'], want: 'nothing' },
      { it: 'its start is: it ends nothing that runs', app: { start: 1 }, waiting: ['start'], want: 'start' },
      {
        it: 'its restart overtakes no stop of the service',
        own: { stop: 1 },
        app: { restart: 2 },
        waiting: ['restart'],
        want: 'stop due',
      },
      {
        it: 'its stop overtakes no start of the service',
        own: { start: 1 },
        app: { stop: 2 },
        waiting: ['stop'],
        want: 'start',
      },
    ],
    'of the service itself': [
      { it: 'a start after a stop', own: { stop: 1, start: 2 }, want: 'start; overtaken: stop@1' },
      { it: 'a stop after a start', own: { start: 1, stop: 2 }, want: 'stop due; overtaken: start@1' },
      {
        it: 'a restart after a stop: it is to run again',
        own: { stop: 1, restart: 2 },
        want: 'restart requested (restart: restart@2); overtaken: stop@1',
      },
      {
        it: 'a stop after a restart: recreated, and stays stopped',
        own: { restart: 1, stop: 2 },
        want: 'stop due, restart requested (restart: restart@1)',
      },
      {
        it: 'of a stop and a start in one moment both stand; the stop is first, the start follows',
        own: { stop: 1, start: 1 },
        want: 'stop due, start',
      },
    ],
    'of the service and of its app': [
      {
        it: "the app's start after the service's stop",
        own: { stop: 1 },
        app: { start: 2 },
        want: 'start; overtaken: stop@1',
      },
      {
        it: "the service's start after the app's stop",
        own: { start: 2 },
        app: { stop: 1 },
        want: 'start; overtaken: app.stop@1',
      },
      {
        it: "the app's stop after the service's start",
        own: { start: 1 },
        app: { stop: 2 },
        want: 'stop due; overtaken: start@1',
      },
      {
        it: "the app's restart after the service's stop",
        own: { stop: 1 },
        app: { restart: 2 },
        want: 'restart of the app requested (app.restart: app.restart@2); overtaken: stop@1',
      },
      {
        it: "the app's purge after the service's stop",
        own: { stop: 1 },
        app: { purge: 2 },
        want: 'purge of the app requested (app.purge: app.purge@2); overtaken: stop@1',
      },
      {
        it: "the service's restart after the app's stop",
        own: { restart: 2 },
        app: { stop: 1 },
        want: 'restart requested (restart: restart@2); overtaken: app.stop@1',
      },
      {
        it: 'two stops are one, and neither overtakes the other',
        own: { stop: 1 },
        app: { stop: 2 },
        want: 'stop due',
      },
      {
        it: 'two restarts are two reasons for one new container',
        own: { restart: 1 },
        app: { restart: 2 },
        want: 'restart requested (restart: restart@1), restart of the app requested (app.restart: app.restart@2)',
      },
      {
        it: 'a restart and a purge of the app are both named; which goes first is for the plan',
        app: { restart: 1, purge: 2 },
        want: 'restart of the app requested (app.restart: app.restart@1), purge of the app requested (app.purge: app.purge@2)',
      },
      {
        it: 'a start between two stops: the last word is to stop',
        own: { stop: 1, start: 2 },
        app: { stop: 3 },
        want: 'stop due; overtaken: stop@1, start@2',
      },
    ],
    'after something was dealt with': [
      { it: 'a stop is not ordered twice', own: { stop: 1 }, handled: ['stop'], want: 'nothing' },
      { it: 'nor a start', own: { start: 1 }, handled: ['start'], want: 'nothing' },
      { it: 'nor a restart', own: { restart: 1 }, handled: ['restart'], want: 'nothing' },
      { it: "nor the app's start by this service", app: { start: 1 }, handled: ['app.start'], want: 'nothing' },
      { it: "nor the app's restart by this service", app: { restart: 1 }, handled: ['app.restart'], want: 'nothing' },
      { it: "nor the app's purge by this service", app: { purge: 1 }, handled: ['app.purge'], want: 'nothing' },
      {
        it: "the app's stop stays due until all of the app has stopped",
        app: { stop: 1 },
        handled: ['app.stop'],
        want: 'stop due',
      },
      {
        it: "the app's stop ends when the app has dealt with it",
        app: { stop: 1 },
        appHandled: ['stop'],
        want: 'nothing',
      },
      {
        it: 'a later start that is done still overtakes an earlier stop',
        own: { stop: 1, start: 2 },
        handled: ['start'],
        want: 'nothing; overtaken: stop@1',
      },
      {
        it: 'a later stop that is done still overtakes an earlier start',
        own: { start: 1, stop: 2 },
        handled: ['stop'],
        want: 'nothing; overtaken: start@1',
      },
      {
        it: 'a later restart of the app that is done still overtakes an earlier stop',
        own: { stop: 1 },
        app: { restart: 2 },
        appHandled: ['restart'],
        want: 'nothing; overtaken: stop@1',
      },
    ],
    'after something was refused': [
      {
        it: 'a refused start overtakes no stop',
        own: { stop: 1, start: 2 },
        refused: ['start'],
        want: 'stop due',
      },
      { it: 'a refused stop overtakes no start', own: { start: 1, stop: 2 }, refused: ['stop'], want: 'start' },
      {
        it: 'a refused restart overtakes no stop',
        own: { stop: 1, restart: 2 },
        refused: ['restart'],
        want: 'stop due',
      },
      {
        it: 'an earlier start that was refused says nothing of the next one',
        own: { stop: 1, start: 2 },
        refusedBefore: ['start'],
        want: 'start; overtaken: stop@1',
      },
      {
        it: 'a refused restart of the app overtakes no stop',
        own: { stop: 1 },
        app: { restart: 2 },
        appRefused: ['restart'],
        want: 'stop due',
      },
      {
        it: 'a refused stop of the app overtakes no start',
        own: { start: 1 },
        app: { stop: 2 },
        appRefused: ['stop'],
        want: 'start',
      },
    ],
  };
  for (const [when, rows] of Object.entries(tables)) {
    describe(when, () => {
      for (const { it: what, want, ...requested } of rows) it(what, () => assert.equal(commandText(requested), want));
    });
  }

  it('a start of what the document does not want to run is not ordered', () => {
    assert.equal(commandText({ own: { start: 1 } }, undefined, { running: false }), 'nothing');
  });
});

describe('a stop that was started', () => {
  type Row = Requested & {
    readonly it: string;
    readonly begun: Begun;
    readonly specHash?: string;
    readonly want: string;
  };
  const rows: readonly Row[] = [
    { it: 'is due until the container is seen stopped', own: { stop: 1 }, begun: { id: 'stop@1' }, want: 'stop due' },
    {
      it: 'is in force from then on',
      own: { stop: 1 },
      handled: ['stop'],
      begun: { id: 'stop@1', done: true },
      want: 'stop in force',
    },
    {
      it: 'outlives its request when it was carried out',
      begun: { id: 'stop@1', done: true },
      want: 'stop in force',
    },
    { it: 'ends with its request when it was not: it was taken back', begun: { id: 'stop@1' }, want: 'nothing' },
    {
      it: 'goes on when the request is said to be handled and the container still runs',
      own: { stop: 1 },
      handled: ['stop'],
      begun: { id: 'stop@1' },
      want: 'stop due',
    },
    {
      it: 'ends with a later start',
      own: { start: 2 },
      handled: ['start'],
      begun: { id: 'stop@1', done: true },
      want: 'nothing',
    },
    {
      it: 'ends with a start in the same moment',
      own: { start: 1 },
      handled: ['start'],
      begun: { id: 'stop@1', done: true },
      want: 'nothing',
    },
    {
      it: 'ends with a later restart',
      own: { restart: 2 },
      handled: ['restart'],
      begun: { id: 'stop@1', done: true },
      want: 'nothing',
    },
    {
      it: 'ends with a later start of the app',
      app: { start: 2 },
      handled: ['app.start'],
      begun: { id: 'stop@1', done: true },
      want: 'nothing',
    },
    {
      it: 'ends with a later purge of the app, while that is carried out',
      app: { purge: 2 },
      begun: { id: 'stop@1', done: true },
      want: 'purge of the app requested (app.purge: app.purge@2)',
    },
    {
      it: 'ends with a later restart of the app that is over',
      app: { restart: 2 },
      appHandled: ['restart'],
      begun: { id: 'stop@1', done: true },
      want: 'nothing',
    },
    {
      it: 'stays in force when a later start was refused',
      own: { start: 2 },
      refused: ['start'],
      begun: { id: 'stop@1', done: true },
      want: 'stop in force',
    },
    {
      it: 'stays in force when a later restart of the app waits for the lock',
      app: { restart: 2 },
      waiting: ['restart'],
      begun: { id: 'stop@1', done: true },
      want: 'stop in force',
    },
    {
      it: 'stays in force when an earlier start is found',
      own: { start: 1 },
      handled: ['start'],
      begun: { id: 'stop@2', done: true },
      want: 'stop in force',
    },
    {
      it: 'ends when the document comes to another configuration',
      begun: { id: 'stop@1', done: true },
      specHash: 'h2',
      want: 'nothing',
    },
    {
      it: 'of the app is in force as well',
      app: { stop: 1 },
      appHandled: ['stop'],
      begun: { id: 'app.stop@1', done: true },
      want: 'stop in force',
    },
    {
      it: 'of the app is due while the app has not got all of its services stopped',
      app: { stop: 1 },
      begun: { id: 'app.stop@1' },
      want: 'stop due',
    },
    {
      it: 'of the app goes on when the app has acknowledged it and the container still runs',
      app: { stop: 1 },
      appHandled: ['stop'],
      begun: { id: 'app.stop@1' },
      want: 'stop due',
    },
    {
      it: 'ends with a request of the app that was taken back before the container stopped',
      app: { start: 0 },
      appHandled: ['start'],
      begun: { id: 'app.stop@1' },
      want: 'nothing',
    },
    {
      it: 'never was when it was refused',
      own: { stop: 1 },
      refused: ['stop'],
      begun: { id: 'stop@1', done: true },
      want: 'nothing',
    },
    {
      it: 'of the app never was when the app refused it',
      app: { stop: 1 },
      appRefused: ['stop'],
      begun: { id: 'app.stop@1', done: true },
      want: 'nothing',
    },
    {
      it: 'of the app never was when this service refused it and the app has acknowledged it',
      app: { stop: 1 },
      refused: ['app.stop'],
      appHandled: ['stop'],
      begun: { id: 'app.stop@1', done: true },
      want: 'nothing',
    },
    {
      it: 'stays in force when a later stop was refused',
      own: { stop: 2 },
      refused: ['stop'],
      begun: { id: 'stop@1', done: true },
      want: 'stop in force',
    },
  ];
  for (const { it: what, begun, specHash, want, ...requested } of rows) {
    it(what, () => assert.equal(commandText(requested, begun, specHash ? { specHash } : {}), want));
  }

  it('stays in force while nobody can say what the document comes to', () => {
    const { service } = documents({});
    const stops = stopsOf({ id: 'stop@1', done: true });
    assert.equal(activeCommandsOf(service, undefined, stops, undefined, true).stop, 'in force');
  });

  it('stays in force when nobody knew what was stopped', () => {
    const stops = new StopLedger();
    stops.begin('hello.web', { id: 'stop@1', at: at(1) }, undefined);
    stops.look('hello.web', false);
    assert.equal(activeCommandsOf(documents({}).service, undefined, stops, 'h2', true).stop, 'in force');
  });
});

describe('completed commands', () => {
  type Row = Requested & {
    readonly it: string;
    /** State of the container; none when not said. */
    readonly container?: 'running' | 'restarting' | 'paused' | 'exited' | 'created';
    /** Requests that the container was made after. */
    readonly madeAfter?: string;
    readonly running?: boolean;
    readonly want: string;
  };
  const rows: readonly Row[] = [
    { it: 'a stop is not while the container runs', own: { stop: 1 }, container: 'running', want: 'nothing' },
    { it: 'nor while Docker restarts it', own: { stop: 1 }, container: 'restarting', want: 'nothing' },
    { it: 'nor while it is paused', own: { stop: 1 }, container: 'paused', want: 'nothing' },
    { it: 'a stop is once it has exited', own: { stop: 1 }, container: 'exited', want: 'stop=stop@1' },
    { it: 'a stop is when there is no container', own: { stop: 1 }, want: 'stop=stop@1' },
    {
      it: 'a stop of the app by this service, too',
      app: { stop: 1 },
      container: 'exited',
      want: 'app.stop=app.stop@1',
    },
    { it: 'a start is not while it is stopped', own: { start: 1 }, container: 'exited', want: 'nothing' },
    { it: 'a start is once it runs', own: { start: 1 }, container: 'running', want: 'start=start@1' },
    {
      it: 'a start is at once when the document does not want it to run',
      own: { start: 1 },
      container: 'exited',
      running: false,
      want: 'start=start@1',
    },
    {
      it: 'what a later request has overtaken is, whatever the container does',
      own: { stop: 1, start: 2 },
      container: 'exited',
      want: 'stop=stop@1',
    },
    { it: 'a restart is not by the old container', own: { restart: 1 }, container: 'running', want: 'nothing' },
    { it: 'a restart is not when there is no container', own: { restart: 1 }, want: 'nothing' },
    {
      it: 'a restart is by a container that was made after it and started',
      own: { restart: 1 },
      container: 'running',
      madeAfter: 'restart@1',
      want: 'restart=restart@1',
    },
    {
      it: 'a restart is not before the new container has started',
      own: { restart: 1 },
      container: 'created',
      madeAfter: 'restart@1',
      want: 'nothing',
    },
    {
      it: 'unless the document does not want it to run',
      own: { restart: 1 },
      container: 'created',
      madeAfter: 'restart@1',
      running: false,
      want: 'restart=restart@1',
    },
    {
      it: 'or a stop keeps it from starting',
      own: { restart: 1, stop: 2 },
      container: 'created',
      madeAfter: 'restart@1',
      want: 'restart=restart@1, stop=stop@2',
    },
    {
      it: 'one new container is enough for several reasons',
      own: { restart: 1 },
      app: { purge: 2 },
      container: 'running',
      madeAfter: 'restart@1 app.purge@2',
      want: 'restart=restart@1, app.purge=app.purge@2',
    },
    {
      it: 'a reason that came after it was made is still open',
      own: { restart: 1 },
      app: { restart: 2 },
      container: 'running',
      madeAfter: 'restart@1',
      want: 'restart=restart@1',
    },
  ];
  for (const { it: what, container, madeAfter: after, running = true, want, ...requested } of rows) {
    it(what, () => {
      const { service, app } = documents(requested);
      const seen =
        container && aContainer({ state: container, labels: after ? { 'io.supercargo.made-after': after } : {} });
      const commands = activeCommandsOf(service, app, new StopLedger(), 'h1', running);
      const done = Object.entries(completedCommands(pendingCommandsOf(service, app), commands, seen, running));
      assert.equal(done.map(([name, id]) => `${name}=${id}`).join(', ') || 'nothing', want);
    });
  }
});

describe('the requests that are pending', () => {
  const stops = (requested: Requested): readonly string[] => {
    const { service, app } = documents(requested);
    return pendingCommandsOf(service, app).stops.map(({ id }) => id);
  };
  it('begin with the latest, by which a stop is known', () => {
    assert.deepEqual(stops({ own: { stop: 1 }, app: { stop: 2 } }), ['app.stop@2', 'stop@1']);
    assert.deepEqual(stops({ own: { stop: 2 }, app: { stop: 1 } }), ['stop@2', 'app.stop@1']);
  });

  it('are all of them while statuses acknowledge nothing', () => {
    const { service, app } = documents({ own: { start: 1, restart: 2 }, app: { start: 3, restart: 4 } });
    const empty = { ...service, status: ready() };
    const emptyApp = app && { ...app, status: { ...app.status, ...ready() } };
    assert.deepEqual(pendingCommandsOf(empty, emptyApp), pendingCommandsOf(service, app));
    const commands = [empty, service].map((one) => activeCommandsOf(one, emptyApp, new StopLedger(), 'h1', true));
    assert.deepEqual(commands[0], commands[1]);
    assert.equal(commands[0]?.recreate.length, 2);
  });
});

describe('a container', () => {
  it('that is created now has the ids of all requests that would recreate it', () => {
    const { service, app } = documents({
      own: { restart: 1, stop: 2 },
      app: { restart: 3, purge: 4, start: 5 },
    });
    assert.deepEqual(madeAfter(service, app), ['restart@1', 'app.restart@3', 'app.purge@4']);
  });

  it('does not have those that the app has not started', () => {
    const { service, app } = documents({ app: { restart: 3 }, waiting: ['restart'] });
    assert.deepEqual(madeAfter(service, app), []);
  });

  it('was made after a request when its label names the whole id', () => {
    const seen = aContainer({ labels: { 'io.supercargo.made-after': 'restart@1 app.purge@22' } });
    assert.deepEqual(
      ['restart@1', 'app.purge@22', 'app.purge@2', 'restart@'].map((id) => isMadeAfter(seen, { id })),
      [true, true, false, false],
    );
    assert.equal(isMadeAfter(aContainer(), { id: 'restart@1' }), false);
  });
});
