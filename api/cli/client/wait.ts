import { setTimeout as pause } from 'node:timers/promises';
import { type Condition, conditionOf, isReady, isStalled, readinessOf } from '../../../crds/model/conditions.js';
import { durationSeconds } from '../../../crds/model/duration.js';
import { listed, pathText } from '../../../crds/model/issue.js';
import type { AnyResource, Image, Service, Source } from '../../../crds/model/kinds.js';
import { isFailing, waitsForItsTime } from '../../../crds/model/readiness.js';
import type { ReasonOf } from '../../../crds/model/reasons.js';
import { isToEnd } from '../../../crds/model/to-end.js';
import { type Cancel, systemClock } from '../../platform/clock.js';
import { CommandError, usageError } from '../failure.js';
import { placeText } from '../format/places.js';
import { isIll, isRolledOut, lastWords, Steadiness, servicesOf } from '../health.js';
import { collectionPath, type Subject, subjectText } from '../kind-words.js';
import type { Client } from './client.js';
import { openProgress, type Progress } from './progress.js';
import type { Session } from './session.js';
import { lateError, Mirror } from './watch.js';

export interface WaitOptions {
  readonly wait: boolean;
  readonly timeout: string;
}

/** A document that is waited for, at a generation or a later one. */
export interface Awaited extends Subject {
  readonly generation: number;
  /** Returns where a field of the document stands in a file. */
  readonly locate?: (path: string) => Source;
}

export function secondsOf({ timeout }: Pick<WaitOptions, 'timeout'>): number {
  const seconds = durationSeconds(timeout);
  if (seconds === undefined || seconds <= 0)
    throw usageError(`--timeout "${timeout}" is no duration`, 'Expected 90s, 10m or 1h30m');
  return seconds;
}

/**
 * Waits until all are Ready, with progress: downloads by image, then health by service. Containers that were started
 * meanwhile (`before` are the services as they were) have to keep running for a moment, or to be healthy where they
 * have a healthcheck. An App that waits for its time is not waited for: that may be days away; unless it was approved
 * (`isApproved`), which its status tells a moment later. Throws when a document is stuck, when a service does not work
 * (with its last lines of output), or when time is up.
 */
export async function waitReady(
  session: Session,
  client: Client,
  awaited: readonly Awaited[],
  {
    before,
    isApproved = false,
    ...options
  }: WaitOptions & { readonly before: readonly Service[]; readonly isApproved?: boolean },
): Promise<void> {
  const seconds = secondsOf(options);
  const kinds = [...new Set([...awaited.map(({ kind }) => kind), 'App', ...CHILDREN] as const)];
  const mirror = new Mirror<AnyResource>(client, kinds.map(collectionPath));
  const progress = await openProgress(session);
  const printed = new Map<string, string>();
  const steadiness = new Steadiness(before, () => performance.now());
  let cancelAgain: Cancel = () => undefined;
  const upToDate = new UpToDate(client, mirror);
  const print = (subject: Subject, text: string, isReady = false): void => {
    const name = subjectText(subject);
    if (text === '' || printed.get(name) === text) return;
    printed.set(name, text);
    if (session.json)
      session.io.out(
        JSON.stringify({ type: isReady ? 'ready' : 'progress', kind: subject.kind, name: subject.name, message: text }),
      );
    else if (isReady) progress.print(`${name} ${text}`);
    else progress.note(`${name}: ${text}`);
  };
  const verdictNow = (one: Awaited): Verdict => {
    const verdict = verdictOf(mirror.get(one.kind, one.name), one);
    return verdict.is === 'held' && isApproved ? { is: 'open', text: '' } : verdict;
  };
  try {
    const end = await mirror.until((seen) => {
      showParts(seen, awaited, progress);
      const isHeld = (one: Awaited): boolean => verdictNow(one).is === 'held';
      const ill = awaited.flatMap((one) => illOf(seen, one))[0];
      if (ill) return { ill };
      const stuck = awaited.flatMap((one) => stuckOf(seen, one))[0];
      // What the watch of a kind has shown may be of the release before.
      if (stuck) return upToDate.check() ? { stuck } : undefined;
      const going = awaited.filter((one) => !isHeld(one));
      const leftMs = steadiness.leftMs(going.flatMap((one) => servicesOf(seen.all('Service'), one)));
      cancelAgain();
      if (leftMs) cancelAgain = systemClock.after(leftMs, () => mirror.lookAgain());
      const verdicts = going.map(verdictNow);
      if (leftMs === 0 && verdicts.every(({ is }) => is === 'ready')) {
        if (!upToDate.check()) return undefined;
      } else upToDate.forget();
      const open = awaited.filter((one) => {
        const verdict = verdictNow(one);
        if (verdict.is === 'stuck')
          throw new CommandError(`${subjectText(one)}: ${verdict.text}`, {
            hint: `More: supercargo describe ${subjectText(one)}`,
          });
        if (verdict.is === 'held') {
          print(one, verdict.text);
          return false;
        }
        const isReady = verdict.is === 'ready' && leftMs === 0;
        if (isReady || (verdict.is !== 'ready' && verdict.text !== WATCHED)) print(one, verdict.text, isReady);
        else if (leftMs === undefined) print(one, 'waiting until it is healthy');
        else if (verdict.text === WATCHED) print(one, watchedText(seen, one));
        return !isReady;
      });
      return open.length === 0 ? 'ready' : undefined;
    }, seconds * 1000);
    if (end !== undefined && end !== 'ready')
      throw end.ill ? await illError(client, end.ill) : stuckError(end.stuck, readinessOf(end.stuck), awaited);
    if (end === undefined) {
      const open = awaited.find((one) => verdictNow(one).is !== 'ready');
      throw lateError(
        open ? `${subjectText(open)} is not ready (${failureOf(mirror.get(open.kind, open.name), open)})` : 'Not ready',
        seconds,
      );
    }
  } finally {
    cancelAgain();
    progress.close();
  }
}

/**
 * Tells whether the services are seen as they are. Each kind has its own watch: that of Apps may report that all is
 * Ready before that of Services reports what was started.
 */
class UpToDate {
  #is: 'unknown' | 'asked' | 'known' = 'unknown';

  constructor(
    private readonly client: Client,
    private readonly mirror: Mirror<AnyResource>,
  ) {}

  /** Returns true once the services have been listed since the last `forget`; otherwise lists them, and looks again then. */
  check(): boolean {
    if (this.#is === 'unknown') void this.#ask();
    return this.#is === 'known';
  }

  forget(): void {
    if (this.#is === 'known') this.#is = 'unknown';
  }

  async #ask(): Promise<void> {
    this.#is = 'asked';
    try {
      for (const kind of CHILDREN)
        this.mirror.take((await this.client.ask<{ items: AnyResource[] }>('GET', collectionPath(kind))).items);
      this.#is = 'known';
    } catch {
      this.#is = 'unknown'; // the agent restarts: the watches list again, and look again
      await pause(AGAIN_MS);
    }
    this.mirror.lookAgain();
  }
}
/** Delay after a list that failed, ms. */
const AGAIN_MS = 500;

/** Returns services that do not work once the document has been rolled out. */
function illOf(mirror: Mirror<AnyResource>, one: Awaited): readonly Service[] {
  const document = mirror.get(one.kind, one.name);
  if (document === undefined || document.metadata.generation < one.generation) return [];
  if (document.kind === 'App' && !isRolledOut(document)) return [];
  return servicesOf(mirror.all('Service'), one).filter(isIll);
}

/** Kinds that an App declares. */
const CHILDREN = ['Image', 'Network', 'Volume', 'Service'] as const;

/** Returns children of an App that are not retried before somebody changes something: the App itself waits for them. */
function stuckOf(mirror: Mirror<AnyResource>, { kind, name, generation }: Awaited): readonly AnyResource[] {
  const app = mirror.get(kind, name);
  if (app?.kind !== 'App' || app.metadata.generation < generation || readinessOf(app) === undefined) return [];
  // Before the roll-out, the others are still of the last release.
  const kinds = isRolledOut(app) ? CHILDREN : (['Image'] as const);
  return kinds.flatMap((child) =>
    mirror.all(child).filter((one) => 'app' in one.spec && one.spec.app === name && isStalled(one) && !isReady(one)),
  );
}

/** Fields of an App that declare its children. */
const FIELDS: Readonly<Record<string, string>> = { Service: 'services', Network: 'networks', Volume: 'volumes' };

/** Returns `app.yaml:7: ` for what an App that was applied declares, or nothing. Pure. */
function placeOf({ kind, metadata: { name } }: AnyResource, awaited: readonly Awaited[]): string {
  const own = awaited.find((one) => one.kind === kind && one.name === name);
  const app = awaited.find((one) => one.kind === 'App' && name.startsWith(`${one.name}.`));
  const field = FIELDS[kind];
  const path = app && field !== undefined ? pathText(['spec', field, name.slice(app.name.length + 1)]) : '';
  const place = own?.locate?.('') ?? app?.locate?.(path);
  return place ? `${placeText(place)}: ` : '';
}

function stuckError(one: AnyResource, ready: Condition | undefined, awaited: readonly Awaited[]): CommandError {
  const { kind, metadata } = one;
  const subject = subjectText({ kind, name: metadata.name });
  return new CommandError(`${placeOf(one, awaited)}${subject}: ${ready?.reason}: ${ready?.message}`, {
    hint: `More: supercargo describe ${subject}`,
  });
}

async function illError(client: Client, service: Service): Promise<CommandError> {
  const subject = subjectText({ kind: 'Service', name: service.metadata.name });
  const ready = conditionOf(service, 'Ready');
  const words = await lastWords(client, service);
  return new CommandError(`${subject}: ${ready?.reason}: ${ready?.message}${words}`, {
    hint: `More: supercargo describe ${subject}`,
  });
}

/** How far a document is, and what to say of it; '' for nothing. */
interface Verdict {
  readonly is: 'ready' | 'held' | 'stuck' | 'open';
  readonly text: string;
}

/** Pure. */
function verdictOf(one: AnyResource | undefined, { generation }: Awaited): Verdict {
  if (!one) return { is: 'open', text: 'it is gone' };
  const ready = readinessOf(one);
  if (one.metadata.generation < generation || !ready) {
    return { is: 'open', text: '' };
  }
  if (isReady(one)) return { is: 'ready', text: 'ready' };
  const text = `${ready.reason}: ${ready.message}`;
  if (isStalled(one)) return { is: 'stuck', text };
  if (waitsForItsTime(one)) return { is: 'held', text };
  if (isFailing(one)) return { is: 'open', text };
  if (ready.reason === VERIFYING) return { is: 'open', text: WATCHED };
  return { is: 'open', text: one.kind === 'App' ? (PHASES[one.status?.phase ?? ''] ?? '') : '' };
}

/** Returns why a document is not ready: during the wait most reasons are not shown, at the end every one is. Pure. */
function failureOf(one: AnyResource | undefined, awaited: Awaited): string {
  const { text } = verdictOf(one, awaited);
  if (text !== '') return text;
  const ready = one && one.metadata.generation >= awaited.generation ? readinessOf(one) : undefined;
  return ready ? `${ready.reason}: ${ready.message}` : 'nothing was heard of it';
}

/** All of it runs, and it is not good yet. */
const WATCHED = 'watching whether it stays well';

/**
 * Says what keeps the agent from finding it good: `restart: no` may mean a task that has yet to end, and nothing tells one
 * that goes on from it before the deadline is over. Pure.
 */
function watchedText(mirror: Mirror<AnyResource>, one: Awaited): string {
  const names = servicesOf(mirror.all('Service'), one)
    .filter(isToEnd)
    .map(({ spec }) => spec.serviceName);
  if (names.length === 0) return WATCHED;
  return `waiting for ${listed(names, 'and')} to end (restart: no); what is to go on has another restart, a published port or a healthcheck`;
}

const VERIFYING = 'Verifying' satisfies ReasonOf<'App'>;
const PHASES: Readonly<Record<string, string>> = {
  Staging: 'getting its images',
  Promoting: 'rolling out',
  Verifying: 'waiting until everything runs',
  Removing: 'being removed',
};

/** Shows a bar for each image that downloads, and a line for each service that does not run yet. */
function showParts(mirror: Mirror<AnyResource>, awaited: readonly Awaited[], progress: Progress): void {
  const apps = new Set(awaited.filter(({ kind }) => kind === 'App').map(({ name }) => name));
  for (const one of mirror.all('Image'))
    if (one.kind === 'Image' && apps.has(one.spec.app)) progress.percent(`image ${one.spec.image}`, downloaded(one));
  for (const one of mirror.all('Service'))
    if (one.kind === 'Service' && apps.has(one.spec.app))
      progress.state(`service ${one.spec.serviceName}`, serviceState(one));
}

const downloaded = ({ status }: Image): number | undefined =>
  status?.state === 'Downloading' ? (status.downloadProgress ?? 0) : status?.state === 'Downloaded' ? 100 : undefined;

/** Returns the state of a service; undefined when there is nothing left to wait for. */
function serviceState(one: Service): string | undefined {
  if (isReady(one)) return undefined;
  const { state, health } = one.status ?? {};
  const ready = readinessOf(one);
  return [state ?? 'not there yet', health, ready && ready.status !== 'True' ? ready.reason : undefined]
    .filter(Boolean)
    .join(', ');
}
