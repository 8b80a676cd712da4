import assert from 'node:assert/strict';
import { type Command, NO_COMMANDS } from '../../../controllers/app/commands/commands.js';
import { NO_UNWANTED_IMAGES } from '../../../controllers/app/images/image-retention.js';
import { type AppFacts, planApp } from '../../../controllers/app/plan.js';
import { childrenOf } from '../../../controllers/app/release/children.js';
import type { AnyDeclared, AnyResource, App } from '../../../crds/model/kinds.js';
import { quietAppFacts } from '../../setup/app-facts.js';
import { aDocument, anApp, anImage, aVolume, notReady, type Parts, ready } from '../../setup/documents.js';
import { planText } from '../../setup/plan-text.js';

const desired = childrenOf(anApp());
const completed = { release: { commit: 'local', id: 1 } };
const settledApp = anApp({ status: { ...ready(), ...completed, phase: 'Settled' } });

/** The desired children as the store has them. */
function asFound(
  which: readonly AnyDeclared[],
  partsOf: (one: AnyDeclared) => Parts<never> = () => ({ status: ready() as never }),
): AnyResource[] {
  return which.map(
    (one) =>
      aDocument(one.kind, one.metadata.name, one.spec, {
        origin: 'App/hello',
        owner: 'App/hello',
        ...partsOf(one),
      }) as AnyResource,
  );
}
const all = asFound(desired);
const with_ = (change: Partial<Record<AnyResource['kind'], Parts<never>>>) =>
  asFound(desired, ({ kind }) => change[kind] ?? { status: ready() as never });
const changedService = with_({ Service: { spec: { running: false } as never, status: ready() as never } });
const spareImage = anImage({ spec: { image: 'old:1' }, status: ready() });
const askedService = { status: ready() as never, requests: { stop: { id: 's', at: '2026-01-01T00:00:00Z' } } };
const commanded = (more: Partial<Command>) => ({
  ...NO_COMMANDS,
  commands: [
    { name: 'restart' as const, id: 'r', isStarted: false, left: ['Service/hello.web'], failure: undefined, ...more },
  ],
});
const notLocked = { status: notReady('NeedsLock') as never };

const stalled = {
  ...notReady('PoolOverlaps'),
  conditions: [...notReady('PoolOverlaps').conditions, { ...ready().conditions[0], type: 'Stalled' }],
};

const plan = (app: App, facts: Partial<AppFacts>) => planApp(app, quietAppFacts({ desired, ...facts }));

describe('planApp', () => {
  const gone = anApp({ deleted: true, status: { ...completed } });
  const issue = { path: 'spec.services.web', message: 'wrong' };
  const dying = (kind: AnyResource['kind']) =>
    asFound(
      desired.filter((one) => one.kind === kind),
      () => ({ deleted: true }),
    );
  const only = (...kinds: AnyResource['kind'][]) => all.filter(({ kind }) => kinds.includes(kind));

  const cases: ReadonlyArray<{ it: string; app?: App; facts: Partial<AppFacts>; want: string; phase: string }> = [
    {
      it: 'declares images first when one is missing',
      facts: { missing: ['busybox:1.36'] },
      want: 'stage (images come first: Image/hello.busybox-IMAGE); progressing: Staging',
      phase: 'Staging',
    },
    {
      it: 'waits for images',
      facts: { existing: only('Image'), missing: ['busybox:1.36'] },
      want: 'waiting: ImagesNotReady',
      phase: 'Staging',
    },
    {
      it: 'touches nothing that runs while an image is missing',
      facts: { existing: changedService, missing: ['busybox:1.36'] },
      want: 'waiting: ImagesNotReady',
      phase: 'Staging',
    },
    {
      it: 'does not hold the lock while images download',
      facts: { existing: all, missing: ['busybox:1.36'], locked: true },
      want: 'unlock (nothing stops while images download); waiting: ImagesNotReady',
      phase: 'Staging',
    },
    {
      it: 'lets a running service be mended while images download',
      facts: { existing: with_({ Service: notLocked }), missing: ['busybox:1.36'], needLock: ['web'] },
      want: 'claim (web needs it); progressing: Locking',
      phase: 'Staging',
    },
    {
      it: 'locks and promotes a first release',
      facts: {},
      want: 'claim (a release is to be promoted); promote (first release); progressing: Promoting',
      phase: 'Locking',
    },
    {
      it: 'promotes under a lock that it holds',
      facts: { existing: changedService, locked: true },
      want: 'promote (Service/hello.web differs); progressing: Promoting',
      phase: 'Promoting',
    },
    {
      it: 'promotes when a child is missing',
      facts: { existing: all.filter(({ kind }) => kind !== 'Network'), locked: true },
      want: 'promote (Network/hello.default differs); progressing: Promoting',
      phase: 'Promoting',
    },
    {
      it: 'promotes when a service is no longer wanted',
      facts: {
        existing: [...all, ...asFound([{ ...(desired.at(-1) as AnyDeclared), metadata: { name: 'hello.old' } }])],
        locked: true,
      },
      want: 'promote (Service/hello.old differs); progressing: Promoting',
      phase: 'Promoting',
    },
    {
      it: 'promotes a wanted child that is being deleted',
      facts: { existing: [...all.filter(({ kind }) => kind !== 'Network'), ...dying('Network')], locked: true },
      want: 'promote (Network/hello.default differs); progressing: Promoting',
      phase: 'Promoting',
    },
    {
      it: 'waits for children',
      facts: { existing: with_({ Service: {} }), locked: true },
      want: 'waiting: ChildrenNotReady',
      phase: 'Verifying',
    },
    {
      it: 'waits for children whose last pass is about an older spec',
      facts: { existing: with_({ Service: { generation: 2, status: ready(1) as never } }), locked: true },
      want: 'waiting: ChildrenNotReady',
      phase: 'Verifying',
    },
    {
      it: 'claims when a child needs the lock',
      app: settledApp,
      facts: { existing: with_({ Service: notLocked }), needLock: ['web'] },
      want: 'claim (web needs it); progressing: Locking',
      phase: 'Verifying',
    },
    {
      it: 'keeps the lock while a child needs it',
      facts: { existing: with_({ Service: notLocked }), needLock: ['web'], locked: true },
      want: 'waiting: ChildrenNotReady',
      phase: 'Verifying',
    },
    {
      it: 'keeps the lock for a service that was written by hand',
      app: settledApp,
      facts: { existing: all, needLock: ['extra'], locked: true },
      want: 'waiting: ChildrenNotReady',
      phase: 'Verifying',
    },
    {
      it: 'gives the lock back while nothing goes on before somebody acts',
      facts: { existing: with_({ Network: { status: stalled as never } }), locked: true },
      want: 'unlock (nothing goes on before somebody acts); waiting: ChildrenNotReady',
      phase: 'Verifying',
    },
    {
      it: 'keeps the lock while a sibling of a stalled child goes on',
      facts: {
        existing: with_({ Network: { status: stalled as never }, Service: { status: notReady('Stopping') as never } }),
        locked: true,
      },
      want: 'waiting: ChildrenNotReady',
      phase: 'Verifying',
    },
    {
      it: 'commits when all children are Ready',
      facts: { existing: all, locked: true },
      want: 'commit (release local); unlock (all children are as they are meant to be); progressing: Settling',
      phase: 'Settled',
    },
    {
      it: 'lets go of old images at the end',
      facts: {
        existing: [...all, spareImage],
        imageRetention: { ...NO_UNWANTED_IMAGES, expired: [spareImage.metadata.name] },
        locked: true,
      },
      want: 'commit (release local); prune (Image/hello.busybox-12345678 not in the release); unlock (all children are as they are meant to be); progressing: Settling',
      phase: 'Settled',
    },
    {
      it: 'keeps an image that the release no longer wants for a while',
      app: settledApp,
      facts: {
        existing: [...all, spareImage],
        imageRetention: { ...NO_UNWANTED_IMAGES, unused: [spareImage.metadata.name] },
      },
      want: 'keep (Image/hello.busybox-12345678 of the release before); progressing: Settling',
      phase: 'Settled',
    },
    {
      it: 'rests while it keeps one',
      app: settledApp,
      facts: { existing: [...all, spareImage] },
      want: 'settled',
      phase: 'Settled',
    },
    {
      it: 'does not wait for an image that it does not want',
      app: settledApp,
      facts: { existing: [...all, anImage({ status: notReady('Downloading') })] },
      want: 'settled',
      phase: 'Settled',
    },
    {
      it: 'makes room for a new release first',
      facts: {
        existing: [...changedService.filter(({ kind }) => kind !== 'Image'), spareImage],
        missing: ['busybox:1.36'],
        imageRetention: {
          ...NO_UNWANTED_IMAGES,
          unused: [spareImage.metadata.name],
          evictable: [spareImage.metadata.name],
        },
      },
      want: 'prune (Image/hello.busybox-12345678 neither in what runs nor in what is to run); progressing: Staging',
      phase: 'Staging',
    },
    {
      it: 'keeps what it keeps when it only mends its own image',
      facts: {
        existing: [...all, spareImage],
        missing: ['busybox:1.36'],
        imageRetention: { ...NO_UNWANTED_IMAGES, evictable: [spareImage.metadata.name] },
      },
      want: 'waiting: ImagesNotReady',
      phase: 'Staging',
    },
    {
      it: 'keeps nothing while a download finds no room on the disk',
      app: settledApp,
      facts: {
        existing: [...all, spareImage],
        imageRetention: { ...NO_UNWANTED_IMAGES, blocking: [spareImage.metadata.name] },
      },
      want: 'prune (Image/hello.busybox-12345678 only kept, and the disk is short of room for a download); progressing: MakingRoom',
      phase: 'Settled',
    },
    {
      it: 'does not wait for an old image that somebody still uses',
      app: settledApp,
      facts: { existing: [...all, anImage({ spec: { image: 'old:1' }, deleted: true })] },
      want: 'settled',
      phase: 'Settled',
    },
    {
      it: 'clears what an earlier process left',
      app: settledApp,
      facts: { existing: all, unswept: true },
      want: 'unlock (an earlier process may have left it); settled',
      phase: 'Settled',
    },
    { it: 'is settled', app: settledApp, facts: { existing: all }, want: 'settled', phase: 'Settled' },
    { it: 'stalls on a bad release', facts: { issues: [issue] }, want: 'stalled: InvalidRelease', phase: 'Staging' },
    {
      it: 'stalls before anything is touched when a name is taken',
      facts: { existing: all, taken: ['Service/hello.new'] },
      want: 'stalled: NameTaken',
      phase: 'Staging',
    },
    {
      it: 'has the running release mended under a bad one',
      app: settledApp,
      facts: { existing: with_({ Service: notLocked }), issues: [issue], needLock: ['web'] },
      want: 'claim (web needs it); stalled: InvalidRelease',
      phase: 'Settled',
    },
    {
      it: 'gives the lock back under a bad release',
      app: settledApp,
      facts: { existing: all, issues: [issue], locked: true },
      want: 'unlock (all children are as they are meant to be); stalled: InvalidRelease',
      phase: 'Settled',
    },
    {
      it: 'tells volumes that have not heard it what becomes of their data, before all',
      app: gone,
      facts: { existing: [...all, aVolume({ spec: { reclaim: 'Delete' } })] },
      want: 'reclaim (volumeReclaim is Retain, and goes for Volume/hello.data first); progressing: Removing',
      phase: 'Removing',
    },
    {
      it: 'removes services first, under the lock',
      app: gone,
      facts: { existing: all },
      want: 'claim (the app is deleted); remove Service (the app is deleted); progressing: Removing',
      phase: 'Removing',
    },
    {
      it: 'waits for services to go',
      app: gone,
      facts: { existing: [...only('Image', 'Network'), ...dying('Service')], locked: true },
      want: 'waiting: ChildrenNotReady',
      phase: 'Removing',
    },
    {
      it: 'claims again when a leaving service needs the lock',
      app: gone,
      facts: { existing: dying('Service'), needLock: ['web'] },
      want: 'claim (web needs it); progressing: Locking',
      phase: 'Removing',
    },
    {
      it: 'removes networks next',
      app: gone,
      facts: { existing: [...only('Image', 'Network'), aVolume()], locked: true },
      want: 'remove Network (the app is deleted); progressing: Removing',
      phase: 'Removing',
    },
    {
      it: 'removes volumes next',
      app: gone,
      facts: { existing: [...only('Image'), aVolume()], locked: true },
      want: 'remove Volume (the app is deleted); progressing: Removing',
      phase: 'Removing',
    },
    {
      it: 'removes images last',
      app: gone,
      facts: { existing: only('Image'), locked: true },
      want: 'remove Image (the app is deleted); progressing: Removing',
      phase: 'Removing',
    },
    {
      it: 'gives the lock back when all is gone',
      app: gone,
      facts: { locked: true },
      want: 'unlock (the app is gone); progressing: Unlocking',
      phase: 'Removing',
    },
    { it: 'is done', app: gone, facts: {}, want: 'settled', phase: 'Removing' },

    {
      it: 'claims the lock for a restart',
      app: settledApp,
      facts: { existing: all, pending: commanded({}) },
      want: 'claim (restart requested); progressing: Locking',
      phase: 'Settled',
    },
    {
      it: 'begins a restart under a lock that it has',
      app: settledApp,
      facts: { existing: all, pending: commanded({}), locked: true },
      want: 'claim (restart requested); progressing: Locking',
      phase: 'Settled',
    },
    {
      it: 'claims it again after a crash',
      app: settledApp,
      facts: { existing: all, pending: commanded({ isStarted: true }) },
      want: 'claim (restart requested); progressing: Locking',
      phase: 'Settled',
    },
    {
      it: 'keeps the lock while services restart, also those that look ready',
      facts: { existing: all, pending: commanded({ isStarted: true }), locked: true },
      want: 'waiting: Commanding',
      phase: 'Verifying',
    },
    {
      it: 'keeps it while an image is missing, too',
      facts: { existing: only('Image'), missing: ['x'], pending: commanded({ isStarted: true }), locked: true },
      want: 'waiting: Commanding',
      phase: 'Staging',
    },
    {
      it: 'has a restarting app take its next release along',
      facts: { existing: changedService, pending: commanded({ isStarted: true }), locked: true },
      want: 'promote (Service/hello.web differs); progressing: Promoting',
      phase: 'Promoting',
    },
    {
      it: 'ends a restart when every service has done its part',
      app: settledApp,
      facts: { existing: all, pending: commanded({ isStarted: true, left: [] }), locked: true },
      want: 'finish (restart requested); progressing: Commanded',
      phase: 'Settled',
    },
    {
      it: 'waits for the other services when one could not be restarted',
      facts: { existing: all, pending: commanded({ isStarted: true, failure: 'web: no' }), locked: true },
      want: 'waiting: Commanding',
      phase: 'Verifying',
    },
    {
      it: 'ends a purge when one could not do its part, so that the others come back',
      app: settledApp,
      facts: {
        existing: all,
        pending: commanded({ name: 'purge', isStarted: true, failure: 'web: no' }),
        locked: true,
      },
      want: 'finish (purge requested); progressing: Commanded',
      phase: 'Settled',
    },
    {
      it: 'removes spare and stray volumes when that is asked',
      app: settledApp,
      facts: {
        existing: all,
        pending: { ...NO_COMMANDS, cleanup: { id: 'c', victims: ['hello.old'], isGoing: false } },
      },
      want: 'discard (cleanup of volumes requested); progressing: Discarding',
      phase: 'Settled',
    },
    {
      it: 'has cleaned up when there is nothing to remove',
      app: settledApp,
      facts: { existing: all, pending: { ...NO_COMMANDS, cleanup: { id: 'c', victims: [], isGoing: false } } },
      want: 'cleaned (cleanup of volumes requested); progressing: Commanded',
      phase: 'Settled',
    },
    {
      it: 'keeps the lock for a service that was asked for something and looks ready',
      facts: { existing: with_({ Service: askedService }), locked: true },
      want: 'waiting: ChildrenNotReady',
      phase: 'Verifying',
    },
  ];
  for (const { it: does, app = anApp(), facts, want, phase } of cases) {
    it(does, () => {
      assert.equal(planText(() => plan(app, facts)).replace(/busybox-(?!12345678)[0-9a-f]{8}/, 'busybox-IMAGE'), want);
      assert.equal(plan(app, facts).phase, phase);
    });
  }

  it('removes everything of an app without a release', () => {
    const app = anApp({ spec: { release: null }, status: { ...completed } });
    const facts = { existing: all, desired: childrenOf(app), locked: true };
    assert.equal(
      planText(() => plan(app, facts)),
      'promote (Network/hello.default, Service/hello.web differ); progressing: Promoting',
    );
    assert.equal(
      planText(() => plan(app, { ...facts, existing: [] })),
      'commit (what its documents say, without a release); unlock (all children are as they are meant to be); progressing: Settling',
    );
  });

  it('says what each child waits for, the first few of them', () => {
    const services = Array.from({ length: 5 }, (_, at) =>
      asFound([{ ...(desired.at(-1) as AnyDeclared), metadata: { name: `hello.s${at}` } }], () => ({
        status: notReady('Starting', 'not yet') as never,
      })),
    ).flat();
    const { outcome } = plan(anApp(), { existing: services, desired: services, locked: true });
    assert.equal(
      outcome.is === 'waiting' && outcome.message,
      'Waiting for Service/hello.s0 (Starting: not yet); Service/hello.s1 (Starting: not yet); Service/hello.s2 (Starting: not yet); and 2 more',
    );
  });

  it('names every issue of a bad release', () => {
    const { failure } = plan(anApp(), { issues: [issue, { path: 'spec.services.db', message: 'worse' }] });
    assert.equal(failure?.message, 'spec.services.web: wrong; spec.services.db: worse');
  });
});
