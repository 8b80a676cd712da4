import { isActive } from '../../../crds/model/active.js';
import {
  COMPOSE_CONFIG_FILES,
  COMPOSE_ONE_OFF,
  COMPOSE_PROJECT,
  COMPOSE_SERVICE,
} from '../../../crds/model/compose.js';
import { isJob } from '../../../crds/model/jobs.js';
import type { AnyDeclared, AnyResource, App, Request, Service } from '../../../crds/model/kinds.js';
import { waitsForAdoption } from '../../../crds/model/readiness.js';
import { pendingRequest } from '../../../crds/model/requests.js';
import type { AppStatus } from '../../../crds/model/types.js';
import type { Engine, ListedContainer } from '../../engine/engine.js';
import { SUPERVISED } from '../../engine/labels.js';
import { TerminalError } from '../../runtime/outcome.js';
import { lackingMounts } from './mounts.js';

/** What an App says of the take-over of containers that it has not made. */
export type Adoption = NonNullable<AppStatus['adoption']>;

/** A take-over that is asked for and not begun. */
export interface AskedAdoption {
  readonly id: string;
  readonly by: string;
  /** What theirs mount and the App does not is left behind. */
  readonly force: boolean;
  /** The service for which containers are named; undefined for a whole project. */
  readonly service?: string | undefined;
  readonly containers?: readonly string[] | undefined;
  /** The request that asks for it; undefined where the document does. */
  readonly request?: Request;
}

/** What becomes of each container that is found, and what forbids it. */
export interface AdoptionPlan {
  /** Those that a service takes the place of. */
  readonly taken: readonly ListedContainer[];
  /** Those that stay as they are: of `docker compose run`, of a job, or of a service that the App does not have. */
  readonly left: readonly ListedContainer[];
  /** Why nothing may be begun, a sentence each. */
  readonly issues: readonly string[];
  /** All of them are data that would be left behind, which may be forced. */
  readonly mayBeForced: boolean;
}

/** How long until somebody may have changed something about containers that are not ours, ms: no event tells of it. */
const LOOK_AGAIN_MS = 10_000;

/**
 * Returns the take-over that is asked for and is not begun, by a request or else by the document; one that has failed is tried
 * again with another document. One that is under way comes to its end first. Pure.
 */
export function askedAdoption(app: App): AskedAdoption | undefined {
  const { spec, status, metadata } = app;
  const last = status?.adoption;
  if (!isActive(app) || spec.release === null || last?.phase === 'TakingOver') return undefined;
  const request = pendingRequest(app, 'adopt');
  if (request) {
    const { id, by = 'somebody', force = false, service, containers } = request;
    return { id, by, force, service, containers, request };
  }
  const id = `document-${metadata.generation}`;
  if (last?.phase === 'Failed' && last.generation !== metadata.generation) {
    const { by, service, containers } = last;
    return { id, by, force: false, service, containers };
  }
  return spec.adopt === true && last === undefined ? { id, by: 'its document', force: false } : undefined;
}

/**
 * Returns the request that names containers, which waits for the end of a suspension: refused, the service would begin beside
 * them then. Pure.
 */
export function askedForLater(app: App): AskedAdoption | undefined {
  const asked = askedAdoption(app);
  return asked?.request?.containers === undefined ? undefined : asked;
}

/**
 * Tells whether containers that are not ours matter to the App: docker compose may keep its project, somebody asks for
 * them to be taken over, or that has failed and somebody may have removed them meanwhile. Pure.
 */
export const looksForTheirs = (app: App, mayBeForeign: boolean): boolean =>
  mayBeForeign || askedAdoption(app) !== undefined || hasFailed(app);

const hasFailed = ({ status }: App): boolean => status?.adoption?.phase === 'Failed';

/** Returns the containers that are asked for, or those of the App's project, that are not ours. One request. */
export async function listTheirs(
  engine: Pick<Engine, 'listLabelled' | 'listNamed'>,
  app: App,
  signal: AbortSignal,
): Promise<readonly ListedContainer[]> {
  const { containers } = askedAdoption(app) ?? app.status?.adoption ?? {};
  if (containers) return engine.listNamed(containers, signal);
  const all = await engine.listLabelled(`${COMPOSE_PROJECT}=${app.metadata.name}`, signal);
  return all.filter(
    ({ labels, state }) =>
      labels[SUPERVISED] === undefined && (labels[COMPOSE_ONE_OFF] !== 'True' || state === 'running'),
  );
}

/** Decides about each of theirs, before anything is begun. `desired`: the children of the App. Pure. */
export function planTheirs(
  app: App,
  asked: AskedAdoption,
  theirs: readonly ListedContainer[],
  desired: readonly AnyDeclared[],
): AdoptionPlan {
  const services = new Map(
    // What runs by a schedule has no container that would be in the place of theirs.
    desired.flatMap((one) => (one.kind === 'Service' && !isJob(one.spec) ? [[one.spec.serviceName, one.spec]] : [])),
  );
  const serviceOf = ({ labels }: ListedContainer): string | undefined =>
    asked.service ?? (labels[COMPOSE_ONE_OFF] === 'True' ? undefined : labels[COMPOSE_SERVICE]);
  const isTaken = (one: ListedContainer): boolean => services.has(serviceOf(one) ?? '');
  const taken = theirs.filter(isTaken);
  const issues = [
    ...(asked.service !== undefined && !services.has(asked.service)
      ? [`App ${app.metadata.name} has no service ${asked.service}`]
      : []),
    ...(asked.containers ?? []).flatMap((name) =>
      theirs.some((one) => one.name === name) ? [] : [`There is no container ${name}`],
    ),
    ...taken.flatMap(stateIssuesOf),
  ];
  const lacking = taken.flatMap((one) => {
    const service = services.get(serviceOf(one) ?? '');
    return !service || asked.force || stateIssuesOf(one).length > 0 ? [] : lackingMounts(one.name, one.mounts, service);
  });
  const left = theirs.filter((one) => !isTaken(one));
  return { taken, left, issues: [...issues, ...lacking], mayBeForced: issues.length === 0 };
}

function stateIssuesOf({ name, labels, state }: ListedContainer): readonly string[] {
  if (labels[SUPERVISED] !== undefined) return [`Container ${name} is the agent's own`];
  return state === 'paused' ? [`Container ${name} is paused: unpause or stop it first`] : [];
}

/** Why the App does nothing: containers of docker compose are there that nobody has let it take over, or may not be. Pure. */
export function adoptionFailure(
  app: App,
  {
    theirs = [],
    desired,
    existing,
  }: {
    readonly theirs?: readonly ListedContainer[];
    readonly desired: readonly AnyDeclared[];
    readonly existing: readonly AnyResource[];
  },
): TerminalError | undefined {
  const { name } = app.metadata;
  const asked = askedAdoption(app);
  if (asked) {
    const plan = planTheirs(app, asked, theirs, desired);
    if (plan.issues.length === 0 || asked.request) return undefined;
    return again('AdoptionRefused', refusal(name, plan));
  }
  const { adoption } = app.status ?? {};
  if (adoption?.phase === 'TakingOver') return undefined;
  if (adoption?.phase === 'Failed') {
    if (!existing.some((one) => one.kind === 'Service' && waitsForAdoption(one))) return undefined;
    const message = `${adoption.message}. Mend that and declare the App again, or \`supercargo adopt ${name}\``;
    return again('AdoptionFailed', message);
  }
  return theirs.length === 0 ? undefined : adoptionNeeded(app, theirs, desired);
}

const again = (reason: 'AdoptionNeeded' | 'AdoptionRefused' | 'AdoptionFailed', message: string): TerminalError =>
  new TerminalError(reason, message, { requeueAfterMs: LOOK_AGAIN_MS });

/** Why it is not begun, as a sentence. Pure. */
export function refusal(app: string, { issues, mayBeForced }: AdoptionPlan): string {
  const force = mayBeForced ? `. \`supercargo adopt ${app} --force\` leaves such data behind, where it is` : '';
  return `Nothing of theirs is touched: ${issues.join('; ')}${force}`;
}

/**
 * Says what docker compose keeps there, what a take-over would do with it, and the way out. Nothing of the App is begun: its
 * ports are taken, and beside the data of a project that runs no empty volume is to stand. Pure.
 */
function adoptionNeeded(app: App, theirs: readonly ListedContainer[], desired: readonly AnyDeclared[]): TerminalError {
  const { name } = app.metadata;
  const files = unique(theirs.flatMap(({ labels }) => labels[COMPOSE_CONFIG_FILES] || []));
  const from = files.length > 0 ? `, of ${files.join(', ')}` : '';
  const { taken, left, issues } = planTheirs(app, { id: '', by: '', force: false }, theirs, desired);
  const services = unique(taken.flatMap(({ labels }) => labels[COMPOSE_SERVICE] ?? []));
  const downtime = `one service at a time (${services.join(', ')}), each down for as long as it takes to stop and start`;
  const alone = left.length > 0 ? `, and leaves ${unique(left.map((one) => one.name)).join(', ')} alone` : '';
  const way =
    issues.length > 0
      ? `\`supercargo adopt ${name}\` would take it over, but: ${issues.join('; ')}`
      : `\`supercargo adopt ${name}\` takes it over with its volumes and networks, ${downtime}${alone}`;
  return again(
    'AdoptionNeeded',
    `The project ${name} is kept by docker compose: ${namesOf(theirs)}${from}. Nothing of it is touched. ${way}. Or end it there with \`docker compose -p ${name} down\`, without --volumes: its volumes stay, and the App goes on with them`,
  );
}

/** Their containers and what they mount, for a sentence. Pure. */
export function namesOf(theirs: readonly ListedContainer[]): string {
  const volumes = unique(theirs.flatMap((one) => one.volumes));
  const data = volumes.length > 0 ? ` and volumes ${volumes.join(', ')}` : '';
  return `containers ${unique(theirs.map(({ name }) => name)).join(', ')}${data}`;
}

const unique = (names: readonly string[]): readonly string[] => [...new Set(names)].sort();

/** How far the services of an App are with the take-over that it has begun. Pure. */
export function adoptionProgress(
  { id, service }: Adoption,
  existing: readonly AnyResource[],
  desired: readonly AnyDeclared[],
): { readonly is: 'open' | 'over' } | { readonly is: 'failed'; readonly message: string } {
  const services = existing.filter((one): one is Service => one.kind === 'Service' && isActive(one));
  const own = services.filter(({ status }) => status?.adoption?.id === id);
  const back = own.find(({ status }) => status?.adoption?.phase === 'GivenBack');
  if (back) {
    const done = own
      .filter(({ status }) => status?.adoption?.phase === 'TakenOver')
      .map(({ spec }) => spec.serviceName);
    const others =
      done.length === 0
        ? 'nothing else was begun'
        : `${done.sort().join(', ')} ${done.length === 1 ? 'is' : 'are'} taken over`;
    const message = `Service ${back.spec.serviceName} was not taken over (${back.status?.adoption?.message ?? 'nobody knows why'}), and theirs is as it was; ${others}`;
    return { is: 'failed', message };
  }
  const awaited = desired.filter(
    (one) => one.kind === 'Service' && !isJob(one.spec) && (service ?? one.spec.serviceName) === one.spec.serviceName,
  );
  const isDone = ({ metadata }: AnyDeclared): boolean =>
    own.some((one) => one.metadata.name === metadata.name && one.status?.adoption?.phase === 'TakenOver');
  return { is: awaited.every(isDone) ? 'over' : 'open' };
}
