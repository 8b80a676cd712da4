import { isObserved } from '../../../crds/model/conditions.js';
import { differences, writtenParts } from '../../../crds/model/differences.js';
import type { AnyResource, App, Service } from '../../../crds/model/kinds.js';
import { isMap } from '../../../crds/model/maps.js';
import type { Plan } from '../../../crds/model/plan.js';
import { awaitsEngine } from '../../../crds/model/readiness.js';
import { ApiError, type Client } from '../client/client.js';
import type { Session } from '../client/session.js';
import { secondsOf, type WaitOptions, waitReady } from '../client/wait.js';
import { lateError, Mirror } from '../client/watch.js';
import { whoAsks } from '../client/who.js';
import { CommandError } from '../failure.js';
import { checkBinds, mistakesError, readWritten, refusedPlaces, type Written } from '../files.js';
import { collectionPath, objectPath, PLAN_PATH, subjectText } from '../kind-words.js';
import { request } from './actions.js';

export interface ApplyOptions extends WaitOptions {
  readonly filename: readonly string[];
  readonly dryRun?: boolean;
  /** Apps go ahead that would wait for their time. */
  readonly now?: boolean;
}

interface Applied {
  readonly subject: Written;
  readonly verb: 'created' | 'changed' | 'unchanged';
  readonly generation: number;
}

/**
 * Runs `supercargo apply`: checks every document before it changes the first, then waits until all of them are true. An
 * unchanged one is left alone.
 */
export async function apply(session: Session, options: ApplyOptions): Promise<void> {
  const { io, json } = session;
  if (options.wait) secondsOf(options); // checked before anything changes
  const client = await session.client();
  const written = await readWritten(options.filename, io);
  await checkBinds(session, written);
  const rehearsed = await rehearse(client, written);
  const applied: Applied[] = [];
  const { items: before } = await client.ask<{ items: readonly Service[] }>('GET', collectionPath('Service'));
  for (const one of permissionsFirst(rehearsed)) {
    const outcome =
      options.dryRun || one.verb === 'unchanged'
        ? one
        : { ...one, ...(await put(client, one.subject, whoAsks(session.env))) };
    applied.push(outcome);
    const { kind, name } = one.subject;
    if (json)
      io.out(
        JSON.stringify({
          type: outcome.verb,
          kind,
          name,
          generation: outcome.generation,
          ...(options.dryRun ? { dryRun: true } : {}),
        }),
      );
    else io.out(`${subjectText(one.subject)} ${outcome.verb}${options.dryRun ? ' (dry run)' : ''}`);
  }
  if (options.dryRun) return rejectRefused(client, written);
  if (options.now) await goAhead(session, client, applied);
  if (!options.wait) return;
  await waitReady(
    session,
    client,
    applied.map(({ subject, generation }) => ({ ...subject, generation })),
    { ...options, before, isApproved: options.now === true },
  );
}

/**
 * Approves the Apps that wait for their time: each exactly as it was applied. Throws when somebody else has declared one
 * meanwhile.
 */
async function goAhead(session: Session, client: Client, applied: readonly Applied[]): Promise<void> {
  const mine = applied.filter(({ subject }) => subject.kind === 'App');
  if (mine.length === 0) return;
  const mirror = new Mirror<App>(client, [collectionPath('App')]);
  const seen = await mirror.until(() => {
    const apps = mine.map((one) => ({ ...one, app: mirror.get('App', one.subject.name) }));
    // Without the engine nothing is known of what waits.
    return apps.every(({ app }) => app && isObserved(app) && !awaitsEngine(app)) ? apps : undefined;
  }, SEEN_MS);
  if (!seen) throw lateError('The agent has not looked at what was applied', SEEN_MS / 1000);
  for (const { subject, generation, app } of seen) {
    if (app && app.metadata.generation !== generation) {
      throw new CommandError(
        `${subjectText(subject)}: Somebody else has changed it meanwhile; nothing of it was approved`,
      );
    }
    const { next } = app?.status ?? {};
    if (!next || next.approved) continue;
    const options = { wait: true, timeout: `${SEEN_MS / 1000}s` };
    await request(session, client, [subject], 'approve', options, { to: next.revision }).catch(async (error) => {
      if (!(error instanceof CommandError) || !(await isStarted(client, subject, generation))) throw error;
    });
  }
}

/** Tells whether what was applied has gone ahead by itself meanwhile: it waited for its images alone. */
async function isStarted(client: Client, subject: Written, generation: number): Promise<boolean> {
  const { metadata, status } = await client.ask<App>('GET', objectPath(subject));
  return metadata.generation === generation && status !== undefined && !status.next;
}

/** Within what time the agent has looked at what was applied, ms. */
const SEEN_MS = 60_000;

/** Throws with what the agent could not make true, as its plan finds it. An agent that makes no plan, or none of so much, has been asked already. */
async function rejectRefused(client: Client, written: readonly Written[]): Promise<void> {
  const { refused } = await client
    .ask<Pick<Plan, 'refused'>>('POST', PLAN_PATH, { documents: written.map(bodyOf) })
    .catch((error: unknown) => {
      if (error instanceof ApiError && [400, 404, 405, 413, 503].includes(error.code)) return { refused: [] };
      throw error;
    });
  if (refused.length > 0) throw mistakesError(refused.map(({ object, message }) => `${object}: ${message}`));
}

/** Has the agent check every document; nothing is changed. Throws with every mistake, by file and line. */
async function rehearse(client: Client, written: readonly Written[]): Promise<readonly Applied[]> {
  const mistakes: string[] = [];
  const rehearsed: Applied[] = [];
  for (const subject of written) {
    try {
      const before = await present(client, subject);
      const after = await client.ask<AnyResource>('PUT', rehearsalPath(subject, written), bodyOf(subject));
      const isSame = differences(writtenParts(before), writtenParts(after)).length === 0;
      const verb = !before ? 'created' : isSame ? 'unchanged' : 'changed';
      rehearsed.push({ subject, verb, generation: after.metadata.generation });
    } catch (error) {
      const places = refusedPlaces(error, subject) ?? conflict(error, subject);
      if (!places) throw error;
      mistakes.push(...places);
    }
  }
  if (mistakes.length > 0) throw mistakesError(mistakes);
  return rehearsed;
}

/**
 * Puts Apps that give permissions before the documents that need them, as the agent would refuse those; keeps the order
 * otherwise. Pure.
 */
function permissionsFirst(rehearsed: readonly Applied[]): readonly Applied[] {
  const givesPermission = ({ subject: { kind, value } }: Applied): boolean =>
    kind === 'App' && isMap(value.spec) && value.spec.allowHostBinds === true;
  return [...rehearsed.filter(givesPermission), ...rehearsed.filter((one) => !givesPermission(one))];
}

/** Returns the path that checks a document without changing anything, together with what is written beside it. Pure. */
export const rehearsalPath = (subject: Written, written: readonly Written[]): string =>
  `${objectPath(subject)}?dryRun=All${besideOf(subject, written)}`;

/**
 * Returns the documents beside one: the release of an App, and its standalone services, may name them although the
 * device does not have them yet. For a Service or Volume also the App, where it gives them permission. Pure.
 */
function besideOf(subject: Written, written: readonly Written[]): string {
  const { kind, name } = subject;
  const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> => (isMap(value) ? value : {});
  const specOf = (one: Written) => fieldsOf(one.value.spec);
  const app = kind === 'App' ? name : kind === 'Service' || kind === 'Volume' ? specOf(subject).app : undefined;
  if (typeof app !== 'string') return '';
  const beside = written.flatMap((one) => {
    const spec = specOf(one);
    if (one === subject) return [];
    if (one.kind === 'App' && one.name === app) {
      return [
        ...(spec.allowHostBinds === true ? [`app/${app}`] : []),
        ...Object.keys(fieldsOf(spec.services)).map((service) => `service/${service}`),
        ...Object.keys(fieldsOf(spec.networks)).map((network) => `network/${network}`),
      ];
    }
    if (one.kind === 'Service') return spec.app === app ? [`service/${String(spec.serviceName)}`] : [];
    if ((one.kind !== 'Network' && one.kind !== 'Volume') || !one.name.startsWith(`${app}.`)) return [];
    return [`${one.kind.toLowerCase()}/${one.name.slice(app.length + 1)}`];
  });
  return beside.length === 0 ? '' : `&beside=${encodeURIComponent(beside.join(','))}`;
}

function conflict(error: unknown, subject: Written): readonly string[] | undefined {
  return error instanceof ApiError && error.code === 409
    ? [`${subjectText(subject)}: ${shortConflict(error.message)}`]
    : undefined;
}

/** Shortens a message by words that only users of kubectl know. Pure. */
export const shortConflict = (message: string): string =>
  message.replace(/^Operation cannot be fulfilled on [^:]*: /, '');

async function put(client: Client, subject: Written, manager: string): Promise<{ readonly generation: number }> {
  try {
    const { metadata } = await client.ask<AnyResource>(
      'PUT',
      `${objectPath(subject)}?fieldManager=${encodeURIComponent(manager)}`,
      bodyOf(subject),
    );
    return { generation: metadata.generation };
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== 409) throw error;
    throw new CommandError(`${subjectText(subject)}: ${shortConflict(error.message)}`, { cause: error });
  }
}

/** Returns the document as it is on the device; undefined when it is not there. */
export async function present(client: Client, subject: Written): Promise<AnyResource | undefined> {
  try {
    return await client.ask<AnyResource>('GET', objectPath(subject));
  } catch (error) {
    if (error instanceof ApiError && error.code === 404) return undefined;
    throw error;
  }
}

/** Returns the written document without the version that it may have been read with: what the file says counts. Pure. */
export function bodyOf({ value }: Written): object {
  const { metadata } = value;
  if (typeof metadata !== 'object' || metadata === null) return value;
  const { resourceVersion: _version, ...rest } = { resourceVersion: undefined, ...metadata };
  return { ...value, metadata: rest };
}
