import type { LogStream } from '../../../api/device-state/logs.js';
import type { Store } from '../../../api/store/store.js';
import type { EventReason } from '../../../crds/model/event-reasons.js';
import { keyOf, type Service } from '../../../crds/model/kinds.js';
import type { SeenContainer } from '../../engine/engine.js';
import type { StopLedger } from '../commands/stop-ledger.js';
import { labelOf } from '../spec/identity.js';
import type { Terminations } from '../terminations.js';
import { RunClock, type RunTimes } from './run-clock.js';
import { lookAtRuns, type RunFacts, type RunNews, recordedRun } from './runs.js';
import { exitText } from './unwell.js';

export interface LifecycleLogDeps extends RunTimes {
  readonly store: Pick<Store, 'record'>;
  readonly logs: Pick<LogStream, 'system'>;
}

interface Looked {
  readonly facts: RunFacts;
  readonly news: RunNews;
}

/** How many ends of a crash loop are reported one by one; the rest are reported together once every TOGETHER_MS. */
const REPORTED_ALONE = 3;
const TOGETHER_MS = 60_000;

/** What was reported of a crash loop, and what is still to be reported. */
interface Loop {
  reported: number;
  reportedMs: number;
  exits: number;
  starts: number;
}

/** By service, then by container id: during an update there are two. */
type Loops = Map<string, Map<string, Loop>>;

/**
 * Follows the runs of services' containers from pass to pass. Reports when a container has ended by itself or by
 * somebody else's hand, and when it runs again: a line in the Supervisor's words and an event each, summed up in a
 * crash loop. Steps of our own log their own lines.
 */
export class LifecycleLog {
  readonly #clock: RunClock;
  readonly #loops: Loops = new Map();

  constructor(
    private readonly deps: LifecycleLogDeps,
    private readonly memory: { readonly terminations: Terminations; readonly stopLedger: StopLedger },
  ) {
    this.#clock = new RunClock(deps);
  }

  /** Returns for how long the present run has lasted, ms. */
  ranMs(service: Service, container: SeenContainer): number {
    return this.#clock.ranMs(service.metadata.name, container);
  }

  /** Returns the run facts for the status of each of the service's containers, and forgets all other containers. */
  look(service: Service, containers: readonly SeenContainer[]): readonly Looked[] {
    const { name } = service.metadata;
    const ids = containers.map(({ id }) => id);
    this.#clock.keep(name, ids);
    const loops = this.#loops.get(name);
    for (const id of loops?.keys() ?? []) if (!ids.includes(id)) loops?.delete(id);
    return containers.map((container) => this.#lookAt(service, container));
  }

  #lookAt(service: Service, container: SeenContainer): Looked {
    const requested = this.#isStopping(service, container);
    const { news, ...facts } = lookAtRuns(service.status, container, {
      requested,
      ranMs: this.ranMs(service, container),
      at: new Date(this.deps.now()).toISOString(),
    });
    return { facts, news: requested ? { ...news, starts: 0 } : news };
  }

  /** Reports the findings of a look once they are in the status. `byUs`: a step of ours started the container and logged it. */
  report(service: Service, container: SeenContainer, { facts, news }: Looked, byUs: boolean): void {
    const starts = byUs ? 0 : news.starts;
    const isLoop = facts.crashLoopSince !== undefined;
    if (news.exits + starts > 0) this.#reportRuns(service, container, facts, { exits: news.exits, starts }, isLoop);
    if (!isLoop) this.#endLoop(service, container, facts);
    this.#reportTurns(service, container, facts);
  }

  forget(service: string): void {
    this.#clock.forget(service);
    this.#loops.delete(service);
  }

  #isStopping({ metadata, spec }: Service, { id }: SeenContainer): boolean {
    const { terminations, stopLedger } = this.memory;
    return terminations.terminating.has(id) || stopLedger.of(metadata.name) !== undefined || spec.running === false;
  }

  #reportRuns(service: Service, container: SeenContainer, facts: RunFacts, news: RunNews, isLoop: boolean): void {
    const { name } = service.metadata;
    const loops = this.#loops.get(name) ?? new Map<string, Loop>();
    if (!isLoop && !loops.has(container.id)) {
      this.#write(service, container, facts, news);
      return;
    }
    const nowMs = this.deps.monotonic();
    const loop = loops.get(container.id) ?? { reported: 0, reportedMs: nowMs, exits: 0, starts: 0 };
    loop.exits += news.exits;
    loop.starts += news.starts;
    this.#loops.set(name, loops.set(container.id, loop));
    if (loop.reported >= REPORTED_ALONE && nowMs - loop.reportedMs < TOGETHER_MS) return;
    this.#write(service, container, facts, loop);
    loop.reported += loop.exits;
    Object.assign(loop, { reportedMs: nowMs, exits: 0, starts: 0 });
  }

  #endLoop(service: Service, container: SeenContainer, facts: RunFacts): void {
    const loops = this.#loops.get(service.metadata.name);
    const loop = loops?.get(container.id);
    if (!loop) return;
    loops?.delete(container.id);
    this.#write(service, container, facts, loop);
  }

  #write(
    { metadata, spec }: Service,
    container: SeenContainer,
    { lastExit }: RunFacts,
    { exits, starts }: RunNews,
  ): void {
    const { logs, store } = this.deps;
    const { app } = spec;
    const label = labelOf(container);
    const times = (count: number): string => (count > 1 ? ` (${count} times)` : '');
    if (exits > 0) {
      logs.system(`Service exited '${label}'${times(exits)}`, { app });
      store.record(keyOf('Service', metadata.name), {
        type: lastExit?.exitCode === 0 ? 'Normal' : 'Warning',
        reason: 'Exited',
        message: `Container ${container.name} ${exitText(lastExit)}`,
        times: exits,
      });
    }
    if (starts > 0) logs.system(`Restarting service '${label}'${times(starts)}`, { app });
  }

  /** Records an event when a container becomes unhealthy, begins to crash or recovers. */
  #reportTurns({ metadata, spec, status: before }: Service, container: SeenContainer, facts: RunFacts): void {
    const { id, name } = container;
    const was = recordedRun(before, id);
    const record = (type: 'Normal' | 'Warning', reason: EventReason, message: string): void =>
      this.deps.store.record(keyOf('Service', metadata.name), { type, reason, message });
    if (facts.unhealthySince !== undefined && was?.unhealthySince === undefined) {
      this.deps.logs.system(`Service unhealthy '${labelOf(container)}'`, { app: spec.app });
      record('Warning', 'Unhealthy', `Container ${name} is unhealthy: its healthcheck fails`);
    }
    if (facts.crashLoopSince !== undefined && was?.crashLoopSince === undefined)
      record('Warning', 'CrashLoop', `Container ${name} ${exitText(facts.lastExit)} and is restarted`);
    const isWell = facts.unhealthySince === undefined && facts.crashLoopSince === undefined;
    const wasIll = was?.unhealthySince !== undefined || was?.crashLoopSince !== undefined;
    if (isWell && wasIll && facts.runningSince !== undefined)
      record('Normal', 'Recovered', `Container ${name} is well again`);
  }
}
