import type { Logger } from 'pino';
import { ifActive } from '../../../crds/model/active.js';
import { conditionOf, isReady, isStalled } from '../../../crds/model/conditions.js';
import { canonical } from '../../../crds/model/hash.js';
import { API_VERSION, type HostConfig, keyOf } from '../../../crds/model/kinds.js';
import { NETWORK_DOCUMENT } from '../../../crds/model/names.js';
import { isConfirming, isInvalid, isRetrying } from '../../../crds/model/readiness.js';
import type { HostConfigSpec } from '../../../crds/model/types.js';
import { parseDocument } from '../../../crds/schema/parse.js';
import { type Clock, pause, systemClock } from '../../platform/clock.js';
import { Turns } from '../../platform/turns.js';
import type { Store } from '../../store/store.js';
import { type HostConfigPatch, PatchError, patchedSpec } from './host-config-patch.js';
import type { HostPorts } from './host-ports.js';

export interface HostConfigChangeDeps {
  readonly store: Store;
  readonly host: Pick<HostPorts, 'network' | 'underLocks'>;
  readonly log: Pick<Logger, 'warn'>;
  readonly deadlineMs: number;
  /** The machine's own when not said. */
  readonly clock?: Pick<Clock, 'monotonic' | 'after'>;
}

export type HostConfigChange =
  | { readonly is: 'done' }
  | { readonly is: 'invalid' | 'foreign' | 'locked' | 'failed'; readonly message: string };

const KEY = keyOf('HostConfig', NETWORK_DOCUMENT);
const LOOK_MS = 20;

/**
 * Carries out patches of the host's network settings through their document, one after another: under the locks of all
 * apps the document of the origin `api` is changed, and the answer waits until its controller has made it true. A patch
 * that cannot be made true is undone, so that it does not happen later, when nobody expects it any more.
 */
export function hostConfigPatcher(
  deps: HostConfigChangeDeps,
): (patch: HostConfigPatch, force: boolean) => Promise<HostConfigChange> {
  const { store, host } = deps;
  const turns = new Turns();

  async function change(patch: HostConfigPatch, force: boolean): Promise<HostConfigChange> {
    if (!(await gone(deps)))
      return { is: 'failed', message: 'The network settings were deleted before, and are still being taken back' };
    const foreign = await foreignTo(patch);
    if (foreign) return foreign;
    const result = await host.underLocks(force, async (): Promise<HostConfigChange> => {
      const before = present(store);
      const spec = patchedSpec(before?.spec, patch, await host.network());
      const parsed = parseDocument({ apiVersion: API_VERSION, kind: 'HostConfig', metadata: META, spec });
      if (!parsed.ok) throw new PatchError(...parsed.issues.map(({ path, message }) => `${path}: ${message}`));
      const { refused, created, changed } = await store.put('api', { document: parsed.document });
      const [problem] = refused;
      if (problem) return { is: 'foreign', message: problem.message };
      if (created.length + changed.length === 0) store.touch(KEY); // the host may have been changed manually
      const end = await ended(deps);
      if (end.is !== 'done') await takeBack(deps, before);
      return end;
    });
    return result.is === 'done' ? result.value : result;
  }

  /** Refuses to change a document of another origin; saying the same as it does is no change. */
  async function foreignTo(patch: HostConfigPatch): Promise<HostConfigChange | undefined> {
    const document = present(store);
    if (!document || document.metadata.origin === 'api') return undefined;
    const spec = patchedSpec(document.spec, patch, await host.network());
    if (canonical(spec) === canonical(document.spec)) return { is: 'done' };
    const { origin, source } = document.metadata;
    const where = source ? ` in ${source.file}` : '';
    return { is: 'foreign', message: `The network settings are declared by ${origin}${where}; change them there` };
  }

  return (patch, force) => {
    if (patch.hostname === undefined && patch.proxy === undefined) return Promise.resolve({ is: 'done' });
    return turns.run(() => change(patch, force));
  };
}

const META = { name: NETWORK_DOCUMENT };

const present = (store: Pick<Store, 'get'>): HostConfig | undefined =>
  ifActive(store.get('HostConfig', NETWORK_DOCUMENT));

/** Waits for a document that is being deleted, whose unconfirmed changes are rolled back first; returns whether it has gone. */
async function gone({ store, deadlineMs, clock = systemClock }: HostConfigChangeDeps): Promise<boolean> {
  const until = clock.monotonic() + deadlineMs;
  while (store.get('HostConfig', NETWORK_DOCUMENT) && !present(store)) {
    if (clock.monotonic() >= until) return false;
    await pause(clock, LOOK_MS);
  }
  return true;
}

/** Waits for what the controller concludes about the present document. */
async function ended({ store, deadlineMs, clock = systemClock }: HostConfigChangeDeps): Promise<HostConfigChange> {
  const until = clock.monotonic() + deadlineMs;
  for (;;) {
    const document = present(store);
    if (!document) return { is: 'failed', message: 'The network settings were deleted meanwhile' };
    const ready = conditionOf(document, 'Ready');
    const isObserved = ready?.observedGeneration === document.metadata.generation;
    if (isReady(document) && !store.isPending(KEY)) return { is: 'done' };
    if (isStalled(document) && !store.isPending(KEY)) {
      const message = ready?.message ?? 'The network settings cannot be applied';
      if (isInvalid(document)) return { is: 'invalid', message: new PatchError(message).message };
      return { is: 'failed', message };
    }
    // The files are as they should be. Whether that stays shows later, when nobody waits and no lock is held any more.
    if (isObserved && isConfirming(document)) return { is: 'done' };
    if (isObserved && isRetrying(document)) return { is: 'failed', message: ready.message };
    if (clock.monotonic() >= until) {
      const why = isObserved ? `: ${ready.message}` : '';
      return { is: 'failed', message: `The host configuration was not applied within ${deadlineMs / 1000} s${why}` };
    }
    await pause(clock, LOOK_MS);
  }
}

async function takeBack(deps: HostConfigChangeDeps, before: HostConfig | undefined): Promise<void> {
  const { store, log } = deps;
  try {
    if (before) await store.put('api', { document: declared(before.spec) });
    else {
      await store.delete('api', KEY);
      await gone(deps);
    }
  } catch (error) {
    log.warn({ err: error }, 'Could not take a change of the host configuration back');
  }
}

const declared = (spec: HostConfigSpec) =>
  ({ apiVersion: API_VERSION, kind: 'HostConfig', metadata: META, spec }) as const;
