import assert from 'node:assert/strict';
import type { Store } from '../../../api/store/store.js';
import type { EngineCache, Pulls } from '../../../controllers/engine/engine-cache.js';
import { observeImage, pullOptionsOf, sameImage } from '../../../controllers/image/observe.js';
import type { AnyResource, Image } from '../../../crds/model/kinds.js';
import { aDocument, anApp, anImage, aService, type Parts } from '../../setup/documents.js';

const storeOf = (...documents: readonly AnyResource[]): Store =>
  ({
    get: (kind: string, name: string) => documents.find((one) => one.kind === kind && one.metadata.name === name),
    list: (kind: string) => documents.filter((one) => one.kind === kind),
  }) as unknown as Store;

const imageOf = (image: string, more: Partial<Image['spec']> = {}, parts: Parts<'Image'> = {}): Image =>
  aDocument('Image', `hello.${image}`, { app: 'hello', image, services: ['web'], ...more }, parts);

describe('the options of a pull', () => {
  const release = { commit: 'a', id: 1 };
  const rows: readonly {
    readonly it: string;
    readonly image?: Image;
    readonly documents?: readonly AnyResource[];
    readonly want: object;
  }[] = [
    { it: 'are none where nobody says anything', want: {} },
    { it: 'are none without an App', documents: [], want: {} },
    {
      it: 'are the secret that the App names for that registry, however it writes it',
      image: imageOf('r.example.com/web:1'),
      documents: [
        anApp({
          spec: { registries: { 'x.example.com': { secret: 'no' }, 'https://R.example.com/v1/': { secret: 'mine' } } },
        }),
      ],
      want: { secret: 'mine' },
    },
    {
      it: 'are no secret of another registry',
      image: imageOf('busybox:1'),
      documents: [anApp({ spec: { registries: { 'x.example.com': { secret: 'no' } } } })],
      want: {},
    },
    {
      it: 'are the platform that a service of the App asks for',
      documents: [
        anApp({
          spec: { services: { a: { image: 'busybox:1.36' }, b: { image: 'busybox:1.36', platform: 'linux/arm64' } } },
        }),
      ],
      want: { platform: 'linux/arm64' },
    },
    {
      it: 'are no platform of another image',
      documents: [anApp({ spec: { services: { a: { image: 'other:1', platform: 'linux/arm64' } } } })],
      want: {},
    },
    {
      it: 'are the platform that a service beside the App asks for',
      documents: [anApp(), aService({ spec: { platform: 'linux/arm/v7' } })],
      want: { platform: 'linux/arm/v7' },
    },
    {
      it: 'are no platform of a service of another App',
      documents: [anApp(), aService({ spec: { app: 'other', platform: 'linux/arm/v7' } })],
      want: {},
    },
    {
      it: 'are the digest to which the tag was resolved for this release',
      image: anImage({ status: { digest: 'sha256:d', resolvedFor: 'a/1' } }),
      documents: [anApp({ spec: { release } })],
      want: { digest: 'sha256:d' },
    },
    {
      it: 'are no digest of another release: the tag is resolved again',
      image: anImage({ status: { digest: 'sha256:d', resolvedFor: 'z/9' } }),
      documents: [anApp({ spec: { release } })],
      want: {},
    },
    {
      it: 'are the digest of this generation where the App has no release',
      image: anImage({ status: { digest: 'sha256:d', resolvedFor: 'generation 3' } }),
      documents: [anApp({ generation: 3 })],
      want: { digest: 'sha256:d' },
    },
  ];
  for (const { it: are, image = anImage(), documents = [anApp()], want } of rows) {
    it(are, () => assert.deepEqual(pullOptionsOf(storeOf(...documents), image), want));
  }
});

/** Who else needs image `r/web:1`. The App wants another one when nothing is said. */
describe('the other documents that need an image', () => {
  const image = imageOf('r/web:1');
  const other = anApp({ spec: { services: { web: { image: 'busybox:1' } } } });
  const suspended = anApp({ spec: { suspend: true, services: { web: { image: 'r/web:1' } } } });
  const rows: readonly {
    readonly it: string;
    readonly documents?: readonly AnyResource[];
    /** It is on the device, under these digests. */
    readonly digests?: readonly string[];
    readonly pulling?: boolean;
    readonly want: 'nobody' | 'needs it' | 'waits for it';
  }[] = [
    { it: 'are not the image itself', documents: [other, image], want: 'nobody' },
    {
      it: 'are an Image of the same reference, however it is written',
      documents: [other, imageOf('docker.io/r/web:1')],
      want: 'waits for it',
    },
    {
      it: 'are none that is being deleted',
      documents: [other, imageOf('r/web', { image: 'r/web:1' }, { deleted: true })],
      want: 'nobody',
    },
    {
      it: 'are a Service that somebody wrote by hand',
      documents: [other, aService({ spec: { image: 'r/web:1' } })],
      want: 'waits for it',
    },
    { it: 'are none of another image', documents: [other, aService({ spec: { image: 'r/web:2' } })], want: 'nobody' },
    {
      it: 'are an App that has not declared it yet',
      documents: [anApp({ spec: { services: { web: { image: 'r/web:1' } } } })],
      want: 'waits for it',
    },
    {
      it: 'are no App without a release',
      documents: [anApp({ spec: { release: null, services: { web: { image: 'r/web:1' } } } })],
      want: 'nobody',
    },
    {
      it: 'are no App that is being deleted',
      documents: [anApp({ deleted: true, spec: { services: { web: { image: 'r/web:1' } } } })],
      want: 'nobody',
    },
    { it: 'need it while they are suspended, and wait for nothing', documents: [suspended], want: 'needs it' },
    {
      it: 'need it when they only keep it, and wait for nothing',
      documents: [other, imageOf('kept', { image: 'r/web:1', spareSince: '2026-01-01T00:00:00Z' })],
      want: 'needs it',
    },
    { it: 'wait for nothing when it is there', documents: [suspended], digests: [], want: 'needs it' },
    {
      it: 'wait for it when it is there and pulled again',
      documents: [other, imageOf('twin', { image: 'r/web:1' })],
      digests: [],
      pulling: true,
      want: 'waits for it',
    },
    {
      it: 'are one of its digest, which the engine removes with the last tag',
      documents: [other, imageOf('digest', { image: 'r/web@sha256:d' })],
      digests: ['r/web@sha256:c', 'r/web@sha256:d'],
      want: 'needs it',
    },
    {
      it: 'are none of another digest',
      documents: [other, imageOf('digest', { image: 'r/web@sha256:e' })],
      digests: ['r/web@sha256:d'],
      want: 'nobody',
    },
    {
      it: 'are none of that digest in another repository',
      documents: [other, imageOf('digest', { image: 'r/other@sha256:d' })],
      digests: ['r/web@sha256:d'],
      want: 'nobody',
    },
  ];
  for (const { it: are, documents = [other], digests, pulling = false, want } of rows) {
    it(are, () => {
      const cache = {
        image: (reference: string) => (digests && reference === 'r/web:1' ? { id: 'sha256:1', digests } : undefined),
        containers: () => [],
        images: () => [],
      } as unknown as EngineCache;
      const pulls = { state: () => ({ is: pulling ? 'pulling' : 'none' }) } as unknown as Pulls;
      const deps = { store: storeOf(...documents), cache, pulls, now: () => 0, monotonic: () => 0 };
      const { wantedElsewhere, awaitedElsewhere } = observeImage(deps, { attempts: new Map() }, image);
      assert.equal(awaitedElsewhere ? 'waits for it' : wantedElsewhere ? 'needs it' : 'nobody', want);
    });
  }

  it('are told by their reference, not by their name', () => {
    const twin = imageOf('docker.io/r/web:1');
    assert.deepEqual(sameImage(storeOf(image, twin, imageOf('r/web:2')), image.metadata.name, 'r/web:1'), [twin]);
  });
});
