import { conditionOf } from '../../../crds/model/conditions.js';
import type { AnyResource } from '../../../crds/model/kinds.js';
import { ApiError, type Client } from '../client/client.js';
import type { Session } from '../client/session.js';
import { secondsOf, type WaitOptions } from '../client/wait.js';
import { lateError, Mirror } from '../client/watch.js';
import { CommandError } from '../failure.js';
import { readWritten } from '../files.js';
import { collectionPath, objectPath, type Subject, subjectOf, subjectText } from '../kind-words.js';
import { shortConflict } from './apply.js';
import { orphanPath } from './get.js';

export interface DeleteOptions extends WaitOptions {
  readonly filename?: readonly string[];
  readonly ignoreNotFound?: boolean;
}

/**
 * Runs `supercargo delete`: deletes documents and waits until what they stood for is gone. Volumes stay, unless their
 * App says otherwise; a volume whose app is gone already goes with its data.
 */
export async function remove(session: Session, words: readonly string[], options: DeleteOptions): Promise<void> {
  const { io, json } = session;
  const seconds = options.wait ? secondsOf(options) : 0;
  const subjects = options.filename ? await readWritten(options.filename, io) : subjectsOf(words);
  const client = await session.client();
  const deleting: { subject: Subject; uid: string }[] = [];
  const print = (subject: Subject, verb: string): void => {
    if (json) io.out(JSON.stringify({ type: verb, kind: subject.kind, name: subject.name }));
    else io.out(`${subjectText(subject)} ${verb}`);
  };
  for (const subject of subjects) {
    const uid = await deleteOne(client, subject, options.ignoreNotFound ?? false);
    if (uid === undefined) print(subject, 'not found');
    else if (uid === '') print(subject, 'deleted');
    else {
      deleting.push({ subject, uid });
      if (!options.wait) print(subject, 'deleting');
    }
  }
  if (!options.wait || deleting.length === 0) return;
  const mirror = new Mirror<AnyResource>(client, [
    ...new Set(deleting.map(({ subject }) => collectionPath(subject.kind))),
  ]);
  const left = () =>
    deleting.filter(({ subject, uid }) => mirror.get(subject.kind, subject.name)?.metadata.uid === uid);
  const ended = new Set<string>();
  const end = await mirror.until(() => {
    const open = left();
    for (const one of deleting.filter((one) => !open.includes(one) && !ended.has(one.uid))) {
      ended.add(one.uid);
      print(one.subject, 'deleted');
    }
    return open.length === 0 ? 'gone' : undefined;
  }, seconds * 1000);
  const [first] = left();
  if (end !== undefined || !first) return;
  const why = whyNot(mirror.get(first.subject.kind, first.subject.name));
  throw lateError(`${subjectText(first.subject)} is still being removed${why}`, seconds);
}

/** Returns what a document that is being deleted waits for, if it says so. */
function whyNot(document: AnyResource | undefined): string {
  const ready = document && conditionOf(document, 'Ready');
  return ready && ready.status !== 'True' ? ` (${ready.reason}: ${ready.message})` : '';
}

function subjectsOf([first = '', ...names]: readonly string[]): readonly Subject[] {
  if (first.includes('/')) return [first, ...names].map((word) => subjectOf(word));
  if (names.length === 0)
    throw new CommandError('Delete what?', { exit: 64, hint: 'supercargo delete KIND NAME, KIND/NAME, or -f FILE' });
  return names.map((name) => subjectOf(`${first}/${name}`));
}

/** Removes the volume of an app that is gone; returns false when there is none of that name. */
async function deleteOrphan(client: Client, subject: Subject): Promise<boolean> {
  try {
    await client.ask('DELETE', orphanPath(subject.name));
    return true;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.code === 404) return false;
    if (error.code !== 409) throw error;
    throw new CommandError(`${subjectText(subject)}: ${shortConflict(error.message)}`, { cause: error });
  }
}

/** Deletes a document. Returns its uid while it is being deleted, '' when it has gone, undefined when it never existed. */
async function deleteOne(client: Client, subject: Subject, mayBeAbsent: boolean): Promise<string | undefined> {
  try {
    const answer = await client.ask<AnyResource | { readonly kind: 'Status' }>('DELETE', objectPath(subject));
    return answer.kind === 'Status' ? '' : answer.metadata.uid;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.code === 404 && subject.kind === 'Volume' && (await deleteOrphan(client, subject))) return '';
    if (error.code === 404 && mayBeAbsent) return undefined;
    if (error.code !== 409) throw error;
    throw new CommandError(`${subjectText(subject)}: ${shortConflict(error.message)}`, { cause: error });
  }
}
