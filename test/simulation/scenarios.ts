import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { conditionOf } from '../../crds/model/conditions.js';
import { imageDocumentName } from '../../crds/model/names.js';
import type { UpdateStrategy } from '../../crds/model/update-strategy.js';
import { declareApp } from '../setup/declared.js';
import { type SupervisedApp, supervisorMade } from '../setup/supervisor-made.js';
import { ADOPTION_SCENARIOS } from './adoption-scenarios.js';
import type { Device } from './device.js';
import { IMAGE_SCENARIOS } from './image-scenarios.js';
import { JOB_SCENARIOS } from './job-scenarios.js';
import { NAME_SCENARIOS } from './name-scenarios.js';
import { ROLLBACK_SCENARIOS } from './rollback-scenarios.js';
import { reasonOf, type Scenario, serve } from './scenario.js';
import { WAITING_SCENARIOS } from './waiting-scenarios.js';

const web = declareApp({ web: {} });
const webAndDb = declareApp({ web: { environment: { V: '1' } }, db: {} });
const other = declareApp({ x: {} }, { name: 'other', appId: 2, uuid: 'o' });

const applicationLock = (device: Device): string => join(device.folder, 'locks/1/web/updates.lock');
function lock(device: Device): void {
  mkdirSync(dirname(applicationLock(device)), { recursive: true });
  writeFileSync(applicationLock(device), '');
}
/** What is found bad stays. */
const HOLD = { rollout: { onFailure: 'hold' } } as const;
const changed = declareApp({ web: { environment: { V: '2' } } });

const HAND_OVER = { 'io.balena.update.strategy': 'hand-over', 'io.balena.update.handover-timeout': '1000' };
const by = (labels: Readonly<Record<string, string>>, environment: Readonly<Record<string, string>> = {}) =>
  declareApp({ web: { labels, environment } });
const byField = (updateStrategy: UpdateStrategy, image: string) =>
  declareApp(
    { web: { updateStrategy, image }, db: {} },
    { release: { commit: image === 'shop:1' ? 'a' : 'b', id: 1 } },
  );

/** Every container is healthy as soon as it has started. */
function beHealthy({ engine }: Device): void {
  engine.after = (verb, [id]) => {
    if (verb === 'startContainer') engine.docker.setHealth(String(id), 'healthy');
  };
}
const runningNames = ({ engine }: Device) =>
  engine.docker.containers
    .filter(({ state }) => state === 'running')
    .map(({ name }) => name.replace(/^[0-9a-f]{8}_/, 'HASH_'))
    .sort();

/** Every way from one settled state to another that has its own pitfalls. */
export const SCENARIOS: readonly Scenario[] = [
  ...ADOPTION_SCENARIOS,
  ...ROLLBACK_SCENARIOS,
  ...WAITING_SCENARIOS,
  ...NAME_SCENARIOS,
  ...JOB_SCENARIOS,
  {
    it: 'installs an app of four services, local and pulled images, volumes, networks and a shared network',
    images: serve('db:1', 'vpn:1'),
    target: [
      declareApp(
        {
          web: { depends_on: ['db'], ports: ['8080:80'], networks: ['front', 'back'] },
          db: { image: 'db:1', volumes: ['data:/data'], networks: { back: { aliases: ['database'] } } },
          vpn: { image: 'vpn:1' },
          proxy: { network_mode: 'service:vpn' },
        },
        { volumes: { data: {} }, networks: { front: { ipam: { config: [{ subnet: '10.1.0.0/24' }] } }, back: {} } },
      ),
    ],
    end: {
      containers: [
        'db_7_1_a running db:1 on u_back',
        'proxy_7_1_a running web:1 on in vpn_7_1_a',
        'vpn_7_1_a running vpn:1 on u_default',
        'web_7_1_a running web:1 on u_back,u_front',
      ],
      networks: ['u_back', 'u_default', 'u_front 10.1.0.1'],
      volumes: ['1_data'],
      images: ['db:1', 'vpn:1', 'web:1'],
    },
  },
  {
    it: 'replaces the container of a service whose environment changed',
    before: [webAndDb],
    target: [declareApp({ web: { environment: { V: '2' } }, db: {} })],
    end: {
      containers: ['db_7_1_a running web:1 on u_default', 'web_7_1_a running web:1 V=2 on u_default'],
      networks: ['u_default'],
      images: ['web:1'],
    },
  },
  {
    it: 'goes on with the old container where the engine refuses to create the new one',
    before: [webAndDb],
    target: [declareApp({ web: { environment: { V: '2' }, runtime: 'none-such' }, db: {} }, HOLD)],
    alwaysRunning: ['web', 'db'],
    waiting: ['App/hello'],
    // The engine may be another one by now. The status says so meanwhile.
    asksAgain: ['lock.claim', 'createContainer', 'disk.create', 'disk.rename', 'disk.syncFolder'],
    end: {
      containers: ['db_7_1_a running web:1 on u_default', 'web_7_1_a running web:1 V=1 on u_default'],
      networks: ['u_default'],
      images: ['web:1'],
      failures: ['App/hello ChildrenNotReady', 'Service/hello.web RuntimeMissing'],
    },
  },
  {
    it: 'goes through with a document that corrects what the engine refused',
    before: [webAndDb],
    byHand: ({ agent }) => {
      const refused = declareApp({ web: { environment: { V: '2' }, runtime: 'none-such' }, db: {} });
      agent?.propose([refused]).catch(() => undefined); // whoever asked hears of it, and nobody listens here
    },
    target: [declareApp({ web: { environment: { V: '2' } }, db: {} })],
    alwaysRunning: ['db'],
    end: {
      containers: ['db_7_1_a running web:1 on u_default', 'web_7_1_a running web:1 V=2 on u_default'],
      networks: ['u_default'],
      images: ['web:1'],
    },
  },
  {
    it: 'takes an update back that the engine refused, and stops nothing',
    before: [webAndDb],
    byHand: ({ agent }) => {
      const refused = declareApp({ web: { environment: { V: '2' }, runtime: 'none-such' }, db: {} });
      agent?.propose([refused]).catch(() => undefined); // whoever asked hears of it, and nobody listens here
    },
    target: [webAndDb],
    alwaysRunning: ['web', 'db'],
    end: {
      containers: ['db_7_1_a running web:1 on u_default', 'web_7_1_a running web:1 V=1 on u_default'],
      networks: ['u_default'],
      images: ['web:1'],
    },
  },
  {
    it: 'pulls the image of a new release, replaces the container and collects the old image',
    images: serve('shop:1', 'shop:2'),
    before: [declareApp({ web: { image: 'shop:1' } })],
    target: [declareApp({ web: { image: 'shop:2' } }, { release: { commit: 'b', id: 2 } })],
    end: {
      containers: ['web_7_2_b running shop:2 on u_default'],
      networks: ['u_default'],
      images: ['shop:2', 'web:1'],
    },
  },
  {
    it: 'keeps the image of the release before for as long as it is told to',
    settings: { imageGraceMs: 60 * 60_000 },
    images: serve('shop:1', 'shop:2'),
    before: [declareApp({ web: { image: 'shop:1' } })],
    target: [declareApp({ web: { image: 'shop:2' } }, { release: { commit: 'b', id: 2 } })],
    end: {
      containers: ['web_7_2_b running shop:2 on u_default'],
      networks: ['u_default'],
      images: ['shop:1', 'shop:2', 'web:1'],
    },
  },
  {
    it: 'renames the containers of a release that changes nothing else',
    before: [webAndDb],
    target: [declareApp({ web: { environment: { V: '1' } }, db: {} }, { release: { commit: 'b', id: 2 } })],
    end: {
      containers: ['db_7_2_b running web:1 on u_default', 'web_7_2_b running web:1 V=1 on u_default'],
      networks: ['u_default'],
      images: ['web:1'],
    },
  },
  {
    it: 'recreates a changed network while its services step aside',
    before: [
      declareApp(
        { web: { networks: ['front'] }, db: { networks: ['front', 'back'] }, vpn: {} },
        { networks: { front: {}, back: {} } },
      ),
    ],
    target: [
      declareApp(
        { web: { networks: ['front'] }, db: { networks: ['front', 'back'] }, vpn: {} },
        { networks: { front: { ipam: { config: [{ subnet: '10.1.0.0/24' }] } }, back: {} } },
      ),
    ],
    end: {
      containers: [
        'db_7_1_a running web:1 on u_back,u_front',
        'vpn_7_1_a running web:1 on u_default',
        'web_7_1_a running web:1 on u_front',
      ],
      networks: ['u_back', 'u_default', 'u_front 10.1.0.1'],
      images: ['web:1'],
    },
  },
  {
    it: 'swaps the subnets of two networks',
    before: [
      declareApp(
        { web: { networks: ['a', 'b'] } },
        {
          networks: {
            a: { ipam: { config: [{ subnet: '10.1.0.0/24' }] } },
            b: { ipam: { config: [{ subnet: '10.2.0.0/24' }] } },
          },
        },
      ),
    ],
    target: [
      declareApp(
        { web: { networks: ['a', 'b'] } },
        {
          networks: {
            a: { ipam: { config: [{ subnet: '10.2.0.0/24' }] } },
            b: { ipam: { config: [{ subnet: '10.1.0.0/24' }] } },
          },
        },
      ),
    ],
    end: {
      containers: ['web_7_1_a running web:1 on u_a,u_b'],
      networks: ['u_a 10.2.0.1', 'u_b 10.1.0.1'],
      images: ['web:1'],
    },
  },
  {
    it: 'swaps the host ports of two services',
    before: [declareApp({ web: { ports: ['8080:80'] }, db: { ports: ['8081:80'] } })],
    target: [declareApp({ web: { ports: ['8081:80'] }, db: { ports: ['8080:80'] } })],
    end: {
      containers: ['db_7_1_a running web:1 on u_default', 'web_7_1_a running web:1 on u_default'],
      networks: ['u_default'],
      images: ['web:1'],
    },
  },
  {
    it: 'follows a changed service with the one that shares its network',
    before: [declareApp({ vpn: {}, web: { network_mode: 'service:vpn' } })],
    target: [declareApp({ vpn: { environment: { V: '1' } }, web: { network_mode: 'service:vpn' } })],
    end: {
      containers: ['vpn_7_1_a running web:1 V=1 on u_default', 'web_7_1_a running web:1 on in vpn_7_1_a'],
      networks: ['u_default'],
      images: ['web:1'],
    },
  },
  {
    it: 'refuses to change a volume, and goes on with the rest',
    before: [declareApp({ web: { volumes: ['data:/data'] } }, { volumes: { data: {} } })],
    target: [
      declareApp(
        { web: { volumes: ['data:/data'], environment: { V: '2' } } },
        { volumes: { data: { driver_opts: { type: 'tmpfs', device: 'tmpfs' } } } },
      ),
    ],
    waiting: ['App/hello'],
    end: {
      containers: ['web_7_1_a running web:1 V=2 on u_default'],
      networks: ['u_default'],
      volumes: ['1_data'],
      images: ['web:1'],
      failures: ['App/hello ChildrenNotReady', 'Volume/hello.data DataLossRefused'],
    },
  },
  {
    it: 'removes a service with its network, and keeps its volume',
    before: [
      declareApp(
        { web: {}, db: { volumes: ['data:/data'], networks: ['back'] } },
        { volumes: { data: {} }, networks: { back: {} } },
      ),
    ],
    target: [web],
    end: {
      containers: ['web_7_1_a running web:1 on u_default'],
      networks: ['u_default'],
      volumes: ['1_data'],
      images: ['web:1'],
    },
  },
  {
    it: 'removes an app, keeping its data and leaving the other app alone',
    images: serve('db:1'),
    before: [declareApp({ db: { image: 'db:1', volumes: ['data:/data'] } }, { volumes: { data: {} } }), other],
    target: [other],
    end: {
      containers: ['x_7_1_a running web:1 on o_default'],
      networks: ['o_default'],
      volumes: ['1_data'],
      images: ['web:1'],
    },
  },
  {
    it: 'removes an app with its data where it says so',
    before: [declareApp({ db: { volumes: ['data:/data'] } }, { volumes: { data: {} }, volumeReclaim: 'Delete' })],
    target: [],
    end: { images: ['web:1'] },
  },
  {
    it: 'adds another app',
    before: [web],
    target: [web, other],
    end: {
      containers: ['web_7_1_a running web:1 on u_default', 'x_7_1_a running web:1 on o_default'],
      networks: ['o_default', 'u_default'],
      images: ['web:1'],
    },
  },
  {
    it: 'takes everything away from an app without a release',
    before: [webAndDb],
    target: [declareApp({ web: {}, db: {} }, { release: null })],
    end: { images: ['web:1'] },
  },
  {
    it: 'shares the network of the API while a service wants it',
    before: [web],
    target: [declareApp({ web: { labels: { 'io.balena.features.supervisor-api': '1' } } })],
    end: {
      containers: ['web_7_1_a running web:1 on supervisor0,u_default'],
      networks: ['supervisor0 10.114.104.1', 'u_default'],
      images: ['web:1'],
    },
  },
  {
    it: 'takes the network of the API away after the last service that wanted it',
    before: [declareApp({ web: { labels: { 'io.balena.features.supervisor-api': '1' } } })],
    target: [web],
    end: { containers: ['web_7_1_a running web:1 on u_default'], networks: ['u_default'], images: ['web:1'] },
  },
  {
    it: 'shares the network of the API where an image asks for it',
    images: ({ engine }) => {
      engine.images.add('api:1', { config: { Labels: { 'io.balena.features.supervisor-api': '1' } } });
    },
    before: [web],
    target: [declareApp({ web: { image: 'api:1' } })],
    end: {
      containers: ['web_7_1_a running api:1 on supervisor0,u_default'],
      networks: ['supervisor0 10.114.104.1', 'u_default'],
      images: ['api:1', 'web:1'],
    },
  },
  {
    it: 'hands over to a new container that says so',
    before: [by(HAND_OVER, { V: '1' })],
    target: [by({ ...HAND_OVER, 'io.balena.update.handover-timeout': '2000' }, { V: '2' })],
    alwaysRunning: ['web'],
    obstacle: {
      seen: (agent) => {
        assert.deepEqual(runningNames(agent.device), ['HASH_web_7_1_a', 'web_7_1_a']);
        const { state, outgoing } = agent.store.get('Service', 'hello.web')?.status ?? {};
        assert.equal(state, 'Awaiting handover');
        assert.equal(outgoing?.name, 'web_7_1_a');
        assert.equal(reasonOf(agent, 'Service', 'hello.web'), 'AwaitingHandover');
      },
      cleared: (device) => {
        const folder = join(device.folder, 'locks/1/web');
        mkdirSync(folder, { recursive: true });
        writeFileSync(join(folder, 'resin-kill-me'), '');
      },
    },
    end: { containers: ['web_7_1_a running web:1 V=2 on u_default'], networks: ['u_default'], images: ['web:1'] },
  },
  {
    it: 'hands over when the new container has not said so in time',
    before: [by(HAND_OVER)],
    target: [by(HAND_OVER, { V: '2' })],
    alwaysRunning: ['web'],
    end: { containers: ['web_7_1_a running web:1 V=2 on u_default'], networks: ['u_default'], images: ['web:1'] },
  },
  {
    it: 'takes a hand-over back when the document does',
    before: [by(HAND_OVER, { V: '1' })],
    byHand: ({ agent }) => {
      const other = by({ ...HAND_OVER, 'io.balena.update.handover-timeout': '99000' }, { V: '2' });
      agent?.propose([other]).catch(() => undefined); // whoever asked hears of it, and nobody listens here
    },
    target: [by(HAND_OVER, { V: '1' })],
    alwaysRunning: ['web'],
    end: { containers: ['web_7_1_a running web:1 V=1 on u_default'], networks: ['u_default'], images: ['web:1'] },
  },
  {
    it: 'hands over within a new release under its own name',
    images: serve('shop:1', 'shop:2'),
    before: [byField('hand-over', 'shop:1')],
    target: [byField('rolling', 'shop:2')],
    alwaysRunning: ['web', 'db'],
    end: {
      containers: ['db_7_1_b running web:1 on u_default', 'web_7_1_b running shop:2 on u_default'],
      networks: ['u_default'],
      images: ['shop:2', 'web:1'],
    },
  },
  {
    it: 'rolls to a container that is healthy',
    images: ({ engine }) => {
      engine.images.add('checked:1', { config: { Healthcheck: { Test: ['CMD', 'true'] } } });
    },
    before: [declareApp({ web: { image: 'checked:1', updateStrategy: 'rolling' } })],
    byHand: beHealthy,
    target: [declareApp({ web: { image: 'checked:1', updateStrategy: 'rolling', environment: { V: '2' } } })],
    alwaysRunning: ['web'],
    end: {
      containers: ['web_7_1_a running checked:1 V=2 on u_default'],
      networks: ['u_default'],
      images: ['checked:1', 'web:1'],
    },
  },
  {
    it: 'goes on with the old container while the new one is not healthy',
    images: ({ engine }) => {
      engine.images.add('checked:1', { config: { Healthcheck: { Test: ['CMD', 'true'] } } });
    },
    before: [declareApp({ web: { image: 'checked:1', updateStrategy: 'rolling' } })],
    target: [declareApp({ web: { image: 'checked:1', updateStrategy: 'rolling', environment: { V: '2' } } })],
    alwaysRunning: ['web'],
    obstacle: {
      seen: (agent) => {
        assert.equal(reasonOf(agent, 'Service', 'hello.web'), 'AwaitingHealth');
        const [young] = agent.device.engine.docker.containers;
        assert.deepEqual(young && [...young.networks.values()].map(({ aliases }) => aliases), [[]]);
      },
      cleared: (device) => {
        beHealthy(device);
        for (const { id, state } of device.engine.docker.containers)
          if (state === 'running') device.engine.docker.setHealth(id, 'healthy');
      },
    },
    end: {
      containers: ['web_7_1_a running checked:1 V=2 on u_default'],
      networks: ['u_default'],
      images: ['checked:1', 'web:1'],
    },
  },
  {
    it: 'stops a hand-over service first where its network is recreated',
    before: [declareApp({ web: { updateStrategy: 'hand-over' } })],
    target: [
      declareApp(
        { web: { updateStrategy: 'hand-over', environment: { V: '2' } } },
        { networks: { default: { ipam: { config: [{ subnet: '10.1.0.0/24' }] } } } },
      ),
    ],
    end: {
      containers: ['web_7_1_a running web:1 V=2 on u_default'],
      networks: ['u_default 10.1.0.1'],
      images: ['web:1'],
    },
  },
  {
    it: 'replaces a service that publishes a port by the default strategy',
    before: [declareApp({ web: { updateStrategy: 'rolling', ports: ['8080:80'] } })],
    target: [declareApp({ web: { updateStrategy: 'rolling', ports: ['8080:80'], environment: { V: '2' } } })],
    end: { containers: ['web_7_1_a running web:1 V=2 on u_default'], networks: ['u_default'], images: ['web:1'] },
  },
  ...(['kill-then-download', 'delete-then-download'] as const).map(
    (strategy): Scenario => ({
      it: `makes room for a new image by ${strategy}`,
      images: serve('shop:1', 'shop:2'),
      before: [byField(strategy, 'shop:1')],
      target: [byField(strategy, 'shop:2')],
      alwaysRunning: ['db'],
      end: {
        containers: ['db_7_1_b running web:1 on u_default', 'web_7_1_b running shop:2 on u_default'],
        networks: ['u_default'],
        images: ['shop:2', 'web:1'],
      },
    }),
  ),
  {
    it: 'downloads what everybody else needs before a service makes room',
    images: serve('shop:1', 'shop:2'),
    before: [byField('kill-then-download', 'shop:1')],
    target: [declareApp({ web: { updateStrategy: 'kill-then-download', image: 'shop:2' }, db: { image: 'late:1' } })],
    obstacle: {
      seen: (agent) => {
        assert.equal(reasonOf(agent, 'App', 'hello'), 'ImagesNotReady');
        assert.equal(agent.device.engine.docker.container('web_7_1_a').state, 'running');
        assert.equal(agent.store.get('Image', imageDocumentName('hello', 'shop:2')), undefined);
      },
      cleared: serve('late:1'),
    },
    end: {
      containers: ['db_7_1_a running late:1 on u_default', 'web_7_1_a running shop:2 on u_default'],
      networks: ['u_default'],
      images: ['late:1', 'shop:2', 'web:1'],
    },
  },
  {
    it: 'keeps the running release where the device does not meet the contract of the next',
    before: [web],
    target: [
      declareApp({
        web: { environment: { V: '2' }, contract: { requires: [{ type: 'sw.supervisor', version: '>=99' }] } },
      }),
    ],
    end: {
      containers: ['web_7_1_a running web:1 on u_default'],
      networks: ['u_default'],
      images: ['web:1'],
      failures: ['App/hello ContractUnmet'],
    },
  },
  {
    it: 'leaves out an optional service whose contract is not met',
    before: [web],
    target: [
      declareApp({
        web: { depends_on: ['gpu'] },
        gpu: { contract: { requires: [{ type: 'sw.l4t' }] }, labels: { 'io.balena.features.optional': '1' } },
      }),
    ],
    end: { containers: ['web_7_1_a running web:1 on u_default'], networks: ['u_default'], images: ['web:1'] },
  },
  {
    it: 'removes an app in its order',
    before: [
      declareApp({
        web: { depends_on: ['db'] },
        db: { depends_on: ['base'] },
        base: {},
        side: { network_mode: 'service:web' },
      }),
    ],
    target: [],
    end: { images: ['web:1'] },
  },
  {
    it: 'waits while the application holds the update lock',
    before: [web],
    byHand: lock,
    target: [changed],
    obstacle: {
      seen: (agent) => {
        assert.equal(reasonOf(agent, 'App', 'hello'), 'UpdatesLocked');
        assert.equal(agent.store.get('App', 'hello')?.status?.lock?.blockedBy, '/locks/1/web/updates.lock');
        assert.deepEqual(agent.device.engine.docker.containers[0]?.options.Env?.includes('V=2'), false);
      },
      cleared: (device) => rmSync(applicationLock(device)),
    },
    end: { containers: ['web_7_1_a running web:1 V=2 on u_default'], networks: ['u_default'], images: ['web:1'] },
  },
  {
    it: 'overrides the update lock of the application by force',
    before: [web],
    byHand: lock,
    target: [changed],
    obstacle: {
      seen: (agent) => assert.equal(reasonOf(agent, 'App', 'hello'), 'UpdatesLocked'),
      cleared: (device) => {
        void device.agent?.store.request('App/hello', { force: {} }).catch(() => rmSync(applicationLock(device)));
        // Without an agent nobody can ask; with one that dies of it the request may be lost.
        void device.agent?.ended.then(() => rmSync(applicationLock(device), { force: true }));
      },
    },
    end: { containers: ['web_7_1_a running web:1 V=2 on u_default'], networks: ['u_default'], images: ['web:1'] },
  },
  {
    it: 'waits for an image that nobody serves yet, while the old release runs',
    before: [web],
    target: [declareApp({ web: { image: 'late:1' } }, { release: { commit: 'b', id: 2 } })],
    obstacle: {
      seen: (agent) => {
        assert.equal(reasonOf(agent, 'App', 'hello'), 'ImagesNotReady');
        assert.match(
          conditionOf(agent.store.get('Image', imageDocumentName('hello', 'late:1')) ?? assert.fail(), 'Ready')
            ?.message ?? '',
          /late:1/,
        );
        assert.equal(agent.device.engine.docker.container('web_7_1_a').state, 'running');
      },
      cleared: serve('late:1'),
    },
    end: {
      containers: ['web_7_2_b running late:1 on u_default'],
      networks: ['u_default'],
      images: ['late:1', 'web:1'],
    },
  },
  {
    it: 'stops nothing while the image of any service is missing',
    before: [webAndDb],
    target: [declareApp({ web: { environment: { V: '2' } }, db: { image: 'late:1' } })],
    obstacle: {
      seen: (agent) => {
        assert.equal(reasonOf(agent, 'App', 'hello'), 'ImagesNotReady');
        assert.ok(agent.device.engine.docker.container('web_7_1_a').options.Env?.includes('V=1'));
      },
      cleared: serve('late:1'),
    },
    end: {
      containers: ['db_7_1_a running late:1 on u_default', 'web_7_1_a running web:1 V=2 on u_default'],
      networks: ['u_default'],
      images: ['late:1', 'web:1'],
    },
  },
  {
    it: 'waits for an engine that has gone away',
    before: [web],
    byHand: ({ engine }) => engine.goAway(),
    target: [changed],
    obstacle: {
      seen: (agent) => assert.equal(reasonOf(agent, 'App', 'hello'), 'EngineUnreachable'),
      cleared: ({ engine }) => engine.comeBack(),
    },
    end: { containers: ['web_7_1_a running web:1 V=2 on u_default'], networks: ['u_default'], images: ['web:1'] },
  },
  {
    it: 'makes a container again that somebody removed',
    before: [webAndDb],
    byHand: ({ engine }) => engine.docker.removeContainer('web_7_1_a'),
    target: [webAndDb],
    end: {
      containers: ['db_7_1_a running web:1 on u_default', 'web_7_1_a running web:1 V=1 on u_default'],
      networks: ['u_default'],
      images: ['web:1'],
    },
  },
  {
    it: 'starts a container again that somebody stopped',
    before: [web],
    byHand: ({ engine }) => void engine.docker.stopContainer('web_7_1_a'),
    target: [web],
    end: { containers: ['web_7_1_a running web:1 on u_default'], networks: ['u_default'], images: ['web:1'] },
  },
  {
    it: 'makes a network again that somebody removed from under a stopped container',
    before: [web],
    byHand: ({ engine }) => {
      engine.docker.stopContainer('web_7_1_a');
      engine.docker.removeNetwork('u_default');
    },
    target: [web],
    end: { containers: ['web_7_1_a running web:1 on u_default'], networks: ['u_default'], images: ['web:1'] },
  },
  {
    it: 'comes back from a restart of the engine',
    before: [webAndDb],
    byHand: ({ engine }) => {
      engine.goAway();
      engine.docker.restart();
      engine.comeBack();
    },
    target: [webAndDb],
    end: {
      containers: ['db_7_1_a running web:1 on u_default', 'web_7_1_a running web:1 V=1 on u_default'],
      networks: ['u_default'],
      images: ['web:1'],
    },
  },
  {
    it: 'goes on with a container that somebody paused',
    before: [web],
    byHand: ({ engine }) => engine.docker.pauseContainer('web_7_1_a'),
    target: [web],
    end: { containers: ['web_7_1_a running web:1 on u_default'], networks: ['u_default'], images: ['web:1'] },
  },
  {
    it: 'gives limits and restart policy back that somebody edited',
    before: [declareApp({ web: { mem_limit: '64m', cpu_shares: 512 } })],
    byHand: ({ engine }) => {
      const policy = { Name: 'no', MaximumRetryCount: 0 };
      engine.docker.updateContainer('web_7_1_a', { Memory: 32 << 20, CpuShares: 2, RestartPolicy: policy });
    },
    target: [declareApp({ web: { mem_limit: '64m', cpu_shares: 512 } })],
    end: { containers: ['web_7_1_a running web:1 on u_default'], networks: ['u_default'], images: ['web:1'] },
    also: ({ engine }) => {
      const { Memory, CpuShares, RestartPolicy } = engine.seen('web_7_1_a')?.updatable ?? {};
      assert.deepEqual([Memory, CpuShares, RestartPolicy?.Name], [64 << 20, 512, 'always']);
    },
  },
  {
    it: 'replaces a container on which somebody put a limit that Docker cannot take away',
    before: [webAndDb],
    byHand: ({ engine }) => engine.docker.updateContainer('web_7_1_a', { CpuShares: 2 }),
    target: [webAndDb],
    end: {
      containers: ['db_7_1_a running web:1 on u_default', 'web_7_1_a running web:1 V=1 on u_default'],
      networks: ['u_default'],
      images: ['web:1'],
    },
    also: ({ engine }) => assert.equal(engine.seen('web_7_1_a')?.updatable?.CpuShares, 0),
  },
  {
    it: 'removes a copy that somebody made of a container',
    before: [web],
    byHand: ({ engine }) => {
      const copy = engine.docker.createContainer('copy', engine.docker.container('web_7_1_a').options);
      engine.docker.startContainer(copy);
    },
    target: [web],
    end: { containers: ['web_7_1_a running web:1 on u_default'], networks: ['u_default'], images: ['web:1'] },
  },
  {
    it: 'gives a container its name back',
    before: [web],
    byHand: ({ engine }) => engine.docker.renameContainer('web_7_1_a', 'mine'),
    target: [web],
    end: { containers: ['web_7_1_a running web:1 on u_default'], networks: ['u_default'], images: ['web:1'] },
  },
  {
    it: 'connects a container again that somebody took from a network',
    before: [declareApp({ web: { networks: ['front', 'back'] } }, { networks: { front: {}, back: {} } })],
    byHand: ({ engine }) => {
      engine.docker.disconnectNetwork('u_front', 'web_7_1_a');
      engine.docker.disconnectNetwork('u_back', 'web_7_1_a');
    },
    target: [declareApp({ web: { networks: ['front', 'back'] } }, { networks: { front: {}, back: {} } })],
    end: {
      containers: ['web_7_1_a running web:1 on u_back,u_front'],
      networks: ['u_back', 'u_front'],
      images: ['web:1'],
    },
  },
  {
    it: 'makes a network again that somebody took away from running containers',
    before: [webAndDb],
    byHand: ({ engine }) => {
      for (const name of ['web_7_1_a', 'db_7_1_a']) engine.docker.disconnectNetwork('u_default', name);
      engine.docker.removeNetwork('u_default');
    },
    target: [webAndDb],
    end: {
      containers: ['db_7_1_a running web:1 on u_default', 'web_7_1_a running web:1 V=1 on u_default'],
      networks: ['u_default'],
      images: ['web:1'],
    },
  },
  {
    it: 'makes a volume again that somebody removed with its container',
    before: [declareApp({ web: { volumes: ['data:/data'] } }, { volumes: { data: {} } })],
    byHand: ({ engine }) => {
      engine.docker.removeContainer('web_7_1_a');
      engine.docker.removeVolume('1_data');
    },
    target: [declareApp({ web: { volumes: ['data:/data'] } }, { volumes: { data: {} } })],
    end: {
      containers: ['web_7_1_a running web:1 on u_default'],
      networks: ['u_default'],
      volumes: ['1_data'],
      images: ['web:1'],
    },
  },
  {
    it: 'takes over what a Supervisor made: networks and data stay, each container is replaced once',
    byHand: ({ engine }) => {
      const { networks, volumes, containers } = supervisorMade(SUPERVISED_APP, 'web:1');
      for (const one of networks) engine.docker.createNetwork(one.name, one.options);
      for (const one of volumes) engine.docker.createVolume(one.name, one.options);
      engine.docker.createVolume('1_plain', { Labels: {} });
      for (const one of containers) engine.docker.startContainer(engine.docker.createContainer(one.name, one.options));
    },
    target: [
      declareApp({ web: { volumes: ['data:/data', 'plain:/plain'] }, db: {} }, { volumes: { data: {}, plain: {} } }),
    ],
    end: {
      containers: ['db_7_1_a running web:1 on u_default', 'web_7_1_a running web:1 on u_default'],
      networks: ['u_default'],
      volumes: ['1_data', '1_plain'],
      images: ['web:1'],
    },
    also: ({ engine }) => {
      const { docker } = engine;
      assert.equal(docker.networks.find(({ name }) => name === 'u_default')?.specHash, undefined, 'the same network');
      assert.deepEqual(docker.volume('1_data')?.labels['io.balena.app-uuid'], 'u');
      assert.equal(docker.volume('1_data')?.specHash, undefined, 'the same volume');
      assert.deepEqual(docker.volume('1_plain')?.labels, {});
    },
  },
  ...IMAGE_SCENARIOS,
];

const SUPERVISED_APP: SupervisedApp = {
  appId: 1,
  uuid: 'u',
  release: { id: 1, commit: 'a' },
  services: {
    web: { serviceId: 3, imageId: 7, volumes: ['data:/data', 'plain:/plain'] },
    db: { serviceId: 4, imageId: 7 },
  },
  volumes: ['data'],
};
