import { descriptorOf, type Kind } from '../../crds/model/kinds.js';

/**
 * Returns what has to be done before a document of that kind and name may go. A document without a controller has
 * nobody to release it. Pure.
 */
export function finalizersOf(kind: Kind, name: string): readonly string[] {
  const { finalizers, names } = descriptorOf(kind);
  return names.length === 0 || names.includes(name) ? finalizers : [];
}
