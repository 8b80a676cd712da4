import type { Store } from '../../../api/store/store.js';
import { isActive } from '../../../crds/model/active.js';
import { digestOf } from '../../../crds/model/image-reference.js';
import { type AnyResource, API_VERSION, type App, type Declared, keyOf } from '../../../crds/model/kinds.js';
import {
  historyLimitOf,
  imagesOfRevision,
  isUndecided,
  lastGoodOf,
  latestFirst,
  latestOf,
  type Revision,
  refugesOf,
} from '../../../crds/model/revisions.js';
import type { RevisionSpec } from '../../../crds/model/types.js';
import type { EngineCache } from '../../engine/engine-cache.js';
import { declaredAs, identityOf } from '../release/children.js';
import { type Content, isIntact } from './content.js';
import { imagesToRestore } from './restore.js';
import { servicesNow } from './services-before.js';

/** The Revisions of an App. One that was edited by hand is none: nobody knows whether that was ever good. */
export const revisionsOf = (store: Pick<Store, 'owned'>, { metadata }: Pick<App, 'metadata'>): readonly Revision[] =>
  store.owned(keyOf('App', metadata.name), 'Revision').filter((one) => isActive(one) && isIntact(one));

/** Those that were edited by hand. */
export const editedRevisions = (
  store: Pick<Store, 'owned'>,
  { metadata }: Pick<App, 'metadata'>,
): readonly Revision[] =>
  store.owned(keyOf('App', metadata.name), 'Revision').filter((one) => isActive(one) && !isIntact(one));

interface Promotion {
  readonly app: App;
  readonly content: Content;
  /** It was promoted before, and is so again for its own sake: it stays what it was but for its number and time, and that it was found running. */
  readonly restored?: Revision | undefined;
  readonly revisions: readonly Revision[];
  /** The App's children as they are before the promotion. */
  readonly existing: readonly AnyResource[];
  /** The promotion before was of the same content, and is to be looked at again all the same. */
  readonly again?: boolean;
  /** It ran already when the agent began to keep revisions. */
  readonly adopted?: true;
}

/**
 * The Revisions that an App declares with a promotion: that of what is promoted, which is new or has a new number, and of
 * the others as many as are kept. Content that was promoted last already is no other promotion.
 */
export function withPromotion(
  { cache, now }: { readonly cache: EngineCache; readonly now: () => number },
  { app, content, restored, revisions, existing, again = false, adopted }: Promotion,
): readonly Declared<'Revision'>[] {
  const latest = latestOf(revisions);
  if (latest?.metadata.name === content.name && !again) return revisions.map(declaredRevision);
  const turn = { number: (latest?.spec.number ?? 0) + 1, promotedAt: new Date(now()).toISOString() };
  const promotedSpec: RevisionSpec = restored
    ? { ...restored.spec, ...turn, from: promotedAgain(restored.spec.from) }
    : {
        app: app.metadata.name,
        ...turn,
        release: releaseOf(content, app),
        from: { ...provenanceOf(app), ...(adopted ? { adopted } : {}) },
        ...imagesOf(cache, content),
        documents: content.documents.map(({ kind, metadata, spec: said }) => ({
          kind,
          name: metadata.name,
          spec: said as unknown as Record<string, unknown>,
        })),
      };
  const servicesBefore = servicesNow(existing, promotedSpec, lastGoodOf(revisions, content.name)?.spec);
  const promoted: Declared<'Revision'> = {
    apiVersion: API_VERSION,
    kind: 'Revision',
    metadata: { name: content.name },
    spec: { ...promotedSpec, servicesBefore: { ...servicesBefore } },
  };
  return [promoted, ...keptOf(app, revisions, content.name).map(declaredRevision)];
}

/** It was found running once, and no longer is: now it has to prove itself. Pure. */
function promotedAgain({ adopted: _, ...from }: RevisionSpec['from']): RevisionSpec['from'] {
  return from;
}

/** Revisions that stay beside the one of that name: the latest ones, and the one that can be gone back to. Pure. */
function keptOf({ spec }: App, revisions: readonly Revision[], promoted: string): readonly Revision[] {
  const others = latestFirst(revisions).filter(({ metadata }) => metadata.name !== promoted);
  const good = lastGoodOf(others);
  return others.filter((one, index) => index < historyLimitOf(spec) || one === good);
}

/** A Revision as its App declares it again. Pure. */
const declaredRevision = (revision: Revision): Declared<'Revision'> => declaredAs(revision) as Declared<'Revision'>;

function releaseOf({ documents }: Content, app: App): RevisionSpec['release'] {
  const service = documents.find((one) => one.kind === 'Service');
  const release = service?.kind === 'Service' ? service.spec.release : identityOf(app).release;
  return release ? { commit: release.commit, id: release.id ?? 0 } : null;
}

/** Where an App's document came from, in git by which commit, and over HTTP from which caller. */
function provenanceOf({ metadata: { origin, source, declaredBy } }: App): RevisionSpec['from'] {
  const { file, line, commit } = source ?? {};
  return {
    origin,
    ...(file === undefined ? {} : { file }),
    ...(line === undefined ? {} : { line }),
    ...(commit === undefined ? {} : { commit: commit.hash }),
    ...(commit?.author === undefined ? {} : { author: commit.author }),
    ...(commit?.subject === undefined ? {} : { subject: commit.subject }),
    ...(declaredBy === undefined ? {} : { by: declaredBy }),
  };
}

function imagesOf(cache: EngineCache, { documents }: Content): Pick<RevisionSpec, 'images'> {
  const references = documents.flatMap((one) => (one.kind === 'Service' ? [one.spec.image] : []));
  const known = [...new Set(references)].flatMap((reference) => {
    const image = cache.image(reference);
    if (!image) return [];
    const digest = digestOf(image, reference);
    return [[reference, { id: image.id, ...(digest === undefined ? {} : { digest }) }] as const];
  });
  return known.length === 0 ? {} : { images: Object.fromEntries(known) };
}

/** Tells whether it is not decided yet whether what was promoted last is good. Pure. */
export function isVerifying(revisions: readonly Revision[]): boolean {
  const latest = latestOf(revisions);
  return latest !== undefined && isUndecided(latest);
}

/** References and ids of images that stay on the device: what can be gone back to needs them. */
export function pinnedImages(cache: Pick<EngineCache, 'image'>, revisions: readonly Revision[]): ReadonlySet<string> {
  const pinned = refugesOf(revisions).flatMap((one) => {
    // The tags that it names may lead elsewhere by now; then it runs by digests or ids.
    const exact = imagesToRestore(cache, one);
    return [...imagesOfRevision(one.spec), ...exact, ...exact.flatMap((image) => cache.image(image)?.id ?? [])];
  });
  return new Set(pinned);
}
