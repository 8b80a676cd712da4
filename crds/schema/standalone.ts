import { isActive } from '../model/active.js';
import { type AnyResource, keyOf, type Service } from '../model/kinds.js';

/** Names that exist without being in an App: documents that somebody wrote by hand for it. */
export interface WrittenByHand {
  readonly services: readonly string[];
  readonly networks: readonly string[];
  readonly volumes: readonly string[];
}

/** Services that somebody wrote for that App beside it. Pure. */
export const servicesByHand = (app: string, services: readonly Service[]): readonly Service[] =>
  services.filter(
    ({ spec, metadata }) => spec.app === app && metadata.owner !== keyOf('App', app) && isActive({ metadata }),
  );

/** Names within that App of networks or volumes that somebody wrote beside it. Pure. */
export function writtenFor(app: string, documents: readonly AnyResource[]): readonly string[] {
  const prefix = `${app}.`;
  return documents
    .filter((one) => isActive(one) && one.metadata.owner === undefined && one.metadata.name.startsWith(prefix))
    .map((one) => one.metadata.name.slice(prefix.length));
}
