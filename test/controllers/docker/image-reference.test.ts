import assert from 'node:assert/strict';
import { imageKey } from '../../../controllers/docker/image-reference.js';

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
