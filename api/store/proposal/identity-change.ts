import type { AnyDeclared, AnyResource } from '../../../crds/model/kinds.js';
import { appIdOf } from './derived-names.js';

/**
 * Why a document cannot go on as the one that is declared: containers, networks and volumes are found by the number and
 * uuid of their app and by their own names, so under another one nobody would look after what runs. Undefined when it
 * can. Pure.
 */
export function identityChange(before: AnyResource, after: AnyDeclared): string | undefined {
  const was = identityOf(before);
  const change = Object.entries(identityOf(after)).find(([field, value]) => was[field] !== value);
  if (!change) return undefined;
  const [field, value] = change;
  return `${field} cannot change from ${was[field]} to ${value}, because what runs goes by it. Take the change back, or delete the ${after.kind} and declare it again once it is gone.`;
}

function identityOf(document: AnyDeclared | AnyResource): Readonly<Record<string, string | number | undefined>> {
  switch (document.kind) {
    case 'App':
      return { appId: appIdOf(document), uuid: document.spec.uuid ?? String(appIdOf(document)) };
    case 'Service':
      return { app: document.spec.app, serviceName: document.spec.serviceName };
    case 'Network':
      return { networkName: document.spec.networkName };
    case 'Volume':
      return { volumeName: document.spec.volumeName };
    default:
      return {};
  }
}
