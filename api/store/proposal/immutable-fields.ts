import { isComposeProject } from '../../../crds/model/compose.js';
import type { AnyDeclared, AnyResource } from '../../../crds/model/kinds.js';
import { appIdOf } from './derived-names.js';

/**
 * Returns which immutable field of a document a declaration changes, with a sentence; undefined when it changes none.
 * Containers, networks and volumes are found by the appId and uuid of their app and by their own names: after a change
 * nobody would look after what runs. Pure.
 */
export function immutableFieldChange(
  before: AnyResource,
  after: AnyDeclared,
): { readonly field: string; readonly message: string } | undefined {
  const was = identityOf(before);
  const change = Object.entries(identityOf(after)).find(([field, value]) => was[field] !== value);
  if (!change) return undefined;
  const [field, value] = change;
  const moved = field === 'uuid' ? wayOfUuid(before, after, String(was[field])) : undefined;
  const message = `${field} cannot change from ${was[field]} to ${value}, because what runs goes by it. ${moved ?? 'Take the change back'}, or delete the ${after.kind} and declare it again once it is gone.`;
  return { field, message };
}

/** Says how an App keeps its uuid that goes from a document to a Compose file, or back: each has another one where none is said. Pure. */
function wayOfUuid(before: AnyResource, after: AnyDeclared, uuid: string): string | undefined {
  if (before.kind !== 'App' || after.kind !== 'App') return undefined;
  if (isComposeProject(after))
    return `Write x-supercargo: {uuid: ${JSON.stringify(uuid)}} in the Compose file, and it stays`;
  return isComposeProject(before) ? `Write uuid: ${JSON.stringify(uuid)} under spec, and it stays` : undefined;
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
