import type { Store } from '../../api/store/store.js';
import { isReady } from '../../crds/model/conditions.js';
import type { HostConfig } from '../../crds/model/kinds.js';
import { pendingRequest } from '../../crds/model/requests.js';
import type { Trial } from '../host/host-state.js';
import type { BootClock } from '../host/power/boot-clock.js';
import { deadlineOf, judgeTrial, type Verdict } from './commit-confirm.js';

/** By what a change of the host proves that the device is still reached. */
export interface Proofs {
  hasDefaultRoute(): Promise<boolean>;
  /** Where the API listens now. */
  addresses(): readonly string[];
  /** Whether the API answers there. */
  answers(address: string): Promise<boolean>;
  /** Apps have been looked at since the agent was started: what their status says is not of an earlier start. */
  appsAreKnown(): boolean;
}

export interface JudgeDeps {
  readonly store: Pick<Store, 'get'>;
  readonly proofs: Proofs;
}

/** How a change stands at this moment; undefined without one. Proofs are looked for only while they matter. */
export async function judge(
  deps: JudgeDeps,
  document: HostConfig,
  trial: Trial | undefined,
  now: Awaited<ReturnType<BootClock['read']>> & { readonly restartDue: boolean },
): Promise<Verdict | undefined> {
  if (!trial) return undefined;
  const manual = document.spec.confirm?.manual ?? false;
  const hasBegun = trial.since?.bootId === now.bootId;
  return judgeTrial({
    ...now,
    trial,
    manual,
    deadlineSeconds: deadlineOf(document),
    requested: hasBegun && pendingRequest(document, 'confirm') !== undefined,
    missing: hasBegun && !manual && !now.restartDue ? await missingProofs(deps, document, trial) : [],
  });
}

async function missingProofs({ store, proofs }: JudgeDeps, { spec }: HostConfig, { before }: Trial): Promise<string[]> {
  const missing: string[] = [];
  if (before.defaultRoute && !(await proofs.hasDefaultRoute())) missing.push('a default route');
  for (const address of before.addresses) {
    if (!(await proofs.answers(address))) missing.push(`an answer of the API at ${address}`);
  }
  for (const name of spec.confirm?.apps ?? []) {
    const app = store.get('App', name);
    if (!app || !proofs.appsAreKnown() || !isReady(app)) missing.push(`App ${name} being Ready`);
  }
  return missing;
}

/** What is there before a change, so that it can be asked for after it. */
export const beforeChange = async (proofs: Proofs): Promise<Trial['before']> => ({
  defaultRoute: await proofs.hasDefaultRoute(),
  addresses: proofs.addresses(),
});
