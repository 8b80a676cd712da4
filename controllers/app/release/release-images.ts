import type { Store } from '../../../api/store/store.js';
import { repositoryOf } from '../../../crds/model/image-reference.js';
import { type App, type Image, keyOf } from '../../../crds/model/kinds.js';

/** What each service's image is, to the bit. */
export function imagesOfRelease(store: Store, { metadata }: App): Readonly<Record<string, string>> {
  const owner = keyOf('App', metadata.name);
  const images = new Map(store.owned(owner, 'Image').map((image) => [image.spec.image, image]));
  return Object.fromEntries(
    store.owned(owner, 'Service').flatMap(({ spec }) => {
      const image = images.get(spec.image);
      const exact = image && exactImage(image);
      return exact === undefined ? [] : [[spec.serviceName, exact]];
    }),
  );
}

/** An image by its digest, or by its id when no registry knows it; undefined while it is not known. Pure. */
export const exactImage = ({ spec, status }: Image): string | undefined =>
  status?.digest ? `${repositoryOf(spec.image)}@${status.digest}` : status?.dockerImageId;
