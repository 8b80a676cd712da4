import assert from 'node:assert/strict';
import type { Store } from '../../../../api/store/store.js';
import { NO_UNWANTED_IMAGES, observeImageRetention } from '../../../../controllers/app/images/image-retention.js';
import type { EngineCache } from '../../../../controllers/engine/engine-cache.js';
import { Ages } from '../../../../controllers/runtime/ages.js';
import type { AnyDeclared, AnyResource, App, Image } from '../../../../crds/model/kinds.js';
import { lacksDisk } from '../../../../crds/model/readiness.js';
import { aDocument, anApp, notReady, ready } from '../../../setup/documents.js';
import { FakeClock } from '../../../setup/fake-clock.js';

/**
 * What becomes of the images that an App has and does not want. Each row is an App that has Image `old` (of `old:1`) and
 * wants Image `new`; both are downloaded, images are kept for an hour, and it is one o'clock.
 */
interface Row {
  readonly it: string;
  /** Since when `old` is kept; `hh:mm:ss`. Not kept yet when not said. */
  readonly keptSince?: string;
  /** Downloaded when not said; null: no pass has looked at it yet. */
  readonly status?: Image['status'] | null;
  readonly deleted?: boolean;
  /** References of the services that there are. */
  readonly services?: readonly string[];
  readonly serviceDeleted?: boolean;
  readonly app?: App;
  readonly wanted?: readonly string[];
  /** References that what the App can go back to needs. */
  readonly isVerifying?: boolean;
  readonly pinned?: readonly string[];
  readonly graceMs?: number;
  /** References that the engine has. */
  readonly local?: readonly string[];
  /** Another Image on the device waits for room. */
  readonly short?: boolean;
  /** The release has a service of this document name. */
  readonly wantedService?: string;
  /** The lists that `old` is in. */
  readonly want: string;
}

const HOUR_MS = 3_600_000;
const DOWNLOADED = { ...ready(), state: 'Downloaded' as const };
const anImageNamed = (name: string, status: Image['status'], spareSince?: string, deleted = false): Image =>
  aDocument(
    'Image',
    name,
    { app: 'hello', image: `${name}:1`, services: ['web'], ...(spareSince ? { spareSince } : {}) },
    { ...(status ? { status } : {}), deleted },
  );

function listsOf(row: Row): string {
  const {
    keptSince,
    status = DOWNLOADED,
    deleted,
    services = [],
    serviceDeleted,
    app = anApp(),
    wanted = ['new'],
  } = row;
  const clock = new FakeClock(Date.parse('2026-01-01T13:00:00Z'));
  const old = anImageNamed('old', status ?? undefined, keptSince && `2026-01-01T${keptSince}Z`, deleted);
  const existing: readonly AnyResource[] = [
    old,
    anImageNamed('new', DOWNLOADED),
    ...services.map((image) =>
      aDocument(
        'Service',
        'hello.web',
        { app: 'hello', serviceName: 'web', image },
        { deleted: serviceDeleted ?? false },
      ),
    ),
  ];
  const waiting = anImageNamed('waiting', row.short ? notReady('NotEnoughDisk') : ready());
  const retention = observeImageRetention({
    app,
    existing,
    pinned: new Set(row.pinned ?? []),
    isVerifying: row.isVerifying ?? false,
    desired: [
      ...wanted.map((name) => ({ kind: 'Image', metadata: { name } }) as AnyDeclared),
      ...(row.wantedService ? [{ kind: 'Service', metadata: { name: row.wantedService } } as AnyDeclared] : []),
    ],
    store: { list: (kind: string) => (kind === 'Image' ? [old, waiting] : []) } as unknown as Store,
    cache: {
      image: (reference: string) => (row.local?.includes(reference) ? {} : undefined),
    } as unknown as EngineCache,
    ages: new Ages(clock),
    nowMs: clock.now(),
    graceMs: row.graceMs ?? HOUR_MS,
  });
  for (const names of Object.values(retention)) assert.ok(names.every((name: string) => name === 'old'));
  return Object.entries(retention)
    .flatMap(([list, names]) => (names.length > 0 ? [list] : []))
    .join(', ');
}

const TABLES: Readonly<Record<string, readonly Row[]>> = {
  'are kept for a while': [
    { it: 'from the moment in which nobody wants them any more', want: 'unused, evictable' },
    { it: 'until the hour is over', keptSince: '12:00:01', want: 'evictable' },
    { it: 'and no longer', keptSince: '12:00:00', want: 'expired, evictable' },
    { it: 'not at all where nothing is to be kept', graceMs: 0, want: 'expired, evictable' },
    { it: 'not when they are not there anyway', status: ready(), want: 'expired, evictable' },
    { it: 'not before anybody has looked for them', status: null, want: 'expired, evictable' },
    {
      it: 'when the engine has them although no status says so',
      status: ready(),
      local: ['old:1'],
      want: 'unused, evictable',
    },
    {
      it: 'again when their time is yet to come: another clock wrote it',
      keptSince: '13:00:03',
      want: 'unused, evictable',
    },
    { it: 'also when a service of the release has their name', wantedService: 'old', want: 'unused, evictable' },
    { it: 'not again for a clock that is 2 s ahead', keptSince: '13:00:02', want: 'evictable' },
  ],
  'are none': [
    { it: 'when they are wanted', wanted: ['new', 'old'], want: '' },
    { it: 'when they are on their way out', deleted: true, want: '' },
    { it: 'when the App can go back to what runs them', pinned: ['old:1'], graceMs: 0, want: '' },
    {
      it: 'when the App may have to go back to them, though a download lacks disk space',
      pinned: ['old:1'],
      isVerifying: true,
      graceMs: 0,
      short: true,
      want: '',
    },
  ],
  'are in the way of a download': [
    { it: 'when nothing runs on them', services: ['new:1'], want: 'unused, evictable' },
    { it: 'not when a service runs on them', services: ['old:1'], want: 'unused' },
    { it: 'when that service is on its way out', services: ['old:1'], serviceDeleted: true, want: 'unused, evictable' },
    {
      it: 'not when they are of the release before, which still runs without documents',
      status: { ...DOWNLOADED, dockerImageId: 'sha256:1' },
      app: anApp({ status: { images: { web: 'sha256:1' } } }),
      want: 'unused',
    },
    {
      it: 'by their digest, where a registry knows them',
      status: { ...DOWNLOADED, digest: 'sha256:d' },
      app: anApp({ status: { images: { web: 'old@sha256:d' } } }),
      want: 'unused',
    },
    {
      it: 'once they are kept, also those of the release before',
      keptSince: '12:30:00',
      status: { ...DOWNLOADED, dockerImageId: 'sha256:1' },
      app: anApp({ status: { images: { web: 'sha256:1' } } }),
      want: 'evictable',
    },
    {
      it: 'when nobody knows what they are',
      status: ready(),
      app: anApp({ status: { images: { web: 'sha256:1' } } }),
      want: 'expired, evictable',
    },
  ],
  'while some image on the device finds no room': [
    { it: 'are in the way when they are kept', keptSince: '12:30:00', short: true, want: 'evictable, blocking' },
    {
      it: 'are in the way when only the way back needs them, and the last release is decided',
      pinned: ['old:1'],
      short: true,
      want: 'blocking',
    },
    {
      it: 'are not when a service runs on what the way back needs',
      pinned: ['old:1'],
      short: true,
      services: ['old:1'],
      want: '',
    },
    { it: 'are not before they are kept', short: true, want: 'unused, evictable' },
    { it: 'are not while a service runs on them', keptSince: '12:30:00', short: true, services: ['old:1'], want: '' },
  ],
};

describe('images that an App does not want', () => {
  for (const [when, rows] of Object.entries(TABLES)) {
    describe(when, () => {
      for (const row of rows) it(row.it, () => assert.equal(listsOf(row), row.want));
    });
  }

  it('are the shared nothing when there are none, whatever the disk', () => {
    const nothing = { list: () => assert.fail('asked for nothing') } as unknown as Store;
    const clock = new FakeClock();
    const input = {
      app: anApp(),
      existing: [],
      desired: [],
      cache: {} as EngineCache,
      nowMs: 0,
      graceMs: 0,
      pinned: new Set<string>(),
      isVerifying: false,
    };
    assert.equal(observeImageRetention({ ...input, store: nothing, ages: new Ages(clock) }), NO_UNWANTED_IMAGES);
    assert.deepEqual(NO_UNWANTED_IMAGES, { unused: [], expired: [], evictable: [], blocking: [] });
  });

  it('lack room only for that one reason', () => {
    assert.equal(lacksDisk(anImageNamed('a', notReady('NotEnoughDisk'))), true);
    assert.equal(lacksDisk(anImageNamed('a', notReady('PullFailed'))), false);
    assert.equal(lacksDisk(anImageNamed('a', undefined)), false);
  });
});
