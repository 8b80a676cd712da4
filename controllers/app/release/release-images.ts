import { repositoryOf } from '../../../crds/model/image-reference.js';
import type { AnyResource, Image } from '../../../crds/model/kinds.js';

/** Returns the exact image of each service among an App's children, by service name. Pure. */
export function imagesOfRelease(children: readonly AnyResource[]): Readonly<Record<string, string>> {
  const images = new Map(children.flatMap((one) => (one.kind === 'Image' ? [[one.spec.image, one] as const] : [])));
  return Object.fromEntries(
    children.flatMap(({ kind, spec }) => {
      if (kind !== 'Service') return [];
      const image = images.get(spec.image);
      const exact = image && exactImage(image);
      return exact === undefined ? [] : [[spec.serviceName, exact]];
    }),
  );
}

/** Names an image by its digest, or by its id when no registry knows it; undefined while it is not known. Pure. */
export const exactImage = ({ spec, status }: Image): string | undefined =>
  status?.digest ? `${repositoryOf(spec.image)}@${status.digest}` : status?.dockerImageId;
