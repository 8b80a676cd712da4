import { isObserved } from '../../../crds/model/conditions.js';
import {
  type AnyResource,
  type App,
  KINDS,
  type Kind,
  type RequestName,
  requestsOf,
} from '../../../crds/model/kinds.js';
import { awaitsEngine } from '../../../crds/model/readiness.js';
import { acknowledgementsOf, OVERRIDING } from '../../../crds/model/requests.js';
import type { Client } from '../client/client.js';
import type { Session } from '../client/session.js';
import { secondsOf, type WaitOptions } from '../client/wait.js';
import { lateError, Mirror } from '../client/watch.js';
import { whoAsks } from '../client/who.js';
import { CommandError, usageError } from '../failure.js';
import { collectionPath, objectPath, partOf, type Subject, subject, subjectOf, subjectText } from '../kind-words.js';

export interface ActionOptions extends WaitOptions {
  readonly force?: boolean;
}

export interface RollbackOptions extends ActionOptions {
  readonly to?: string;
}

export interface ApproveOptions extends ActionOptions {
  readonly revision?: string;
}

export interface AdoptOptions extends ActionOptions {
  readonly container?: readonly string[];
}

interface SentRequest {
  readonly subject: Subject;
  readonly name: RequestName;
  readonly id: string;
}

/** What people read when a request is done. */
const DONE: Readonly<Partial<Record<RequestName, string>>> = {
  restart: 'restarted',
  stop: 'stopped',
  start: 'started',
  purge: 'purged',
  confirm: 'confirmed',
  sync: 'synced',
  suspend: 'suspended',
  resume: 'resumed',
  rollback: 'goes back',
  retry: 'is tried again',
  approve: 'goes ahead',
  adopt: 'is taken over',
};

/** Runs `restart`, `stop`, `start`, `purge`: a whole app, or one service of it. */
export async function act(
  session: Session,
  name: 'restart' | 'stop' | 'start' | 'purge',
  words: readonly string[],
  options: ActionOptions,
): Promise<void> {
  const subjects = words.map((word): Subject => {
    const { app, service } = partOf(word);
    if (service === undefined) return { kind: 'App', name: app };
    if (name === 'purge') throw usageError('Only a whole app can be purged', `supercargo purge ${app}`);
    return { kind: 'Service', name: `${app}.${service}` };
  });
  await request(session, await session.client(), subjects, name, options);
}

/** Runs `confirm` (a git source, unless stated otherwise), `suspend` and `resume` (an app): requests of any document that takes them. */
export async function send(
  session: Session,
  name: 'confirm' | 'suspend' | 'resume',
  words: readonly string[],
  options: ActionOptions,
): Promise<void> {
  const subjects = words.map((word) => subjectOf(word, name === 'confirm' ? 'GitSource' : 'App'));
  await request(session, await session.client(), subjects, name, options);
}

/** Runs `rollback`: another revision of an app is to run. It is over once that is decided: how it goes is in the status. */
export async function rollback(session: Session, app: string, { to, ...options }: RollbackOptions): Promise<void> {
  const subjects = [{ kind: 'App' as const, name: app }];
  await request(session, await session.client(), subjects, 'rollback', options, to === undefined ? {} : { to });
}

/** Runs `retry`: what an app declares is to be tried again. */
export async function retry(session: Session, apps: readonly string[], options: ActionOptions): Promise<void> {
  const subjects = apps.map((name) => ({ kind: 'App' as const, name }));
  await request(session, await session.client(), subjects, 'retry', options);
}

/**
 * Runs `approve`: what an app declares goes ahead now, whatever it waits for. It is the content that was there to look at,
 * unless another one is named: an edit that came meanwhile is not approved.
 */
export async function approve(session: Session, name: string, { revision, ...options }: ApproveOptions): Promise<void> {
  const client = await session.client();
  const one = subject('App', name);
  const app = await client.ask<App>('GET', objectPath(one));
  const to = revision ?? app.status?.next?.revision;
  if (to === undefined) {
    const why =
      isObserved(app) && !awaitsEngine(app)
        ? `What App ${name} declares waits for nothing`
        : `The agent has not looked yet at what App ${name} declares`;
    throw new CommandError(`${subjectText(one)}: ${why}`);
  }
  await request(session, client, [one], 'approve', options, { to });
}

/**
 * Runs `adopt`: an app takes over what docker compose keeps in the project of its name; or one service, containers that are
 * named. It is over once theirs are gone, or run again.
 */
export async function adopt(session: Session, word: string, { container, ...options }: AdoptOptions): Promise<void> {
  const { app, service } = partOf(word);
  if (container === undefined && service !== undefined) {
    const message = `The project of an app is taken over as a whole; name the containers for service ${service}`;
    throw usageError(message, `supercargo adopt ${app}, or supercargo adopt ${word} --container NAME`);
  }
  if (container !== undefined && service === undefined) {
    throw usageError(
      'Say which service takes the containers over',
      `supercargo adopt ${app}/SERVICE --container ${container[0]}`,
    );
  }
  const named = service === undefined || container === undefined ? {} : { service, containers: container };
  await request(session, await session.client(), [{ kind: 'App', name: app }], 'adopt', options, named);
}

/** Sends a request and, unless told otherwise, waits until the controller reports its end. */
export async function request(
  session: Session,
  client: Client,
  subjects: readonly Subject[],
  name: RequestName,
  options: ActionOptions,
  more: { readonly to?: string; readonly service?: string; readonly containers?: readonly string[] } = {},
): Promise<void> {
  for (const subject of subjects) checkTaken(subject, name);
  const seconds = options.wait ? secondsOf(options) : 0;
  const sent: SentRequest[] = [];
  for (const subject of subjects) {
    const isNamed = options.force || OVERRIDING.includes(name);
    const by = isNamed ? { by: whoAsks(session.env) } : {};
    const body = { name, ...(options.force ? { force: true } : {}), ...more, ...by };
    const answer = await client.ask<{ request: { id: string } }>('POST', `${objectPath(subject)}/requests`, body);
    sent.push({ subject, name, id: answer.request.id });
    if (!options.wait) print(session, subject, `${name} asked for`, name);
  }
  if (options.wait) await ended(session, client, sent, seconds);
}

function checkTaken({ kind }: Subject, name: RequestName): void {
  const takers = KINDS.filter((one) => requestsOf(one).includes(name));
  if (takers.includes(kind)) return;
  throw usageError(`Nothing of the kind ${kind} takes the request ${name}`, `Kinds that do: ${takers.join(', ')}`);
}

async function ended(session: Session, client: Client, sent: readonly SentRequest[], seconds: number): Promise<void> {
  const kinds: readonly Kind[] = [...new Set(sent.map(({ subject }) => subject.kind))];
  const mirror = new Mirror<AnyResource>(client, kinds.map(collectionPath));
  const ended = new Set<SentRequest>();
  const refusals: CommandError[] = [];
  const end = await mirror.until(() => {
    for (const one of sent) {
      const verdict = ended.has(one) ? undefined : verdictOf(mirror.get(one.subject.kind, one.subject.name), one);
      if (!verdict) continue;
      ended.add(one);
      if (verdict.is === 'done') print(session, one.subject, DONE[one.name] ?? one.name, one.name);
      else refusals.push(verdict.error);
    }
    return ended.size === sent.length ? 'ended' : undefined;
  }, seconds * 1000);
  const [refusal] = refusals;
  if (refusal)
    throw refusals.length === 1
      ? refusal
      : new CommandError(
          refusals.map(({ message }) => message).join('\n'),
          refusal.hint === undefined ? {} : { hint: refusal.hint },
        );
  const open = sent.find((one) => !ended.has(one));
  if (end === undefined && open)
    throw lateError(`The ${open.name} of ${subjectText(open.subject)} is not over`, seconds);
}

/** Returns the end of a request; undefined while it is under way. Pure. */
export function verdictOf(
  document: AnyResource | undefined,
  { subject, name, id }: SentRequest,
): { readonly is: 'done' } | { readonly is: 'refused'; readonly error: CommandError } | undefined {
  const refused = (message: string, hint?: string) =>
    ({
      is: 'refused',
      error: new CommandError(`${subjectText(subject)}: ${message}`, hint === undefined ? {} : { hint }),
    }) as const;
  if (!document) return refused('It was removed meanwhile');
  const { handled, refused: refusals } = acknowledgementsOf(document.status);
  if (handled?.[name] !== id) {
    const present = document.requests?.[name];
    return present && present.id !== id ? refused(`Somebody asked for another ${name} meanwhile`) : undefined;
  }
  const refusal = refusals?.[name];
  if (!refusal) return { is: 'done' };
  return refused(
    refusal.message,
    refusal.reason === 'Locked' ? 'The application holds its update lock; --force overrides it.' : undefined,
  );
}

function print({ io, json }: Session, subject: Subject, text: string, name: RequestName): void {
  if (json) io.out(JSON.stringify({ kind: subject.kind, name: subject.name, request: name, result: text }));
  else io.out(`${subjectText(subject)} ${text}`);
}
