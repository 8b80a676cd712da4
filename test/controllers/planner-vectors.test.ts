import assert from 'node:assert/strict';
import { NO_COMMANDS } from '../../controllers/app/commands/commands.js';
import { NO_ROOM_NEEDED, type Room } from '../../controllers/app/images/make-room.js';
import { NO_SPARE } from '../../controllers/app/images/spare-images.js';
import { type AppFacts, planApp } from '../../controllers/app/plan.js';
import { childrenOf } from '../../controllers/app/release/children.js';
import type { SeenContainer } from '../../controllers/engine/engine.js';
import { BOOT, IMAGE } from '../../controllers/engine/labels.js';
import type { Situation, Wanted } from '../../controllers/service/situation.js';
import type { AnyResource } from '../../crds/model/kinds.js';
import type { UpdateStrategy } from '../../crds/model/update-strategy.js';
import { aDocument, anApp, ready } from '../setup/documents.js';
import { planText } from '../setup/plan-text.js';
import { network, restarts, serviceLine } from './service/situations.js';

/**
 * The planner vectors (docs/reference/composition.md §10.3) in our steps. The Supervisor has one planner; here an App
 * and its Services each decide for themselves, so a vector is a line of the App or lines of Services, and a wait is
 * what the Supervisor calls `noop`. Order inside a batch means nothing there; here each line is one document.
 */
interface Vector {
  readonly id: string;
  readonly given: string;
  readonly supervisor: string;
  readonly lines: readonly (() => string)[];
  readonly want: readonly string[];
}

const spec = {
  appId: 1,
  release: { commit: 'a', id: 1 },
  services: { a: { image: 'a:1', depends_on: ['b'] }, b: { image: 'b:1' } },
  networks: { x: {}, y: {} },
  volumes: { v: {} },
};
const app = anApp({ spec, status: { ...ready(), release: spec.release, phase: 'Settled' } });
const desired = childrenOf(app);
const stored = (which = desired, status: object = ready()): AnyResource[] =>
  which.map(
    (one) =>
      aDocument(one.kind, one.metadata.name, one.spec, {
        origin: 'App/hello',
        owner: 'App/hello',
        status: status as never,
      }) as AnyResource,
  );
const images = desired.filter(({ kind }) => kind === 'Image');
const differing = stored().map((one) =>
  one.kind === 'Service' ? ({ ...one, spec: { ...one.spec, release: { commit: 'z', id: 9 } } } as AnyResource) : one,
);

const appLine =
  (facts: Partial<AppFacts>, document = app) =>
  (): string =>
    `App: ${planText(() =>
      planApp(document, {
        existing: [],
        desired,
        issues: [],
        taken: [],
        missing: [],
        room: NO_ROOM_NEEDED,
        spare: NO_SPARE,
        leftOut: [],
        unmet: [],
        needLock: [],
        locked: false,
        unswept: false,
        asked: NO_COMMANDS,
        ...facts,
      }),
    )}`;

/** A service: what it wants, what there is of it (newest first). */
const line =
  (
    name: string,
    wanted: Partial<Wanted> | undefined,
    seen: readonly Partial<SeenContainer>[] = [{}],
    more: Partial<Situation> = {},
  ) =>
  (): string =>
    `${name}: ${serviceLine(wanted, seen, wanted === undefined ? { ...more, wanted: undefined } : more)}`;

const none: readonly Partial<SeenContainer>[] = [];
const unlocked: Partial<Situation> = { lockHeld: false };
const missing: Partial<Wanted> = { image: undefined, reference: 'web:2' };
const changed: Partial<Wanted> = { image: { id: 'sha256:2', specHash: 'h2' } };
const by = (strategy: UpdateStrategy): Partial<Wanted> => ({ course: { strategy, timeoutMs: 60_000 } });
const renamed: Partial<Wanted> = { containerName: 'web_1_2_b' };
const afterB: Partial<Wanted> = { unmet: ['b to be settled'] };
const noNetwork: Partial<Wanted> = { networks: [network('u_y', undefined, 'it does not exist yet')] };
const anew = (name: string): Partial<Situation> => ({ closing: new Map([[name, 'made anew']]) });
const early = (more: Partial<Room['early'][number]>): Room => ({
  early: [{ document: 'hello.b', image: 'b:1', strategy: 'kill-then-download', stands: true, told: false, ...more }],
  held: new Set(['b:1']),
  spent: [],
  others: false,
});
const created = { state: 'created', startedAt: undefined } as const;
const deleted = anApp({ spec, deleted: true, status: { release: spec.release } });

describe('the planner vectors of the Supervisor', () => {
  const vectors: readonly Vector[] = [
    {
      id: 'P01',
      given: 'nothing on the device',
      supervisor: 'fetch a, b; createVolume v; createNetwork x, y, default',
      lines: [appLine({ missing: ['a:1', 'b:1'] })],
      want: ['App: stage (images come first: Image/hello.a-IMAGE, Image/hello.b-IMAGE); progressing: Staging'],
    },
    {
      id: 'P02',
      given: 'both images; no networks or volumes',
      supervisor: 'createVolume v; createNetwork x, y, default',
      lines: [appLine({ existing: stored(images) }), line('b', noNetwork, none)],
      want: [
        'App: claim (a release is to be promoted); promote (Network/hello.default, Network/hello.x, Network/hello.y, and 3 more differ); progressing: Promoting',
        'b: waiting: NetworkNotReady (Waiting for network u_y: it does not exist yet)',
      ],
    },
    {
      id: 'P03',
      given: 'images; networks default, x; volume v; lock (secondary network missing: hazard)',
      supervisor: 'start b; createNetwork y',
      lines: [line('b', noNetwork, none)],
      want: ['b: waiting: NetworkNotReady (Waiting for network u_y: it does not exist yet)'],
    },
    {
      id: 'P04',
      given: 'images, all networks and volumes; no lock',
      supervisor: 'takeLock a, b',
      lines: [appLine({ existing: stored(desired.filter(({ kind }) => kind !== 'Service')) })],
      want: [
        'App: claim (a release is to be promoted); promote (Service/hello.a, Service/hello.b differ); progressing: Promoting',
      ],
    },
    {
      id: 'P05',
      given: 'as P04; lock',
      supervisor: 'start b',
      lines: [line('a', afterB, none), line('b', {}, none)],
      want: [
        'a: waiting: DependencyNotReady (Waiting for b to be settled)',
        'b: create+start web_1_1_a (there was none); progressing: Installing',
      ],
    },
    {
      id: 'P06',
      given: 'as P05; b created, never started',
      supervisor: 'start b',
      lines: [line('b', {}, [created])],
      want: ['b: start c1 (it was made and not started yet); progressing: Starting'],
    },
    {
      id: 'P07',
      given: 'as P05; b running',
      supervisor: 'start a',
      lines: [line('a', {}, none)],
      want: ['a: create+start web_1_1_a (there was none); progressing: Installing'],
    },
    {
      id: 'P08',
      given: 'all running and equal; stored release differs; lock',
      supervisor: 'updateCommit; releaseLock',
      lines: [
        appLine(
          { existing: stored(), locked: true },
          anApp({ spec, status: { ...ready(), release: { commit: 'z', id: 9 } } }),
        ),
      ],
      want: ['App: commit (release a); unlock (all children are as they are meant to be); progressing: Settling'],
    },
    {
      id: 'P09',
      given: 'a exited, target running',
      supervisor: 'nothing (here: kept true)',
      lines: [line('a', {}, [{ state: 'exited' }])],
      want: ['a: start c1 (it had been stopped); progressing: Starting'],
    },
    {
      id: 'P10',
      given: 'a exited with the userland-proxy address error',
      supervisor: 'start a',
      lines: [line('a', {}, [{ state: 'exited', error: 'cannot assign requested address' }])],
      want: ['a: start c1 (it had been stopped); progressing: Starting'],
    },
    {
      id: 'P11',
      given: 'new commit, equal config, images; no lock',
      supervisor: 'takeLock a, b',
      lines: [appLine({ existing: differing }), line('a', renamed, [{}], unlocked)],
      want: [
        'App: claim (a release is to be promoted); promote (Service/hello.a, Service/hello.b differ); progressing: Promoting',
        'a: waiting: NeedsLock (Needs the update lock of the app to rename the container: name changed from web_1_1_a)',
      ],
    },
    {
      id: 'P12',
      given: 'as P11; lock; a had exited for good',
      supervisor: 'updateMetadata a, b',
      lines: [line('a', { ...renamed, ...restarts('no') }, [{ state: 'exited' }]), line('b', renamed)],
      want: [
        'a: rename c1 to web_1_2_b (name changed from web_1_1_a); progressing: Renaming',
        'b: rename c1 to web_1_2_b (name changed from web_1_1_a); progressing: Renaming',
      ],
    },
    {
      id: 'P13',
      given: 'new commit, b has a new image that is not local',
      supervisor: 'fetch b',
      lines: [
        appLine({
          existing: differing.filter(({ metadata }) => !metadata.name.startsWith('hello.b-')),
          missing: ['b:1'],
        }),
        line('b', missing),
      ],
      want: [
        'App: stage (images come first: Image/hello.b-IMAGE); progressing: Staging',
        'b: waiting: ImageMissing (Waiting for image web:2 to be local)',
      ],
    },
    {
      id: 'P14',
      given: 'as P13, image local; lock',
      supervisor: 'updateMetadata a; kill b',
      lines: [line('a', renamed), line('b', changed)],
      want: [
        'a: rename c1 to web_1_2_b (name changed from web_1_1_a); progressing: Renaming',
        'b: stop+remove c1 under lock (image changed); waiting: Stopping',
      ],
    },
    {
      id: 'P15',
      given: "new commit, network x internal now, b's new image missing; lock",
      supervisor: 'fetch b',
      lines: [appLine({ existing: differing, missing: ['b:1'], locked: true })],
      want: ['App: unlock (nothing stops while images download); waiting: ImagesNotReady'],
    },
    {
      id: 'P16',
      given: 'new commit, network x internal now, images local; lock',
      supervisor: 'updateMetadata a; kill b',
      lines: [line('a', renamed), line('b', {}, [{}], anew('u_default'))],
      want: [
        'a: rename c1 to web_1_2_b (name changed from web_1_1_a); progressing: Renaming',
        'b: stop+remove c1 under lock (network u_default is made anew); waiting: Stopping',
      ],
    },
    {
      id: 'P17, P18',
      given: 'P16 after b is gone: x is removed, then created (the Network does both)',
      supervisor: 'removeNetwork x; createNetwork x',
      lines: [line('b', { networks: [network('u_x', 'n1', 'it is being made anew')] }, none)],
      want: ['b: waiting: NetworkNotReady (Waiting for network u_x: it is being made anew)'],
    },
    {
      id: 'P19',
      given: 'volume v gets a label; lock; then without containers',
      supervisor: 'kill b; removeVolume v (here: DataLossRefused, nobody stops)',
      lines: [line('b', { volumes: [{ name: '1_v', trouble: undefined }] })],
      want: ['b: settled'],
    },
    {
      id: 'P20',
      given: 'volume no longer declared',
      supervisor: 'nothing',
      lines: [appLine({ existing: stored() })],
      want: ['App: settled'],
    },
    {
      id: 'P21',
      given: 'hand-over service, new image missing | local, no lock | local, its network changed, lock',
      supervisor: 'fetch h | handover h | kill h',
      lines: [
        line('h', { ...missing, ...by('hand-over') }),
        line('h', { ...changed, ...by('hand-over') }, [{}], unlocked),
        line('h', { ...changed, ...by('hand-over') }, [{}], anew('u_default')),
      ],
      want: [
        'h: waiting: ImageMissing (Waiting for image web:2 to be local)',
        'h: create+start h2_web_1_1_a beside, hand-over (image changed); progressing: Installing',
        'h: stop+remove c1 under lock (network u_default is made anew); waiting: Stopping',
      ],
    },
    {
      id: 'P22',
      given: 'kill- or delete-then-download, new image missing: no lock | lock | container gone',
      supervisor: 'takeLock k | kill k | fetch k',
      lines: [
        appLine({ existing: differing, missing: ['b:1'], room: early({}) }),
        line('k', { ...missing, ...by('kill-then-download') }, [{ labels: { [IMAGE]: 'web:1' } }]),
        appLine({ existing: differing, missing: ['b:1'], locked: true, room: early({ told: true }) }),
        appLine({
          existing: differing.filter(({ metadata }) => !metadata.name.startsWith('hello.b-')),
          missing: ['b:1'],
          locked: true,
          room: { ...early({ told: true, stands: false }), held: new Set() },
        }),
      ],
      want: [
        'App: claim (kill-then-download of b:1); advance (kill-then-download of b:1); progressing: MakingRoom',
        'k: stop+remove c1 under lock, kill-then-download (kill-then-download: image web:2 is to be downloaded); waiting: Stopping',
        'App: waiting: MakingRoom',
        'App: stage (images come first: Image/hello.b-IMAGE); progressing: Staging',
      ],
    },
    {
      id: 'P23',
      given: 'p and q depend on each other',
      supervisor: 'nothing, for ever (here: the release is refused)',
      lines: [
        appLine({
          existing: stored(),
          issues: [{ path: 'spec.services.p.depends_on', message: 'services wait for each other: p → q → p' }],
        }),
      ],
      want: ['App: stalled: InvalidRelease'],
    },
    {
      id: 'P24',
      given: 'p depends on an unknown name; lock',
      supervisor: 'start p',
      lines: [line('p', {}, none)],
      want: ['p: create+start web_1_1_a (there was none); progressing: Installing'],
    },
    {
      id: 'P25',
      given: "n shares m's network, m was recreated; lock",
      supervisor: 'kill n',
      lines: [
        line(
          'n',
          { networks: [], shares: [{ namespace: 'network', service: 'm', container: { id: 'm2', state: 'running' } }] },
          [{ networkMode: 'container:m1', networks: {} }],
        ),
      ],
      want: ['n: stop+remove c1 under lock (container of m was replaced); waiting: Stopping'],
    },
    {
      id: 'P26',
      given: 'service old not in target; lock | another target image still missing',
      supervisor: 'kill old | fetch a',
      lines: [
        line('old', undefined),
        appLine({
          existing: stored([
            ...desired,
            ...childrenOf(anApp({ spec: { ...spec, services: { old: { image: 'a:1' } } } })).filter(
              ({ kind }) => kind === 'Service',
            ),
          ]),
          missing: ['a:1'],
        }),
      ],
      want: ['old: stop+remove c1 under lock (deleted); waiting: Stopping', 'App: waiting: ImagesNotReady'],
    },
    {
      id: 'P27',
      given: 'two containers of service a; lock',
      supervisor: 'kill older a',
      lines: [line('a', {}, [{ id: 'c2' }, {}])],
      want: ['a: stop+remove c1 under lock (older duplicate of web_1_1_a); waiting: Stopping'],
    },
    {
      id: 'P28',
      given: 'container of a is dead',
      supervisor: 'remove a',
      lines: [line('a', {}, [{ state: 'dead' }], unlocked)],
      want: ['a: remove c1 (dead); waiting: Stopping'],
    },
    {
      id: 'P29',
      given: 'a has running:false: running + lock | no container + lock | created, no lock',
      supervisor: 'stop a | start a (creates only) | (none)',
      lines: [
        line('a', { running: false }),
        line('a', { running: false }, none),
        line('a', { running: false }, [created], unlocked),
      ],
      want: [
        'a: stop c1 under lock (running: false); waiting: Stopping',
        'a: create web_1_1_a (there was none); progressing: Installing',
        'a: settled',
      ],
    },
    {
      id: 'P30',
      given: 'a needs a reboot: nothing made yet | created in this boot | after the reboot',
      supervisor: '(creates only) | requireReboot | start a',
      lines: [
        line('a', { boot: 'now' }, none),
        line('a', { boot: 'now' }, [{ ...created, labels: { [BOOT]: 'now' } }]),
        line('a', { boot: 'now' }, [{ ...created, labels: { [BOOT]: 'before' } }]),
      ],
      want: [
        'a: create web_1_1_a (there was none); progressing: Installing',
        'a: waiting: RebootRequired (Container web_1_1_a is made, and is started with the next boot of the device)',
        'a: start c1 (it was made and not started yet); progressing: Starting',
      ],
    },
    {
      id: 'P31',
      given: 'app not in target: running | lock | no containers | no networks | empty',
      supervisor: 'takeLock a | kill a | removeNetwork default | removeVolume v | releaseLock',
      lines: [
        appLine({ existing: stored() }, deleted),
        line('a', undefined),
        appLine({ existing: stored(desired.filter(({ kind }) => kind !== 'Service')), locked: true }, deleted),
        appLine({ existing: stored(desired.filter(({ kind }) => kind === 'Volume')), locked: true }, deleted),
        appLine({ locked: true }, deleted),
      ],
      want: [
        'App: claim (the app is deleted); remove Service (the app is deleted); progressing: Removing',
        'a: stop+remove c1 under lock (deleted); waiting: Stopping',
        'App: remove Network (the app is deleted); progressing: Removing',
        'App: remove Volume (the app is deleted); progressing: Removing',
        'App: unlock (the app is gone); progressing: Unlocking',
      ],
    },
  ];

  for (const { id, given, supervisor, lines, want } of vectors) {
    it(`${id}: ${given} → ${supervisor}`, () => {
      const text = lines.map((one) => one().replace(/(Image\/hello\.\w+)-[0-9a-f]{8}/g, '$1-IMAGE'));
      assert.deepEqual(text, want);
    });
  }
});
