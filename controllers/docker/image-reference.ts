import { normalizeReference } from '../../crds/names.js';

const HUB = /^(?:index\.)?docker\.io\/(?:library\/)?(?=[^/])/;

/**
 * One spelling for every way to write an image's name: `docker.io/library/busybox`, `library/busybox` and `busybox` are
 * `busybox:latest`. Ids (`sha256:…`) stay as they are. Pure.
 */
export const imageKey = (reference: string): string =>
  normalizeReference(reference.replace(HUB, '').replace(/^library\/(?=[^/]+$)/, ''));
