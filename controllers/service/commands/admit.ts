import { isJob } from '../../../crds/model/jobs.js';
import type { Service } from '../../../crds/model/kinds.js';
import { lockfileExists } from '../../../crds/model/locked-messages.js';
import { pendingRequest } from '../../../crds/model/requests.js';
import { shownOf } from '../container/prepared.js';
import { containersOf } from '../dependencies/siblings.js';
import type { Memory, ServiceDeps } from '../deps.js';
import type { Rejection, ServiceResult } from '../service-state.js';
import { identityOf } from '../spec/identity.js';
import { ALIVE, idsOf, pendingCommandsOf } from './commands.js';

/**
 * Takes in the commands of this Service before a pass observes it: claims the lock they need and notes a stop. Returns
 * the document as it is afterwards.
 */
export async function admitCommands(
  deps: ServiceDeps,
  memory: Memory,
  service: Service,
  report: (result: Partial<ServiceResult>) => Promise<void>,
): Promise<Service> {
  const rejected = refuseRestart(service) ?? (await claimLock(deps, service));
  if (rejected) await report({ rejected });
  const current = deps.store.get('Service', service.metadata.name) ?? service;
  if (memory.terminations.failureOf(service.metadata.name) === undefined) takeInStop(deps, memory, current);
  return current;
}

/** Rejects a restart of a job, of which nothing keeps running; undefined when there is none. Pure. */
function refuseRestart(service: Service): Rejection | undefined {
  const restart = pendingRequest(service, 'restart');
  if (!isJob(service.spec) || !restart) return undefined;
  const { app, serviceName } = service.spec;
  const message = `${serviceName} has a schedule, and nothing of it keeps running: \`supercargo run ${app}/${serviceName}\` begins a run`;
  return { ids: { restart: restart.id }, refusal: { reason: 'Failed', message } };
}

/** Claims the lock for a stop or a restart. When the application holds it, the command is rejected at once and not carried out later. */
async function claimLock({ store, locks, logs }: ServiceDeps, service: Service): Promise<Rejection | undefined> {
  const app = store.get('App', service.spec.app);
  const { stops, restart } = pendingCommandsOf(service, app);
  const stop = stops.find(({ name }) => name === 'stop'); // a stop of the App comes with its lock
  const appId = identityOf(service, app)?.appId;
  const asked = [...(stop ? [stop] : []), ...(restart ? [{ ...restart, name: 'restart' as const }] : [])];
  if (asked.length === 0 || appId === undefined || locks.isHeld(appId)) return undefined;

  logs.system('Taking update locks', { app: appId });
  const siblings = store.list('Service').filter(({ spec }) => spec.app === service.spec.app);
  const names = [...new Set(siblings.map(({ spec }) => spec.serviceName))].sort();
  const claim = await locks.claim(appId, names, { force: asked.some(({ force }) => force === true) });
  if (claim.is !== 'locked') return undefined;
  const message = lockfileExists(appId, claim.service);
  return { ids: idsOf(asked), refusal: { reason: 'Locked', message } };
}

/** Notes a stop that may be carried out. The note ends when somebody else starts the container. */
function takeInStop(deps: ServiceDeps, { terminations, stopLedger }: Memory, service: Service): void {
  const app = deps.store.get('App', service.spec.app);
  const [container] = shownOf(containersOf(deps, service));
  const [stop] = pendingCommandsOf(service, app).stops;
  const { name } = service.metadata;
  if (stop) stopLedger.begin(name, stop, container?.specHash);
  if (!terminations.isTerminating(name))
    stopLedger.look(name, container !== undefined && ALIVE.includes(container.state));
}
