import { normalizeReference } from '../../crds/model/names.js';
import type { SeenImage } from './engine.js';

const HUB = /^(?:index\.)?docker\.io\/(?:library\/)?(?=[^/])/;

/**
 * One spelling for every way to write an image's name: `docker.io/library/busybox`, `library/busybox` and `busybox` are
 * `busybox:latest`. Ids (`sha256:…`) stay as they are. Pure.
 */
export const imageKey = (reference: string): string =>
  normalizeReference(reference.replace(HUB, '').replace(/^library\/(?=[^/]+$)/, ''));

/** The part of an image's key before tag or digest: `registry.example.com/web`. Pure. */
export function repositoryOf(reference: string): string {
  const [name = ''] = imageKey(reference).split('@');
  const colon = name.lastIndexOf(':');
  return colon > name.lastIndexOf('/') ? name.slice(0, colon) : name;
}

/**
 * The digest that an image came under from the reference's repository; undefined for one that was built or loaded here.
 * It may have come under several: then `known`, as long as it is one of them. Pure.
 */
export function digestOf(image: Pick<SeenImage, 'digests'>, reference: string, known?: string): string | undefined {
  const repository = repositoryOf(reference);
  const own = image.digests.map((one) => one.split('@')).filter(([name]) => name === repository);
  const digests = own.flatMap(([, digest]) => digest ?? []).sort();
  return known !== undefined && digests.includes(known) ? known : digests[0];
}
