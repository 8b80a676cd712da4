import type { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Cancel, type Clock, systemClock } from '../../../api/platform/clock.js';
import { inTurns } from '../../../api/platform/turns.js';
import { parseReference } from '../../../crds/model/image-reference.js';
import {
  type ContainerLogLine,
  EngineError,
  type EngineEvent,
  EngineUnreachable,
  type PullOptions,
} from '../engine.js';
import { type PullMessage, pullProgress } from '../images/pull-progress.js';
import { logLines } from '../logs/log-lines.js';
import { type Answer, type Call, type DockerHttp, parseBody, readAll, refusal } from './docker-http.js';
import { EVENT_FILTERS, parseEvent, sinceSeconds } from './engine-events.js';
import { textLines } from './text-lines.js';

/** Follows Docker's events with one request. Ends when the signal fires; throws when the stream ends by itself. */
export async function* followEvents(
  http: DockerHttp,
  since: string | undefined,
  onOpen: () => void,
  signal: AbortSignal,
): AsyncIterable<EngineEvent> {
  const query = {
    filters: JSON.stringify(EVENT_FILTERS),
    ...(since === undefined ? {} : { since: sinceSeconds(since) }),
  };
  try {
    const { stream } = await openStream(http, { path: '/events', query, signal });
    onOpen();
    for await (const line of textLines(stream)) {
      const event = parseEvent(line);
      if (event !== undefined) yield event;
    }
  } catch (error) {
    if (signal.aborted) return;
    throw http.broken(error, signal);
  }
  if (!signal.aborted) throw new EngineUnreachable('The engine ended its event stream');
}

/** Yields lines of a container's output; none when it does not exist. Ends with the container or the signal. */
export const followLogs = (
  http: DockerHttp,
  id: string,
  since: number | 'now',
  signal: AbortSignal,
): AsyncIterable<ContainerLogLine> =>
  readLogs(http, id, { follow: '1', ...(since === 'now' ? { tail: '0' } : { since: since.toFixed(9) }) }, signal);

/** Yields lines of a container's output until now; none when it does not exist. */
export const pastLogs = (
  http: DockerHttp,
  id: string,
  { since, tail }: { readonly since?: number; readonly tail?: number },
  signal: AbortSignal,
): AsyncIterable<ContainerLogLine> =>
  readLogs(
    http,
    id,
    {
      ...(since === undefined ? {} : { since: since.toFixed(9) }),
      ...(tail === undefined ? {} : { tail: String(tail) }),
    },
    signal,
  );

/** Lets other work run, however many lines come at once. */
const readLogs = (...request: Parameters<typeof linesOf>): AsyncIterable<ContainerLogLine> =>
  inTurns(linesOf(...request));

async function* linesOf(
  http: DockerHttp,
  id: string,
  range: Readonly<Record<string, string>>,
  signal: AbortSignal,
): AsyncIterable<ContainerLogLine> {
  const query = { stdout: '1', stderr: '1', timestamps: '1', ...range };
  const path = `/containers/${encodeURIComponent(id)}/logs`;
  const lines = logLines();
  try {
    const { status, stream } = await openStream(http, { path, query, signal }, 404);
    if (status === 404) {
      stream.destroy();
      return;
    }
    for await (const chunk of stream) yield* lines.take(chunk as Buffer);
    yield* lines.finish();
  } catch (error) {
    if (signal.aborted) return;
    throw http.broken(error, signal);
  }
}

/** Longest silence of a pull, ms: unpacking a large layer onto a slow card takes long, and the engine says nothing meanwhile. */
const LONGEST_SILENCE_MS = 10 * 60_000;

/** Pulls exactly one tag or digest; reports whole percent as they change. */
export async function pullImage(
  http: DockerHttp,
  reference: string,
  { auth, platform }: PullOptions,
  onProgress: (percent: number) => void,
  signal: AbortSignal,
  silenceMs = LONGEST_SILENCE_MS,
  clock: Pick<Clock, 'monotonic' | 'after'> = systemClock,
): Promise<void> {
  const progress = pullProgress();
  let reported = -1;
  const report = (percent: number): void => {
    if (percent === reported) return;
    reported = percent;
    onProgress(percent);
  };
  // The engine itself waits forever for a registry that has begun to answer and stopped.
  const silent = new AbortController();
  const reason = new EngineError(`Nothing has come for ${silenceMs / 60_000} minutes`, 504);
  let receivedMs = clock.monotonic();
  let ended = false;
  const check = async (): Promise<void> => {
    await nextTurn(); // what has come meanwhile is taken in first
    if (ended) return;
    if (clock.monotonic() - receivedMs < silenceMs) cancel = wait();
    else silent.abort(reason);
  };
  const wait = (): Cancel => clock.after(silenceMs - (clock.monotonic() - receivedMs), () => void check());
  let cancel = wait();
  const watched = AbortSignal.any([signal, silent.signal]);
  try {
    const { stream } = await openStream(http, {
      method: 'POST',
      path: '/images/create',
      query: { ...splitReference(reference), ...(platform === undefined ? {} : { platform }) },
      auth,
      signal: watched,
    });
    for await (const line of textLines(stream)) {
      receivedMs = clock.monotonic();
      report(progress.take(JSON.parse(line) as PullMessage));
    }
  } catch (error) {
    throw silent.signal.aborted && !signal.aborted ? silent.signal.reason : http.broken(error, signal);
  } finally {
    ended = true;
    cancel();
  }
  signal.throwIfAborted();
  report(progress.finish());
}

/** Largest number of names in one archive. */
const MOST_LOADED = 10_000;

/** Sends an archive and collects the names that the engine reports. A source that fails ends the request. */
export async function loadImages(http: DockerHttp, archive: Readable, signal: AbortSignal): Promise<readonly string[]> {
  const source = new AbortController();
  archive.once('error', (error) => source.abort(error));
  const found: string[] = [];
  try {
    const { stream } = await openStream(http, {
      method: 'POST',
      path: '/images/load',
      query: { quiet: '1' },
      file: archive,
      signal: AbortSignal.any([signal, source.signal]),
    });
    for await (const line of textLines(stream)) {
      const message = JSON.parse(line) as PullMessage & { readonly stream?: string };
      pullProgress().take(message); // throws errors of the stream
      const [, name] = /^Loaded image(?: ID)?: (.+)$/.exec(message.stream?.trim() ?? '') ?? [];
      if (name !== undefined) found.push(name);
      if (found.length > MOST_LOADED) throw new EngineError(`It tells of more than ${MOST_LOADED} images`, 500);
    }
  } catch (error) {
    if (source.signal.aborted && !signal.aborted) throw source.signal.reason;
    throw http.broken(error, signal);
  } finally {
    archive.destroy();
  }
  signal.throwIfAborted();
  return found;
}

/**
 * Splits a reference into Docker's name and tag for a pull; without a tag it would pull all of them. A digest takes the
 * tag's place. Pure.
 */
export function splitReference(reference: string): { fromImage: string; tag: string } {
  const { name, tag = 'latest', digest } = parseReference(reference);
  return { fromImage: name, tag: digest ?? tag };
}

/** Opens a stream that has to be answered with 200, or with one more status that the caller handles. */
async function openStream(http: DockerHttp, call: Call, alsoStatus?: number): Promise<Answer> {
  const answer = await http.open(call);
  if (answer.status === 200 || answer.status === alsoStatus) return answer;
  throw refusal(answer.status, parseBody(await readAll(answer.stream)));
}
