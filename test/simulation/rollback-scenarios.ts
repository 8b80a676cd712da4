import assert from 'node:assert/strict';
import { isKeptName } from '../../controllers/image/kept-names.js';
import type { AppSpec } from '../../crds/model/types.js';
import type { UpdateStrategy } from '../../crds/model/update-strategy.js';
import { declareApp } from '../setup/declared.js';
import type { Device } from './device.js';
import { type Scenario, serve } from './scenario.js';

/** Release a runs shop:1, release b shop:2 and so on; `db` is the same in all of them. */
const shop = (commit: 'a' | 'b' | 'c', updateStrategy?: UpdateStrategy, more: Partial<AppSpec> = {}) => {
  const image = `shop:${'abc'.indexOf(commit) + 1}`;
  const web = { image, environment: { V: commit }, ...(updateStrategy ? { updateStrategy } : {}) };
  return declareApp({ web, db: {} }, { release: { commit, id: 1 }, ...more });
};

/** The same with an image that was built on the device. */
const localShop = (commit: 'a' | 'b') =>
  declareApp({ web: { image: 'local:1', environment: { V: commit } }, db: {} }, { release: { commit, id: 1 } });

/** `docker build` of the same tag: the image before is left without a name. */
const rebuildLocal = ({ engine }: Device): string => engine.images.add('local:1', { content: 'rebuilt' });
const keptNames = ({ engine }: Device): readonly string[] =>
  engine.images.list().flatMap(({ tags }) => tags.filter(isKeptName));

/** Registries offer all of them; containers of those that are named are unhealthy as soon as they run. */
const shopsWith =
  (...bad: readonly string[]) =>
  (device: Device): void => {
    const { engine } = device;
    serve('shop:1', 'shop:2', 'shop:3')(device);
    engine.after = (verb, [id]) => {
      if (verb !== 'startContainer') return;
      const started = engine.docker.containers.find((one) => one.id === id);
      if (bad.some((image) => engine.images.seen(image)?.id === started?.image))
        engine.docker.setHealth(String(id), 'unhealthy');
    };
  };

const running = (commit: 'a' | 'b' | 'c') => ({
  containers: [
    `db_7_1_${commit} running web:1 on u_default`,
    `web_7_1_${commit} running shop:${'abc'.indexOf(commit) + 1} V=${commit} on u_default`,
  ],
  networks: ['u_default'],
});
const ROLLED_BACK = ['App/hello RolledBack'];

/** Releases that are bad, and what comes of them. */
export const ROLLBACK_SCENARIOS: readonly Scenario[] = [
  {
    it: 'goes back where the engine refuses to create the new container, and stops nothing',
    before: [declareApp({ web: { environment: { V: '1' } }, db: {} })],
    target: [declareApp({ web: { environment: { V: '2' }, runtime: 'none-such' }, db: {} })],
    alwaysRunning: ['web', 'db'],
    end: {
      containers: ['db_7_1_a running web:1 on u_default', 'web_7_1_a running web:1 V=1 on u_default'],
      networks: ['u_default'],
      images: ['web:1'],
      failures: ROLLED_BACK,
    },
  },
  {
    it: 'goes back from a release that is unhealthy, and does not try it again',
    unforeseen: true,
    images: shopsWith('shop:2'),
    before: [shop('a')],
    target: [shop('b')],
    end: { ...running('a'), images: ['shop:1', 'shop:2', 'web:1'], failures: ROLLED_BACK },
  },
  {
    it: 'goes back to the network and the volume that the release was about to remove',
    unforeseen: true,
    before: [
      declareApp(
        { web: { volumes: ['data:/data'] } },
        { release: { commit: 'a', id: 1 }, volumes: { data: {} }, volumeReclaim: 'Delete' },
      ),
    ],
    target: [
      declareApp(
        { web: { networks: ['lan'] } },
        {
          ...{ release: { commit: 'b', id: 1 }, volumeReclaim: 'Delete' },
          networks: { lan: { name: 'lan', external: true } },
          rollout: { progressDeadlineSeconds: 20, minReadySeconds: 1 },
        },
      ),
    ],
    alwaysRunning: ['web'],
    end: {
      containers: ['web_7_1_a running web:1 on u_default'],
      networks: ['u_default'],
      volumes: ['1_data'],
      images: ['web:1'],
      failures: ROLLED_BACK,
    },
  },
  {
    it: 'goes back by handing over',
    unforeseen: true,
    images: shopsWith('shop:2'),
    before: [shop('a', 'rolling')],
    target: [shop('b', 'rolling')],
    alwaysRunning: ['web', 'db'],
    end: { ...running('a'), images: ['shop:1', 'shop:2', 'web:1'], failures: ROLLED_BACK },
  },
  {
    it: 'goes back to an image that was built here and has lost its name, though somebody prunes meanwhile',
    unforeseen: true,
    images: ({ engine }) => {
      engine.images.add('local:1');
      engine.after = (verb, [id]) => {
        const started = engine.docker.containers.find((one) => one.id === id);
        if (verb !== 'startContainer' || !started?.options.Env?.includes('V=b')) return;
        engine.docker.setHealth(started.id, 'unhealthy');
        engine.images.prune((image) =>
          engine.docker.containers.flatMap((one) => (one.image === image ? [one.id] : [])),
        );
      };
    },
    before: [localShop('a')],
    byHand: rebuildLocal,
    noticed: true,
    target: [localShop('b')],
    also: (device) => assert.equal(keptNames(device).length, 1),
    end: {
      containers: ['db_7_1_a running web:1 on u_default', 'web_7_1_a running untagged V=a on u_default'],
      networks: ['u_default'],
      images: ['local:1', 'web:1'],
      failures: ROLLED_BACK,
    },
  },
  {
    it: 'keeps an image that was built here and has lost its name until a good release took its place',
    images: ({ engine }) => engine.images.add('local:1'),
    before: [localShop('a')],
    byHand: rebuildLocal,
    noticed: true,
    target: [localShop('b')],
    also: (device) => assert.deepEqual(keptNames(device), []),
    end: {
      containers: ['db_7_1_b running web:1 on u_default', 'web_7_1_b running local:1 V=b on u_default'],
      networks: ['u_default'],
      images: ['local:1', 'web:1'],
    },
  },
  {
    it: 'downloads the image again that it gave up for a bad one',
    unforeseen: true,
    images: shopsWith('shop:2'),
    before: [shop('a', 'delete-then-download')],
    target: [shop('b', 'delete-then-download')],
    mayStay: ['shop:2'],
    // By its digest: its tag may lead elsewhere by now. Its room may be that of the bad one's.
    end: {
      containers: ['db_7_1_a running web:1 on u_default', 'web_7_1_a running untagged V=a on u_default'],
      networks: ['u_default'],
      images: ['web:1'],
      failures: ROLLED_BACK,
    },
  },
  {
    it: 'goes back to the last good release when two bad ones follow',
    unforeseen: true,
    images: shopsWith('shop:2', 'shop:3'),
    earlier: [shop('a')],
    before: [shop('b')],
    target: [shop('c')],
    end: { ...running('a'), images: ['shop:1', 'shop:3', 'web:1'], failures: ROLLED_BACK },
  },
  {
    it: 'runs a good release after a bad one',
    images: shopsWith('shop:2'),
    earlier: [shop('a')],
    before: [shop('b')],
    target: [shop('c')],
    end: { ...running('c'), images: ['shop:3', 'web:1'] },
  },
  {
    it: 'changes nothing when a bad release is taken back',
    images: shopsWith('shop:2'),
    earlier: [shop('a')],
    before: [shop('b')],
    target: [shop('a')],
    alwaysRunning: ['web', 'db'],
    end: { ...running('a'), images: ['shop:1', 'web:1'] },
  },
  {
    it: 'keeps a bad release where that is asked for',
    unforeseen: true,
    images: shopsWith('shop:2'),
    before: [shop('a')],
    target: [shop('b', undefined, { rollout: { onFailure: 'hold' } })],
    end: {
      ...running('b'),
      images: ['shop:1', 'shop:2', 'web:1'],
      failures: ['App/hello ServicesNotHealthy', 'Service/hello.web Unhealthy'],
    },
  },
  {
    it: 'keeps a bad release when there is none to go back to',
    images: shopsWith('shop:1'),
    target: [shop('a')],
    end: {
      ...running('a'),
      images: ['shop:1', 'web:1'],
      failures: ['App/hello ServicesNotHealthy', 'Service/hello.web Unhealthy'],
    },
  },
];
