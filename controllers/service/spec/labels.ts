import type { SeenImage } from '../../engine/engine.js';
import { APP_ID, APP_UUID, SERVICE_ID, SERVICE_NAME, SUPERVISED } from '../../engine/labels.js';
import { pairs } from './fields.js';
import type { Findings } from './findings.js';
import type { Identity } from './identity.js';

export type Labels = Readonly<Record<string, string>>;

/** Reads `labels`, a map or a list; a label without a value is ''. Old names are rewritten. Pure. */
export const readLabels = (value: unknown, findings: Findings): Labels =>
  withCurrentNames(Object.fromEntries(pairs(value, 'labels', findings).map(([name, one]) => [name, one ?? ''])));

/** `io.resin.…` is the old name of `io.balena.…`; a label under the current name wins. Pure. */
export function withCurrentNames(labels: Labels): Labels {
  const old = Object.entries(labels).filter(([name]) => name.startsWith('io.resin.'));
  if (old.length === 0) return labels;
  const renamed = old.map(([name, value]) => [name.replaceAll('resin', 'balena'), value] as const);
  const current = Object.entries(labels).filter(([name]) => !name.startsWith('io.resin.'));
  return Object.fromEntries([...renamed, ...current]);
}

/** The document's labels and, for names that it does not use, the image's. Pure. */
export const withImageLabels = (own: Labels, image: SeenImage | undefined): Labels => ({
  ...withCurrentNames(image?.config.Labels ?? {}),
  ...own,
});

/** Labels that say whose container this is. They win over everybody's. Pure. */
export const identityLabels = ({ appId, appUuid, serviceId, serviceName }: Identity): Labels => ({
  [SUPERVISED]: 'true',
  [APP_ID]: String(appId),
  [APP_UUID]: appUuid,
  [SERVICE_ID]: String(serviceId),
  [SERVICE_NAME]: serviceName,
});

/** A container made for such a service is started with the next boot of the device. */
export const REQUIRES_REBOOT = 'io.balena.update.requires-reboot';
