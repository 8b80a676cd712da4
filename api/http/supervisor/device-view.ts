import { isObserved, isStalled } from '../../../crds/model/conditions.js';
import { type AnyResource, keyOf } from '../../../crds/model/kinds.js';
import { hasGoneBack, isRetryingOrLocked } from '../../../crds/model/readiness.js';
import { APP_COMMANDS, pendingRequest } from '../../../crds/model/requests.js';
import type { Reader } from '../../store/store.js';
import { APP_KINDS, appState, isAtRest } from './app-state.js';
import { type AppTree, appTrees } from './app-tree.js';
import { stateEntries } from './applications-view.js';
import { SUPERVISOR_VERSION } from './version.js';

/** Facts about the device, without what runs on it. */
export interface DeviceIdentity {
  readonly apiPort: number;
  /** PRETTY_NAME of the host's os-release; '' when unknown. */
  readonly osVersion: string;
  /** Addresses of its network interfaces, without those of engines and tunnels. */
  readonly interfaces: { readonly ip: readonly string[]; readonly mac: readonly string[] };
}

/**
 * Returns the answer of `GET /v1/device` (docs/reference/http-api.md §6.9): the first app as the cloud would show it.
 * Unknown facts are left out.
 */
export function deviceView(store: Pick<Reader, 'list' | 'isPending'>, device: DeviceIdentity): object {
  const trees = appTrees(store, { type: 'global' });
  const [first] = trees;
  const applying = appState(store) === 'applying';
  const commit = applying ? undefined : first?.app.status?.release?.commit;
  const [entry] = trees.map(stateEntries).find((entries) => entries.length > 0) ?? [];
  const { ip, mac } = device.interfaces;
  return {
    api_port: device.apiPort,
    ...(ip.length === 0 ? {} : { ip_address: ip.join(' ') }),
    ...(device.osVersion === '' ? {} : { os_version: device.osVersion }),
    ...(mac.length === 0 ? {} : { mac_address: mac.join(' ') }),
    supervisor_version: SUPERVISOR_VERSION,
    ...updateFlags(store, trees),
    ...(commit === undefined ? {} : { commit }),
    ...(entry === undefined
      ? {}
      : { status: entry.status === 'Running' ? 'Idle' : entry.status, download_progress: entry.download_progress }),
  };
}

/** Returns the Supervisor's three flags from the present documents: restart, purge, stop and start are no update. */
function updateFlags(store: Pick<Reader, 'list' | 'isPending'>, trees: readonly AppTree[]): object {
  const updates = trees.map((tree) => {
    const parts = partsOf(store, tree);
    const isDue = (one: AnyResource): boolean => store.isPending(keyOf(one.kind, one.metadata.name)) || !isAtRest(one);
    // An App that has gone back is at rest on the release before; the Supervisor knows nothing of the one that is refused.
    const failed = parts.some((one) => (isStalled(one) && !hasGoneBack(one)) || isRetryingOrLocked(one));
    const pending = failed || !isObserved(tree.app) || (parts.some(isDue) && !isCommanded(tree));
    const targets = new Set(tree.targets.map(({ image }) => image));
    const downloaded =
      pending && tree.images.some(({ spec, status }) => targets.has(spec.image) && status?.state === 'Downloaded');
    return { pending, failed, downloaded };
  });
  return {
    update_pending: updates.some(({ pending }) => pending),
    update_failed: updates.some(({ failed }) => failed),
    update_downloaded: updates.some(({ downloaded }) => downloaded),
  };
}

function partsOf(store: Pick<Reader, 'list'>, { app }: AppTree): readonly AnyResource[] {
  const { name } = app.metadata;
  return APP_KINDS.flatMap((kind): readonly AnyResource[] => {
    const all: readonly AnyResource[] = store.list(kind) as readonly AnyResource[];
    return all.filter((one) =>
      one.kind === 'App' ? one.metadata.name === name : 'app' in one.spec && one.spec.app === name,
    );
  });
}

const isCommanded = ({ app, services }: AppTree): boolean =>
  APP_COMMANDS.some((name) => pendingRequest(app, name)) ||
  services.some((one) => (['restart', 'stop', 'start'] as const).some((name) => pendingRequest(one, name)));
