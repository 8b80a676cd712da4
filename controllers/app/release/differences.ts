import { isActive } from '../../../crds/model/active.js';
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
