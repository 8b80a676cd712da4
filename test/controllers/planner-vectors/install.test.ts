import { BOOT } from '../../../controllers/engine/labels.js';
import { anApp, ready } from '../../setup/documents.js';
import { restarts } from '../service/service-states.js';
import {
  app,
  butKind,
  NEVER_STARTED,
  NO_CONTAINER,
  ONE_NETWORK_MISSING,
  ofKind,
  SPEC,
  service,
  settledChildren,
  testVectors,
} from './vocabulary.js';

describe('the planner vectors: from nothing to a release that runs', () => {
  testVectors([
    {
      id: 'P01',
      given: 'nothing on the device',
      supervisor: 'fetch a, b; createVolume v; createNetwork x, y, default',
      plan: app({ missing: ['a:1', 'b:1'] }),
      want: 'stage (images come first: Image/hello.a-IMAGE, Image/hello.b-IMAGE); progressing: Staging',
    },
    {
      id: 'P02, the app',
      given: 'both images; no networks or volumes',
      supervisor: 'createVolume v; createNetwork x, y, default',
      plan: app({ existing: settledChildren(ofKind('Image')) }),
      want: 'claim (a release is to be promoted); promote (Network/hello.default, Network/hello.x, Network/hello.y, and 3 more differ); progressing: Promoting',
    },
    {
      id: 'P02 and P03, service b',
      given: 'a network of it is missing (a hazard where only the secondary one is)',
      supervisor: 'createNetwork y (and, at P03, start b all the same)',
      plan: service({ wants: ONE_NETWORK_MISSING, containers: NO_CONTAINER }),
      want: 'waiting: NetworkNotReady (Waiting for network u_y: it does not exist yet)',
    },
    {
      id: 'P04',
      given: 'images, all networks and volumes; no lock',
      supervisor: 'takeLock a, b',
      plan: app({ existing: settledChildren(butKind('Service')) }),
      want: 'claim (a release is to be promoted); promote (Service/hello.a, Service/hello.b differ); progressing: Promoting',
    },
    {
      id: 'P05, service a',
      given: 'as P04; lock; b has not settled',
      supervisor: 'start b (nothing of a)',
      plan: service({ wants: { unsatisfied: ['b to be settled'] }, containers: NO_CONTAINER }),
      want: 'waiting: DependencyNotReady (Waiting for b to be settled)',
    },
    {
      id: 'P05, service b',
      given: 'as P04; lock',
      supervisor: 'start b',
      plan: service({ containers: NO_CONTAINER }),
      want: 'create+start web_1_1_a (there was none); progressing: Installing',
    },
    {
      id: 'P06',
      given: 'as P05; b created, never started',
      supervisor: 'start b',
      plan: service({ containers: [NEVER_STARTED] }),
      want: 'start c1 (it was made and not started yet); progressing: Starting',
    },
    {
      id: 'P07',
      given: 'as P05; b running',
      supervisor: 'start a',
      plan: service({ containers: NO_CONTAINER }),
      want: 'create+start web_1_1_a (there was none); progressing: Installing',
    },
    {
      id: 'P08',
      given: 'all running and equal; the stored release differs; lock',
      supervisor: 'updateCommit; releaseLock',
      plan: app({
        document: anApp({ spec: SPEC, status: { ...ready(), release: { commit: 'z', id: 9 } } }),
        existing: settledChildren(),
        locked: true,
      }),
      want: 'commit (release a); unlock (all children are as they are meant to be); progressing: Settling',
    },
  ]);
});

describe('the planner vectors: a container that does not run', () => {
  testVectors([
    {
      id: 'P09',
      given: 'a exited, target running',
      supervisor: 'nothing (here: kept true)',
      plan: service({ containers: [{ state: 'exited' }] }),
      want: 'start c1 (it had been stopped); progressing: Starting',
    },
    {
      id: 'P09, a one-shot',
      given: 'a exited, target running, restart: no',
      supervisor: 'nothing',
      plan: service({ wants: restarts('no'), containers: [{ state: 'exited' }] }),
      want: 'settled',
    },
    {
      id: 'P10',
      given: 'a exited with the userland-proxy address error',
      supervisor: 'start a',
      plan: service({ containers: [{ state: 'exited', error: 'cannot assign requested address' }] }),
      want: 'start c1 (it had been stopped); progressing: Starting',
    },
    {
      id: 'P29, running',
      given: 'a has running: false; lock',
      supervisor: 'stop a',
      plan: service({ wants: { running: false } }),
      want: 'stop c1 under lock (running: false); waiting: Stopping',
    },
    {
      id: 'P29, no container',
      given: 'a has running: false; lock',
      supervisor: 'start a (creates only)',
      plan: service({ wants: { running: false }, containers: NO_CONTAINER }),
      want: 'create web_1_1_a (there was none); progressing: Installing',
    },
    {
      id: 'P29, created',
      given: 'a has running: false; no lock',
      supervisor: '(none)',
      plan: service({ wants: { running: false }, containers: [NEVER_STARTED], lockHeld: false }),
      want: 'settled',
    },
    {
      id: 'P30, no container',
      given: 'a needs a reboot',
      supervisor: '(creates only)',
      plan: service({ wants: { boot: 'now' }, containers: NO_CONTAINER }),
      want: 'create web_1_1_a (there was none); progressing: Installing',
    },
    {
      id: 'P30, created in this boot',
      given: 'a needs a reboot',
      supervisor: 'requireReboot',
      plan: service({ wants: { boot: 'now' }, containers: [{ ...NEVER_STARTED, labels: { [BOOT]: 'now' } }] }),
      want: 'waiting: RebootRequired (Container web_1_1_a is made, and is started with the next boot of the device)',
    },
    {
      id: 'P30, after the reboot',
      given: 'a needs a reboot',
      supervisor: 'start a',
      plan: service({ wants: { boot: 'now' }, containers: [{ ...NEVER_STARTED, labels: { [BOOT]: 'before' } }] }),
      want: 'start c1 (it was made and not started yet); progressing: Starting',
    },
  ]);
});

describe('the planner vectors: services that depend on others', () => {
  testVectors([
    {
      id: 'P23',
      given: 'p and q depend on each other',
      supervisor: 'nothing, for ever (here: the release is refused)',
      plan: app({
        existing: settledChildren(),
        issues: [{ path: 'spec.services.p.depends_on', message: 'services wait for each other: p → q → p' }],
      }),
      want: 'stalled: InvalidRelease',
    },
    {
      id: 'P24',
      given: 'p depends on an unknown name; lock',
      supervisor: 'start p',
      plan: service({ containers: NO_CONTAINER }),
      want: 'create+start web_1_1_a (there was none); progressing: Installing',
    },
    {
      id: 'P25',
      given: "n shares m's network, m was recreated; lock",
      supervisor: 'kill n',
      plan: service({
        wants: {
          networks: [],
          shares: [{ namespace: 'network', service: 'm', container: { id: 'm2', state: 'running' } }],
        },
        containers: [{ networkMode: 'container:m1', networks: {} }],
      }),
      // The new container comes first, so that what the engine refuses kills nothing.
      want: 'create h1_web_1_1_a ahead (container of m was replaced); stop+remove c1 under lock (container of m was replaced); waiting: Stopping',
    },
  ]);
});
