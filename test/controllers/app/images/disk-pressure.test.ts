import assert from 'node:assert/strict';
import type { Store } from '../../../../api/store/store.js';
import {
  type DiskPressure,
  NO_DISK_PRESSURE,
  observeDiskPressure,
  planDiskPressure,
} from '../../../../controllers/app/images/disk-pressure.js';
import type { EngineCache } from '../../../../controllers/engine/engine-cache.js';
import { IMAGE } from '../../../../controllers/engine/labels.js';
import type { AnyDeclared, AnyResource } from '../../../../crds/model/kinds.js';
import { imageDocumentName } from '../../../../crds/model/names.js';
import type { UpdateStrategy } from '../../../../crds/model/update-strategy.js';
import { aDocument, notReady, ready } from '../../../setup/documents.js';

/**
 * What has to go from the disk before images are downloaded. Each row is an App whose services run images `<name>:1` and
 * whose release wants `<name>:2` of each of them. Nothing of the release has been declared yet when not said.
 */
interface Row {
  readonly it: string;
  /** The services of the release, and how each is updated. */
  readonly services: Readonly<Record<string, UpdateStrategy | 'unheard-of'>>;
  /** Says the strategy in a label instead of in the field. */
  readonly byLabel?: boolean;
  /** What services are to run where that is not `<name>:2`. */
  readonly images?: Readonly<Record<string, string>>;
  /** References that are not on the device; those of all services when not said. */
  readonly missing?: readonly string[];
  /** What the containers of services were made of; `<name>:1` when not said, none for ''. */
  readonly runs?: Readonly<Record<string, string>>;
  /** Services whose document says what the release wants. */
  readonly applied?: readonly string[];
  /** Services whose document says so and is being deleted. */
  readonly terminating?: readonly string[];
  /** Services that have no document yet. */
  readonly undeclared?: readonly string[];
  /** Image documents of before: their users, and what becomes of them. */
  readonly old?: Readonly<Record<string, { readonly users: readonly string[]; readonly is?: 'going' | 'in use' }>>;
  readonly want: string;
}

function observed(row: Row): DiskPressure {
  const {
    services,
    byLabel = false,
    images = {},
    runs = {},
    applied = [],
    terminating = [],
    undeclared = [],
    old = {},
  } = row;
  const names = Object.keys(services);
  const imageOf = (name: string) => images[name] ?? `${name}:2`;
  const specOf = (name: string) => {
    const strategy = services[name] as UpdateStrategy;
    const how = byLabel ? { labels: { 'io.balena.update.strategy': strategy } } : { updateStrategy: strategy };
    return { app: 'hello', appId: 1, serviceName: name, image: imageOf(name), ...how };
  };
  const imageDocuments = [...new Set(names.map(imageOf))].map((image) => {
    const services = names.filter((name) => imageOf(name) === image);
    return aDocument('Image', imageDocumentName('hello', image), { app: 'hello', image, services });
  });
  const desired: readonly AnyDeclared[] = [
    ...imageDocuments,
    ...names.map((name) => aDocument('Service', `hello.${name}`, specOf(name))),
  ];
  const declared = names.filter((name) => !undeclared.includes(name));
  const existing: readonly AnyResource[] = [
    ...declared.map((name) =>
      aDocument(
        'Service',
        `hello.${name}`,
        applied.includes(name) || terminating.includes(name) ? specOf(name) : { ...specOf(name), image: `${name}:1` },
        { deleted: terminating.includes(name) },
      ),
    ),
    ...Object.entries(old).map(([image, { users, is }]) =>
      aDocument(
        'Image',
        imageDocumentName('hello', image),
        { app: 'hello', image, services: [...users] },
        { deleted: is !== undefined, status: is === 'in use' ? notReady('InUse') : ready() },
      ),
    ),
  ];
  return observeDiskPressure(
    {
      get: (kind: string, name: string) => existing.find((one) => one.kind === kind && one.metadata.name === name),
    } as unknown as Store,
    {
      containersOf: (appId: number, name: string) => {
        const image = runs[name] ?? `${name}:1`;
        return appId === 1 && image !== '' ? [{ labels: { [IMAGE]: image } }] : [];
      },
    } as unknown as EngineCache,
    { desired, existing, missing: row.missing ?? [...new Set(names.map(imageOf))] },
  );
}

/** `stop a (its spec applied)`: what services have to do; then images that are not declared yet, those that go, and others. */
function pressureText({ earlyStops, heldBack, oldImages, othersMissing }: DiskPressure): string {
  const stops = earlyStops.map(({ document, image, strategy, hasOldContainer, specApplied }) => {
    const how = [hasOldContainer ? 'runs' : 'stopped', ...(specApplied ? ['applied'] : [])].join(', ');
    return `${document} (${how}) before ${image} by ${strategy}`;
  });
  const going = oldImages.map(({ image, isGoing }) => `${image} ${isGoing ? 'is going' : 'has to go'}`);
  return [
    ...stops,
    ...(heldBack.size > 0 ? [`not yet declared: ${[...heldBack].join(', ')}`] : []),
    ...going,
    ...(othersMissing ? ['others first'] : []),
  ].join('; ');
}

const OBSERVED: Readonly<Record<string, readonly Row[]>> = {
  'nothing has to go': [
    { it: 'when no image is missing', services: { a: 'kill-then-download' }, missing: [], want: '' },
    { it: 'for services that stop after the download', services: { a: 'download-then-kill' }, want: 'others first' },
    { it: 'for services that hand over', services: { a: 'hand-over', b: 'rolling' }, want: 'others first' },
    {
      it: 'for a strategy that nobody knows: the service says so itself',
      services: { a: 'unheard-of' },
      byLabel: true,
      want: 'others first',
    },
    {
      it: 'for a service whose own image is there',
      services: { a: 'kill-then-download', b: 'download-then-kill' },
      missing: ['b:2'],
      want: 'others first',
    },
  ],
  'a service stops first': [
    {
      it: 'when it kills before the download',
      services: { a: 'kill-then-download' },
      want: 'hello.a (runs) before a:2 by kill-then-download; not yet declared: a:2',
    },
    {
      it: 'when a label says so',
      services: { a: 'kill-then-download' },
      byLabel: true,
      want: 'hello.a (runs) before a:2 by kill-then-download; not yet declared: a:2',
    },
    {
      it: 'and has its spec once its document says what the release wants',
      services: { a: 'kill-then-download' },
      applied: ['a'],
      want: 'hello.a (runs, applied) before a:2 by kill-then-download; not yet declared: a:2',
    },
    {
      it: 'and does not have its spec when that document is being deleted',
      services: { a: 'kill-then-download' },
      terminating: ['a'],
      want: 'hello.a (runs) before a:2 by kill-then-download; not yet declared: a:2',
    },
    {
      it: 'and does not have its spec before it has a document: the container is of an earlier App',
      services: { a: 'kill-then-download' },
      undeclared: ['a'],
      want: 'hello.a (runs) before a:2 by kill-then-download; not yet declared: a:2',
    },
    {
      it: 'after the image of a standalone service of this App',
      services: { a: 'kill-then-download' },
      missing: ['a:2', 'by-hand:1'],
      want: 'hello.a (runs) before a:2 by kill-then-download; not yet declared: a:2; others first',
    },
    {
      it: 'and its image is downloaded once it has stopped',
      services: { a: 'kill-then-download' },
      runs: { a: '' },
      want: 'hello.a (stopped) before a:2 by kill-then-download',
    },
    {
      it: 'unless its container is of the new image already',
      services: { a: 'kill-then-download' },
      runs: { a: 'a:2' },
      want: 'hello.a (stopped) before a:2 by kill-then-download',
    },
    {
      it: 'after the images of other services',
      services: { a: 'kill-then-download', b: 'download-then-kill' },
      want: 'hello.a (runs) before a:2 by kill-then-download; not yet declared: a:2; others first',
    },
    {
      it: 'and not before an image that it shares with one that stops late',
      services: { a: 'kill-then-download', b: 'download-then-kill' },
      images: { a: 'shared:2', b: 'shared:2' },
      want: 'hello.a (runs) before shared:2 by kill-then-download; others first',
    },
    {
      it: 'with all that wait for the same image',
      services: { a: 'kill-then-download', b: 'kill-then-download' },
      images: { a: 'shared:2', b: 'shared:2' },
      runs: { a: '' },
      want: 'hello.a (stopped) before shared:2 by kill-then-download; hello.b (runs) before shared:2 by kill-then-download; not yet declared: shared:2',
    },
  ],
  'an old image goes too': [
    {
      it: 'once its only service has stopped, by delete-then-download',
      services: { a: 'delete-then-download' },
      runs: { a: '' },
      old: { 'a:1': { users: ['a'] } },
      want: 'hello.a (stopped) before a:2 by delete-then-download; not yet declared: a:2; a:1 has to go',
    },
    {
      it: 'and is waited for while it does',
      services: { a: 'delete-then-download' },
      runs: { a: '' },
      old: { 'a:1': { users: ['a'], is: 'going' } },
      want: 'hello.a (stopped) before a:2 by delete-then-download; not yet declared: a:2; a:1 is going',
    },
    {
      it: 'and is not waited for when a container of somebody else keeps it',
      services: { a: 'delete-then-download' },
      runs: { a: '' },
      old: { 'a:1': { users: ['a'], is: 'in use' } },
      want: 'hello.a (stopped) before a:2 by delete-then-download',
    },
    {
      it: 'not before its service has stopped',
      services: { a: 'delete-then-download' },
      old: { 'a:1': { users: ['a'] } },
      want: 'hello.a (runs) before a:2 by delete-then-download; not yet declared: a:2',
    },
    {
      it: 'not by kill-then-download',
      services: { a: 'kill-then-download' },
      runs: { a: '' },
      old: { 'a:1': { users: ['a'] } },
      want: 'hello.a (stopped) before a:2 by kill-then-download',
    },
    {
      it: 'not while another service has it',
      services: { a: 'delete-then-download', b: 'download-then-kill' },
      missing: ['a:2'],
      runs: { a: '' },
      old: { 'shared:1': { users: ['a', 'b'] } },
      want: 'hello.a (stopped) before a:2 by delete-then-download',
    },
    {
      it: 'not when the release wants it',
      services: { a: 'delete-then-download' },
      runs: { a: '' },
      old: { 'a:2': { users: ['a'] } },
      want: 'hello.a (stopped) before a:2 by delete-then-download',
    },
    {
      it: 'and keeps only the images back of those that delete first',
      services: { a: 'delete-then-download', b: 'kill-then-download' },
      runs: { a: '', b: '' },
      old: { 'a:1': { users: ['a'] } },
      want: 'hello.a (stopped) before a:2 by delete-then-download; hello.b (stopped) before b:2 by kill-then-download; not yet declared: a:2; a:1 has to go',
    },
  ],
};

describe('what has to go before an image is downloaded', () => {
  for (const [what, rows] of Object.entries(OBSERVED)) {
    describe(what, () => {
      for (const row of rows) it(row.it, () => assert.equal(pressureText(observed(row)), row.want));
    });
  }

  it('is not looked for while every image is there', () => {
    const nothing = { desired: [], existing: [], missing: [] };
    assert.equal(observeDiskPressure({} as Store, {} as EngineCache, nothing), NO_DISK_PRESSURE);
    assert.equal(pressureText(NO_DISK_PRESSURE), '');
  });
});

/** `advance hello.a: because`: each step with what it is about, then how the pass ends and what it says of it. */
function pressurePlanText(pressure: Partial<DiskPressure>, locked = false): string {
  const plan = planDiskPressure({ ...NO_DISK_PRESSURE, ...pressure }, locked);
  if (!plan) return 'downloads';
  const { steps, outcome } = plan;
  const lines = steps.map((step) => {
    const about = step.do === 'advance' ? step.services : step.do === 'drop' ? step.images : [];
    return `${[step.do, ...about].join(' ')}: ${step.because}`;
  });
  const end =
    outcome.is === 'settled' ? 'settled' : `${outcome.reason}${outcome.is === 'waiting' ? `: ${outcome.message}` : ''}`;
  return [...lines, end].join('; ');
}

describe('planDiskPressure', () => {
  const stop = (name: string, more: Partial<DiskPressure['earlyStops'][number]> = {}) => ({
    document: `hello.${name}`,
    image: `${name}:2`,
    strategy: 'kill-then-download' as const,
    hasOldContainer: true,
    specApplied: false,
    ...more,
  });
  const applied = { specApplied: true };
  const stopped = { specApplied: true, hasOldContainer: false };
  const old = (name: string, isGoing = false) => ({ document: `hello.${name}-1`, image: `${name}:1`, isGoing });

  const cases: readonly {
    readonly it: string;
    readonly pressure: Partial<DiskPressure>;
    readonly locked?: boolean;
    readonly want: string;
  }[] = [
    { it: 'lets images be downloaded when nothing has to go', pressure: {}, want: 'downloads' },
    {
      it: 'has the services stop, under the lock',
      pressure: { earlyStops: [stop('a'), stop('b', { strategy: 'delete-then-download' })] },
      want:
        'claim: kill-then-download of a:2, delete-then-download of b:2; ' +
        'advance hello.a hello.b: kill-then-download of a:2, delete-then-download of b:2; MakingRoom',
    },
    {
      it: 'takes no lock that it has',
      pressure: { earlyStops: [stop('a')] },
      locked: true,
      want: 'advance hello.a: kill-then-download of a:2; MakingRoom',
    },
    {
      it: 'applies the spec only to those that do not have it',
      pressure: { earlyStops: [stop('a', applied), stop('b'), stop('c', stopped)] },
      locked: true,
      want: 'advance hello.b: kill-then-download of b:2; MakingRoom',
    },
    {
      it: 'waits until they have stopped',
      pressure: { earlyStops: [stop('a', applied), stop('b', applied), stop('c', stopped)], oldImages: [old('c')] },
      want: 'MakingRoom: Waiting for Service/hello.a, Service/hello.b to stop before images are downloaded',
    },
    {
      it: 'tells nothing to one that has no old container',
      pressure: { earlyStops: [stop('a', { hasOldContainer: false })] },
      want: 'downloads',
    },
    {
      it: 'removes old images then, without the lock',
      pressure: { earlyStops: [stop('a', stopped)], oldImages: [old('a'), old('b', true), old('c')] },
      want: 'drop hello.a-1 hello.c-1: delete-then-download: a:1, c:1 go first; MakingRoom',
    },
    {
      it: 'removes one that is left',
      pressure: { earlyStops: [stop('a', stopped)], oldImages: [old('a')] },
      want: 'drop hello.a-1: delete-then-download: a:1 goes first; MakingRoom',
    },
    {
      it: 'waits until they have gone',
      pressure: { earlyStops: [stop('a', stopped)], oldImages: [old('a', true), old('b', true)] },
      want: 'MakingRoom: Waiting for a:1, b:1 to go first',
    },
    {
      it: 'stops nothing before all other images are there',
      pressure: { earlyStops: [stop('a')], oldImages: [old('a')], othersMissing: true },
      want: 'downloads',
    },
  ];
  for (const { it: does, pressure, locked, want } of cases) {
    it(does, () => assert.equal(pressurePlanText(pressure, locked), want));
  }
});
