import { conditionOf, readinessOf } from '../../../crds/model/conditions.js';
import { hasFailedRun, isJob } from '../../../crds/model/jobs.js';
import type { App, Service } from '../../../crds/model/kinds.js';
import { isUndecided, latestFirst, type Revision } from '../../../crds/model/revisions.js';
import { lastChangeOf } from '../../../crds/model/service-changes.js';
import type { Session } from '../client/session.js';
import { usageError } from '../failure.js';
import { ageText } from '../format/words.js';
import { collectionPath, objectPath, subject } from '../kind-words.js';
import { fromText } from './history.js';

/** What is said of an App or of one of its services. */
export interface Reasons {
  /** As in `App/shop` or `Service/shop.web`. */
  readonly object: string;
  readonly sentences: readonly string[];
}

/** `supercargo why APP[/SERVICE]`: why what runs is as it is, what it waits for now, and what was tried. */
export async function why(session: Session, word: string): Promise<void> {
  const { io, json } = session;
  const [name = '', serviceName, ...more] = word.split('/');
  if (name === '' || serviceName === '' || more.length > 0)
    throw usageError('Why what?', 'supercargo why APP[/SERVICE]');
  const client = await session.client();
  const app = await client.ask<App>('GET', objectPath(subject('App', name)));
  const { items: services } = await client.ask<{ items: readonly Service[] }>('GET', collectionPath('Service'));
  const { items: revisions } = await client.ask<{ items: readonly Revision[] }>('GET', collectionPath('Revision'));
  const wanted = services.filter(
    ({ spec }) => spec.app === name && (serviceName === undefined || spec.serviceName === serviceName),
  );
  if (serviceName !== undefined && wanted.length === 0) {
    const known = services.flatMap(({ spec }) => (spec.app === name ? [spec.serviceName] : []));
    throw usageError(
      `${name} has no service ${serviceName}`,
      known.length > 0 ? `its services are ${known.join(', ')}` : '',
    );
  }
  const promoted = latestFirst(revisions.filter(({ spec }) => spec.app === name));
  const answers = [
    ...(serviceName === undefined ? [reasonsOfApp(app, promoted, session.now())] : []),
    ...wanted.map((service) => reasonsOfService(service, promoted, session.now())),
  ];
  if (json) return io.out(...answers.map((one) => JSON.stringify(one)));
  for (const [index, { object, sentences }] of answers.entries()) {
    io.out(...(index > 0 ? [''] : []), io.style('bold', object), ...sentences.map((line) => `  ${line}`));
  }
}

/** `promoted`: the revisions of the App, the latest first. Pure. */
export function reasonsOfApp(app: App, promoted: readonly Revision[], nowMs: number): Reasons {
  const [latest, ...before] = promoted;
  const tried = before.filter((one) => !isUndecided(one) && one.status?.phase === 'Bad');
  return {
    object: `App/${app.metadata.name}`,
    sentences: [
      latest
        ? `What runs is ${revisionText(latest, nowMs)}${outcomeOf(latest)}.`
        : 'Nothing of it has been promoted yet.',
      ...refusedOf(app, latest, nowMs),
      ...nextOf(app, nowMs),
      ...tried.map((one) => `Before that, ${revisionText(one, nowMs)} was tried${outcomeOf(one)}.`),
      ...nowOf(app, nowMs),
    ],
  };
}

/** What its document says, and why that does not run. */
function refusedOf({ status }: App, latest: Revision | undefined, nowMs: number): readonly string[] {
  const { rollback } = status ?? {};
  if (!rollback) return [];
  const { from, to, reason, message, at } = rollback;
  const instead = latest?.metadata.name === to ? `${to} runs instead` : `${to} is to run instead, and does not yet`;
  return [
    `Its document asks for revision ${from}, which has been refused for ${agoText(at, nowMs)}: ${reason} (${message}). ${instead}.`,
  ];
}

/** What its document says, and is not promoted yet. */
function nextOf({ status }: App, nowMs: number): readonly string[] {
  const { next } = status ?? {};
  if (!next) return [];
  const { revision, since, reason, until, approved } = next;
  const waits = approved
    ? `; ${approved.by} let it go ahead ${agoOf(approved.at, nowMs)}`
    : reason === undefined
      ? ', and is not promoted yet'
      : `, and waits: ${reason}${until === undefined ? '' : ` until ${until}`}`;
  return [`Its document has asked for revision ${revision} for ${agoText(since, nowMs)}${waits}.`];
}

/** `promoted`: the revisions of its App, the latest first. Pure. */
export function reasonsOfService(service: Service, promoted: readonly Revision[], nowMs: number): Reasons {
  const { lastAction } = service.status ?? {};
  const promotion = broughtBy(service.metadata.name, promoted, nowMs);
  return {
    object: `Service/${service.metadata.name}`,
    sentences: [
      ...(isJob(service.spec) ? jobOf(service, nowMs) : [runsOf(service, nowMs)]),
      ...promotion,
      ...replacedOf(service, promotion, nowMs),
      ...(lastAction
        ? [
            `What was last done to it: ${lastAction.reason}, ${agoOf(lastAction.at, nowMs)}, because: ${lastAction.because}.`,
          ]
        : []),
      ...nowOf(service, nowMs),
    ],
  };
}

/** Says when it runs, and how its last run went. */
function jobOf(service: Service, nowMs: number): readonly string[] {
  const { schedule, image } = service.spec;
  const { lastRun: last, nextRunAt, missed = 0 } = service.status ?? {};
  const zone = schedule?.timeZone === undefined ? '' : ` (${schedule.timeZone})`;
  const next = nextRunAt === undefined ? 'no run is due' : `its next run is due at ${nextRunAt}`;
  return [
    `It is a job: a container of ${image} runs at the times of ${schedule?.cron}${zone}; ${next}.`,
    last === undefined
      ? 'It has not run yet.'
      : last.finishedAt === undefined
        ? `Run ${last.runId} goes on${last.startedAt === undefined ? '' : `, since ${last.startedAt}`}.`
        : `Its last run, ${last.runId}, ${last.failed ? 'failed' : 'succeeded'} ${agoOf(last.finishedAt, nowMs)}${last.exitCode === undefined ? '' : ` with exit code ${last.exitCode}`}.`,
    ...(hasFailedRun(service) ? [`${conditionOf(service, 'LastRunFailed')?.message}.`] : []),
    ...(missed > 0 ? [`${missed} of its runs were missed.`] : []),
  ];
}

function runsOf({ spec, status }: Service, nowMs: number): string {
  const { container, state, exitCode, runningSince, unhealthyRestarts, restarts } = status ?? {};
  if (!container) return 'It has no container.';
  const what = `Container ${container.name} of ${spec.image}`;
  if (runningSince === undefined)
    return `${what} does not run: ${state ?? 'not started'}${exitCode === undefined ? '' : `, exited with ${exitCode}`}.`;
  const counted = [
    ...(restarts ? [`it was restarted ${timesOf(restarts)} after it had exited`] : []),
    ...(unhealthyRestarts ? [`it was restarted ${timesOf(unhealthyRestarts.count)} because it was unhealthy`] : []),
  ];
  return `${what} has run for ${ageText(nowMs - Date.parse(runningSince))} (since ${runningSince})${counted.map((one) => `; ${one}`).join('')}.`;
}

/** Names the promotion that brought the service as it is declared now, and the fields in which it differs from the one before. */
function broughtBy(name: string, promoted: readonly Revision[], nowMs: number): readonly string[] {
  const change = lastChangeOf(name, promoted);
  if (!change) return [];
  const came = `As it is declared it came with ${revisionText(change.revision, nowMs)}`;
  switch (change.is) {
    case 'oldest':
      return [`${came}, or before: no older one is kept.`];
    case 'first':
      return [`${came}, which was the first with this service.`];
    case 'changed':
      return [`${came}, which changed:`, ...change.fields.map((field) => `  ${field}`)];
  }
}

/** Says how and why its container came in the place of another one, with the fields that the promotion does not tell. */
function replacedOf({ status }: Service, promotion: readonly string[], nowMs: number): readonly string[] {
  const { container, replaced, update } = status ?? {};
  // The record of an update lasts; the container may have been replaced since for another reason.
  const ofUpdate = replaced === undefined || replaced.because === update?.because ? update : undefined;
  const how = ofUpdate ? ` by ${ofUpdate.strategy}` : '';
  const down = ofUpdate ? downOf(ofUpdate) : '';
  if (!replaced) return ofUpdate ? [`Its container was last replaced${how}, because: ${ofUpdate.because}${down}.`] : [];
  const { previous, because, at, revision, from, fields = [] } = replaced;
  const place = previous === undefined || previous === container?.name ? '' : `, in the place of ${previous}`;
  const made =
    revision === undefined ? `; it was declared by ${fromText(from)}` : `; it was made of revision ${revision}`;
  const isNamed = revision !== undefined && promotion[0]?.includes(revision) === true;
  const more = fields.map((field) => `  ${field}`).filter((line) => !promotion.includes(line));
  return [
    `Its container was last replaced${how} ${agoOf(at, nowMs)}${place}, because: ${because}${isNamed ? '' : made}${down}${more.length > 0 ? '. Since the one before had changed:' : '.'}`,
    ...more,
  ];
}

const revisionText = ({ metadata, spec }: Revision, nowMs: number): string =>
  `revision ${metadata.name} (number ${spec.number}, ${agoOf(spec.promotedAt, nowMs)}, from ${fromText(spec.from)}${spec.from.subject === undefined ? '' : `: ${JSON.stringify(spec.from.subject)}`})`;

function outcomeOf(revision: Revision): string {
  const { phase, reason, message } = revision.status ?? {};
  if (isUndecided(revision) || phase === undefined) return '; it is not decided yet whether it is good';
  if (phase !== 'Bad') return `; it is ${phase}`;
  return `; it is Bad: ${reason}${message === undefined ? '' : ` (${message})`}`;
}

/** Says whether it is as it should be, and otherwise why not. */
function nowOf(document: App | Service, nowMs: number): readonly string[] {
  const ready = readinessOf(document);
  if (!ready) return ['The agent has not looked at it as it is declared now.'];
  const { status, reason, message, lastTransitionTime } = ready;
  const since = `for ${agoText(lastTransitionTime, nowMs)} now`;
  return status === 'True'
    ? [`It has been ready ${since}.`]
    : [`It has not been ready ${since}: ${reason}: ${message}`];
}

const timesOf = (count: number): string => (count === 1 ? 'once' : `${count} times`);
const agoText = (at: string, nowMs: number): string => ageText(nowMs - Date.parse(at));
const agoOf = (at: string, nowMs: number): string => `${agoText(at, nowMs)} ago`;
const downOf = ({ downtimeMs }: NonNullable<NonNullable<Service['status']>['update']>): string =>
  downtimeMs === undefined ? '' : `; it was down for ${(downtimeMs / 1000).toFixed(1)} s`;
