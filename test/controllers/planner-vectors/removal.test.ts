import { childrenOf } from '../../../controllers/app/release/children.js';
import { anApp } from '../../setup/documents.js';
import { app, butKind, DESIRED, ofKind, SPEC, service, settledChildren, testVectors } from './vocabulary.js';

/** Services that a release before had: `old`. */
const oldServices = childrenOf(anApp({ spec: { ...SPEC, services: { old: { image: 'a:1' } } } })).filter(
  ({ kind }) => kind === 'Service',
);

describe('the planner vectors: containers that have to go', () => {
  testVectors([
    {
      id: 'P26, service old',
      given: 'it is not in the target; lock',
      supervisor: 'kill old',
      plan: service({ wants: undefined }),
      want: 'stop+remove c1 under lock (deleted); waiting: Stopping',
    },
    {
      id: 'P26, the app',
      given: 'old is not in the target, and another target image is still missing',
      supervisor: 'fetch a (old stays until then)',
      plan: app({ existing: settledChildren([...DESIRED, ...oldServices]), missing: ['a:1'] }),
      want: 'waiting: ImagesNotReady',
    },
    {
      id: 'P27',
      given: 'two containers of service a; lock',
      supervisor: 'kill older a',
      plan: service({ containers: [{ id: 'c2' }, {}] }),
      want: 'stop+remove c1 under lock (older duplicate of web_1_1_a); waiting: Stopping',
    },
    {
      id: 'P28',
      given: 'container of a is dead; no lock',
      supervisor: 'remove a',
      plan: service({ containers: [{ state: 'dead' }], lockHeld: false }),
      want: 'remove c1 (dead); waiting: Stopping',
    },
  ]);
});

describe('the planner vectors: an app that has to go', () => {
  const document = anApp({ spec: SPEC, deleted: true, status: { release: SPEC.release } });
  testVectors([
    {
      id: 'P31, running',
      given: 'the app is not in the target; no lock',
      supervisor: 'takeLock a',
      plan: app({ document, existing: settledChildren() }),
      want: 'claim (the app is deleted); remove Service (the app is deleted); progressing: Removing',
    },
    {
      id: 'P31, lock',
      given: 'service a of an app that is not in the target',
      supervisor: 'kill a',
      plan: service({ wants: undefined }),
      want: 'stop+remove c1 under lock (deleted); waiting: Stopping',
    },
    {
      id: 'P31, no containers',
      given: 'the app is not in the target; lock',
      supervisor: 'removeNetwork default',
      plan: app({ document, existing: settledChildren(butKind('Service')), locked: true }),
      want: 'remove Network (the app is deleted); progressing: Removing',
    },
    {
      id: 'P31, no networks',
      given: 'the app is not in the target; lock',
      supervisor: 'removeVolume v',
      plan: app({ document, existing: settledChildren(ofKind('Volume')), locked: true }),
      want: 'remove Volume (the app is deleted); progressing: Removing',
    },
    {
      id: 'P31, empty',
      given: 'the app is not in the target; lock',
      supervisor: 'releaseLock',
      plan: app({ document, locked: true }),
      want: 'unlock (the app is gone); progressing: Unlocking',
    },
  ]);
});
