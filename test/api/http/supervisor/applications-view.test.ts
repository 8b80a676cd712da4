import assert from 'node:assert/strict';
import { appTree } from '../../../../api/http/supervisor/app-tree.js';
import { applicationState, applicationsState } from '../../../../api/http/supervisor/applications-view.js';
import type { Condition } from '../../../../crds/model/conditions.js';
import type { App, Image, Kinds, Service } from '../../../../crds/model/kinds.js';
import { aDocument } from '../a-server.js';

const SEEN = { observedGeneration: 1 };

const anApp = (spec: Kinds['App']['spec'] = {}, status: Kinds['App']['status'] = SEEN): App =>
  aDocument(
    'App',
    'fleetone',
    {
      appId: 1,
      uuid: 'aaaa',
      release: { commit: 'c1', id: 11 },
      services: { main: { image: 'registry/a', imageId: 5, serviceId: 6 } },
      ...spec,
    },
    status,
  );

const aService = (status: Kinds['Service']['status'], spec: Partial<Kinds['Service']['spec']> = {}): Service =>
  aDocument(
    'Service',
    'fleetone.main',
    {
      app: 'fleetone',
      serviceName: 'main',
      image: 'registry/a:latest',
      imageId: 5,
      serviceId: 6,
      release: { commit: 'c1', id: 11 },
      ...spec,
    },
    { ...SEEN, ...status },
    { owner: 'App/fleetone', origin: 'App/fleetone' },
  );

const running = (state = 'running', commit = 'c1', imageId = 5, releaseId = 11): Kinds['Service']['status'] => ({
  state,
  container: {
    id: 'f00',
    name: 'main',
    createdAt: '2026-01-02T03:04:05.678Z',
    image: 'sha256:1',
    imageId,
    releaseId,
    commit,
  },
});

const anImage = (status?: Kinds['Image']['status']): Image =>
  aDocument('Image', 'fleetone.a-1', { app: 'fleetone', image: 'registry/a:latest', services: ['main'] }, status);

/** The entry of the only service as `status progress; updateStatus`. */
function overview(app: App, services: readonly Service[], images: readonly Image[]): string {
  const state = JSON.parse(JSON.stringify(applicationsState([appTree(app, services, images)])));
  const { updateStatus, services: shown } = state.fleetone;
  const { status, downloadProgress } = shown.main ?? {};
  return `${status} ${downloadProgress}; ${updateStatus}`;
}

describe('applicationsState', () => {
  const cases: readonly { it: string; service?: Service; image?: Image; want: string }[] = [
    { it: 'a release that nothing was done about', want: 'Downloading 0; downloading' },
    { it: 'an image that is not yet seen', image: anImage(), want: 'Downloading 0; downloading' },
    {
      it: 'a download',
      image: anImage({ state: 'Downloading', downloadProgress: 35 }),
      want: 'Downloading 35; downloading',
    },
    { it: 'a downloaded image', image: anImage({ state: 'Downloaded' }), want: 'Downloaded null; downloaded' },
    {
      it: 'a service that runs',
      service: aService(running()),
      image: anImage({ state: 'Downloaded' }),
      want: 'Running null; done',
    },
    { it: 'a created container', service: aService(running('created')), want: 'Installed null; applying changes' },
    { it: 'a dead one', service: aService(running('dead')), want: 'Dead null; done' },
    { it: 'an exited one, in the engine’s word', service: aService(running('exited')), want: 'exited null; done' },
    { it: 'a paused one', service: aService(running('paused')), want: 'paused null; done' },
    {
      it: 'a step without a container',
      service: aService({ state: 'Installing' }),
      want: 'Installing null; applying changes',
    },
    { it: 'a step with a container', service: aService(running('Starting')), want: 'Starting null; done' },
    {
      it: 'the old release runs while the new one downloads',
      service: aService(running('running', 'c0'), { release: { commit: 'c0', id: 10 } }),
      image: anImage({ state: 'Downloading', downloadProgress: 80 }),
      want: 'Downloading 80; downloading',
    },
    {
      it: 'the old container runs although the new release is promoted',
      service: aService(running('running', 'c0')),
      image: anImage({ state: 'Downloaded' }),
      want: 'Downloaded null; downloaded',
    },
  ];
  for (const { it: what, service, image, want } of cases) {
    it(`shows ${what}`, () => assert.equal(overview(anApp(), service ? [service] : [], image ? [image] : []), want));
  }

  it('has exactly the keys of the Supervisor, in its order', () => {
    const tree = appTree(anApp(), [aService(running())], [anImage({ state: 'Downloaded' })]);
    assert.equal(
      JSON.stringify(applicationsState([tree])),
      '{"fleetone":{"appId":1,"appUuid":"aaaa","commit":"c1","updateStatus":"done","services":{"main":{"status":"Running","image":"registry/a:latest","downloadProgress":null,"releaseId":11}}}}',
    );
  });

  it('shows an app without a release', () => {
    const tree = appTree(anApp({ name: 'norelease', release: null }), [], []);
    assert.equal(
      JSON.stringify(applicationsState([tree])),
      '{"norelease":{"appId":1,"appUuid":"aaaa","commit":null,"updateStatus":"done","services":{}}}',
    );
  });

  it('shows no services of a rejected release', () => {
    const stalled: Condition = {
      type: 'Stalled',
      status: 'True',
      reason: 'ContractUnmet',
      message: '',
      lastTransitionTime: '2026-01-02T03:04:05Z',
      observedGeneration: 1,
    };
    const tree = appTree(anApp({}, { observedGeneration: 1, conditions: [stalled] }), [aService(running())], []);
    assert.match(JSON.stringify(applicationsState([tree])), /"updateStatus":"rejected","services":{}/);
  });

  describe('of a target that no pass has seen', () => {
    const next = (app: App): App => ({ ...app, metadata: { ...app.metadata, generation: 2 } });
    const rejection: Condition = {
      type: 'Stalled',
      status: 'True',
      reason: 'ContractUnmet',
      message: '',
      lastTransitionTime: '2026-01-02T03:04:05Z',
      observedGeneration: 1,
    };
    const one = aService(running());
    const unseen: readonly [it: string, app: App, service: Service][] = [
      ['new', anApp({}, {}), one],
      ['posted over one that runs', next(anApp()), one],
      ['posted over a rejected one', next(anApp({}, { ...SEEN, conditions: [rejection] })), one],
      [
        'of which the service has not been looked at',
        anApp(),
        { ...one, metadata: { ...one.metadata, generation: 2 } },
      ],
      ['of which nothing has been rolled out', anApp({}, { ...SEEN, phase: 'Promoting' }), one],
    ];
    for (const [what, app, service] of unseen) {
      it(`does not say that it is done: ${what}`, () =>
        assert.equal(overview(app, [service], [anImage({ state: 'Downloaded' })]), 'Running null; applying changes'));
    }

    it('shows a service that only the one before left out', () => {
      const left = anApp({}, { ...SEEN, leftOut: ['main'] });
      assert.equal(overview(left, [], []), 'undefined undefined; done');
      assert.equal(overview(next(left), [], []), 'Downloading 0; downloading');
    });

    it('goes by what runs once nothing more will be done about it', () => {
      const invalid = { ...rejection, reason: 'InvalidRelease' };
      const app = anApp({}, { ...SEEN, phase: 'Staging', conditions: [invalid] });
      assert.equal(overview(app, [one], [anImage({ state: 'Downloaded' })]), 'Running null; done');
    });
  });

  it('leaves out an app that is being deleted', () => {
    const { metadata, ...rest } = anApp();
    const deleted = { ...rest, metadata: { ...metadata, deletionTimestamp: '2026-01-02T03:04:05Z' } };
    assert.deepEqual(applicationsState([appTree(deleted, [], [])]), {});
  });

  it('shows a standalone service of the app', () => {
    const byHand = aDocument(
      'Service',
      'extra',
      { app: 'fleetone', serviceName: 'extra', image: 'b' },
      { state: 'running' },
    );
    assert.match(
      JSON.stringify(applicationsState([appTree(anApp(), [byHand], [])])),
      /"extra":{"status":"Running","image":"b:latest"/,
    );
  });
});

describe('applicationState', () => {
  const state = (app: App, services: readonly Service[], images: readonly Image[]) =>
    JSON.stringify(applicationState(appTree(app, services, images)));

  it('shows containers by image number, as recorded', () => {
    const app = anApp({}, { release: { commit: 'c1', id: 11 } });
    assert.equal(
      state(app, [aService(running())], [anImage({ state: 'Downloaded' })]),
      '{"commit":"c1","local":{"1":{"services":{"5":{"status":"Running","releaseId":11,"download_progress":null}}}},"dependent":{}}',
    );
  });

  it('shows the container of the old release beside the image of the new one', () => {
    const old = aService(running('running', 'c0', 4, 10), { imageId: 4, release: { commit: 'c0', id: 10 } });
    const app = anApp({}, { release: { commit: 'c0', id: 10 } });
    assert.equal(
      state(app, [old], [anImage({ state: 'Downloading', downloadProgress: 7 })]),
      '{"commit":"c0","local":{"1":{"services":{"4":{"status":"Running","releaseId":10,"download_progress":null},"5":{"status":"Downloading","releaseId":11,"download_progress":7}}}},"dependent":{}}',
    );
  });

  it('shows both containers of a hand-over, and the older one where both have one number', () => {
    const app = anApp({}, { release: { commit: 'c0', id: 10 } });
    const both = (imageId: number) => {
      const outgoing = {
        id: 'o',
        name: 'old',
        createdAt: '2026-01-01T00:00:00Z',
        image: 'sha256:0',
        imageId,
        releaseId: 10,
      };
      return aService({ ...running('Awaiting handover'), outgoing });
    };
    const lines = (imageId: number): string => state(app, [both(imageId)], [anImage({ state: 'Downloaded' })]) ?? '';
    assert.match(lines(4), /"4":{"status":"Handing over","releaseId":10/);
    assert.match(lines(4), /"5":{"status":"Awaiting handover"/);
    assert.match(lines(5), /"services":{"5":{"status":"Handing over"[^}]*}}/);
  });

  it('does not know an app of which nothing is here', () => {
    assert.equal(state(anApp(), [aService({})], [anImage()]), undefined);
  });
});
