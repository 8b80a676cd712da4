import { isActive } from '../model/active.js';
import { type AnyResource, keyOf, type Service } from '../model/kinds.js';

/** Names of standalone documents within an App: somebody wrote them for the App, separately. */
export interface StandaloneNames {
  readonly services: readonly string[];
  readonly networks: readonly string[];
  readonly volumes: readonly string[];
}

/** Returns the standalone services of an App: active, and not its children. Pure. */
export const standaloneServices = (app: string, services: readonly Service[]): readonly Service[] =>
  services.filter(
    ({ spec, metadata }) => spec.app === app && metadata.owner !== keyOf('App', app) && isActive({ metadata }),
  );

/** Returns the names within an App of standalone networks or volumes. Pure. */
export function standaloneNames(app: string, documents: readonly AnyResource[]): readonly string[] {
  const prefix = `${app}.`;
  return documents
    .filter((one) => isActive(one) && one.metadata.owner === undefined && one.metadata.name.startsWith(prefix))
    .map((one) => one.metadata.name.slice(prefix.length));
}
