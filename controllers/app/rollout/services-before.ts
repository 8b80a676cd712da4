import { conditionOf } from '../../../crds/model/conditions.js';
import { canonical } from '../../../crds/model/hash.js';
import type { AnyResource } from '../../../crds/model/kinds.js';
import type { RevisionSpec } from '../../../crds/model/types.js';

type ServicesBefore = NonNullable<RevisionSpec['servicesBefore']>;

/**
 * Returns how an App's services are at the moment of a promotion, for its Revision: what was so before is no fault of
 * it. `promoted`: what the promotion declares. `good`: the last revision that was good; undefined when there is none.
 * Pure.
 */
export function servicesNow(
  existing: readonly AnyResource[],
  promoted: Pick<RevisionSpec, 'documents'>,
  good: Pick<RevisionSpec, 'documents'> | undefined,
): ServicesBefore {
  return Object.fromEntries(
    existing.flatMap((one) => {
      if (one.kind !== 'Service') return [];
      const { container, restarts = 0 } = one.status ?? {};
      const isIll =
        conditionOf(one, 'Ready')?.status === 'False' &&
        good !== undefined &&
        isSameService(one.metadata.name, promoted, good);
      if (!container && !isIll) return [];
      const before: ServicesBefore[string] = {
        ...(container ? { container: container.id, ...(restarts > 0 ? { restarts } : {}) } : {}),
        ...(isIll ? { ill: true } : {}),
      };
      return [[one.spec.serviceName, before] as const];
    }),
  );
}

/** Whether two revisions declare a service alike, but for the number of the release, which every release has for itself. */
function isSameService(name: string, ...revisions: readonly Pick<RevisionSpec, 'documents'>[]): boolean {
  const [one, other] = revisions.map(({ documents }) => {
    const { release: _number, ...spec } =
      documents.find((found) => found.kind === 'Service' && found.name === name)?.spec ?? {};
    return canonical(spec);
  });
  return one === other;
}
