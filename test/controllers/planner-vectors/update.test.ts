import type { DiskPressure } from '../../../controllers/app/images/disk-pressure.js';
import { IMAGE } from '../../../controllers/engine/labels.js';
import type { DesiredContainer } from '../../../controllers/service/service-state.js';
import type { UpdateStrategy } from '../../../crds/model/update-strategy.js';
import { network, restarts } from '../service/service-states.js';
import {
  app,
  IMAGE_MISSING,
  NO_CONTAINER,
  OTHER_IMAGE,
  OTHER_NAME,
  recreatedNetwork,
  releaseBefore,
  service,
  settledChildren,
  testVectors,
} from './vocabulary.js';

/** All of the release before but the Image of `b`. */
const withoutImageOfB = () => releaseBefore().filter(({ metadata }) => !metadata.name.startsWith('hello.b-'));

describe('the planner vectors: a new release', () => {
  testVectors([
    {
      id: 'P11, the app',
      given: 'new commit, equal config, images; no lock',
      supervisor: 'takeLock a, b',
      plan: app({ existing: releaseBefore() }),
      want: 'claim (a release is to be promoted); promote (Service/hello.a, Service/hello.b differ); progressing: Promoting',
    },
    {
      id: 'P11, service a',
      given: 'new commit, equal config; no lock',
      supervisor: 'takeLock a, b',
      plan: service({ wants: OTHER_NAME, lockHeld: false }),
      want: 'waiting: NeedsLock (Needs the update lock of the app to rename the container: name changed from web_1_1_a)',
    },
    {
      id: 'P12, service a',
      given: 'as P11; lock; a had exited for good',
      supervisor: 'updateMetadata a',
      plan: service({ wants: { ...OTHER_NAME, ...restarts('no') }, containers: [{ state: 'exited' }] }),
      want: 'rename c1 to web_1_2_b (name changed from web_1_1_a); progressing: Renaming',
    },
    {
      id: 'P12 to P16, the service that is equal',
      given: 'new commit, equal config; lock',
      supervisor: 'updateMetadata',
      plan: service({ wants: OTHER_NAME }),
      want: 'rename c1 to web_1_2_b (name changed from web_1_1_a); progressing: Renaming',
    },
    {
      id: 'P13, the app',
      given: 'new commit, b has a new image that is not local',
      supervisor: 'fetch b',
      plan: app({ existing: withoutImageOfB(), missing: ['b:1'] }),
      want: 'stage (images come first: Image/hello.b-IMAGE); progressing: Staging',
    },
    {
      id: 'P13, service b',
      given: 'new commit, b has a new image that is not local',
      supervisor: 'fetch b (nothing stops)',
      plan: service({ wants: IMAGE_MISSING }),
      want: 'waiting: ImageMissing (Waiting for image web:2 to be local)',
    },
    {
      id: 'P14, service b',
      given: 'as P13, image local; lock',
      supervisor: 'kill b',
      plan: service({ wants: OTHER_IMAGE }),
      // The new container comes first, so that what the engine refuses kills nothing.
      want: 'create h2_web_1_1_a ahead (image changed); stop+remove c1 under lock (image changed); waiting: Stopping',
    },
    {
      id: 'P15',
      given: "new commit, network x internal now, b's new image missing; lock",
      supervisor: 'fetch b',
      plan: app({ existing: releaseBefore(), missing: ['b:1'], locked: true }),
      want: 'unlock (nothing stops while images download); waiting: ImagesNotReady',
    },
  ]);
});

describe('the planner vectors: networks and volumes that change', () => {
  testVectors([
    {
      id: 'P16, service b',
      given: 'new commit, network x internal now, images local; lock',
      supervisor: 'kill b',
      plan: service(recreatedNetwork('u_default')),
      want: 'stop+remove c1 under lock (network u_default is recreated); waiting: Stopping',
    },
    {
      id: 'P17 and P18, service b',
      given: 'b is gone; network x is removed, then created (the Network does both)',
      supervisor: 'removeNetwork x; createNetwork x',
      plan: service({
        wants: { networks: [network('u_x', 'n1', 'it is being recreated')] },
        containers: NO_CONTAINER,
      }),
      want: 'waiting: NetworkNotReady (Waiting for network u_x: it is being recreated)',
    },
    {
      id: 'P19, service b',
      given: 'volume v gets a label; lock',
      supervisor: 'kill b; removeVolume v (here: the Volume says DataLossRefused, and nobody stops)',
      plan: service({ wants: { volumes: [{ name: '1_v', notReady: undefined }] } }),
      want: 'settled',
    },
    {
      id: 'P20',
      given: 'a volume is no longer declared',
      supervisor: 'nothing',
      plan: app({ existing: settledChildren() }),
      want: 'settled',
    },
  ]);
});

describe('the planner vectors: update strategies', () => {
  const by = (strategy: UpdateStrategy): Partial<DesiredContainer> => ({
    updatePolicy: { strategy, timeoutMs: 60_000 },
  });
  /** `b` stops before its image is downloaded: its old container runs, and its document does not say so yet. */
  const makesRoom = (more: Partial<DiskPressure['earlyStops'][number]> = {}): DiskPressure => ({
    earlyStops: [
      {
        document: 'hello.b',
        image: 'b:1',
        strategy: 'kill-then-download',
        hasOldContainer: true,
        specApplied: false,
        ...more,
      },
    ],
    heldBack: new Set(more.hasOldContainer === false ? [] : ['b:1']),
    oldImages: [],
    othersMissing: false,
  });

  testVectors([
    {
      id: 'P21, image missing',
      given: 'hand-over service h, new image not local',
      supervisor: 'fetch h',
      plan: service({ wants: { ...IMAGE_MISSING, ...by('hand-over') } }),
      want: 'waiting: ImageMissing (Waiting for image web:2 to be local)',
    },
    {
      id: 'P21, image local',
      given: 'hand-over service h; no lock',
      supervisor: 'handover h',
      plan: service({ wants: { ...OTHER_IMAGE, ...by('hand-over') }, lockHeld: false }),
      want: 'create+start h2_web_1_1_a surge, hand-over (image changed); progressing: Installing',
    },
    {
      id: 'P21, network changed',
      given: 'hand-over service h; lock',
      supervisor: 'kill h',
      plan: service({ wants: { ...OTHER_IMAGE, ...by('hand-over') }, ...recreatedNetwork('u_default') }),
      want: 'stop+remove c1 under lock (network u_default is recreated); waiting: Stopping',
    },
    {
      id: 'P22, no lock',
      given: 'kill- or delete-then-download, new image missing',
      supervisor: 'takeLock k',
      plan: app({ existing: releaseBefore(), missing: ['b:1'], diskPressure: makesRoom() }),
      want: 'claim (kill-then-download of b:1); advance (kill-then-download of b:1); progressing: MakingRoom',
    },
    {
      id: 'P22, lock, service k',
      given: 'kill- or delete-then-download, new image missing',
      supervisor: 'kill k',
      plan: service({
        wants: { ...IMAGE_MISSING, ...by('kill-then-download') },
        containers: [{ labels: { [IMAGE]: 'web:1' } }],
      }),
      want: 'stop+remove c1 under lock, kill-then-download (kill-then-download: image web:2 is to be downloaded); waiting: Stopping',
    },
    {
      id: 'P22, lock, the app',
      given: 'kill- or delete-then-download, new image missing',
      supervisor: 'kill k (the app waits)',
      plan: app({
        existing: releaseBefore(),
        missing: ['b:1'],
        locked: true,
        diskPressure: makesRoom({ specApplied: true }),
      }),
      want: 'waiting: MakingRoom',
    },
    {
      id: 'P22, container gone',
      given: 'kill- or delete-then-download, new image missing',
      supervisor: 'fetch k',
      plan: app({
        existing: withoutImageOfB(),
        missing: ['b:1'],
        locked: true,
        diskPressure: makesRoom({ specApplied: true, hasOldContainer: false }),
      }),
      want: 'stage (images come first: Image/hello.b-IMAGE); progressing: Staging',
    },
  ]);
});
