import { isJob, type JobRun, requestedRunId, runOf } from '../../../crds/model/jobs.js';
import type { AnyResource, Service } from '../../../crds/model/kinds.js';
import { acknowledgementsOf, pendingRequest } from '../../../crds/model/requests.js';
import type { Client } from '../client/client.js';
import type { Session } from '../client/session.js';
import { secondsOf, type WaitOptions } from '../client/wait.js';
import { lateError, Mirror } from '../client/watch.js';
import { whoAsks } from '../client/who.js';
import { CommandError, EXIT, usageError } from '../failure.js';
import { collectionPath, objectPath, partOf, type Subject, subjectText } from '../kind-words.js';
import { verdictOf } from './actions.js';

interface Asked {
  readonly request: { readonly id: string; readonly at: string };
}

/**
 * Runs `run`: begins a run of a service with a schedule now, prints what it prints, and returns its exit code. The run goes on
 * without the command: who interrupts it stops nothing.
 */
export async function run(session: Session, word: string, options: WaitOptions): Promise<number> {
  const { app, service: name } = partOf(word);
  if (name === undefined) {
    throw usageError(`${word} is a whole app: a run is of one service`, `supercargo run ${app}/SERVICE`);
  }
  const subject: Subject = { kind: 'Service', name: `${app}.${name}` };
  const seconds = secondsOf(options);
  const client = await session.client();
  const service = await client.ask<Service>('GET', objectPath(subject));
  if (!isJob(service.spec)) {
    throw new CommandError(
      `${subjectText(subject)}: It has no schedule: its container keeps running, and there are no runs`,
      {
        hint: `supercargo restart ${word} recreates its container; docs/guide/jobs.md tells of services with a schedule.`,
      },
    );
  }
  const body = { name: 'run', by: whoAsks(session.env) };
  const { request } = await client.ask<Asked>('POST', `${objectPath(subject)}/requests`, body);
  const id = requestedRunId(service.spec, request);
  if (!options.wait) {
    tell(session, { runId: id }, `Asked for run ${id} of ${subjectText(subject)}`);
    return EXIT.done;
  }
  return follow(session, client, { subject, id, request, word, seconds });
}

interface Following {
  readonly subject: Subject;
  /** Of the run. */
  readonly id: string;
  readonly request: Asked['request'];
  readonly word: string;
  readonly seconds: number;
}

async function follow(
  session: Session,
  client: Client,
  { subject, id, request, word, seconds }: Following,
): Promise<number> {
  const documents = (): Mirror<AnyResource> => new Mirror(client, [collectionPath('Service')]);
  const begun = await documents().until((mirror) => {
    const document = mirror.get(subject.kind, subject.name);
    if (document?.kind === 'Service' && isOvertaken(document, request.id)) {
      // It may have begun before the other one came.
      if (runOf(document.status, id)) return true;
      if (pendingRequest(document, 'run')) return undefined;
    }
    const verdict = verdictOf(document, { subject, name: 'run', id: request.id });
    if (verdict?.is === 'refused') throw verdict.error;
    return verdict && true;
  }, seconds * 1000);
  if (!begun) throw lateError(`Run ${id} of ${subjectText(subject)} has not begun`, seconds);

  const interrupted = (): void =>
    session.io.err(
      `Run ${id} goes on: \`supercargo logs -f --run ${id} ${word}\` follows it, \`supercargo stop ${word}\` ends it.`,
    );
  process.prependListener('SIGINT', interrupted);
  try {
    await print(session, client, `${objectPath(subject)}/log?${new URLSearchParams({ follow: 'true', run: id })}`);
    const ended = await documents().until((mirror): JobRun | undefined => {
      const document = mirror.get(subject.kind, subject.name);
      if (!document) throw new CommandError(`${subjectText(subject)} was removed while run ${id} went on`);
      const one = document.kind === 'Service' ? runOf(document.status, id) : undefined;
      if (!one) throw new CommandError(`Run ${id} is over, and nothing is kept of how it ended`);
      return one.finishedAt === undefined ? undefined : one;
    }, undefined);
    return endOf(session, ended, id);
  } finally {
    process.off('SIGINT', interrupted);
  }
}

/** Tells whether somebody has asked for another run before this request was acknowledged, as far as is known. Pure. */
const isOvertaken = ({ requests, status }: Service, id: string): boolean =>
  requests.run !== undefined && requests.run.id !== id && acknowledgementsOf(status).handled?.run !== id;

/** Prints what a run prints, until it is over. Output that cannot be read keeps nobody from its exit code. */
async function print({ io, json }: Session, client: Client, url: string): Promise<void> {
  const lines = client.lines<{ readonly message: string } | { readonly error: { readonly message: string } }>(
    url,
    new AbortController().signal,
  );
  for await (const line of lines) {
    if ('error' in line) io.err(`Its output cannot be read: ${line.error.message}`);
    else io.out(json ? JSON.stringify(line) : line.message);
  }
}

/** Says how the run ended, and returns its exit code. */
function endOf({ io, json }: Session, run: JobRun | undefined, id: string): number {
  const { startedAt, exitCode, failed = false, because } = run ?? {};
  if (json) io.out(JSON.stringify({ run: run ?? { runId: id } }));
  else if (failed) {
    const why = because === undefined ? '' : `: ${because}`;
    const ended = startedAt === undefined ? 'could not begin' : 'ended without an exit code';
    io.err(`Run ${id} ${exitCode === undefined ? ended : `exited with ${exitCode}`}${why}`);
  }
  return exitCode || (failed ? EXIT.failed : EXIT.done);
}

function tell({ io, json }: Session, value: object, text: string): void {
  io.out(json ? JSON.stringify(value) : text);
}
