import type { Store } from '../../api/store/store.js';
import { isActive } from '../../crds/model/active.js';
import { isReady } from '../../crds/model/conditions.js';
import { type App, keyOf } from '../../crds/model/kinds.js';
import { awaitsEngine, waitsForBoot } from '../../crds/model/readiness.js';
import { isUndecided, latestOf, type Revision, servicesOfRevision } from '../../crds/model/revisions.js';
import { lastRefusal, rolloutOf } from '../../crds/model/rollout.js';
import { isSuspended } from '../../crds/model/suspend.js';
import type { Engine } from '../engine/engine.js';
import type { EngineCache } from '../engine/engine-cache.js';
import { type GateFacts, judge, type Verdict } from './gate.js';
import { childrenOf, illBefore, partsOf, type RecentRun, recentRuns, stillIll } from './parts.js';
import type { Watched, WatchTime } from './watch-time.js';

export interface RevisionDeps {
  readonly store: Store;
  /** Read only. */
  readonly cache: Pick<EngineCache, 'hasSynced' | 'onChange' | 'refreshContainer'>;
  /** Reads what a container printed, and acts upon none. */
  readonly engine: Pick<Engine, 'pastLogs'>;
  /** How long every service has to be well where its App says nothing, s. */
  readonly minReadySeconds?: number;
  /** The time of day, ms since the epoch. */
  readonly now: () => number;
  /** Of a clock that is never set, ms. */
  readonly monotonic: () => number;
}

/** What the controller remembers while the process lives; the status has what may not be lost. */
export interface Memory {
  readonly time: WatchTime;
}

/** What a pass knows of a Revision. */
export interface RevisionFacts {
  /** A later promotion took its place. */
  readonly isReplaced: boolean;
  /** A later one was found good. */
  readonly isSucceeded: boolean;
  /** Its App is suspended. */
  readonly isSuspended: boolean;
  /** It was found bad and stays nevertheless: it may still come right. */
  readonly isHeld: boolean;
  /** Undefined once it is decided, or replaced. */
  readonly looked: Looked | undefined;
}

export interface Looked {
  readonly verdict: Verdict;
  readonly isWell: boolean;
  readonly watched: Watched;
  /** Services that do not count, because they were not well before either. */
  readonly illBefore: readonly string[];
  /** By service. */
  readonly images: Readonly<Record<string, string>>;
  /** By service. */
  readonly downtimeMs: Readonly<Record<string, number>>;
  /** Id of the container that condemns it. */
  readonly guilty: string | undefined;
  /** The runs that a good verdict rests on, and that the engine may have ended without our knowing yet. */
  readonly recentRuns: readonly RecentRun[];
}

/** Reads everything that a decision about a Revision depends on. */
export function observeRevision(deps: RevisionDeps, { time }: Memory, revision: Revision): RevisionFacts {
  const { store } = deps;
  const others = store.owned(keyOf('App', revision.spec.app), 'Revision').filter(isActive);
  const isReplaced = latestOf(others)?.metadata.name !== revision.metadata.name;
  const isSucceeded = others.some((one) => one.spec.number > revision.spec.number && one.status?.phase === 'Good');
  const isHeld =
    !isReplaced && !isUndecided(revision) && revision.status?.phase === 'Bad' && !isRefused(store, revision);
  const isOpen = !isReplaced && isUndecided(revision);
  const looked = isOpen || isHeld ? lookAt(deps, time, revision, { isHeld, others }) : undefined;
  return {
    ...{ isReplaced, isSucceeded, isHeld, looked },
    isSuspended: isSuspended(store.get('App', revision.spec.app)),
  };
}

/** Its App has decided to run another one instead. */
const isRefused = (store: Store, { metadata, spec }: Revision): boolean =>
  lastRefusal(store.get('App', spec.app)?.status)?.from === metadata.name;

/** How long every service has to be well where nobody says anything, s. */
export const MIN_READY_SECONDS = 10;

function lookAt(
  deps: RevisionDeps,
  time: WatchTime,
  revision: Revision,
  { isHeld, others }: { readonly isHeld: boolean; readonly others: readonly Revision[] },
): Looked {
  const { store, cache } = deps;
  const { spec, status } = revision;
  const app = store.get('App', spec.app);
  const isFirst = status?.attempt !== spec.number;
  const children = childrenOf(store, revision);
  const ill = stillIll(isFirst ? illBefore(spec) : (status?.illBefore ?? []), children);
  const parts = partsOf(revision, ill, children, time);
  const isWell = parts.every(({ notReady }) => notReady === undefined);
  const paused = pauseOf(app, children, cache.hasSynced);
  const key = `${revision.metadata.name}/${spec.number}`;
  const notedMs = isFirst ? 0 : (status?.watchedSeconds ?? 0) * 1000;
  const watched = time.look(key, notedMs, paused === undefined);
  const readySince = isFirst ? undefined : status?.readySince;
  const facts: GateFacts = {
    parts,
    watchedMs: watched.ms,
    paused,
    wellMs:
      isWell && cache.hasSynced ? (readySince === undefined ? 0 : time.since(`well/${key}`, readySince)) : undefined,
  };
  const replaced = latestOf(others.filter((one) => one.spec.number < spec.number));
  const rollout = rolloutOf(
    app?.spec ?? {},
    { services: servicesOfRevision(spec), replaced: replaced ? servicesOfRevision(replaced.spec) : [] },
    deps.minReadySeconds ?? MIN_READY_SECONDS,
  );
  const minReadyMs = spec.from.adopted ? 0 : rollout.minReadyMs;
  const verdict = judge(facts, { ...rollout, minReadyMs, isHeld });
  const guilty = verdict.is === 'bad' ? verdict.part : undefined;
  return {
    verdict,
    isWell: facts.wellMs !== undefined,
    watched,
    illBefore: ill,
    images: Object.fromEntries(
      children.flatMap((one) =>
        one.kind === 'Service' && one.status?.container
          ? [[one.spec.serviceName, one.status.container.image] as const]
          : [],
      ),
    ),
    downtimeMs: downtimes(children, Date.parse(spec.promotedAt)),
    recentRuns: verdict.is === 'good' && minReadyMs > 0 ? recentRuns(ill, children, time) : [],
    guilty: children.flatMap((one) =>
      one.kind === 'Service' && one.spec.serviceName === guilty ? (one.status?.container?.id ?? []) : [],
    )[0],
  };
}

/** Why the time until the deadline stands still; undefined when nothing is in the way. */
function pauseOf(
  app: App | undefined,
  children: ReturnType<typeof childrenOf>,
  hasSynced: boolean,
): string | undefined {
  if (!hasSynced || children.some(awaitsEngine)) return 'the engine does not answer';
  if (isSuspended(app)) return 'the App is suspended';
  if (children.some((one) => one.kind === 'Image' && isActive(one) && !isReady(one))) return 'images are on their way';
  if (app?.status?.lock?.state === 'Blocked') return 'the application holds its update lock';
  if (children.some((one) => one.kind === 'Service' && waitsForBoot(one))) return 'the device has to be restarted';
  return undefined;
}

/** How long services were down since then, ms by service. */
function downtimes(children: ReturnType<typeof childrenOf>, sinceMs: number): Readonly<Record<string, number>> {
  return Object.fromEntries(
    children.flatMap((one) => {
      const update = one.kind === 'Service' ? one.status?.update : undefined;
      // A service that made room for its image was stopped before the promotion.
      const started = update?.steps.find(({ step }) => step === 'Started');
      if (one.kind !== 'Service' || !update?.downtimeMs || !started || Date.parse(started.at) < sinceMs) return [];
      return [[one.spec.serviceName, update.downtimeMs] as const];
    }),
  );
}
