import assert from 'node:assert/strict';
import type { SyncReport } from '../../../api/store/sync-report.js';
import { type GitSourceResult, gitSourceStatus, statusAfter } from '../../../controllers/git-source/status.js';
import { renderStatusFile } from '../../../controllers/git-source/status-file.js';
import { settled } from '../../../controllers/runtime/outcome.js';
import type { GitSource, Requests } from '../../../crds/model/kinds.js';
import { aDocument, anApp, notReady, ready } from '../../setup/documents.js';

const NOW = Date.parse('2026-01-02T03:04:05.000Z');
const NOW_TEXT = '2026-01-02T03:04:05.000Z';
const NEXT_MS = 60_000;
const NEXT_TEXT = '2026-01-02T03:05:05.000Z';
const EARLIER = '2026-01-01T00:00:00.000Z';

const requests = (ids: Readonly<Record<string, string>>): Requests =>
  Object.fromEntries(Object.entries(ids).map(([name, id]) => [name, { id, at: EARLIER }])) as Requests;

const aSource = ({
  spec = {},
  status,
  asked = {},
}: {
  readonly spec?: Partial<GitSource['spec']>;
  readonly status?: GitSource['status'];
  readonly asked?: Readonly<Record<string, string>>;
} = {}): GitSource =>
  aDocument(
    'GitSource',
    'fleet',
    { url: 'https://git.example.org/x', ...spec },
    { requests: requests(asked), ...(status ? { status } : {}) },
  );

/** What a status says after a look at the repository. Each row is one that finds commit `b`, where `a` was applied. */
interface Row {
  readonly it: string;
  readonly spec?: Partial<GitSource['spec']>;
  readonly before?: GitSource['status'];
  /** Requests that the look has seen, and those that there are when it has ended, where these are others. */
  readonly asked?: Readonly<Record<string, string>>;
  readonly askedBy?: Readonly<Record<string, string>>;
  readonly report?: SyncReport;
  readonly nextMs?: number;
  /** Without the time of the look and of the next one. */
  readonly want: object;
}

const A = { commit: 'a' };
const B = { commit: 'b' };
const GONE = { reason: 'RefNotFound', message: 'main is gone', final: true } as const;
const AWAY = { reason: 'Retrying', message: 'no route', final: false } as const;
const HELD = { commit: 'b', removes: ['App/x'] };
const OTHERS = { commit: 'c', removes: ['App/x', 'App/y'] };
const refusal = (message: string) => ({ reason: 'Failed', message });

const TABLES: Readonly<Record<string, readonly Row[]>> = {
  'of what was found': [
    { it: 'says nothing of nothing', want: {} },
    {
      it: 'says what was seen, applied and declared',
      before: { applied: { ...A, at: EARLIER } },
      report: { seen: B, applied: B, declares: ['App/x'] },
      want: { seen: B, applied: { ...B, at: NOW_TEXT }, declares: ['App/x'] },
    },
    {
      it: 'keeps it when a look finds nothing new',
      before: { seen: A, applied: { ...A, at: EARLIER }, declares: ['App/x'], pushed: 'p' },
      want: { seen: A, applied: { ...A, at: EARLIER }, declares: ['App/x'], pushed: 'p' },
    },
    {
      it: 'keeps since when a commit is applied',
      before: { applied: { ...A, at: EARLIER } },
      report: { applied: A },
      want: { applied: { ...A, at: EARLIER } },
    },
    {
      it: 'says since when where an earlier version did not',
      before: { applied: A },
      report: { applied: A },
      want: { applied: { ...A, at: NOW_TEXT } },
    },
    {
      it: 'says which commit was verified where that is asked for',
      spec: { verify: { allowedSigners: 'x' } as never },
      before: { verified: A },
      want: { verified: A },
    },
    {
      it: 'says the latest of them',
      spec: { verify: { allowedSigners: 'x' } as never },
      before: { verified: A },
      report: { verified: B },
      want: { verified: B },
    },
    { it: 'says it no more where it is not', before: { verified: A }, report: { verified: B }, want: {} },
    { it: 'has no next look where nothing says when', nextMs: Number.POSITIVE_INFINITY, want: {} },
  ],
  'of failures': [
    {
      it: 'says what has failed, and since when',
      report: { failure: { ...GONE, commit: 'b' } },
      want: { failure: { reason: 'RefNotFound', message: 'main is gone', at: NOW_TEXT, commit: 'b' } },
    },
    {
      it: 'keeps since when the same has failed, with the latest words',
      before: { failure: { reason: 'RefNotFound', message: 'x', at: EARLIER } },
      report: { failure: GONE },
      want: { failure: { reason: 'RefNotFound', message: 'main is gone', at: EARLIER } },
    },
    {
      it: 'begins again with another commit',
      before: { failure: { reason: 'RefNotFound', message: 'x', at: EARLIER, commit: 'a' } },
      report: { failure: GONE },
      want: { failure: { reason: 'RefNotFound', message: 'main is gone', at: NOW_TEXT } },
    },
    {
      it: 'begins again with another reason',
      before: { failure: { reason: 'AuthenticationFailed', message: 'x', at: EARLIER } },
      report: { failure: GONE },
      want: { failure: { reason: 'RefNotFound', message: 'main is gone', at: NOW_TEXT } },
    },
    { it: 'forgets it with a look that has not failed', before: { failure: { ...GONE, at: EARLIER } }, want: {} },
  ],
  'of what waits for a confirmation': [
    { it: 'says what would be removed', report: { held: HELD }, want: { held: HELD } },
    { it: 'says the latest', before: { held: HELD }, report: { held: OTHERS }, want: { held: OTHERS } },
    { it: 'forgets it when nothing waits any more', before: { held: HELD }, want: {} },
    {
      it: 'keeps it while nobody can look',
      before: { held: HELD },
      report: { failure: AWAY },
      want: { held: HELD, failure: { reason: AWAY.reason, message: 'no route', at: NOW_TEXT } },
    },
    {
      it: 'forgets it when there is nothing to look at',
      before: { held: HELD },
      report: { failure: GONE },
      want: { failure: { reason: 'RefNotFound', message: 'main is gone', at: NOW_TEXT } },
    },
  ],
  'of requests': [
    { it: 'acknowledges a sync', asked: { sync: 's' }, want: { handled: { sync: 's' } } },
    {
      it: 'refuses a sync that has failed, and says why',
      asked: { sync: 's' },
      report: { failure: GONE },
      want: {
        handled: { sync: 's' },
        refused: { sync: refusal('main is gone') },
        failure: { reason: 'RefNotFound', message: 'main is gone', at: NOW_TEXT },
      },
    },
    {
      it: 'leaves one for the next look that came during this one',
      asked: {},
      askedBy: { sync: 's' },
      want: {},
    },
    {
      it: 'acknowledges a confirmation',
      before: { held: HELD },
      asked: { confirm: 'c' },
      report: { applied: B },
      want: { applied: { ...B, at: NOW_TEXT }, handled: { confirm: 'c' } },
    },
    {
      it: 'refuses one where nothing waits for it',
      asked: { confirm: 'c' },
      want: { handled: { confirm: 'c' }, refused: { confirm: refusal('Nothing waits to be confirmed') } },
    },
    {
      it: 'refuses one of what is another by now',
      before: { held: HELD },
      asked: { confirm: 'c' },
      report: { held: OTHERS },
      want: {
        held: OTHERS,
        handled: { confirm: 'c' },
        refused: { confirm: refusal('The repository would remove something else by now; look again') },
      },
    },
    {
      it: 'refuses one that came while the repository was looked at and became another',
      before: { held: HELD },
      asked: {},
      askedBy: { confirm: 'c' },
      report: { held: OTHERS },
      want: {
        held: OTHERS,
        handled: { confirm: 'c' },
        refused: { confirm: refusal('The repository would remove something else by now; look again') },
      },
    },
    {
      it: 'leaves it for the next look when it is about the same',
      before: { held: HELD },
      asked: {},
      askedBy: { confirm: 'c' },
      report: { held: HELD },
      want: { held: HELD },
    },
    {
      it: 'refuses one that could not be carried out',
      before: { held: HELD },
      asked: { confirm: 'c' },
      report: { failure: GONE },
      want: {
        handled: { confirm: 'c' },
        refused: { confirm: refusal('main is gone') },
        failure: { reason: 'RefNotFound', message: 'main is gone', at: NOW_TEXT },
      },
    },
    {
      it: 'acknowledges a request to resume with the look that follows',
      asked: { resume: 'r' },
      want: { handled: { resume: 'r' } },
    },
  ],
};

describe('the status of a git source after a look', () => {
  for (const [of, rows] of Object.entries(TABLES)) {
    describe(of, () => {
      for (const {
        it: says,
        spec = {},
        before,
        asked = {},
        askedBy,
        report = {},
        nextMs = NOW + NEXT_MS,
        want,
      } of rows)
        it(says, () => {
          const source = aSource({ spec, asked, ...(before ? { status: before } : {}) });
          const after = statusAfter(source, report, { nowMs: NOW, nextMs }, requests(askedBy ?? asked));
          const next = Number.isFinite(nextMs) ? { nextSyncAt: NEXT_TEXT } : {};
          assert.deepEqual(after, { ...want, checkedAt: NOW_TEXT, ...next });
        });
    });
  }
});

describe('the status of a git source in a pass', () => {
  const before = { ...ready(), seen: A, checkedAt: EARLIER };
  const at = (source: GitSource, step?: 'sync' | 'push', result: Partial<GitSourceResult> = {}, leftMs = NEXT_MS) => {
    const plan = settled();
    const progress = step
      ? { at: 'acting' as const, plan, step: { do: step, because: 'due' } as never, result }
      : { at: 'acted' as const, plan, result };
    return gitSourceStatus(source, progress, { nowMs: NOW, leftMs });
  };
  it('is as it was until the look has ended', () => {
    assert.deepEqual(at(aSource({ status: before }), 'sync'), { seen: A, checkedAt: EARLIER });
  });
  it('says when the next look is', () => {
    const next = { seen: A, checkedAt: EARLIER, nextSyncAt: NEXT_TEXT };
    assert.deepEqual(at(aSource({ status: before })), next);
    const shown = '2026-01-02T03:05:05.050Z';
    assert.deepEqual(at(aSource({ status: { ...before, nextSyncAt: shown } })), { ...next, nextSyncAt: shown });
    assert.deepEqual(at(aSource({ status: before }), undefined, {}, Number.POSITIVE_INFINITY), {
      seen: A,
      checkedAt: EARLIER,
    });
  });
  it('says what the look has found, and with which commit it was pushed', () => {
    const result = { report: { seen: B }, pushed: 'p' };
    const want = { seen: B, checkedAt: NOW_TEXT, nextSyncAt: NEXT_TEXT, pushed: 'p' };
    assert.deepEqual(at(aSource({ status: before }), undefined, result), want);
    assert.deepEqual(at(aSource({ status: before }), 'push', { pushed: 'p' }), {
      ...{ seen: A, checkedAt: EARLIER, nextSyncAt: NEXT_TEXT, pushed: 'p' },
    });
  });
  it('acknowledges the requests that the look has seen, not those of now', () => {
    const result = { report: {}, requests: requests({ sync: 's1' }) };
    const { handled } = at(aSource({ status: before, asked: { sync: 's2' } }), undefined, result);
    assert.deepEqual(handled, { sync: 's1' });
  });
  it('refuses what a suspended one is asked for, unless it was looking', () => {
    const suspended = aSource({ spec: { suspend: true }, status: before, asked: { sync: 's' } });
    const message = 'The source is suspended; resume it, or set spec.suspend to false';
    assert.deepEqual(at(suspended).refused, { sync: refusal(message) });
    assert.deepEqual(at(suspended, undefined, { report: { seen: B } }).seen, B);
  });
});

describe('the status file of a device', () => {
  const device = { name: 'pi', uuid: 'u', deviceType: 'raspberrypi4-64', arch: 'aarch64', version: '1.0.0' };
  const source = (status?: GitSource['status']) => aSource(status ? { status } : {});
  const head = `device:\n  name: pi\n  uuid: u\n  deviceType: raspberrypi4-64\n  arch: aarch64\n  version: 1.0.0\n`;

  it('says that nothing is known yet', () => {
    const unknown = '  commit: null\n  ref: null\n  appliedAt: null\n  failure: null\n';
    assert.equal(renderStatusFile(device, source(), []), `${head}source:\n  name: fleet\n${unknown}apps: {}\n`);
  });
  it('says what is applied, what has failed, and how each App is, by name', () => {
    const applied = { commit: 'a', ref: 'main', at: EARLIER };
    const failure = { reason: 'RefNotFound', message: 'main is gone', at: EARLIER };
    const app = (name: string, status: object) => aDocument('App', name, {}, { status: status as never });
    const apps = [
      app('web', { ...notReady('Staging'), release: { commit: 'r', id: 1 } }),
      app('db', ready()),
      app('api', ready(0)),
      { ...anApp(), metadata: { ...anApp().metadata, name: 'new' } },
    ];
    const since = '      since: 2026-01-01T00:00:00Z\n'.replace('      ', '    ');
    assert.equal(
      renderStatusFile(device, source({ applied, failure }), apps),
      `${head}source:\n  name: fleet\n  commit: a\n  ref: main\n  appliedAt: ${EARLIER}\n  failure:\n    reason: RefNotFound\n    message: main is gone\napps:\n` +
        '  api:\n    ready: false\n    origin: files\n    release: null\n' +
        `  db:\n    ready: true\n    reason: Settled\n${since}    origin: files\n    release: null\n` +
        '  new:\n    ready: false\n    origin: files\n    release: null\n' +
        `  web:\n    ready: false\n    reason: Staging\n${since}    origin: files\n    release: r\n`,
    );
  });
});
