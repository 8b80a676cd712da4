import type { Service } from '../../../crds/model/kinds.js';
import { latestFirst, type Revision } from '../../../crds/model/revisions.js';
import { replacedBy } from '../../../crds/model/service-changes.js';
import type { RevisionSpec, ServiceStatus } from '../../../crds/model/types.js';
import { isOpen } from './record.js';

/** The status's record of the last replacement. */
export type ReplacedRecord = NonNullable<ServiceStatus['replaced']>;

/**
 * Returns the record of a container that was just created, undefined when it is the first of its service. `service`: as
 * it was before the step. `declared`: who declared it, where no revision says that. `revisions`: those of its App. Pure.
 */
export function replacedRecord(
  service: Service,
  {
    name,
    because,
    at,
    isSurge,
  }: {
    readonly name: string;
    readonly because: string;
    readonly at: number;
    /** The old one was there when it was created. */
    readonly isSurge: boolean;
  },
  declared: RevisionSpec['from'],
  revisions: readonly Revision[],
): ReplacedRecord | undefined {
  const { container, replaced } = service.status ?? {};
  const why = isSurge ? because : reasonOf(service, because);
  if (why === undefined) return undefined;
  const known = { noted: replaced?.revision, replaced: container?.id };
  const by = replacedBy(service, latestFirst(revisions), known);
  return {
    ...{ container: name, because: why, at: new Date(at).toISOString() },
    ...(container ? { previous: container.name } : {}),
    ...(by && by.fields.length > 0 ? { fields: [...by.fields] } : {}),
    ...(by ? { revision: by.revision.metadata.name } : {}),
    from: by?.revision.spec.from ?? declared,
  };
}

/** An old container that was removed first has left its reason in the status. Pure. */
function reasonOf({ status }: Service, because: string): string | undefined {
  const { container, update, lastAction, replaced } = status ?? {};
  if (isOpen(update)) return update.because;
  if (lastAction?.reason === 'Stopping') return lastAction.because;
  return container || replaced ? because : undefined;
}
