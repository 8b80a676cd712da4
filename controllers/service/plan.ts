import { errorMessage } from '../../api/platform/errors.js';
import type { Service } from '../../crds/model/kinds.js';
import { settled, wait } from '../runtime/outcome.js';
import { goBack, isStranded, planAdoption } from './adoption/plan-adoption.js';
import { planJob } from './jobs/plan.js';
import type { ServiceObservation } from './observe.js';
import type { ServicePlan, ServiceState } from './service-state.js';

/** Plans one pass over a service. Throws the error when its document cannot be resolved. Pure. */
export function planService(
  { spec }: Service,
  { state, failure, error, hasApp, adoption }: ServiceObservation,
): ServicePlan {
  if (failure) return { ...settled(), steps: [{ do: 'fail', because: 'a step in the background has failed' }] };
  if (error !== undefined && isStranded(adoption)) return goBack(adoption, errorMessage(error));
  if (error !== undefined) throw error;
  if (!state) return wait('AppMissing', `Waiting for App ${spec.app}, which this Service names`);
  const { job } = state;
  if (job && adoption?.is === 'taking') return goBack(adoption, 'the service has become a job');
  const planIn = (at: ServiceState): ServicePlan =>
    job && adoption?.is !== 'goingBack' ? planJob(at, job) : planAdoption(at, adoption);
  const plan = planIn(state);
  const { outcome } = plan;
  if (hasApp || outcome.is !== 'waiting' || outcome.reason !== 'NeedsLock') return plan;
  // The App claims the lock of its app. Without an App nobody else would: then the service does.
  const locked = planIn({ ...state, lockHeld: true });
  return { ...locked, steps: [{ do: 'claim', because: outcome.message }, ...locked.steps] };
}
