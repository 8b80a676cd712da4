import { isReady } from '../../../crds/model/conditions.js';
import type { AnyDeclared, AnyResource, App } from '../../../crds/model/kinds.js';
import type { ReasonOf } from '../../../crds/model/reasons.js';
import type { ListedContainer } from '../../engine/engine.js';
import { act, type Plan, type TerminalError } from '../../runtime/outcome.js';
import {
  type Adoption,
  type AdoptionPlan,
  type AskedAdoption,
  adoptionProgress,
  askedAdoption,
  namesOf,
  planTheirs,
  refusal,
} from './adoption.js';

export type AdoptionStep =
  /** Lets services take over containers that are not ours: from then on each of them leaves theirs alone until its turn. */
  | { readonly do: 'adopt'; readonly asked: AskedAdoption; readonly theirs: AdoptionPlan; readonly because: string }
  /** Every service has taken over, or one has not. */
  | { readonly do: 'endAdoption'; readonly adoption: Adoption; readonly failure?: string; readonly because: string }
  /** Nothing is left of what could not be taken over, or nothing waits for it. */
  | { readonly do: 'forgetAdoption'; readonly because: string }
  | { readonly do: 'decline'; readonly name: 'adopt'; readonly id: string; readonly because: string };

interface Facts {
  readonly theirs?: readonly ListedContainer[];
  readonly existing: readonly AnyResource[];
  readonly desired: readonly AnyDeclared[];
}
type Steps = Plan<AdoptionStep, ReasonOf<'App'>>;

/**
 * Plans what a take-over needs apart from its beginning: its end, or the refusal of a request. `failure`: why what is
 * declared cannot be promoted at all. Pure.
 */
export function planAdoption(app: App, facts: Facts, failure: TerminalError | undefined): Steps | undefined {
  const { theirs = [], existing, desired } = facts;
  const { adoption } = app.status ?? {};
  if (adoption?.phase === 'TakingOver') {
    const progress = adoptionProgress(adoption, existing, desired);
    if (progress.is === 'open') return undefined;
    const message = progress.is === 'failed' ? { failure: progress.message } : {};
    const because = progress.is === 'failed' ? progress.message : 'every service has taken over';
    return act('Adopting', { do: 'endAdoption', adoption, ...message, because });
  }
  const asked = askedAdoption(app);
  if (adoption?.phase === 'Failed' && !asked?.request) {
    const { taken } = planTheirs(app, { ...adoption, force: true }, theirs, desired);
    // Ready is no service that leaves theirs alone.
    const isWell = existing.every((one) => one.kind !== 'Service' || isReady(one));
    if (taken.length === 0 || isWell) {
      const because = taken.length === 0 ? 'theirs are gone' : 'every service runs, and theirs beside it';
      return act('Adopting', { do: 'forgetAdoption', because });
    }
  }
  if (asked) {
    const plan = planTheirs(app, asked, theirs, desired);
    if (!asked.request || (!failure && plan.issues.length === 0)) return undefined;
    const because = failure ? `Nothing of theirs is touched: ${failure.message}` : refusal(app.metadata.name, plan);
    return act('Refused', { do: 'decline', name: 'adopt', id: asked.id, because });
  }
  return undefined;
}

/** Plans to begin a take-over that is asked for, once the release is to be promoted and its images are there. Pure. */
export function planAdoptionStart(app: App, { theirs = [], desired }: Facts): Steps | undefined {
  const asked = askedAdoption(app);
  if (!asked) return undefined;
  const plan = planTheirs(app, asked, theirs, desired);
  const what = plan.taken.length > 0 ? namesOf(plan.taken) : 'nothing is there';
  return act('Adopting', { do: 'adopt', asked, theirs: plan, because: `${asked.by} asks for it: ${what}` });
}
