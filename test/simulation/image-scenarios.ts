import assert from 'node:assert/strict';
import { conditionOf } from '../../crds/model/conditions.js';
import type { AnyDeclared } from '../../crds/model/kinds.js';
import { imageDocumentName } from '../../crds/model/names.js';
import { declareApp } from '../setup/declared.js';
import { ociLayout, savedImages } from '../setup/image-archives.js';
import type { Agent, Device } from './device.js';
import { reasonOf, type Scenario, serve } from './scenario.js';

const UNREACHABLE =
  'Get "https://shop.example/v2/": dial tcp: lookup shop.example: Temporary failure in name resolution';

/** Registries that would have these images cannot be reached. */
const beyondReach =
  (...references: readonly string[]) =>
  ({ engine }: Device): void => {
    for (const one of references) engine.images.serve(one, { failure: { message: UNREACHABLE, statusCode: 500 } });
  };

const saved = (reference: string): Buffer =>
  savedImages({ references: [reference], files: [{ path: 'name', content: reference }] });
const laidOut = (reference: string): Buffer =>
  ociLayout(reference, { references: [], files: [{ path: 'name', content: reference }] });

const shop = (version: number): AnyDeclared =>
  declareApp({ web: { image: `shop:${version}` } }, { release: { commit: `c${version}`, id: version } });

/** What the documents say of images that we may not collect. */
const isNotOurs =
  (...references: readonly string[]) =>
  ({ agent }: Device): void => {
    for (const { spec, status } of agent?.store.list('Image') ?? []) {
      if (references.includes(spec.image)) assert.equal(status?.pulled, undefined, `${spec.image} came as a file`);
    }
  };

/** Version 1 runs, and the next one waits for that reason. */
const holdsOn = (agent: Agent, reference: string, reason: string, about: RegExp): void => {
  assert.equal(reasonOf(agent, 'App', 'hello'), 'ImagesNotReady');
  const image = agent.store.get('Image', imageDocumentName('hello', reference));
  const ready = image && conditionOf(image, 'Ready');
  assert.equal(ready?.reason, reason);
  assert.match(ready?.message ?? '', about);
  assert.deepEqual(
    agent.device.engine.docker.containers.map(({ name, state }) => `${name} ${state}`),
    ['web_7_1_c1 running'],
  );
};

const running = (version: number, ...images: readonly string[]): Scenario['end'] => ({
  containers: [`web_7_${version}_c${version} running shop:${version} on u_default`],
  networks: ['u_default'],
  images: [...images, 'web:1'],
});

/** Images that come as files, and images that the disk has no room for. */
export const IMAGE_SCENARIOS: readonly Scenario[] = [
  {
    it: 'installs from files of images without a network',
    settings: { sideLoads: true },
    images: (device) => {
      beyondReach('shop:1', 'db:1')(device);
      device.files.put('shop.tar', saved('shop:1'));
      device.files.put('db.tar', laidOut('db:1'));
    },
    target: [declareApp({ web: { image: 'shop:1', depends_on: ['db'] }, db: { image: 'db:1' } })],
    end: {
      containers: ['db_7_1_a running db:1 on u_default', 'web_7_1_a running shop:1 on u_default'],
      networks: ['u_default'],
      images: ['db:1', 'shop:1', 'web:1'],
    },
    also: isNotOurs('shop:1', 'db:1'),
  },
  {
    it: 'updates to an image that comes as a file while the old one runs',
    settings: { sideLoads: true },
    images: (device) => {
      serve('shop:1')(device);
      beyondReach('shop:2')(device);
    },
    before: [shop(1)],
    target: [shop(2)],
    obstacle: {
      seen: (agent) => holdsOn(agent, 'shop:2', 'Retrying', /Temporary failure in name resolution/),
      cleared: ({ files }) => files.put('shop.tar', saved('shop:2')),
    },
    end: running(2, 'shop:2'),
    also: isNotOurs('shop:2'),
  },
  {
    it: 'goes from one file of images to the next, and keeps both images',
    settings: { sideLoads: true },
    images: (device) => {
      beyondReach('shop:1', 'shop:2')(device);
      device.files.put('one.tar', saved('shop:1'));
    },
    before: [shop(1)],
    byHand: ({ files }) => files.put('two.tar', saved('shop:2')),
    target: [shop(2)],
    end: running(2, 'shop:1', 'shop:2'),
    also: isNotOurs('shop:1', 'shop:2'),
  },
  {
    it: 'removes an app whose image came as a file, and leaves the image',
    settings: { sideLoads: true },
    images: (device) => {
      beyondReach('shop:1')(device);
      device.files.put('shop.tar', saved('shop:1'));
    },
    before: [shop(1)],
    target: [],
    end: { images: ['shop:1', 'web:1'] },
  },
  {
    it: 'holds a pull back while the disk is full, and goes on when there is room',
    settings: { disk: { free: () => 1_000, sizeOf: () => 300 } },
    images: serve('shop:1', 'shop:2'),
    before: [shop(1)],
    byHand: (device) => {
      device.disk = { ...device.disk, free: () => 600 };
      device.engine.forgetCalls();
    },
    target: [shop(2)],
    obstacle: {
      seen: (agent) => {
        holdsOn(agent, 'shop:2', 'NotEnoughDisk', /make room on the disk.*it takes about 1 MB/);
        assert.equal(agent.device.engine.verbs.includes('pullImage'), false);
      },
      cleared: (device) => {
        device.disk = { ...device.disk, free: () => 1_000 };
      },
    },
    end: running(2, 'shop:2'),
  },
  {
    it: 'breaks off a pull that is about to fill the disk, and goes on when there is room',
    settings: { disk: { free: () => 1_000 } },
    images: ({ engine }) => {
      engine.images.serve('shop:1');
      engine.images.serve('shop:2', { progress: [50], held: true });
    },
    before: [shop(1)],
    byHand: (device) => {
      let free = 1_000; // somebody else fills the disk while the image is on its way
      const left = () => {
        if (device.engine.images.held > 0) free = 50;
        return free;
      };
      device.disk = { free: left };
    },
    target: [shop(2)],
    obstacle: {
      seen: (agent) => holdsOn(agent, 'shop:2', 'NotEnoughDisk', /make room on the disk.*are kept free/),
      cleared: (device) => {
        device.disk = { free: () => 1_000 };
        device.engine.images.release('shop:2');
      },
    },
    end: running(2, 'shop:2'),
  },
  {
    it: 'lets go of the image that it keeps when the next one finds no room',
    settings: { imageGraceMs: 60 * 60_000, disk: { free: () => 1_000, sizeOf: () => 200 } },
    images: serve('shop:1', 'shop:2', 'shop:3'),
    earlier: [shop(1)],
    before: [shop(2)],
    byHand: (device) => {
      const kept = () => device.engine.images.list().filter(({ tags }) => tags[0]?.startsWith('shop:')).length;
      device.disk = { ...device.disk, free: () => 800 - 200 * kept() };
    },
    target: [shop(3)],
    end: running(3, 'shop:2', 'shop:3'),
  },
];
