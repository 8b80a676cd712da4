import { accessSync, constants, existsSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../api/platform/clock.js';
import { errorMessage } from '../../api/platform/errors.js';
import type { Reader } from '../../api/store/store.js';
import type { HealthCheck } from '../../crds/model/health.js';
import { KINDS, type Origin } from '../../crds/model/kinds.js';
import type { Loop } from './loop.js';

/** A pass that runs longer than this, or a queue from which nothing is taken for this long, is stuck, ms. */
const STUCK_MS = 10 * 60_000;
/** Three relists have been missed after this time, ms. */
const UNLISTED_MS = 16 * 60_000;
/** Longer than a restart of the engine and a slow first list, ms. */
const DEAF_MS = 5 * 60_000;
/** How long a source may be unreadable, ms: a mount or a network share may be away for a moment. */
const UNREAD_MS = 5 * 60_000;
/** Longer than it takes to listen on a network that has just been created, ms. */
const UNREACHED_MS = 15_000;
/** Free space below which a status may not fit any more, bytes. */
const SMALLEST_BYTES = 64 * 1024;

/** How well the engine cache follows the engine. Times are ms of the monotonic clock. */
export interface Vitals {
  /** When everything was last listed; undefined before the first time. */
  readonly listedAtMs: number | undefined;
  /** When an attempt to list or to connect last ended, with or without success; before the first, when following began. */
  readonly triedAtMs: number;
  /** Since when the engine cache has not been in sync; undefined while it is. */
  readonly lostAtMs: number | undefined;
  /** False while nobody answers at the engine's address in time. */
  readonly engineAnswers: boolean;
}

/** Why containers cannot reach the API although they should. */
export interface ApiFailure {
  readonly message: string;
  readonly forMs: number;
}

/** The facts that the checks look at. */
export interface HealthFacts {
  /** Monotonic clock, ms. */
  readonly nowMs: number;
  readonly loops: readonly { readonly kind: string; readonly oldestPassMs: number; readonly queuedForMs: number }[];
  /** Undefined while no engine has been found. */
  readonly vitals: Vitals | undefined;
  /** Why the engine cannot be followed, as far as that is known. */
  readonly engineFailure?: string | undefined;
  /** Requests that the engine leaves unanswered although it is followed. */
  readonly engineUnanswered?: string | undefined;
  /** Undefined while containers reach the API, or none is to. */
  readonly apiFailure: ApiFailure | undefined;
  /** Why the data folder cannot be written; undefined when it can. */
  readonly folderFailure: string | undefined;
  /** Origins whose documents cannot be read now. */
  readonly unavailableOrigins: ReturnType<Reader['unavailableOrigins']>;
  /** Origins of present documents; empty while every origin can be read. */
  readonly declaring: ReadonlySet<Origin>;
}

/**
 * Returns every check and why it fails. An engine that is down is reported but does not fail a check: a restart of the
 * agent would not help. Pure.
 */
export function healthChecks(facts: HealthFacts): readonly HealthCheck[] {
  return [
    check('passes', stuckPass(facts)),
    check('queues', stuckQueue(facts)),
    check('events', deafness(facts)),
    engineCheck(facts),
    check('data', facts.folderFailure),
    gatewayCheck(facts),
    ...sourceChecks(facts),
  ];
}

const check = (name: string, failure: string | undefined): HealthCheck =>
  failure === undefined ? { name, ok: true } : { name, ok: false, message: failure };

const minutes = (ms: number): string => `${Math.floor(ms / 60_000)} minutes`;

function stuckPass({ loops }: HealthFacts): string | undefined {
  const stuck = loops.find(({ oldestPassMs }) => oldestPassMs > STUCK_MS);
  return stuck && `A pass of the ${stuck.kind} controller has not ended for ${minutes(stuck.oldestPassMs)}`;
}

function stuckQueue({ loops }: HealthFacts): string | undefined {
  const stuck = loops.find(({ queuedForMs }) => queuedForMs > STUCK_MS);
  return (
    stuck && `The ${stuck.kind} controller has begun no pass for ${minutes(stuck.queuedForMs)}, though some are due`
  );
}

function engineCheck({ vitals, engineFailure, engineUnanswered }: HealthFacts): HealthCheck {
  const isSilent = vitals?.engineAnswers === false;
  const message = isSilent ? (engineFailure ?? 'The engine does not answer') : engineUnanswered;
  return { name: 'engine', ok: true, ...(message === undefined ? {} : { message }) };
}

/** Returns why the cache counts as deaf: the engine answers, but nothing is heard from it. */
function deafness({ vitals, nowMs }: HealthFacts): string | undefined {
  if (!vitals) return undefined;
  const { listedAtMs, triedAtMs, lostAtMs, engineAnswers } = vitals;
  if (lostAtMs === undefined) {
    const silentMs = nowMs - (listedAtMs ?? nowMs);
    return silentMs > UNLISTED_MS ? `The engine's objects have not been listed for ${minutes(silentMs)}` : undefined;
  }
  const idleMs = nowMs - triedAtMs;
  if (idleMs > DEAF_MS) return `The engine has not been tried again for ${minutes(idleMs)}`;
  const lostMs = nowMs - lostAtMs;
  if (!engineAnswers || lostMs <= DEAF_MS) return undefined;
  return `The engine answers, but its events have not been followed for ${minutes(lostMs)}`;
}

function gatewayCheck({ apiFailure }: HealthFacts): HealthCheck {
  if (!apiFailure) return { name: 'gateway', ok: true };
  return { name: 'gateway', ok: apiFailure.forMs <= UNREACHED_MS, message: apiFailure.message };
}

/**
 * Returns the checks of sources. A source that nobody uses yet may be missing. Repositories are left out: a device that
 * is offline is not ill.
 */
function sourceChecks({ unavailableOrigins, declaring }: HealthFacts): readonly HealthCheck[] {
  return unavailableOrigins.map(({ origin, forMs, message }) => {
    const harms = origin === 'files' && declaring.has(origin) && forMs > UNREAD_MS;
    return { name: `source ${origin}`, ok: !harms, message };
  });
}

/** Returns why a folder cannot be written, in one sentence. A full disk shows before a write has failed. */
export function folderFailure(folder: string): string | undefined {
  try {
    accessSync(folder, constants.W_OK);
    const { bavail, bsize, files, ffree } = statfsSync(folder);
    if (bavail * bsize < SMALLEST_BYTES) return `${folder}: the disk is full`;
    return files > 0 && ffree === 0 ? `${folder}: the disk has no room for another file` : undefined;
  } catch (error) {
    return `${folder} cannot be written: ${errorMessage(error)}`;
  }
}

/**
 * Returns why the store's folders cannot be used: they are created at its start, so one that is missing was moved, and
 * what is written into it will not be found.
 */
function movedTree(folder: string): string | undefined {
  const gone = ['documents', 'status'].map((tree) => join(folder, tree)).find((tree) => !existsSync(tree));
  return gone && `${gone} is not there: what is declared cannot be kept; put it back`;
}

/** Reads the facts that the checks look at. */
export function healthFacts({
  dataFolder,
  store,
  loops,
  vitals,
  engineFailure,
  engineUnanswered,
  apiFailure,
}: {
  readonly dataFolder: string;
  readonly store: Reader;
  readonly loops: readonly Loop[];
  readonly vitals: Vitals | undefined;
  readonly engineFailure?: string | undefined;
  readonly engineUnanswered?: string | undefined;
  readonly apiFailure: ApiFailure | undefined;
}): HealthFacts {
  const unavailableOrigins = store.unavailableOrigins();
  return {
    nowMs: systemClock.monotonic(),
    loops: loops.map(({ controller: { kind }, oldestPassMs, queuedForMs }) => ({ kind, oldestPassMs, queuedForMs })),
    vitals,
    engineFailure,
    engineUnanswered,
    apiFailure,
    folderFailure: folderFailure(dataFolder) ?? movedTree(dataFolder) ?? store.diskFailure,
    unavailableOrigins,
    // Probes come often, and a source can hardly ever not be read: the documents are looked through only then.
    declaring: new Set(
      unavailableOrigins.length === 0
        ? []
        : KINDS.flatMap((kind) => store.list(kind).map(({ metadata }) => metadata.origin)),
    ),
  };
}
