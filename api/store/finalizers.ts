import { descriptorOf, type Kind } from '../../crds/model/kinds.js';

/** What has to be done before a document of that kind and name may go. One that no controller looks after has nobody to release it. Pure. */
export function finalizersOf(kind: Kind, name: string): readonly string[] {
  const { finalizers, names } = descriptorOf(kind);
  return names.length === 0 || names.includes(name) ? finalizers : [];
}
