import type { Store } from '../../api/store/store.js';
import { isActive } from '../../crds/model/active.js';
import { imageKey, repositoryOf } from '../../crds/model/image-reference.js';
import { type App, type Image, keyOf } from '../../crds/model/kinds.js';
import { localImagesOf, refugesOf } from '../../crds/model/revisions.js';
import type { KnownImage } from '../engine/cache/image-cache.js';
import type { EngineCache } from '../engine/engine-cache.js';

/**
 * Names that we give to images which have lost their own, and which no registry can bring again: a tag that is rebuilt
 * leaves the image before without a name, and what has none goes with the next `docker image prune`. They are there for
 * the engine alone: nothing asks for an image by one.
 */
const KEPT = 'supercargo.io/kept';
/** How much of an id is in the name: as much as Docker shows of it. */
const DIGITS = 12;

const keptName = (id: string): string => `${KEPT}:${id.replace('sha256:', '').slice(0, DIGITS)}`;

/** Tells whether an image's name is one of ours. Pure. */
export const isKeptName = (reference: string): boolean => repositoryOf(reference) === KEPT;

export type KeptNameStep =
  /** Gives the image of that id our name for it. */
  | { readonly do: 'name'; readonly id: string; readonly name: string; readonly because: string }
  /**
   * Takes that name of ours away. `heir`: an image with other names that gets it first, because the image whose last name
   * it is would go with it; that is not ours to delete.
   */
  | { readonly do: 'unname'; readonly name: string; readonly heir: string | undefined; readonly because: string };

export interface KeptNameFacts {
  /** Ids of images that have to stay, as far as this pass has to know, and which revision needs them. */
  readonly needed: ReadonlyMap<string, string>;
  /** Of these the ones that this document's pass names. */
  readonly own: ReadonlySet<string>;
  /** Every image on the engine. */
  readonly images: readonly KnownImage[];
  /** Whether this document's pass takes away names that nothing needs. */
  readonly cleans: boolean;
}

const NOTHING: KeptNameFacts = { needed: new Map(), own: new Set(), images: [], cleans: false };

/**
 * Finds what a document's pass has to see to: the first Image of an App names what its revisions need, the first of all
 * takes away what nothing needs, so that two passes never do the same.
 */
export function observeKeptNames(
  store: Store,
  cache: Pick<EngineCache, 'images'>,
  { metadata, spec }: Image,
): KeptNameFacts {
  const images = cache.images();
  if (!areKept(images)) return NOTHING;
  const { ofApp, ofAll } = carersFor(store, spec.app);
  const [names, cleans] = [ofApp === metadata.name, ofAll === metadata.name];
  const app = store.get('App', spec.app);
  const own = new Map(names && app && isActive(app) ? neededBy(store, app) : []);
  const apps = cleans ? store.list('App').filter(isActive) : [];
  return {
    ...{ images, cleans, own: new Set(own.keys()) },
    needed: new Map([...own, ...apps.flatMap((one) => [...neededBy(store, one)])]),
  };
}

/** Names of the documents whose passes see to the names of ours: of an App's images, and of those that nothing needs. */
export function carersFor(
  store: Pick<Store, 'list'>,
  app: string,
): { readonly ofApp: string | undefined; readonly ofAll: string | undefined } {
  let [ofApp, ofAll]: (string | undefined)[] = [];
  for (const { metadata, spec } of store.list('Image')) {
    if (ofAll === undefined || metadata.name < ofAll) ofAll = metadata.name;
    if (spec.app === app && (ofApp === undefined || metadata.name < ofApp)) ofApp = metadata.name;
  }
  return { ofApp, ofAll };
}

/** Tells whether an image has lost its names, or has one of ours: without that there is nothing to see to. Pure. */
export const areKept = (images: readonly KnownImage[]): boolean =>
  images.some((one) => isNameless(one) || one.tags.some(isKeptName));

/** Ids of images that no registry brings again and that an App needs on its way back, by the revision that ran them. */
function neededBy(store: Store, { metadata }: App): ReadonlyMap<string, string> {
  const refuges = refugesOf(store.owned(keyOf('App', metadata.name), 'Revision').filter(isActive));
  return new Map(refuges.flatMap((one) => localImagesOf(one).map((id) => [id, one.metadata.name] as const)));
}

/** It has no name but ours. A digest does not count: Docker prunes what has no tag. */
const isNameless = ({ tags }: KnownImage): boolean => tags.every(isKeptName);

/** Plans to name what is needed and has lost its name, and to take away names that nothing needs. Pure. */
export function planKeptNames({ needed, own, images, cleans }: KeptNameFacts): readonly KeptNameStep[] {
  const isNeeded = (image: KnownImage): boolean => isNameless(image) && needed.has(image.id);
  const has = (image: KnownImage, name: string): boolean => image.tags.some((tag) => imageKey(tag) === name);
  const named = images.flatMap((image): readonly KeptNameStep[] => {
    const name = keptName(image.id);
    if (!own.has(image.id) || !isNeeded(image) || has(image, name)) return [];
    const because = `revision ${needed.get(image.id)} ran it and can be gone back to, and it has lost its name`;
    return [{ do: 'name', id: image.id, name, because }];
  });
  if (!cleans) return named;
  const moved = new Set(named.map((step) => step.name));
  const heir = images.find((image) => !isNameless(image))?.id;
  const left = images.flatMap((image): readonly KeptNameStep[] => {
    const isLast = isNameless(image);
    // With the last name of all an image would go that nobody has given up.
    if (isLast && heir === undefined) return [];
    return image.tags
      .filter((tag) => isKeptName(tag) && !moved.has(imageKey(tag)))
      .filter((tag) => !isNeeded(image) || imageKey(tag) !== keptName(image.id))
      .map((name) => ({
        ...{ do: 'unname' as const, name, heir: isLast ? heir : undefined },
        because: isNeeded(image) ? 'it is the name of another image' : 'no revision needs it to stay',
      }));
  });
  return [...named, ...left];
}
