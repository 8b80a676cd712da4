import { changedFields } from '../../../crds/model/changed-fields.js';
import { readinessOf } from '../../../crds/model/conditions.js';
import type { App, Service } from '../../../crds/model/kinds.js';
import { isUndecided, latestFirst, type Revision } from '../../../crds/model/revisions.js';
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
  const said = [
    ...(serviceName === undefined ? [reasonsOfApp(app, promoted, session.now())] : []),
    ...wanted.map((service) => reasonsOfService(service, promoted, session.now())),
  ];
  if (json) return io.out(...said.map((one) => JSON.stringify(one)));
  for (const [index, { object, sentences }] of said.entries()) {
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
  const { lastAction, update } = service.status ?? {};
  return {
    object: `Service/${service.metadata.name}`,
    sentences: [
      runsOf(service, nowMs),
      ...broughtBy(service.metadata.name, promoted, nowMs),
      ...(update
        ? [`Its container was last replaced by ${update.strategy}, because: ${update.because}${downOf(update)}.`]
        : []),
      ...(lastAction
        ? [
            `What was last done to it: ${lastAction.reason}, ${agoOf(lastAction.at, nowMs)}, because: ${lastAction.because}.`,
          ]
        : []),
      ...nowOf(service, nowMs),
    ],
  };
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
  const [latest] = promoted;
  if (!latest || !keptOf(latest, name)) return [];
  for (const [index, revision] of promoted.entries()) {
    const [is, was] = [keptOf(revision, name), keptOf(promoted[index + 1], name)];
    const came = `it came with ${revisionText(revision, nowMs)}`;
    if (index + 1 === promoted.length && revision.spec.number > 1)
      return [`As it is declared ${came}, or before: no older one is kept.`];
    if (!was) return [`As it is declared ${came}, which was the first with this service.`];
    const fields = changedFields(was, is);
    if (fields.length > 0) return [`As it is declared ${came}, which changed:`, ...fields.map((field) => `  ${field}`)];
  }
  return [];
}

/** The Service as that revision keeps it, like a document. Every release has a number of its own: that changes no service. */
function keptOf(revision: Revision | undefined, name: string) {
  const kept = revision?.spec.documents.find((one) => one.kind === 'Service' && one.name === name);
  const origin = `App/${revision?.spec.app}` as const;
  if (!kept) return undefined;
  const { release: _number, ...spec } = kept.spec;
  return { kind: 'Service', metadata: { name, origin }, spec } as const;
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
