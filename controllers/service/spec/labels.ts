import type { SeenImage } from '../../engine/engine.js';
import { APP_ID, APP_UUID, SERVICE_ID, SERVICE_NAME, SUPERVISED } from '../../engine/labels.js';
import type { Findings } from './fields.js';
import { pairs } from './fields.js';
import type { Identity } from './identity.js';

export type Labels = Readonly<Record<string, string>>;

/** Reads `labels`, a map or a list; a label without a value is ''. Old names are replaced by the current ones. Pure. */
export const readLabels = (value: unknown, findings: Findings): Labels =>
  withCurrentNames(Object.fromEntries(pairs(value, 'labels', findings).map(([name, one]) => [name, one ?? ''])));

/** Renames `io.resin.…` to `io.balena.…`; a label under the current name wins. Pure. */
export function withCurrentNames(labels: Labels): Labels {
  const old = Object.entries(labels).filter(([name]) => name.startsWith('io.resin.'));
  if (old.length === 0) return labels;
  const renamed = old.map(([name, value]) => [name.replaceAll('resin', 'balena'), value] as const);
  const current = Object.entries(labels).filter(([name]) => !name.startsWith('io.resin.'));
  return Object.fromEntries([...renamed, ...current]);
}

/** Returns the document's labels and those of the image that the document does not set. Pure. */
export const withImageLabels = (own: Labels, image: SeenImage | undefined): Labels => ({
  ...withCurrentNames(image?.config.Labels ?? {}),
  ...own,
});

/** Returns the labels that name the owner of a container. They win over all others. Pure. */
export const identityLabels = ({ appId, appUuid, serviceId, serviceName }: Identity): Labels => ({
  [SUPERVISED]: 'true',
  [APP_ID]: String(appId),
  [APP_UUID]: appUuid,
  [SERVICE_ID]: String(serviceId),
  [SERVICE_NAME]: serviceName,
});

/** Label of a service whose container is only started with the next boot of the device. */
export const REQUIRES_REBOOT = 'io.balena.update.requires-reboot';
