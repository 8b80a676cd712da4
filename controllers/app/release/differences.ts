import { isActive } from '../../../crds/model/active.js';
import { meansCompose, unlikeSupervisor } from '../../../crds/model/defaults.js';
import type { AnyDeclared, AnyResource } from '../../../crds/model/kinds.js';
import { sameSpec } from './children.js';

/** Lists the children that a promotion would create, change or delete, except unwanted images: they go at the end. Pure. */
export function differences(existing: readonly AnyResource[], desired: readonly AnyDeclared[]): readonly string[] {
  const active = new Map(existing.filter(isActive).map((one) => [keyOfChild(one), one]));
  const wanted = new Set(desired.map(keyOfChild));
  const missing = desired.filter((one) => {
    const there = active.get(keyOfChild(one));
    return there === undefined || !sameSpec(there, one);
  });
  const unwanted = [...active.values()].filter((one) => one.kind !== 'Image' && !wanted.has(keyOfChild(one)));
  return [...missing, ...unwanted].map(keyOfChild);
}

/** A child by its kind and name, as people read it. Pure. */
export const keyOfChild = ({ kind, metadata }: AnyDeclared | AnyResource): string => `${kind}/${metadata.name}`;

/**
 * Returns the services of before, when all documents meant what a Supervisor does, that from now on mean what Compose means, with
 * the fields that come to something else by that alone. Pure.
 */
export function newMeaning(
  existing: readonly AnyResource[],
  desired: readonly AnyDeclared[],
): readonly { readonly service: string; readonly fields: readonly string[] }[] {
  const before = new Map(existing.filter(isActive).map((one) => [keyOfChild(one), one]));
  return desired.flatMap((one) => {
    const there = before.get(keyOfChild(one));
    if (one.kind !== 'Service' || there?.kind !== 'Service') return [];
    if (!meansCompose(one.spec) || meansCompose(there.spec)) return [];
    const fields = unlikeSupervisor(one.spec);
    return fields.length > 0 ? [{ service: one.spec.serviceName, fields }] : [];
  });
}
