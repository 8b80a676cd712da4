import assert from 'node:assert/strict';
import { type Command, NO_COMMANDS } from '../../../controllers/app/commands/commands.js';
import { NO_DISK_PRESSURE } from '../../../controllers/app/images/disk-pressure.js';
import { NO_UNWANTED_IMAGES } from '../../../controllers/app/images/image-retention.js';
import { type AppFacts, type AppPlan, planApp, validateApp } from '../../../controllers/app/plan.js';
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
const startOf = (left: readonly string[]): Command => ({
  ...{ name: 'start', id: 's', isStarted: true, failure: undefined },
  left,
});
/** Further services of the release. */
const alsoDesired = (...names: readonly string[]): readonly AnyDeclared[] =>
  names.map((name) => ({ ...(desired.at(-1) as AnyDeclared), metadata: { name: `hello.${name}` } }));
const promoted = desired as AppFacts['content']['documents'];
const aRevision = (name: string) =>
  ({ metadata: { name }, spec: {}, status: {} }) as unknown as AppFacts['revisions'][number];
const notLocked = { status: notReady('NeedsLock') as never };

const stalled = {
  ...notReady('PoolOverlaps'),
  conditions: [...notReady('PoolOverlaps').conditions, { ...ready().conditions[0], type: 'Stalled' }],
};

const plan = (app: App, facts: Partial<AppFacts>) => planApp(app, quietAppFacts({ desired, ...facts }));

/** What a plan says to people. */
function messageOf({ outcome, failure }: AppPlan): string {
  if (failure) return failure.message;
  if (outcome.is === 'waiting') return outcome.message;
  if (outcome.is !== 'settled' || !outcome.unwell) return 'nothing';
  return `${outcome.unwell.reason}: ${outcome.unwell.message}`;
}

const later = (more: Partial<NonNullable<App['status']>['next']> = {}): AppFacts['when'] => ({
  ...{ is: 'later', reason: 'AwaitingApproval', message: 'waits for ada', forMs: 1_000, hasImages: true },
  next: { revision: 'hello.1', since: '2026-01-01T00:00:00Z', ...more },
});

describe('planApp', () => {
  const gone = anApp({ deleted: true, status: { ...completed } });
  const issue = { path: 'spec.services.web', message: 'wrong' };
  const terminating = (kind: AnyResource['kind']) =>
    asFound(
      desired.filter((one) => one.kind === kind),
      () => ({ deleted: true }),
    );
  const only = (...kinds: AnyResource['kind'][]) => all.filter(({ kind }) => kinds.includes(kind));

  const suspended = anApp({ spec: { suspend: true }, status: { ...completed, phase: 'Suspended' } });
  const SUSPENDED_TEXT =
    'App hello is suspended: nothing is downloaded, repaired, rolled out or stopped until it is resumed and spec.suspend is taken back';
  const unwell = with_({ Service: { status: notReady('CrashLoop', 'it ended 3 times') as never } });
  const service = (name: string, parts: Parts<never>) => asFound(alsoDesired(name), () => parts);
  const starting = { ...NO_COMMANDS, commands: [startOf(['Service/hello.web'])] };
  const started = { ...NO_COMMANDS, commands: [startOf([])] };

  const cases: ReadonlyArray<{
    it: string;
    app?: App;
    facts: Partial<AppFacts>;
    want: string;
    phase: string;
    /** What the plan says to people: why it waits or has failed, or what is unwell. */
    says?: string;
  }> = [
    {
      it: 'waits until the release may be promoted',
      facts: { existing: changedService, when: later() },
      want: 'waiting: AwaitingApproval',
      phase: 'Waiting',
      says: 'waits for ada',
    },
    {
      it: 'gives the lock back meanwhile',
      facts: { existing: changedService, when: later(), locked: true },
      want: 'unlock (nothing stops while the release waits); waiting: AwaitingApproval',
      phase: 'Waiting',
    },
    {
      it: 'takes the lock meanwhile for what needs it',
      facts: { existing: changedService, when: later(), needLock: ['web'] },
      want: 'claim (web needs it); progressing: Locking',
      phase: 'Waiting',
    },
    {
      it: 'keeps the lock meanwhile for what is not done',
      facts: { existing: with_({ Service: { spec: { running: false } as never } }), when: later(), locked: true },
      want: 'waiting: AwaitingApproval',
      phase: 'Waiting',
    },
    {
      it: 'carries out commands meanwhile',
      facts: { existing: changedService, when: later(), pending: commanded({}) },
      want: 'claim (restart requested); progressing: Locking',
      phase: 'Staging',
    },
    {
      it: 'downloads meanwhile',
      facts: { when: later(), missing: ['busybox:1.36'] },
      want: 'stage (images come first: Image/hello.busybox-IMAGE); progressing: Staging',
      phase: 'Staging',
    },
    {
      it: 'makes no room meanwhile',
      facts: {
        ...{ existing: changedService, when: later(), missing: ['busybox:1.36'] },
        diskPressure: {
          ...NO_DISK_PRESSURE,
          earlyStops: [
            {
              ...{ document: 'hello.web', image: 'busybox:1.36', strategy: 'kill-then-download' as const },
              ...{ hasOldContainer: true, specApplied: false },
            },
          ],
        },
      },
      want: 'waiting: AwaitingApproval',
      phase: 'Waiting',
    },
    {
      it: 'notes the boot that does not count before anything else',
      facts: { missing: ['busybox:1.36'], when: later({ bootId: 'b1' }) },
      want: 'note (it waits for another boot of the device than this one); progressing: Staging',
      phase: 'Staging',
    },
    {
      it: 'notes it once',
      app: anApp({
        status: { next: { revision: 'hello.1', since: '2026-01-01T00:00:00Z', bootId: 'b1' } },
      }),
      facts: { existing: changedService, when: later({ bootId: 'b1' }) },
      want: 'waiting: AwaitingApproval',
      phase: 'Waiting',
    },
    {
      it: 'does nothing about a suspended App',
      app: suspended,
      facts: { existing: changedService, missing: ['busybox:1.36'], needLock: ['web'] },
      want: 'waiting: Suspended',
      phase: 'Suspended',
      says: SUSPENDED_TEXT,
    },
    {
      it: 'refuses what a suspended App is asked for, so that nobody waits for it',
      app: suspended,
      facts: { existing: all, pending: commanded({}) },
      want: `refuse (${SUSPENDED_TEXT}); waiting: Suspended`,
      phase: 'Suspended',
    },
    {
      it: 'refuses it to remove volumes, too',
      app: suspended,
      facts: { existing: all, pending: { ...NO_COMMANDS, cleanup: { id: 'c', victims: [], isGoing: false } } },
      want: `refuse (${SUSPENDED_TEXT}); waiting: Suspended`,
      phase: 'Suspended',
    },
    {
      it: 'gives the lock of a suspended App back',
      app: suspended,
      facts: { existing: all, locked: true },
      want: 'unlock (the app is suspended); waiting: Suspended',
      phase: 'Suspended',
    },
    {
      it: 'removes a suspended App that is deleted',
      app: anApp({ spec: { suspend: true }, deleted: true }),
      facts: {},
      want: 'settled',
      phase: 'Removing',
    },
    {
      it: 'does not know the phase of before a suspension any more',
      app: anApp({ status: { ...completed, phase: 'Suspended' } }),
      facts: { existing: all, issues: [issue] },
      want: 'stalled: InvalidRelease',
      phase: 'Staging',
      says: 'spec.services.web: wrong',
    },
    {
      it: 'rejects a release whose contract this device does not meet, whatever else is wrong with it',
      app: settledApp,
      facts: {
        existing: all,
        issues: [issue],
        unsatisfied: [
          { service: 'web', requirement: 'sw.l4t >=32' },
          { service: 'db', requirement: 'arch.sw aarch64' },
        ],
      },
      want: 'stalled: ContractUnmet',
      phase: 'Settled',
      says: 'This device does not meet the contract of the release: web requires sw.l4t >=32; db requires arch.sw aarch64',
    },
    {
      it: 'does not declare an image before the old container has made room for it',
      facts: { missing: ['busybox:1.36'], diskPressure: { ...NO_DISK_PRESSURE, heldBack: new Set(['busybox:1.36']) } },
      want: 'waiting: ImagesNotReady',
      phase: 'Staging',
      says: 'Waiting for images: busybox:1.36',
    },
    {
      it: 'makes the old container go first',
      facts: {
        existing: changedService,
        missing: ['busybox:1.36'],
        diskPressure: {
          ...NO_DISK_PRESSURE,
          earlyStops: [
            {
              document: 'hello.web',
              image: 'busybox:1.36',
              strategy: 'kill-then-download',
              hasOldContainer: true,
              specApplied: false,
            },
          ],
        },
        locked: true,
      },
      want: 'advance (kill-then-download of busybox:1.36); progressing: MakingRoom',
      phase: 'Staging',
    },
    {
      it: 'says which images it waits for',
      facts: { existing: only('Image'), missing: ['a:1 (Downloading: 5 %)', 'b:1', 'c:1'] },
      want: 'waiting: ImagesNotReady',
      phase: 'Staging',
      says: 'Waiting for images: a:1 (Downloading: 5 %); b:1; c:1',
    },
    {
      it: 'names the services that are as the release wants them and do not work',
      app: settledApp,
      facts: {
        existing: [...unwell, ...service('db', { status: notReady('Unhealthy', 'no') as never })],
        desired: [...desired, ...alsoDesired('db')],
      },
      want: 'settled',
      phase: 'Settled',
      says: 'ServicesNotHealthy: Service/hello.web (CrashLoop: it ended 3 times); Service/hello.db (Unhealthy: no)',
    },
    {
      it: 'says nothing of them while a release is being completed',
      facts: { existing: unwell },
      want: 'commit (release local); progressing: Settling',
      phase: 'Settled',
    },
    {
      it: 'says nothing of an App whose services all work',
      app: settledApp,
      facts: { existing: all },
      want: 'settled',
      phase: 'Settled',
      says: 'nothing',
    },
    {
      it: 'waits for those that carry out a command, and says so, although children are late',
      facts: { existing: with_({ Service: {} }), pending: starting, locked: true },
      want: 'waiting: Commanding',
      phase: 'Verifying',
      says: 'Waiting for Service/hello.web: start requested',
    },
    {
      it: 'takes the lock for a service that needs it to carry out a command',
      facts: { existing: with_({ Service: notLocked }), pending: starting, needLock: ['web', 'db'] },
      want: 'claim (web, db need it); progressing: Locking',
      phase: 'Verifying',
    },
    {
      it: 'takes it while an image is missing, too',
      facts: { existing: only('Image'), missing: ['x'], pending: starting, needLock: ['web'] },
      want: 'claim (web needs it); progressing: Locking',
      phase: 'Staging',
    },
    {
      it: 'ends a command under a bad release before it takes the lock',
      app: settledApp,
      facts: { existing: with_({ Service: notLocked }), issues: [issue], pending: started, needLock: ['web'] },
      want: 'finish (start requested); stalled: InvalidRelease',
      phase: 'Settled',
    },
    {
      it: 'waits for a wanted image that has gone bad',
      app: settledApp,
      facts: { existing: with_({ Image: { status: notReady('Downloading', '5 %') as never } }) },
      want: 'waiting: ChildrenNotReady',
      phase: 'Verifying',
      says: `Waiting for Image/${only('Image')[0]?.metadata.name} (Downloading: 5 %)`,
    },
    {
      it: 'waits for a network that it does not want to go',
      app: settledApp,
      facts: {
        existing: [
          ...all,
          aDocument('Network', 'hello.old', { app: 'hello', networkName: '1_old' }, { deleted: true }),
        ],
      },
      want: 'waiting: ChildrenNotReady',
      phase: 'Verifying',
      says: 'Waiting for Network/hello.old',
    },
    {
      it: 'keeps the lock for a standalone service while children are stuck',
      facts: { existing: with_({ Network: { status: stalled as never } }), needLock: ['extra'], locked: true },
      want: 'waiting: ChildrenNotReady',
      phase: 'Verifying',
    },
    {
      it: 'gives the lock back while all others wait for the one that is stuck',
      facts: {
        existing: with_({
          Network: { status: stalled as never },
          Service: { status: notReady('NetworkNotReady') as never },
        }),
        locked: true,
      },
      want: 'unlock (nothing goes on before somebody acts); waiting: ChildrenNotReady',
      phase: 'Verifying',
    },
    {
      it: 'gives the lock back while a container that cannot be made is tried again',
      facts: {
        existing: with_({
          Service: {
            status: { ...notReady('Retrying'), lastAction: { reason: 'Installing', because: 'x', at: 'y' } } as never,
          },
        }),
        locked: true,
      },
      want: 'unlock (nothing is stopped before the next attempt); waiting: ChildrenNotReady',
      phase: 'Verifying',
    },
    {
      it: 'keeps the lock while a container that cannot be stopped is tried again',
      facts: {
        existing: with_({
          Service: {
            status: { ...notReady('Retrying'), lastAction: { reason: 'Stopping', because: 'x', at: 'y' } } as never,
          },
        }),
        locked: true,
      },
      want: 'waiting: ChildrenNotReady',
      phase: 'Verifying',
    },
    {
      it: 'does not say what a child said of an older spec',
      facts: {
        existing: with_({ Service: { generation: 2, status: notReady('Starting') as never } }),
        locked: true,
      },
      want: 'waiting: ChildrenNotReady',
      phase: 'Verifying',
      says: 'Waiting for Service/hello.web',
    },
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
      facts: { existing: [...all.filter(({ kind }) => kind !== 'Network'), ...terminating('Network')], locked: true },
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
      it: 'keeps the lock for a standalone service',
      app: settledApp,
      facts: { existing: all, needLock: ['extra'], locked: true },
      want: 'waiting: ChildrenNotReady',
      phase: 'Verifying',
      says: 'Waiting for extra',
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
      it: 'writes down what it has promoted, before old images go',
      app: settledApp,
      facts: {
        existing: [...all, spareImage],
        content: { name: 'hello.2', documents: promoted },
        revisions: [aRevision('hello.1')],
        imageRetention: { ...NO_UNWANTED_IMAGES, expired: [spareImage.metadata.name] },
      },
      want: 'promote (all of it is declared); progressing: Promoting',
      phase: 'Promoting',
    },
    {
      it: 'remembers the first that it has promoted',
      app: settledApp,
      facts: { existing: all, content: { name: 'hello.1', documents: promoted } },
      want: 'remember (nothing says yet what runs); progressing: Settling',
      phase: 'Settled',
    },
    {
      it: 'writes down that nothing is left of what there was',
      app: settledApp,
      facts: { existing: all, content: { name: 'hello.2', documents: [] }, revisions: [aRevision('hello.1')] },
      want: 'promote (all of it is declared); progressing: Promoting',
      phase: 'Promoting',
    },
    {
      it: 'remembers it once',
      app: settledApp,
      facts: { existing: all, content: { name: 'hello.1', documents: promoted }, revisions: [aRevision('hello.1')] },
      want: 'settled',
      phase: 'Settled',
    },
    {
      it: 'removes its history last, before it gives the lock back',
      app: gone,
      facts: { revisions: [aRevision('hello.1')], locked: true },
      want: 'remove Revision (the app is gone, and its history with it); progressing: Removing',
      phase: 'Removing',
    },
    {
      it: 'keeps its history while anything is left',
      app: gone,
      facts: { existing: only('Image'), revisions: [aRevision('hello.1')], locked: true },
      want: 'remove Image (the app is deleted); progressing: Removing',
      phase: 'Removing',
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
      says: 'nothing',
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
      says: 'Service/hello.new belongs to somebody else: give the App or its service another name',
    },
    {
      it: 'names all names that are taken',
      facts: { existing: all, taken: ['Service/hello.new', 'Volume/hello.data'] },
      want: 'stalled: NameTaken',
      phase: 'Staging',
      says: 'Service/hello.new, Volume/hello.data belong to somebody else: give the App or its service another name',
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
      it: 'writes the reclaim policy into volumes that do not have it, before all',
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
      facts: {
        existing: [
          ...only('Image', 'Network'),
          ...terminating('Service'),
          ...service('db', { deleted: true, status: notReady('Stopping', '10 s') as never }),
        ],
        locked: true,
      },
      want: 'waiting: ChildrenNotReady',
      phase: 'Removing',
      says: 'Waiting for the removal of Service/hello.web; Service/hello.db (Stopping: 10 s)',
    },
    {
      it: 'removes a service that has come meanwhile along with those that go',
      app: gone,
      facts: { existing: [...terminating('Service'), ...service('db', {})], locked: true },
      want: 'remove Service (the app is deleted); progressing: Removing',
      phase: 'Removing',
    },
    {
      it: 'needs no lock to remove what nothing runs on',
      app: gone,
      facts: { existing: only('Image', 'Network') },
      want: 'remove Network (the app is deleted); progressing: Removing',
      phase: 'Removing',
    },
    {
      it: 'claims again when a terminating service needs the lock',
      app: gone,
      facts: { existing: terminating('Service'), needLock: ['web'] },
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
  for (const { it: does, app = anApp(), facts, want, phase, says } of cases) {
    it(does, () => {
      assert.equal(planText(() => plan(app, facts)).replace(/busybox-(?!12345678)[0-9a-f]{8}/, 'busybox-IMAGE'), want);
      assert.equal(plan(app, facts).phase, phase);
      if (says !== undefined) assert.equal(messageOf(plan(app, facts)), says);
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

  it('lists three names in full', () => {
    const missing = ['a', 'b', 'c'];
    assert.equal(messageOf(plan(anApp(), { existing: only('Image'), missing })), 'Waiting for images: a; b; c');
    const more = messageOf(plan(anApp(), { existing: only('Image'), missing: [...missing, 'd', 'e'] }));
    assert.equal(more, 'Waiting for images: a; b; c; and 2 more');
  });

  it('tells of a release that no engine makes right, also while there is no engine', () => {
    const facts = (issues: AppFacts['issues']) => ({ issues }) as AppFacts;
    assert.doesNotThrow(() => validateApp(anApp(), facts([])));
    assert.throws(() => validateApp(anApp(), facts([issue])), {
      reason: 'InvalidRelease',
      message: 'spec.services.web: wrong',
    });
  });

  it('names every issue of a bad release', () => {
    const { failure } = plan(anApp(), { issues: [issue, { path: 'spec.services.db', message: 'worse' }] });
    assert.equal(failure?.message, 'spec.services.web: wrong; spec.services.db: worse');
  });
});
