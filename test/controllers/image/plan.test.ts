import assert from 'node:assert/strict';
import type { SeenImage } from '../../../controllers/docker/engine.js';
import { type ImageFacts, isReference, planImage } from '../../../controllers/image/plan.js';
import type { Image } from '../../../crds/kinds.js';
import { anImage } from '../../setup/documents.js';
import { planText } from '../../setup/plan-text.js';

const ID = `sha256:${'0a'.repeat(32)}`;
const local: SeenImage = { id: ID, tags: ['busybox:1.36'], digests: [], config: {} };
const running: ImageFacts['pull'] = { is: 'running', percent: 12 };
const failed = (message: string): ImageFacts['pull'] => ({ is: 'failed', error: new Error(message) });

const plan = (image: Image, facts: Partial<ImageFacts>) =>
  planImage(image, { seen: undefined, pull: { is: 'none' }, wantedElsewhere: false, usedBy: [], ...facts });

describe('planImage', () => {
  const gone = anImage({ deleted: true, status: { state: 'Downloaded', pulled: true } });
  const cases: ReadonlyArray<{ it: string; image?: Image; facts?: Partial<ImageFacts>; want: string }> = [
    { it: 'pulls what is not local', want: 'pull (not local); waiting: Downloading' },
    { it: 'waits for a pull', facts: { pull: running }, want: 'waiting: Downloading' },
    { it: 'tries again after a failed pull', facts: { pull: failed('EOF') }, want: 'forget; retry' },
    { it: 'is content with a local image', facts: { seen: local }, want: 'settled' },
    {
      it: 'lets its pull end although the image is there',
      image: anImage({ status: { state: 'Downloading' } }),
      facts: { seen: local, pull: running },
      want: 'waiting: Downloading',
    },
    {
      it: 'forgets a failure when the image came another way',
      facts: { seen: local, pull: failed('EOF') },
      want: 'forget; progressing: Downloaded',
    },
    { it: 'does not pull an id', image: anImage({ spec: { image: ID } }), want: 'retry' },
    {
      it: 'takes an id that is local',
      image: anImage({ spec: { image: ID } }),
      facts: { seen: local },
      want: 'settled',
    },
    {
      it: 'refuses what is no reference',
      image: anImage({ spec: { image: 'Not A Reference' } }),
      want: 'stalled: InvalidSpec',
    },
    {
      it: 'collects an image that we pulled',
      image: gone,
      facts: { seen: local },
      want: 'remove (no longer wanted); progressing: Deleting',
    },
    {
      it: 'leaves an image that was there before us',
      image: anImage({ deleted: true }),
      facts: { seen: local },
      want: 'settled',
    },
    {
      it: 'leaves an image that another document wants',
      image: gone,
      facts: { seen: local, wantedElsewhere: true },
      want: 'settled',
    },
    {
      it: 'waits for containers of the image',
      image: gone,
      facts: { seen: local, usedBy: ['web'] },
      want: 'waiting: InUse',
    },
    {
      it: 'takes one of several names off a used image',
      image: gone,
      facts: { seen: { ...local, tags: ['busybox:1.36', 'busybox:1'] }, usedBy: ['web'] },
      want: 'remove (no longer wanted); progressing: Deleting',
    },
    { it: 'has done its work when the image is gone', image: gone, want: 'settled' },
    {
      it: 'stops a pull that nobody wants',
      image: gone,
      facts: { pull: running },
      want: 'cancel (no longer wanted); progressing: Cancelling',
    },
    {
      it: 'does not stop a pull that somebody else wants',
      image: gone,
      facts: { pull: running, wantedElsewhere: true },
      want: 'settled',
    },
    {
      it: 'forgets a failed pull that nobody wants',
      image: gone,
      facts: { pull: failed('EOF') },
      want: 'forget; progressing: Cancelling',
    },
  ];
  for (const { it: does, image = anImage(), facts = {}, want } of cases) {
    it(does, () =>
      assert.equal(
        planText(() => plan(image, facts)),
        want,
      ),
    );
  }

  const hints: ReadonlyArray<[string, RegExp]> = [
    ['manifest for x:1 not found: manifest unknown', /check the name and the tag, and that the image was pushed/],
    ["pull access denied for x, repository does not exist or may require 'docker login'", /check the name/],
    ['unauthorized: authentication required', /check the name, and the access to its registry/],
    ['dial tcp: lookup registry.example.com: no such host', /^Could not download image busybox:1.36$/],
  ];
  for (const [said, want] of hints) {
    it(`says what to look at after "${said}"`, () => {
      assert.match(plan(anImage(), { pull: failed(said) }).failure?.message ?? '', want);
    });
  }
});

describe('isReference', () => {
  const good = [
    'busybox',
    'busybox:1.36',
    'library/busybox',
    'registry.example.com:5000/a/b_c/d-e:V1',
    `x@${ID}`,
    `x:1@${ID}`,
    'localhost/a',
    '[::1]:5000/a',
    ID,
    '127.0.0.1:5000/web:latest',
    'a--b',
  ];
  const bad = [
    '',
    ' ',
    'Busybox',
    'a b',
    'a:',
    'a:b:c',
    'https://x/y',
    'a//b',
    '/a',
    'a/',
    'a@b',
    'a:-x',
    'x@sha256:12',
    'a..b',
    `a:${'t'.repeat(129)}`,
  ];
  for (const text of good) it(`takes ${text}`, () => assert.equal(isReference(text), true));
  for (const text of bad) it(`refuses ${JSON.stringify(text)}`, () => assert.equal(isReference(text), false));
});
