import assert from 'node:assert/strict';
import {
  type Joined,
  joinedAfterStart,
  joinedBy,
  lostProviders,
  nameOf,
  providersOf,
} from '../../../../controllers/service/dependencies/namespaces.js';
import { aContainer } from '../service-states.js';

/** Seconds after the hour. */
const at = (s: number): string => new Date(Date.UTC(2026, 0, 1, 12, 0, s)).toISOString();
const vpn = (startedS: number, more = {}) =>
  aContainer({ id: 'v1', name: 'vpn_1_1_a', serviceName: 'vpn', startedAt: at(startedS), ...more });
const web = (startedS: number) => aContainer({ networkMode: 'container:v1', startedAt: at(startedS) });
const note = (startedS: number, sinceS: number, restarts?: number): Joined => ({
  container: 'v1',
  startedAt: at(startedS),
  since: at(sinceS),
  ...(restarts === undefined ? {} : { restarts }),
});

describe('lostProviders', () => {
  interface Case {
    readonly it: string;
    readonly web: number;
    readonly vpn: ReturnType<typeof vpn>;
    readonly noted?: readonly Joined[];
    readonly now?: number;
    /** ms to wait, or nothing lost. */
    readonly want: number | undefined;
  }
  const cases: readonly Case[] = [
    { it: 'finds nothing where the container was started after its provider', web: 2, vpn: vpn(1), want: undefined },
    { it: 'finds nothing within one ms, the resolution of the times', web: 1, vpn: vpn(1), want: undefined },
    { it: 'finds a provider that was started after the container', web: 2, vpn: vpn(100), want: 0 },
    { it: 'waits for a provider that does not run', web: 2, vpn: vpn(100, { state: 'restarting' }), want: undefined },
    {
      it: 'believes its note when a clock was set back before the container was started',
      web: 2,
      vpn: vpn(100),
      noted: [note(100, 2)],
      want: undefined,
    },
    {
      it: 'believes its note when a clock was set back before the provider was started again',
      web: 100,
      vpn: vpn(2),
      noted: [note(50, 100)],
      now: 3,
      want: 0,
    },
    {
      it: 'forgets its note when the container has been started again since',
      web: 110,
      vpn: vpn(100),
      noted: [note(1, 2)],
      want: undefined,
    },
    {
      it: 'holds back after one restart until the provider has run for 5 s',
      web: 2,
      vpn: vpn(10),
      noted: [note(1, 2, 1)],
      now: 12,
      want: 3_000,
    },
    {
      it: 'holds back for twice as long each time',
      web: 2,
      vpn: vpn(10),
      noted: [note(1, 2, 3)],
      now: 12,
      want: 18_000,
    },
    {
      it: 'holds back for all of that when the provider was started just now',
      web: 2,
      vpn: vpn(10),
      noted: [note(1, 2, 1)],
      now: 10,
      want: 5_000,
    },
    {
      it: 'finds nothing of a provider of which nobody knows since when it runs',
      web: 2,
      vpn: vpn(100, { startedAt: undefined }),
      want: undefined,
    },
    { it: 'holds back for a minute at most', web: 2, vpn: vpn(10), noted: [note(1, 2, 9)], now: 12, want: 58_000 },
    {
      it: 'does not hold back on the word of a clock that was set back',
      web: 2,
      vpn: vpn(1_000),
      noted: [note(1, 2, 3)],
      now: 500,
      want: 0,
    },
  ];
  for (const one of cases) {
    it(one.it, () => {
      const current = web(one.web);
      const lost = lostProviders(current, providersOf(current, [one.vpn]), one.noted, Date.parse(at(one.now ?? 200)));
      assert.deepEqual(
        lost.map(({ holdMs }) => holdMs),
        one.want === undefined ? [] : [one.want],
      );
    });
  }
});

describe('a container in the namespaces of two others', () => {
  const ipc = vpn(1, { id: 'v2', name: 'ipc_1_1_a', serviceName: undefined });
  const current = aContainer({ networkMode: 'container:v1', pidMode: 'container:v1', ipcMode: 'container:v2' });
  const noted = [note(50, 60, 1), { ...note(1, 60, 3), container: 'v2' }];

  it('has a note of each', () => {
    const running = { ...current, startedAt: at(60) };
    const providers = providersOf(running, [vpn(50), ipc]);
    assert.deepEqual(joinedBy(running, providers, noted), noted);
    assert.deepEqual(lostProviders(running, providers, noted, Date.parse(at(70))), []);
    assert.deepEqual(joinedAfterStart(running, at(80), providers, noted), [
      note(50, 80, 1),
      { ...note(1, 80, 3), container: 'v2' },
    ]);
  });

  it('has lost the one that was started again', () => {
    const running = { ...current, startedAt: at(60) };
    const again = { ...ipc, startedAt: at(70) };
    const lost = lostProviders(running, providersOf(running, [vpn(50), again]), noted, Date.parse(at(71)));
    assert.deepEqual(
      lost.map((one) => `${nameOf(one)}: ${one.holdMs}`),
      ['IPC of ipc_1_1_a: 19000'],
    );
  });

  it('names them by their services, or by their own names', () => {
    assert.deepEqual(providersOf(current, [vpn(1), ipc]).map(nameOf), ['network and PID of vpn', 'IPC of ipc_1_1_a']);
  });
});

describe('what is noted of a container in the namespaces of another one', () => {
  it('counts restarts in a row, until a run of the provider has lasted for a minute', () => {
    const first = joinedAfterStart(web(2), at(12), [{ container: vpn(10), namespaces: ['network'] }], [note(1, 2)]);
    assert.deepEqual(first, [note(10, 12, 1)]);
    const second = joinedAfterStart(web(12), at(31), [{ container: vpn(30), namespaces: ['network'] }], first);
    assert.deepEqual(second, [note(30, 31, 2)]);
    const ended = vpn(30, { state: 'restarting', finishedAt: at(90) });
    assert.deepEqual(joinedBy(web(31), [{ container: ended, namespaces: ['network'] }], second), [note(30, 31)]);
  });

  it('does not change while the run of the provider goes on, for however long', () => {
    const providers = [{ container: vpn(10, { finishedAt: at(9) }), namespaces: ['network'] as const }];
    assert.deepEqual(joinedBy(web(12), providers, [note(10, 12, 3)]), [note(10, 12, 3)]);
  });

  for (const [endedS, want] of [
    [69, { ...note(10, 12, 3), endedAt: at(69) }],
    [70, note(10, 12)],
  ] as const) {
    it(`says whether a run of ${endedS - 10} s has ended the row, also when the next one has begun by then`, () => {
      for (const more of [{ state: 'restarting' }, { startedAt: at(100) }]) {
        const ended = vpn(10, { finishedAt: at(endedS), ...more });
        const [joined] = joinedBy(web(12), [{ container: ended, namespaces: ['network'] }], [note(10, 12, 3)]);
        assert.deepEqual(joined, want);
      }
    });
  }

  it('takes the end that it saw first: a later one is that of another run', () => {
    const noted = [{ ...note(10, 12, 3), endedAt: at(20) }];
    const later = [{ container: vpn(200, { finishedAt: at(199) }), namespaces: ['network'] as const }];
    assert.deepEqual(joinedBy(web(12), later, noted), noted);
    assert.deepEqual(lostProviders(web(12), later, noted, Date.parse(at(201)))[0]?.holdMs, 19_000);
    assert.deepEqual(joinedAfterStart(web(12), at(220), later, noted), [note(200, 220, 4)]);
  });

  it('does not change while the run of the provider is paused, or before its end is known', () => {
    const at10 = (more: object) => [{ container: vpn(10, more), namespaces: ['network'] as const }];
    const noted = [note(10, 12, 3)];
    assert.deepEqual(joinedBy(web(12), at10({ state: 'paused', finishedAt: at(9) }), noted), noted);
    assert.deepEqual(joinedBy(web(12), at10({ state: 'restarting' }), noted), noted);
  });

  it('says nothing of an end that is part of no row', () => {
    const ended = [{ container: vpn(10, { state: 'exited', finishedAt: at(20) }), namespaces: ['network'] as const }];
    assert.deepEqual(joinedBy(web(12), ended, [note(10, 12)]), [note(10, 12)]);
  });

  it('is nothing while one of them has not been started', () => {
    const never = vpn(1, { state: 'created', startedAt: undefined });
    const waiting = aContainer({ networkMode: 'container:v1', state: 'created' });
    assert.deepEqual(joinedBy(web(2), [{ container: never, namespaces: ['network'] }], undefined), []);
    assert.deepEqual(joinedBy(waiting, [{ container: vpn(1), namespaces: ['network'] }], undefined), []);
    assert.deepEqual(joinedAfterStart(web(2), at(12), [{ container: never, namespaces: ['network'] }], []), []);
    assert.deepEqual(lostProviders(waiting, providersOf(waiting, [vpn(1)]), [], Date.parse(at(5))), []);
  });

  it('is nothing when the provider was started after it, and a first restart afterwards', () => {
    const later = [{ container: vpn(10), namespaces: ['network'] as const }];
    assert.deepEqual(joinedBy(web(2), later, undefined), []);
    assert.deepEqual(joinedAfterStart(web(2), at(12), later, undefined), [note(10, 12, 1)]);
  });

  it('counts no start that had another reason', () => {
    const providers = providersOf(web(2), [vpn(1)]);
    assert.deepEqual(joinedAfterStart(web(2), at(12), providers, [note(1, 2)]), [note(1, 12)]);
    assert.deepEqual(joinedAfterStart(undefined, at(12), providers, undefined), [note(1, 12)]);
  });
});

describe('providersOf', () => {
  it('finds each container once, by all of its namespaces', () => {
    const container = aContainer({ networkMode: 'container:v1', pidMode: 'container:v1', ipcMode: 'container:v2' });
    const found = providersOf(container, [vpn(1), vpn(1, { id: 'v2' }), vpn(1, { id: 'v3' })]);
    assert.deepEqual(
      found.map(({ container: { id }, namespaces }) => [id, namespaces]),
      [
        ['v1', ['network', 'PID']],
        ['v2', ['IPC']],
      ],
    );
  });

  it('leaves out what is not known, and namespaces of the host', () => {
    assert.deepEqual(providersOf(aContainer({ networkMode: 'container:v1', pidMode: 'host' }), []), []);
  });
});
