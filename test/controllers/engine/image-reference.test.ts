import assert from 'node:assert/strict';
import { digestOf, imageKey } from '../../../controllers/engine/image-reference.js';

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
