import { changedFields } from './changed-fields.js';
import { differences } from './differences.js';
import type { Service } from './kinds.js';
import type { Revision } from './revisions.js';

/** The promotion that brought a service as it is declared in the latest one. */
export interface ServiceChange {
  readonly revision: Revision;
  /** `oldest`: no older revision is kept, so it may have come before. `first`: the one before did not have the service. */
  readonly is: 'changed' | 'first' | 'oldest';
  /** The fields that it changed, as `changedFields` tells them. */
  readonly fields: readonly string[];
}

/** Returns the promotion that brought the service; undefined when the latest revision does not have it. `promoted`: the latest first. Pure. */
export function lastChangeOf(name: string, promoted: readonly Revision[]): ServiceChange | undefined {
  const [latest] = promoted;
  if (!latest || !keptOf(latest, name)) return undefined;
  for (const [index, revision] of promoted.entries()) {
    const [is, was] = [keptOf(revision, name), keptOf(promoted[index + 1], name)];
    if (index + 1 === promoted.length && revision.spec.number > 1) return { revision, is: 'oldest', fields: [] };
    if (!was) return { revision, is: 'first', fields: [] };
    const fields = changedFields(was, is);
    if (fields.length > 0) return { revision, is: 'changed', fields };
  }
  return undefined;
}

/** What a service whose container is being replaced was promoted with. */
export interface ReplacedBy {
  readonly revision: Revision;
  /** The fields that differ from what the container before was made of; none when that is not known. */
  readonly fields: readonly string[];
}

/**
 * Returns the latest revision, where the service is as it says, and what that changed. `noted`: the revision that the
 * container before was noted with. `replaced`: its id; a revision says which container ran when it was promoted. Pure.
 */
export function replacedBy(
  { metadata, spec }: Pick<Service, 'metadata' | 'spec'>,
  promoted: readonly Revision[],
  { noted, replaced }: { readonly noted: string | undefined; readonly replaced: string | undefined },
): ReplacedBy | undefined {
  const [latest] = promoted;
  const is = keptOf(latest, metadata.name);
  const { release: _number, ...declared } = spec;
  if (!latest || !is || differences(is.spec, declared).length > 0) return undefined;
  const before = promoted.find((one) => one.metadata.name === noted);
  if (before) return { revision: latest, fields: changedFields(keptOf(before, metadata.name), is) };
  const change = lastChangeOf(metadata.name, promoted);
  const ranBefore = change?.revision.spec.servicesBefore?.[spec.serviceName]?.container;
  return { revision: latest, fields: replaced !== undefined && replaced === ranBefore ? (change?.fields ?? []) : [] };
}

/** The Service as that revision keeps it, like a document. Every release has a number of its own: that changes no service. */
function keptOf(revision: Revision | undefined, name: string) {
  const kept = revision?.spec.documents.find((one) => one.kind === 'Service' && one.name === name);
  const origin = `App/${revision?.spec.app}` as const;
  if (!kept) return undefined;
  const { release: _number, ...spec } = kept.spec;
  return { kind: 'Service', metadata: { name, origin }, spec } as const;
}
