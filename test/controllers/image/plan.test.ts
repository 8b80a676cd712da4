import assert from 'node:assert/strict';
import type { SeenImage } from '../../../controllers/engine/engine.js';
import { type ImageFacts, isReference, planImage } from '../../../controllers/image/plan.js';
import { type Attempts, isHopeless, nextAttempt, pullFailure } from '../../../controllers/image/pull-failure.js';
import { InvalidSpecError } from '../../../controllers/runtime/outcome.js';
import type { Image } from '../../../crds/model/kinds.js';
import { anImage } from '../../setup/documents.js';
import { planText } from '../../setup/plan-text.js';

const NOW_MS = Date.parse('2026-01-01T00:00:00Z');
const ID = `sha256:${'0a'.repeat(32)}`;
const DIGEST = `busybox@${ID}`;
const local: SeenImage = { id: ID, tags: ['busybox:1.36'], digests: [], config: {} };
const running: ImageFacts['pull'] = { is: 'running', percent: 12 };
const failed = (message: string): ImageFacts['pull'] => ({ is: 'failed', error: new Error(message) });

const plan = (image: Image, facts: Partial<ImageFacts>) =>
  planImage(image, {
    seen: undefined,
    pull: { is: 'none' },
    of: 'first',
    attempts: undefined,
    release: 'a/1',
    fromFile: false,
    suspendedBy: undefined,
    wantedElsewhere: false,
    awaitedElsewhere: false,
    usedBy: [],
    nowMs: NOW_MS,
    timeMs: NOW_MS,
    random: 0,
    keptNames: { needed: new Map(), own: new Set(), images: [], cleans: false },
    ...facts,
  });

/** Pulls that failed so often, the next one due in a second. */
const attempts = (output: string, failures: number, more: Partial<Attempts> = {}): Attempts => ({
  of: 'first',
  failures,
  failure: pullFailure('busybox:1.36', new Error(output)),
  dueMs: NOW_MS + 1_000,
  ...more,
});

describe('planImage', () => {
  const asleep: Partial<ImageFacts> = { suspendedBy: 'hello' };
  const spare = anImage({ spec: { spareSince: '2026-01-01T00:00:00Z' } });
  const gone = anImage({ deleted: true, status: { state: 'Downloaded', pulled: true } });
  const goneDigest = anImage({
    deleted: true,
    spec: { image: DIGEST },
    status: { state: 'Downloaded', pulled: true },
  });
  const cases: ReadonlyArray<{ it: string; image?: Image; facts?: Partial<ImageFacts>; want: string }> = [
    { it: 'pulls what is not local', want: 'pull (it is not on the device yet); waiting: Downloading' },
    { it: 'waits for a pull', facts: { pull: running }, want: 'waiting: Downloading' },
    { it: 'counts a failed pull', facts: { pull: failed('EOF') }, want: 'count; forget; retrying: Retrying' },
    {
      it: 'waits for somebody to bring an image that must not be pulled',
      image: anImage({ spec: { pull: false } }),
      want: 'waiting: ImageMissing',
    },
    {
      it: 'ends a pull of an image that must not be pulled any more',
      image: anImage({ spec: { pull: false } }),
      facts: { pull: running },
      want: 'cancel (pull_policy is never); waiting: ImageMissing',
    },
    {
      it: 'leaves a pull to others that must not be pulled for it alone',
      image: anImage({ spec: { pull: false } }),
      facts: { pull: running, awaitedElsewhere: true },
      want: 'waiting: Downloading',
    },
    {
      it: 'waits for a file that may hold an image that must not be pulled',
      image: anImage({ spec: { pull: false } }),
      facts: { pull: { is: 'running', file: 'a.tar' } as ImageFacts['pull'] },
      want: 'waiting: Loading',
    },
    {
      it: 'does not pull before the next attempt is due, whatever wakes it',
      facts: { attempts: attempts('EOF', 3) },
      want: 'retrying: Retrying',
    },
    {
      it: 'pulls when the next attempt is due',
      facts: { attempts: attempts('EOF', 3, { dueMs: NOW_MS }) },
      want: 'pull (it is not on the device yet); waiting: Downloading',
    },
    {
      it: 'pulls at once for another document',
      facts: { attempts: attempts('EOF', 3, { of: 'before' }) },
      want: 'pull (it is not on the device yet); waiting: Downloading',
    },
    {
      it: 'says that the disk is full',
      facts: { pull: failed('failed to register layer: write /big: no space left on device') },
      want: 'count; forget; retrying: NotEnoughDisk',
    },
    {
      it: 'tries again for a while when the registry does not have it',
      facts: { pull: failed('manifest unknown'), attempts: attempts('manifest unknown', 2) },
      want: 'count; forget; retrying: Retrying',
    },
    {
      it: 'stalls when the registry still does not have it',
      facts: { pull: failed('manifest unknown'), attempts: attempts('manifest unknown', 7) },
      want: 'count; forget; stalled: ImageNotFound',
    },
    {
      it: 'stays stalled until the registry is asked again',
      facts: { attempts: attempts('denied: requested access', 8) },
      want: 'stalled: AccessDenied',
    },
    {
      it: 'never stalls on a registry that is down',
      facts: { pull: failed('connection refused'), attempts: attempts('connection refused', 1000) },
      want: 'count; forget; retrying: Retrying',
    },
    {
      it: 'waits for a file that may hold it',
      facts: { pull: { is: 'running', percent: 0, file: 'web.tar' } },
      want: 'waiting: Loading',
    },
    { it: 'is content with a local image', facts: { seen: local }, want: 'settled' },
    {
      it: 'lets its pull end although the image is there',
      image: anImage({ status: { state: 'Downloading' } }),
      facts: { seen: local, pull: running },
      want: 'waiting: Downloading',
    },
    {
      it: 'is content with it when its pull has said how it ended',
      image: anImage({ status: { state: 'Downloading' } }),
      facts: { seen: local },
      want: 'settled',
    },
    {
      it: 'does not wait for a pull that somebody else began',
      image: anImage({ status: { state: 'Downloaded' } }),
      facts: { seen: local, pull: running },
      want: 'settled',
    },
    { it: 'nor does one that has no status yet', facts: { seen: local, pull: running }, want: 'settled' },
    {
      it: 'forgets a failure when the image came another way',
      facts: { seen: local, pull: failed('EOF') },
      want: 'forget; progressing: Downloaded',
    },
    { it: 'does not pull an id', image: anImage({ spec: { image: ID } }), want: 'stalled: ImageNotFound' },
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
    { it: 'does not pull for a suspended app', facts: asleep, want: 'waiting: Suspended' },
    {
      it: 'ends the pull of a suspended app, and one that has not begun',
      facts: { ...asleep, pull: { is: 'running', percent: 0 } },
      want: 'cancel (App hello is suspended); waiting: Suspended',
    },
    {
      it: 'forgets the failed pull of a suspended app',
      facts: { ...asleep, pull: failed('EOF'), attempts: attempts('EOF', 3) },
      want: 'forget; waiting: Suspended',
    },
    {
      it: 'is content with the local image of a suspended app',
      facts: { ...asleep, seen: local },
      want: 'settled',
    },
    {
      it: 'leaves a pull to another app that is not suspended',
      facts: { ...asleep, pull: running, wantedElsewhere: true, awaitedElsewhere: true },
      want: 'waiting: Downloading',
    },
    {
      it: 'leaves a failed pull to another app that is not suspended',
      facts: { ...asleep, pull: failed('EOF'), wantedElsewhere: true, awaitedElsewhere: true },
      want: 'waiting: Suspended',
    },
    {
      it: 'ends the pull that another suspended app wants, too',
      facts: { ...asleep, pull: running, wantedElsewhere: true },
      want: 'cancel (App hello is suspended); waiting: Suspended',
    },
    { it: 'keeps a spare one', image: spare, facts: { seen: local }, want: 'settled' },
    { it: 'does not pull a spare one', image: spare, want: 'settled' },
    {
      it: 'ends the pull of a spare one',
      image: spare,
      facts: { pull: running },
      want: 'cancel (no longer wanted); progressing: Cancelling',
    },
    {
      it: 'leaves the pull of a spare one to whoever waits for it',
      image: spare,
      facts: { pull: running, wantedElsewhere: true, awaitedElsewhere: true },
      want: 'settled',
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
    {
      it: 'takes its digest off a used image that has a tag as well',
      image: goneDigest,
      facts: { seen: { ...local, digests: [DIGEST] }, usedBy: ['web'] },
      want: 'remove (no longer wanted); progressing: Deleting',
    },
    {
      it: 'waits with a digest that is the last name',
      image: goneDigest,
      facts: { seen: { ...local, tags: [], digests: [DIGEST] }, usedBy: ['web'] },
      want: 'waiting: InUse',
    },
    {
      it: 'waits with the only tag, whatever digest is beside it',
      image: gone,
      facts: { seen: { ...local, digests: [DIGEST] }, usedBy: ['web'] },
      want: 'waiting: InUse',
    },
    { it: 'has done its work when the image is gone', image: gone, want: 'settled' },
    {
      it: 'stops a pull that nobody wants',
      image: gone,
      facts: { pull: running },
      want: 'cancel (no longer wanted); progressing: Cancelling',
    },
    {
      it: 'does not stop a pull that somebody else waits for',
      image: gone,
      facts: { pull: running, wantedElsewhere: true, awaitedElsewhere: true },
      want: 'settled',
    },
    {
      it: 'stops a pull that only a suspended app would wait for',
      image: gone,
      facts: { pull: running, wantedElsewhere: true },
      want: 'cancel (no longer wanted); progressing: Cancelling',
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
});

describe('what planImage says', () => {
  const id = anImage({ spec: { image: ID } });
  const gone = anImage({ deleted: true, status: { state: 'Downloaded', pulled: true } });
  const cases: ReadonlyArray<{ it: string; image?: Image; facts?: Partial<ImageFacts>; want: string }> = [
    { it: 'names what it begins to download', want: 'Downloading busybox:1.36' },
    { it: 'and what it downloads', facts: { pull: running }, want: 'Downloading busybox:1.36' },
    {
      it: 'and the file that is read',
      facts: { pull: { is: 'running', percent: 0, file: 'web.tar' } },
      want: 'Loading the file web.tar, which may hold busybox:1.36',
    },
    {
      it: 'and the App that is suspended, and how to go on',
      facts: { suspendedBy: 'hello' },
      want: 'App hello is suspended: busybox:1.36 is not downloaded until it is resumed and spec.suspend is taken back',
    },
    {
      it: 'and what to do about an id',
      image: id,
      want: `Image ${ID} is not on the device and an id cannot be downloaded: load or build it here, or name a reference`,
    },
    {
      it: 'and whom it waits for, in order',
      image: gone,
      facts: { seen: local, usedBy: ['web', 'db'] },
      want: 'Waiting for db, web to let go of the image busybox:1.36',
    },
  ];
  for (const { it: does, image = anImage(), facts = {}, want } of cases) {
    it(does, () => {
      const { outcome, failure } = plan(image, facts);
      assert.equal(failure?.message ?? ('message' in outcome && outcome.message), want);
    });
  }

  it('names the field that holds no reference', () => {
    assert.throws(
      () => plan(anImage({ spec: { image: 'Not A Reference' } }), {}),
      (error) => {
        assert.ok(error instanceof InvalidSpecError);
        assert.deepEqual(error.issues, [{ path: 'spec.image', message: 'Not A Reference is not an image reference' }]);
        return true;
      },
    );
  });

  it('looks again when the next attempt is due', () => {
    const { outcome } = plan(anImage(), { attempts: attempts('EOF', 3) });
    assert.equal('forMs' in outcome && outcome.forMs, 1_000);
  });
});

describe('pullFailure', () => {
  const cases: ReadonlyArray<[output: string, want: string, hint: RegExp]> = [
    [
      'manifest for x:1 not found: manifest unknown',
      'refused ImageNotFound',
      /check the name and the tag, and that the image was pushed/,
    ],
    [
      "pull access denied for x, repository does not exist or may require 'docker login'",
      'refused AccessDenied',
      /access to its registry/,
    ],
    ['Get "http://r/v2/": unauthorized: authentication required', 'refused AccessDenied', /spec.registries/],
    ['no matching manifest for linux/amd64 in the manifest list entries', 'refused WrongPlatform', /this processor/],
    ['failed to register layer: write /big: no space left on device', 'disk NotEnoughDisk', /make room/],
    [
      'Get "http://127.0.0.1:5055/v2/": dial tcp: connect: connection refused',
      'passing Retrying',
      /^Could not download image r\/x:1: Get/,
    ],
    ['dial tcp: lookup registry.example.com: no such host', 'passing Retrying', /^Could not download/],
    ['toomanyrequests: You have reached your pull rate limit', 'passing Retrying', /^Could not download/],
  ];
  for (const [output, want, hint] of cases) {
    it(`takes "${output}" for ${want}`, () => {
      const { is, reason, message } = pullFailure('r/x:1', new Error(output));
      assert.equal(`${is} ${reason}`, want);
      assert.match(message, hint);
    });
  }
});

describe('nextAttempt', () => {
  const delays = (output: string, count: number, random = 0) => {
    const found: number[] = [];
    let last: Attempts | undefined;
    for (let turn = 0; turn < count; turn += 1) {
      last = nextAttempt(last, 'first', pullFailure('x', new Error(output)), 0, random);
      found.push(last.dueMs / 1_000);
    }
    return found;
  };

  it('doubles the time up to five minutes', () => {
    assert.deepEqual(delays('EOF', 12), [0.5, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
  });
  it('takes off up to a quarter, so that devices do not come together', () => {
    assert.deepEqual(delays('EOF', 3, 0.8), [0.4, 0.8, 1.6]);
  });
  it('asks for room every minute', () => {
    assert.deepEqual(delays('no space left on device', 10).slice(-3), [60, 60, 60]);
  });
  it('asks a registry that keeps refusing every quarter of an hour', () => {
    assert.deepEqual(delays('manifest unknown', 9), [0.5, 1, 2, 4, 8, 16, 32, 900, 900]);
  });
  it('counts from zero for another document', () => {
    const failure = pullFailure('x', new Error('manifest unknown'));
    const next = nextAttempt({ of: 'before', failures: 20 }, 'now', failure, 0, 0);
    assert.deepEqual([next.failures, isHopeless(next)], [1, false]);
  });
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

  it('takes 512 characters at the most', () => {
    const longest = `${'a/'.repeat(255)}bc`;
    assert.deepEqual([longest.length, isReference(longest), isReference(`${longest}d`)], [512, true, false]);
  });
});
