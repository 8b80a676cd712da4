import { normalizeReference } from './image-reference.js';
import type { Resource } from './kinds.js';
import type { AppSpec, RevisionSpec, ServiceSpec } from './types.js';

export type Revision = Resource<'Revision'>;

/** How many revisions of an App are kept beside the present one. */
const HISTORY_LIMIT = 5;

/** Revisions that were promoted last come first. Pure. */
export const latestFirst = (revisions: readonly Revision[]): readonly Revision[] =>
  revisions.toSorted((a, b) => b.spec.number - a.spec.number);

/** The revision that was promoted last, however it ended. Pure. */
export const latestOf = (revisions: readonly Revision[]): Revision | undefined => latestFirst(revisions)[0];

/**
 * Whether its services were all well for the minimum time when it was last looked at. It stays so while it is promoted
 * again, until it is found bad. Pure.
 */
const wasGood = ({ status }: Revision): boolean => status?.goodSince !== undefined;

/** The latest revision that was good; `except` leaves out one by its name. Pure. */
export const lastGoodOf = (revisions: readonly Revision[], except?: string): Revision | undefined =>
  latestFirst(revisions).find((one) => one.metadata.name !== except && wasGood(one));

/** The status speaks of the promotion before, or there is none: nothing has been found out yet. Pure. */
export const isUndecided = ({ spec, status }: Revision): boolean =>
  status?.attempt !== spec.number || status.phase === 'Candidate';

/** What can be gone back to: the latest that was good, and while that is promoted again and may be bad now, the one before. Pure. */
export function refugesOf(revisions: readonly Revision[]): readonly Revision[] {
  const latest = latestOf(revisions);
  const before = latest && isUndecided(latest) ? lastGoodOf(revisions, latest.metadata.name) : undefined;
  return [...new Set([lastGoodOf(revisions), before])].filter((one) => one !== undefined);
}

/** Ids of images that its services ran and that no registry knows by a digest, as far as that is known. Pure. */
export const localImagesOf = ({ spec, status }: Revision): readonly string[] =>
  servicesOfRevision(spec).flatMap(({ image, serviceName }) => {
    const known = spec.images?.[normalizeReference(image)];
    const id = status?.images?.[serviceName] ?? known?.id;
    return id === undefined || (known?.id === id && known.digest !== undefined) ? [] : [id];
  });

/** How many revisions are kept beside the present one. Pure. */
export const historyLimitOf = ({
  revisionHistoryLimit = HISTORY_LIMIT,
}: Pick<AppSpec, 'revisionHistoryLimit'>): number => revisionHistoryLimit;

/** What its services were declared as. Pure. */
export const servicesOfRevision = ({ documents }: Pick<RevisionSpec, 'documents'>): readonly ServiceSpec[] =>
  documents.flatMap(({ kind, spec }) => (kind === 'Service' ? [spec as unknown as ServiceSpec] : []));

/** The references of the images that its services run. Pure. */
export const imagesOfRevision = ({ documents }: Pick<RevisionSpec, 'documents'>): readonly string[] => [
  ...new Set(
    documents.flatMap(({ kind, spec }) => (kind === 'Service' && typeof spec.image === 'string' ? [spec.image] : [])),
  ),
];
