import type { LogStream } from '../../api/device-state/logs.js';
import { errorMessage } from '../../api/platform/errors.js';
import type { Store } from '../../api/store/store.js';
import { isSettled, isStalled } from '../../crds/model/conditions.js';
import { type AnyResource, KINDS, type Service } from '../../crds/model/kinds.js';
import { goesOnAfterBoot, waitsForBoot } from '../../crds/model/readiness.js';

interface RebootAnswer {
  /** `failed`: it could not be found out whether the device may reboot. */
  readonly is: 'scheduled' | 'refused' | 'locked' | 'failed';
  readonly message?: string;
}

export interface RebootDeps {
  readonly store: Pick<Store, 'list' | 'watch'>;
  /** Reboots the device, under the update locks. */
  readonly reboot: () => Promise<RebootAnswer>;
  /** Returns how the last reboot failed after it was promised; undefined while that is not known. */
  readonly failure?: () => { readonly inMs: number } | undefined;
  /** Calls back once after that many ms; returns how to cancel it. */
  readonly after: (ms: number, call: () => void) => () => void;
  readonly logs: Pick<LogStream, 'system'>;
}

/** How long the device has to stay without work before it reboots, ms: it may only be between two steps. */
const QUIET_MS = 5_000;
/** Time before a reboot is tried again that an update lock held back, or that failed, ms: an application may drop its lock at any time. */
const AGAIN_MS = 60_000;

/** Returns the services that wait for a boot, once nothing else is left to do on the device; none before that. Pure. */
export function waitingForBoot(documents: readonly AnyResource[]): readonly Service[] {
  const waiting = documents.filter((one) => one.kind === 'Service').filter(waitsForBoot);
  // A Revision only says what came of a release, and that may hang on the boot.
  const others = documents.filter((one) => one.kind !== 'Revision' && !isSettled(one) && !isStalled(one));
  return others.every(goesOnAfterBoot) ? waiting : [];
}

/**
 * Reboots the device when everything that is left to do waits for a boot. Returns how to stop watching.
 * (docs/reference/composition.md §7.6.)
 */
export function rebootWhenSettled({ store, reboot, failure, after, logs }: RebootDeps): () => void {
  let cancel: (() => void) | undefined;
  let isOver = false;
  /** A reboot was promised, and nothing has changed since. */
  let isPromised = false;
  /** How the last request failed. It is reported when it is another one. */
  let lastFailure: string | undefined;
  const plan = (ms: number): void => {
    if (isOver) return;
    cancel?.();
    cancel = after(ms, () => void look());
  };
  const look = async (): Promise<void> => {
    cancel = undefined;
    const all = KINDS.flatMap((kind): AnyResource[] => [...store.list(kind)] as AnyResource[]);
    const services = waitingForBoot(all);
    if (services.length === 0) return;
    const failed = failure?.();
    if (failed && failed.inMs > 0) return plan(failed.inMs);
    if (isPromised && !failed) return plan(AGAIN_MS);
    const answer = await reboot().catch(
      (error: unknown): RebootAnswer => ({ is: 'failed', message: errorMessage(error) }),
    );
    const newFailure = answer.is === 'failed' ? answer.message : undefined;
    if (newFailure === undefined || newFailure !== lastFailure) logAnswer(logs, services, answer);
    lastFailure = newFailure;
    isPromised = answer.is === 'scheduled';
    if (answer.is === 'locked' || answer.is === 'failed' || (isPromised && failure)) plan(AGAIN_MS);
  };
  // A document of another kind matters only while a service waits for a boot.
  const isAwaited = (): boolean => store.list('Service').some(waitsForBoot);
  const stop = store.watch(({ object }) => {
    if (object.kind !== 'Service' && !cancel && !isAwaited()) return;
    isPromised = false;
    plan(QUIET_MS);
  });
  plan(QUIET_MS);
  return () => {
    isOver = true;
    cancel?.();
    stop();
  };
}

/**
 * Logs the answer for each app, whose keys may read about its own services. Which app's lock holds the reboot back, and
 * what failed, is logged for the global key alone.
 */
function logAnswer(logs: RebootDeps['logs'], services: readonly Service[], { is, message }: RebootAnswer): void {
  for (const app of new Set(services.map(({ spec }) => spec.app))) {
    const own = services.filter(({ spec }) => spec.app === app);
    const names = own.map(({ spec }) => spec.serviceName).join(', ');
    const lines = {
      scheduled: `Rebooting for ${names}`,
      refused: `A reboot is needed to start ${names}: ${message}`,
      locked: `A reboot is needed to start ${names}, and is held back by an update lock`,
      failed: `A reboot is needed to start ${names}, and could not be requested; it is tried again`,
    };
    logs.system(lines[is], { app });
  }
  if (is === 'locked' || is === 'failed') logs.system(`No reboot yet: ${message}`, 'nobody');
}
