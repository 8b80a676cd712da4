import { stringify } from 'yaml';
import { readinessOf } from '../../crds/model/conditions.js';
import type { App, GitSource } from '../../crds/model/kinds.js';

/** What the status file says of the device that writes it. */
export interface DeviceFile {
  readonly name: string;
  readonly uuid: string;
  readonly deviceType: string;
  readonly arch: string;
  readonly version: string;
}

const readyOf = (resource: Pick<App, 'metadata' | 'status'> | GitSource) => {
  const ready = readinessOf(resource);
  return ready
    ? { ready: ready.status === 'True', reason: ready.reason, since: ready.lastTransitionTime }
    : { ready: false };
};

/** Writes the file that a device pushes to the status branch. It stays equal until something has changed. Pure. */
export function renderStatusFile(device: DeviceFile, source: GitSource, apps: readonly App[]): string {
  const { applied, failure } = source.status ?? {};
  return stringify(
    {
      device,
      source: {
        name: source.metadata.name,
        commit: applied?.commit ?? null,
        ref: applied?.ref ?? null,
        appliedAt: applied?.at ?? null,
        failure: failure ? { reason: failure.reason, message: failure.message } : null,
      },
      apps: Object.fromEntries(
        [...apps]
          .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
          .map((app) => [
            app.metadata.name,
            { ...readyOf(app), origin: app.metadata.origin, release: app.status?.release?.commit ?? null },
          ]),
      ),
    },
    { lineWidth: 0 },
  );
}
