import { AsyncLocalStorage } from 'node:async_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Keys } from '../../../api/device-state/keys.js';
import { LogStream } from '../../../api/device-state/logs.js';
import type { Clock } from '../../../api/platform/clock.js';
import type { Store } from '../../../api/store/store.js';
import { conditionOf, isSettled, isStalled } from '../../../crds/model/conditions.js';
import { type AnyResource, type Key, keyOf, splitKey } from '../../../crds/model/kinds.js';
import type { ReasonOf } from '../../../crds/model/reasons.js';
import { type Informer, startInformer } from '../../engine/cache/informer.js';
import type { Engine, ListedContainer } from '../../engine/engine.js';
import { PullQueue } from '../../engine/images/pull-queue.js';
import type { Credentials } from '../../engine/images/registry-credentials.js';
import { type EngineCall, MemoryEngine } from '../../engine/simulated/memory-engine.js';
import type { Registry } from '../../engine/simulated/memory-images.js';
import type { Controller } from '../../runtime/controller.js';
import { type Loop, loopsOf } from '../../runtime/loop.js';
import type { Outcome } from '../../runtime/outcome.js';
import { SteppedClock } from '../../runtime/stepped-clock.js';
import { CONTROLLERS, type ControllerContext } from '../controllers.js';
import { HelpingHand } from './helping-hand.js';
import { type ApplicationLock, rehearsedLocks } from './rehearsed-locks.js';

/** What is rehearsed: the kinds that act on the engine. Settings of the host and repositories are not. */
const { HostConfig: _host, GitSource: _git, ...REHEARSED } = CONTROLLERS;
const KINDS = Object.keys(REHEARSED) as readonly (keyof typeof REHEARSED)[];

/** What a rehearsal may take. */
export interface RehearsalLimits {
  /** Of the machine's time, ms. */
  readonly wallMs: number;
  /** How often the clock is moved on. */
  readonly steps: number;
}
/** Nothing has been done for so long on its clock: it is at rest, whatever still waits, ms. */
const IDLE_MS = 10 * 60_000;
/** For so long it works without letting anybody else have a turn, ms. */
const TURN_MS = 5;

/** What a release of an App waits for; nobody sees to that in a rehearsal. */
const FOR_ITS_TIME: readonly string[] = [
  'OutsideWindow',
  'AwaitingReboot',
  'AwaitingApproval',
] satisfies readonly ReasonOf<'App'>[];

/** What a network or volume waits for that somebody else makes; a release may be taken back meanwhile, and the wait with it. */
const FOR_OTHERS: readonly string[] = ['NetworkMissing', 'VolumeMissing'] satisfies readonly ReasonOf<
  'Network' | 'Volume'
>[];

export interface RehearsalDeps {
  /** What the device's own controllers are made with. Nothing of it is written to. */
  readonly context: Omit<ControllerContext, 'hostConfig' | 'watchHostFiles' | 'gitSource' | 'cache'>;
  readonly cache: Pick<Informer, 'snapshot'>;
  readonly clock: Clock;
  /** The lock file of an application of that App. May throw. */
  readonly lockedBy: (appId: number) => ApplicationLock | undefined;
  readonly registry?: (...asked: [...Parameters<Registry>, AbortSignal]) => ReturnType<Registry>;
  readonly credentials?: Credentials;
}

/** A call that changes something on the simulated engine. */
export interface RehearsedCall extends EngineCall {
  /** The document whose pass made it. */
  readonly key: Key | undefined;
  /** What it is about: a container's name, a reference. In all arguments names stand for ids. */
  readonly object: string;
}

/** A place where it would wait. */
interface RehearsedWait {
  readonly key: Key;
  readonly reason: string;
  readonly message: string;
  readonly forMs?: number;
  readonly passed: boolean;
}

/** What came of it. */
export interface Rehearsed {
  readonly calls: readonly RehearsedCall[];
  /** Why each document's steps were taken, in order. */
  readonly reasons: ReadonlyMap<Key, readonly string[]>;
  readonly waits: readonly RehearsedWait[];
  /** Documents as they are in the end. */
  readonly store: Store;
  /** It has come to rest. */
  readonly complete: boolean;
}

const READS = /^(info|list|inspect|events|followLogs|pastLogs|publishedPorts|networkUsers|volumeUsers|containerStats)/;
/** Whether a call only looks. Pure. */
export const isRead = (verb: keyof Engine): boolean => READS.test(verb);

/**
 * Runs the device's controllers on a copy of its documents and of what its engine has, with a clock of their own, until
 * nothing is left to do. `declare` changes the documents of the copy first. Rejects with the signal's reason.
 */
export async function rehearse(
  deps: RehearsalDeps,
  declare: (store: Store) => Promise<void>,
  limits: RehearsalLimits,
  signal: AbortSignal,
): Promise<Rehearsed> {
  const rehearsal = new Rehearsal(deps, limits, signal);
  try {
    await declare(rehearsal.store);
    return await rehearsal.run();
  } finally {
    await rehearsal.end();
  }
}

class Rehearsal {
  readonly store: Store;
  readonly #clock: SteppedClock;
  readonly #engine: MemoryEngine;
  readonly #cache: Informer;
  readonly #pulls: PullQueue;
  readonly #loops: readonly Loop[];
  readonly #hand: HelpingHand;
  readonly #current = new AsyncLocalStorage<Key>();
  readonly #ending = new AbortController();
  /** Questions to registries, and to the engine about what is not ours: only these take time of the machine. */
  readonly #outside = new Set<Promise<unknown>>();
  readonly #calls: RehearsedCall[] = [];
  readonly #reasons = new Map<Key, string[]>();
  readonly #waits = new Map<string, RehearsedWait>();
  readonly #forOthers = new Map<Key, RehearsedWait>();
  /** `appId/service` whose hand-over has been waited for. */
  readonly #signalled = new Set<string>();
  /** Apps whose release has been told to wait for its time, and goes on behind that. */
  readonly #ahead = new Set<string>();
  /** Ids of containers that are not ours and that it has been told of. */
  readonly #met = new Set<string>();
  /** Goes up with everything that is done. */
  #progress = 0;
  #turnBeganMs = performance.now();
  #pause: Promise<void> | undefined;
  readonly #beganMs = performance.now();

  constructor(
    private readonly deps: RehearsalDeps,
    private readonly limits: RehearsalLimits,
    private readonly signal: AbortSignal,
  ) {
    const { context, clock, cache, credentials } = deps;
    const log = context.log.child({}, { level: 'silent' });
    this.#clock = new SteppedClock(clock);
    const now = (): number => this.#clock.now();
    const monotonic = (): number => this.#clock.monotonic();
    this.store = context.store.copy({ now, monotonic });
    this.#engine = new MemoryEngine({ now });
    const snapshot = cache.snapshot();
    this.#engine.docker.adopt(snapshot);
    this.#engine.images.adopt(snapshot.images);
    this.#engine.images.registry = (reference, options) => this.#ask(reference, options);
    this.#engine.before = (verb, args) => {
      this.#note(verb, args);
      return this.#pace();
    };
    this.#cache = startInformer({
      ...{ engine: this.#engine, log, clock: this.#clock, coalesceMs: 0 },
      wanted: () => [...this.store.list('Image'), ...this.store.list('Service')].map(({ spec }) => spec.image),
    });
    this.#pulls = new PullQueue({
      ...{ engine: this.#engine, cache: this.#cache, log },
      ...(credentials ? { credentials } : {}),
    });
    const copied = {
      ...context,
      ...{ store: this.store, engine: this.#engine, cache: this.#cache, pulls: this.#pulls, log, now, monotonic },
      locks: rehearsedLocks({ locks: context.locks, lockedBy: deps.lockedBy, onWait: (lock) => this.#locked(lock) }),
      handovers: {
        isComplete: async (appId: number, service: string) => this.#signalled.has(`${appId}/${service}`),
        forget: async (appId: number, service: string) => void this.#signalled.delete(`${appId}/${service}`),
      },
      processes: { kill: async () => 0 },
      restartEngine: () => false,
      holdsRuns: true,
      keys: withoutNewKeys(context.keys),
      logs: new LogStream(() => false),
      goesAhead: (app: string) => this.#ahead.has(app),
      foreign: {
        listLabelled: (label: string) => this.#foreign((signal) => context.engine.listLabelled(label, signal)),
        listNamed: (names: readonly string[]) => this.#foreign((signal) => context.engine.listNamed(names, signal)),
      },
      apiReach: context.apiReach && { state: () => context.apiReach?.state(), onChange: () => () => undefined },
      random: () => 0,
      stopLedger: context.stopLedger?.copy(),
    };
    const controllers = Object.values(REHEARSED).map((make) => this.#observed(make(copied)));
    this.#loops = loopsOf(controllers, { store: this.store, clock: this.#clock, random: () => 0, log });
    this.#hand = new HelpingHand({
      ...{ store: this.store, docker: this.#engine.docker },
      onWait: (key, reason, message) => this.#wait({ key, reason, message, passed: true }),
    });
    this.store.watch(({ parts, type }) => {
      if (type !== 'MODIFIED' || parts.some((part) => part !== 'status')) this.#progress += 1;
    });
  }

  async run(): Promise<Rehearsed> {
    await this.#cache.start();
    for (const loop of this.#loops) loop.start();
    const complete = await this.#toRest();
    for (const one of this.#unsettled()) {
      const { reason = 'Waiting', message = 'No pass has come to an end' } = conditionOf(one, 'Ready') ?? {};
      this.#wait({ key: keyOf(one.kind, one.metadata.name), reason, message, passed: false });
    }
    for (const [key, wait] of this.#forOthers) if (!this.#isThere(key)) this.#wait(wait);
    return {
      ...{ calls: this.#calls, reasons: this.#reasons, waits: [...this.#waits.values()], store: this.store, complete },
    };
  }

  /** Nothing of it goes on. */
  async end(): Promise<void> {
    this.#ending.abort(new Error('The rehearsal is over'));
    this.#engine.goAway();
    await Promise.all(this.#loops.map((loop) => loop.stop(0)));
    await this.#pulls.stop();
    await this.#cache.stop();
    this.#clock.clear();
    this.#current.disable();
  }

  /** Lets time pass until nothing is left to do; false when that does not come to an end within the limits. */
  async #toRest(): Promise<boolean> {
    let idleMs = 0;
    for (let step = 0; step < this.limits.steps; step += 1) {
      const before = this.#progress;
      if (!(await this.#quiet())) return false;
      if (this.#progress !== before) idleMs = 0;
      const unsettled = this.#unsettled();
      if (unsettled.length === 0 || idleMs > IDLE_MS) return true;
      if (this.#hand.help(unsettled)) continue;
      const { nextMs } = this.#clock;
      if (nextMs === undefined) return true;
      idleMs += nextMs;
      this.#clock.advance(nextMs);
    }
    return false;
  }

  /** Resolves when nothing runs any more at this moment of its time; false when the limit has come first. */
  async #quiet(): Promise<boolean> {
    for (let calm = 0; calm < 3; ) {
      this.signal.throwIfAborted();
      if (performance.now() - this.#beganMs > this.limits.wallMs) return false;
      const isDue = this.#clock.runDue();
      await nextTurn();
      if (this.#outside.size > 0) await Promise.race(this.#outside);
      const isCalm = !isDue && this.#outside.size === 0 && this.#loops.every((loop) => loop.isQuiet);
      calm = isCalm ? calm + 1 : 0;
    }
    return true;
  }

  /** Lets others have a turn after a while: everything of the rehearsal then stands still, so that nothing overtakes. */
  async #pace(): Promise<void> {
    if (!this.#pause && performance.now() - this.#turnBeganMs > TURN_MS) {
      this.#pause = nextTurn().then(() => {
        this.#pause = undefined;
        this.#turnBeganMs = performance.now();
      });
    }
    await this.#pause;
  }

  #unsettled(): readonly AnyResource[] {
    return KINDS.flatMap((kind): readonly AnyResource[] => this.store.list(kind) as readonly AnyResource[]).filter(
      (one) => one.metadata.deletionTimestamp !== undefined || !(isSettled(one) || isStalled(one)),
    );
  }

  /** The controller, with all that its passes do written down. */
  #observed(controller: Controller): Controller {
    return {
      ...controller,
      reconcile: async ({ name }, signal) => {
        await this.#pace();
        const key = keyOf(controller.kind, name);
        const onStep = (step: unknown): void => this.#step(key, step);
        const outcome = await this.#current.run(key, () => controller.reconcile({ name, onStep }, signal));
        this.#concluded(key, outcome);
        return outcome;
      },
    };
  }

  #isThere(key: Key): boolean {
    const { kind, name } = splitKey(key);
    const one = this.store.get(kind, name);
    return one !== undefined && isSettled(one);
  }

  #step(key: Key, step: unknown): void {
    const { because } = { because: undefined, ...(step as object) };
    if (typeof because !== 'string') return;
    const reasons = this.#reasons.get(key) ?? [];
    if (!reasons.includes(because)) this.#reasons.set(key, [...reasons, because]);
  }

  #concluded(key: Key, outcome: Outcome): void {
    if (outcome.is !== 'waiting') return;
    const { reason, message } = outcome;
    if (FOR_OTHERS.includes(reason)) this.#forOthers.set(key, { key, reason, message, passed: false });
    const { kind, name } = splitKey(key);
    const app = kind === 'App' ? this.store.get('App', name) : undefined;
    if (app && FOR_ITS_TIME.includes(reason)) {
      const { until } = app.status?.next ?? {};
      this.#wait({
        key,
        reason,
        message,
        passed: true,
        ...(until ? { forMs: Date.parse(until) - this.#clock.now() } : {}),
      });
      this.#ahead.add(name);
      this.store.touch(key);
    }
    const service = kind === 'Service' ? this.store.get('Service', name) : undefined;
    if (reason !== 'AwaitingHandover' || !service) return;
    this.#signalled.add(`${service.spec.appId}/${service.spec.serviceName}`);
    this.#wait({ key, reason, message, passed: true });
  }

  #locked({ service, path }: ApplicationLock): void {
    const key = this.#current.getStore();
    if (!key) return;
    const message = `The application holds the update lock of ${service}: ${path}. Nothing is stopped until the file is gone, or an update is forced`;
    this.#wait({ key, reason: 'UpdatesLocked', message, passed: true });
  }

  /** Told once for each document and reason. */
  #wait(wait: RehearsedWait): void {
    const id = `${wait.key} ${wait.reason} ${wait.passed}`;
    if (!this.#waits.has(id)) this.#waits.set(id, wait);
  }

  #note(verb: keyof Engine, args: readonly unknown[]): void {
    if (isRead(verb)) return;
    this.#progress += 1;
    // Two objects are not made at the same moment.
    this.#clock.advance(1);
    const named = args.map((arg) => (typeof arg === 'string' ? this.#nameOf(arg) : arg));
    this.#calls.push({ verb, args: named, key: this.#current.getStore(), object: String(named[0]) });
  }

  /** Of what has that id; the text itself where nothing has. */
  #nameOf(id: string): string {
    const { docker } = this.#engine;
    return docker.findContainer(id)?.name ?? docker.networks.find((one) => one.id === id)?.name ?? id;
  }

  async #ask(...[reference, options]: Parameters<Registry>): ReturnType<Registry> {
    const { registry } = this.deps;
    if (!registry) return {};
    return this.#outsideOf((signal) => registry(reference, options, signal).catch(() => ({})));
  }

  /**
   * Containers that are not ours, of which the copy of the engine knows nothing at first: from then on it has them, since the
   * App may take them over, and shows them as the rehearsal has left them.
   */
  async #foreign(
    list: (signal: AbortSignal) => Promise<readonly ListedContainer[]>,
  ): Promise<readonly ListedContainer[]> {
    const { docker } = this.#engine;
    const listed = await this.#outsideOf(list);
    const found: ListedContainer[] = [];
    for (const one of listed) {
      if (!this.#met.has(one.id) && !docker.findContainer(one.id)) {
        const seen = await this.#outsideOf((signal) => this.deps.context.engine.inspectContainer(one.id, signal));
        if (seen) docker.adoptContainer(seen, one.mounts);
      }
      this.#met.add(one.id);
      const { name, state } = docker.findContainer(one.id) ?? {};
      if (name !== undefined && state !== undefined) found.push({ ...one, name, state });
    }
    return found;
  }

  /** Asks somebody outside; time of the rehearsal stands still until there is an answer. */
  #outsideOf<T>(ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const asked = ask(AbortSignal.any([this.signal, this.#ending.signal]));
    const end = (): void => void this.#outside.delete(outside);
    const outside = asked.then(end, end);
    this.#outside.add(outside);
    return asked;
  }
}

/** Keys that are there, and for who has none yet one that opens nothing. */
const withoutNewKeys = (keys: Keys): Keys => ({
  global: '',
  known: (appId, service) => keys.known(appId, service),
  ofService: async (appId, service) => keys.known(appId, service) ?? '0'.repeat(32),
  scopeOf: () => undefined,
  regenerate: async () => undefined,
});
