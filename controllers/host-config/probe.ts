import type { Store } from '../../api/store/store.js';
import { isReady } from '../../crds/model/conditions.js';
import type { HostConfig } from '../../crds/model/kinds.js';
import { pendingRequest } from '../../crds/model/requests.js';
import type { UnconfirmedChange } from '../host/host-state.js';
import type { BootClock } from '../host/power/boot-clock.js';
import { deadlineOf, judgeChange, type Verdict } from './commit-confirm.js';

/** Probes by which a change of the host proves that the device can still be reached. */
export interface Probes {
  hasDefaultRoute(): Promise<boolean>;
  /** Returns where the API listens now. */
  addresses(): readonly string[];
  /** Tells whether the API answers there. */
  answers(address: string): Promise<boolean>;
  /** Tells whether all apps have been reconciled since the agent was started: a status may be from an earlier start. */
  appsAreKnown(): boolean;
}

export interface JudgeDeps {
  readonly store: Pick<Store, 'get'>;
  readonly probes: Probes;
}

/** Judges an unconfirmed change at this time; undefined without one. Probes run only while they matter. */
export async function judge(
  deps: JudgeDeps,
  document: HostConfig,
  unconfirmed: UnconfirmedChange | undefined,
  now: Awaited<ReturnType<BootClock['read']>> & { readonly restartDue: boolean },
): Promise<Verdict | undefined> {
  if (!unconfirmed) return undefined;
  const manual = document.spec.confirm?.manual ?? false;
  const hasStarted = unconfirmed.since?.bootId === now.bootId;
  return judgeChange({
    ...now,
    unconfirmed,
    manual,
    deadlineSeconds: deadlineOf(document),
    requested: hasStarted && pendingRequest(document, 'confirm') !== undefined,
    missing: hasStarted && !manual && !now.restartDue ? await failedProbes(deps, document, unconfirmed) : [],
  });
}

async function failedProbes(
  { store, probes }: JudgeDeps,
  { spec }: HostConfig,
  { before }: UnconfirmedChange,
): Promise<string[]> {
  const missing: string[] = [];
  if (before.defaultRoute && !(await probes.hasDefaultRoute())) missing.push('a default route');
  for (const address of before.addresses) {
    if (!(await probes.answers(address))) missing.push(`an answer of the API at ${address}`);
  }
  for (const name of spec.confirm?.apps ?? []) {
    const app = store.get('App', name);
    if (!app || !probes.appsAreKnown() || !isReady(app)) missing.push(`App ${name} being Ready`);
  }
  return missing;
}

/** Returns the state before a change, which its probes are compared with afterwards. */
export const beforeChange = async (probes: Probes): Promise<UnconfirmedChange['before']> => ({
  defaultRoute: await probes.hasDefaultRoute(),
  addresses: probes.addresses(),
});
