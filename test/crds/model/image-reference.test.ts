import assert from 'node:assert/strict';
import { digestOf, imageKey, normalizeReference, parseReference } from '../../../crds/model/image-reference.js';

const DIGEST = 'sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa';

describe('parseReference', () => {
  const cases: [reference: string, want: [string, string | undefined, string | undefined]][] = [
    ['web', ['web', undefined, undefined]],
    ['web:2', ['web', '2', undefined]],
    ['registry.example.com:5000/team/web', ['registry.example.com:5000/team/web', undefined, undefined]],
    ['registry.example.com:5000/team/web:2', ['registry.example.com:5000/team/web', '2', undefined]],
    ['team/web@sha256:ab', ['team/web', undefined, 'sha256:ab']],
    ['team/web:2@sha256:ab', ['team/web', '2', 'sha256:ab']],
  ];
  for (const [reference, want] of cases) {
    it(`takes ${reference} apart`, () => {
      const { name, tag, digest } = parseReference(reference);
      assert.deepEqual([name, tag, digest], want);
    });
  }
});

describe('normalizeReference', () => {
  const cases: [given: string, want: string][] = [
    ['busybox', 'busybox:latest'],
    ['busybox:1.36', 'busybox:1.36'],
    ['team/web', 'team/web:latest'],
    ['registry.example.com:5000/web', 'registry.example.com:5000/web:latest'],
    ['registry.example.com:5000/web:2', 'registry.example.com:5000/web:2'],
    [`web@${DIGEST}`, `web@${DIGEST}`],
    [`web:2@${DIGEST}`, `web@${DIGEST}`],
    [`registry.example.com:5000/team/web@${DIGEST}`, `registry.example.com:5000/team/web@${DIGEST}`],
    [`registry.example.com:5000/team/web:2@${DIGEST}`, `registry.example.com:5000/team/web@${DIGEST}`],
    ['[::1]:5000/web', '[::1]:5000/web:latest'],
  ];
  for (const [given, want] of cases) {
    it(`${given} → ${want}`, () => {
      assert.equal(normalizeReference(given), want);
      assert.equal(normalizeReference(want), want);
    });
  }
});

describe('imageKey', () => {
  const cases: [string, string][] = [
    ['busybox', 'busybox:latest'],
    ['busybox:1.36', 'busybox:1.36'],
    ['library/busybox', 'busybox:latest'],
    ['docker.io/busybox', 'busybox:latest'],
    ['docker.io/library/busybox:latest', 'busybox:latest'],
    ['index.docker.io/library/busybox:1', 'busybox:1'],
    ['docker.io/me/app', 'me/app:latest'],
    ['me/app', 'me/app:latest'],
    ['library/me/app', 'library/me/app:latest'],
    ['registry.example:5000/library/app', 'registry.example:5000/library/app:latest'],
    ['localhost:5000/app', 'localhost:5000/app:latest'],
    ['busybox@sha256:ab', 'busybox@sha256:ab'],
    ['docker.io/library/busybox:1@sha256:ab', 'busybox@sha256:ab'],
    ['sha256:abcdef', 'sha256:abcdef'],
  ];
  for (const [reference, want] of cases) {
    it(`is ${want} for ${reference}`, () => assert.equal(imageKey(reference), want));
  }
});

describe('digestOf', () => {
  const image = {
    digests: ['registry.example:5000/app@sha256:bb', 'registry.example:5000/app@sha256:aa', 'busybox@sha256:cc'],
  };
  const cases: [string, string | undefined, string | undefined][] = [
    ['registry.example:5000/app:1', undefined, 'sha256:aa'],
    ['registry.example:5000/app:1', 'sha256:bb', 'sha256:bb'],
    ['registry.example:5000/app:1', 'sha256:gone', 'sha256:aa'],
    ['docker.io/library/busybox', undefined, 'sha256:cc'],
    ['registry.example:5000/other', undefined, undefined],
  ];
  for (const [reference, known, want] of cases) {
    it(`of ${reference} is ${want} when ${known} was known`, () =>
      assert.equal(digestOf(image, reference, known), want));
  }
});
