import { API_VERSION } from '../../../crds/model/kinds.js';
import type { OrphanedVolume, OrphanedVolumes } from '../../../crds/model/orphans.js';
import { errorMessage } from '../../platform/errors.js';
import { timeoutSignal } from '../../platform/time-limit.js';
import { REMOVAL_MS } from '../supervisor/v2-actions.js';
import { json } from '../transport/answer.js';
import { ResourceError } from '../transport/kubernetes-status.js';
import type { Route } from '../transport/routes.js';
import { deletedStatus, readDeletion } from './deletion.js';

const PLURAL = 'orphanedvolumes';
const PATH = `/apis/supercargo.io/v1/${PLURAL}`;

/** Serves `…/orphanedvolumes[/<name>]`: volumes of apps that are gone. For the global key only. */
export function orphanedVolumeRoutes({ volumes }: { readonly volumes: OrphanedVolumes }): readonly Route[] {
  return [
    {
      method: 'GET',
      path: PATH,
      callers: 'global key',
      handler: (_, h) =>
        json(h, {
          kind: 'OrphanedVolumeList',
          apiVersion: API_VERSION,
          metadata: {},
          items: known(() => volumes.lastSeen()).map(view),
        }),
    },
    {
      method: 'DELETE',
      path: `${PATH}/{name}`,
      callers: 'global key',
      body: 'DeleteOptions',
      async handler(request, h) {
        const name = String(request.params.name);
        const { dryRun } = readDeletion(request, PLURAL, name);
        const found = known(() => volumes.list()).find((one) => one.name === name);
        if (!found) throw ResourceError.notFound(PLURAL, name);
        if (dryRun) return json(h, view(found));
        const removal = await volumes.remove(name, timeoutSignal(REMOVAL_MS)).catch((error: unknown) => {
          throw unavailable(error);
        });
        if (removal.is === 'absent') throw ResourceError.notFound(PLURAL, name);
        if (removal.is === 'in-use') throw ResourceError.conflict(PLURAL, name, mountedBy(removal.by));
        return json(h, deletedStatus(PLURAL, name));
      },
    },
  ];
}

/** Returns the result; throws a 503 while it is not known. */
function known<T>(ask: () => T): T {
  try {
    return ask();
  } catch (error) {
    throw unavailable(error);
  }
}

const view = ({ name, ...status }: OrphanedVolume) => ({
  apiVersion: API_VERSION,
  kind: 'OrphanedVolume',
  metadata: { name },
  status,
});

const mountedBy = (users: readonly string[]): string =>
  `it is mounted by ${users.join(', ') || 'a container'}; remove that first`;

const unavailable = (error: unknown): ResourceError => ResourceError.unavailable(errorMessage(error));
