import { normalizeReference, repositoryOf } from '../../../crds/model/image-reference.js';
import type { AnyDeclared, App, Service } from '../../../crds/model/kinds.js';
import { type Revision, servicesOfRevision } from '../../../crds/model/revisions.js';
import type { EngineCache } from '../../engine/engine-cache.js';
import { imagesOf } from '../release/children.js';
import { asPromoted, type Promoted } from './content.js';

/** The children of a Revision as they are promoted again, and the images that nothing can bring back. */
interface Restored {
  readonly documents: readonly Promoted[];
  readonly images: readonly AnyDeclared[];
  readonly lost: readonly string[];
}

/**
 * Makes the children of a Revision again. A service gets the very image that it ran: by its reference while that still
 * leads there, else by its digest or its id. What happens to the data of volumes is what the App
 * says now.
 */
export function restore(
  cache: Pick<EngineCache, 'image'>,
  app: App,
  revision: Revision,
  standaloneServices: readonly Service[] = [],
): Restored {
  const documents = revision.spec.documents.map((one): Promoted => {
    const document = asPromoted(one);
    if (document.kind === 'Volume') {
      return { ...document, spec: { ...document.spec, reclaim: app.spec.volumeReclaim ?? 'Retain' } };
    }
    if (document.kind !== 'Service') return document;
    const image = exactReference(cache, revision, document.spec);
    return image === undefined || image === document.spec.image
      ? document
      : { ...document, spec: { ...document.spec, image } };
  });
  const services = documents.filter((one) => one.kind === 'Service');
  return {
    documents,
    images: imagesOf(app.metadata.name, [...services, ...standaloneServices]),
    lost: lostImages(cache, revision),
  };
}

/** References of a Revision whose image has gone from the device and has no digest by which a registry would know it. */
export const lostImages = (cache: Pick<EngineCache, 'image'>, revision: Revision): readonly string[] => [
  ...new Set(
    servicesOfRevision(revision.spec).flatMap((spec) =>
      exactReference(cache, revision, spec) === undefined ? [spec.image] : [],
    ),
  ),
];

/** References by which a Revision gets the images that it ran, as far as anything leads to them. */
export function imagesToRestore(cache: Pick<EngineCache, 'image'>, revision: Revision): readonly string[] {
  return servicesOfRevision(revision.spec).flatMap((spec) => exactReference(cache, revision, spec) ?? []);
}

/** How the image is asked for that a service of a Revision ran; undefined when nothing leads to it any more. */
function exactReference(
  cache: Pick<EngineCache, 'image'>,
  { spec, status }: Revision,
  { image, serviceName }: Service['spec'],
): string | undefined {
  const reference = normalizeReference(image);
  const known = spec.images?.[reference];
  const id = status?.images?.[serviceName] ?? known?.id;
  if (id === undefined) return reference; // never seen on the device: it is got as it was the first time
  if (cache.image(reference)?.id === id) return reference;
  const digest = known?.id === id ? known.digest : undefined;
  const byDigest = digest === undefined || reference.includes('@') ? undefined : `${repositoryOf(reference)}@${digest}`;
  // What was downloaded by its digest stays known by that, and does not turn into its id.
  if (byDigest !== undefined && cache.image(byDigest)?.id === id) return byDigest;
  if (cache.image(id)) return id;
  if (reference.includes('@')) return reference;
  return byDigest;
}
