import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Cancel, Clock } from '../../api/platform/clock.js';
import { messageWithCauses } from '../../api/platform/errors.js';
import type { Store } from '../../api/store/store.js';
import { isReady } from '../../crds/model/conditions.js';
import { type Kind, keyOf, type Resource } from '../../crds/model/kinds.js';
import { Backoff } from './backoff.js';
import type { Controller } from './controller.js';
import { Delays } from './delays.js';
import { retry } from './outcome.js';
import { WorkQueue } from './queue.js';
import { conditionsAfter, type PassResult, resultToAction } from './result-to-action.js';

/** How often in a row a pass may make progress before the loop lets others run and reports it. */
const STREAK_LIMIT = 200;

export interface LoopDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  /** The loops of the kinds that the controller comes `after`. */
  readonly after?: readonly Loop[];
  /** Explains what keeps passes from coming to an end. */
  readonly heldUp?: HeldUp;
}

/** Explains what keeps a pass waiting that cannot say so itself, because it waits. */
export interface HeldUp {
  /** Returns why the pass with that signal has not ended, in one sentence; undefined when there is nothing to say. */
  because(signal: AbortSignal): string | undefined;
  /** Calls back when that may have changed. */
  onChange(listener: () => void): Cancel;
}

/**
 * Runs one controller: keys in, passes out. At most one pass for a key at a time, at most `workers` at once. Writes the
 * conditions, and logs each failure once, with kind, name and generation.
 */
export class Loop {
  readonly #queue = new WorkQueue();
  readonly #delays: Delays;
  readonly #backoff: Backoff;
  /** Since when keys are ready and none was taken; monotonic clock, ms. */
  #queuedSinceMs: number | undefined;
  readonly #passes = new Map<
    string,
    {
      readonly abort: AbortController;
      readonly done: Promise<void>;
      readonly startedMs: number;
      /** The document as it was at the start of the pass. */
      readonly before: Resource | undefined;
    }
  >();
  readonly #inBackoff = new Set<string>(); // keys whose delay is a back-off, not a wait
  readonly #soft = new Set<string>(); // keys that were touched during their pass, but only by a soft enqueue
  readonly #streaks = new Map<string, number>();
  readonly #stops: (() => void)[] = [];
  /** Documents that existed at the start and have not had a pass since. */
  readonly #unseen = new Set<string>();
  /** Resolves when every document that existed at the start has had a pass. */
  readonly initialSync: Promise<void>;
  #endInitialSync: () => void = () => undefined;
  #running = false;
  #waits = false;

  constructor(
    readonly controller: Controller,
    private readonly deps: LoopDeps,
  ) {
    this.initialSync = new Promise((resolve) => {
      this.#endInitialSync = resolve;
    });
    this.#delays = new Delays(deps.clock);
    const { first = 500, max = 300_000 } = controller.backoffMs ?? {};
    this.#backoff = new Backoff({ firstMs: first, maxMs: max, random: deps.random });
  }

  /** Subscribes, enqueues every document and begins to work. */
  start(): void {
    const { store } = this.deps;
    const { kind } = this.controller;
    this.#running = true;
    this.#stops.push(
      store.watch(({ key, object, parts, type }) => {
        if (object.kind !== kind) {
          // A child reports whether its owner exists.
          if (type !== 'MODIFIED') for (const { metadata } of store.owned(key, kind)) this.#softEnqueue(metadata.name);
          return;
        }
        if (type === 'DELETED') this.#forget(object.metadata.name);
        else if (parts.some((part) => part !== 'status') || (parts.length === 0 && store.isPending(key))) {
          if (parts.includes('spec')) this.#backoff.forget(object.metadata.name);
          this.wake(object.metadata.name);
        }
      }),
      this.controller.watches((name) => this.#softEnqueue(name)),
    );
    if (this.deps.heldUp) this.#stops.push(this.deps.heldUp.onChange(() => this.#reportHeldUp()));
    for (const { metadata } of store.list(kind)) if (this.#isSelected(metadata.name)) this.#unseen.add(metadata.name);
    if (this.#unseen.size === 0) this.#endInitialSync();
    void this.#begin();
    this.resync();
  }

  async #begin(): Promise<void> {
    const { after = [] } = this.deps;
    if (after.length === 0) return;
    this.#waits = true;
    await Promise.all(after.map(({ initialSync }) => initialSync));
    this.#waits = false;
    this.#work();
  }

  /** Takes no new key and lets running passes end; those that have not by the deadline are aborted. */
  async stop(drainMs = 5_000): Promise<void> {
    this.#running = false;
    for (const stop of this.#stops.splice(0)) stop();
    this.#delays.cancelAll();
    const cancel = this.deps.clock.after(drainMs, () => {
      for (const { abort } of this.#passes.values()) abort.abort(new Error('Stopping'));
    });
    await Promise.all([...this.#passes.values()].map(({ done }) => done));
    cancel();
  }

  /** Enqueues that document; cancels a planned delay and a back-off in progress. */
  wake(name: string): void {
    if (!this.#isSelected(name)) return;
    this.#soft.delete(name);
    this.#inBackoff.delete(name);
    this.#delays.cancel(name);
    this.#queue.add(name);
    if (this.#queue.size > 0) this.#queuedSinceMs ??= this.deps.clock.monotonic();
    this.#work();
  }

  /**
   * Enqueues because of something around the document. It does not cancel a back-off: changes that a failing pass makes
   * on the engine come back as events, and would turn the back-off into a busy loop.
   */
  #softEnqueue(name: string): void {
    if (this.#inBackoff.has(name)) return;
    const isRunning = this.#queue.isRunning(name);
    const soft = isRunning && (!this.#queue.isDirty(name) || this.#soft.has(name));
    this.wake(name);
    if (soft) this.#soft.add(name);
  }

  #isSelected(name: string): boolean {
    return this.controller.predicate?.(name) ?? true;
  }

  /** Enqueues every document again. */
  resync(): void {
    for (const { metadata } of this.deps.store.list(this.controller.kind)) this.wake(metadata.name);
  }

  /** True when every document that existed at the start has had a pass; `initialSync` has resolved. */
  get hasSynced(): boolean {
    return this.#running && this.#unseen.size === 0;
  }

  /** True when nothing is queued and nothing is running; delayed keys do not count. */
  get isQuiet(): boolean {
    return this.#queue.size === 0 && this.#queue.running === 0;
  }

  /** For how long keys have been ready without any pass being started, ms. For the health check. */
  get queuedForMs(): number {
    return this.#queuedSinceMs === undefined ? 0 : this.deps.clock.monotonic() - this.#queuedSinceMs;
  }

  /** Age of the oldest running pass, ms. For the health check. */
  get oldestPassMs(): number {
    const now = this.deps.clock.monotonic();
    return Math.max(0, ...[...this.#passes.values()].map(({ startedMs }) => now - startedMs));
  }

  #work(): void {
    while (this.#running && !this.#waits && this.#passes.size < this.controller.workers) {
      const name = this.#queue.take();
      this.#queuedSinceMs = this.#queue.size > 0 ? this.deps.clock.monotonic() : undefined;
      if (name === undefined) return;
      const abort = new AbortController();
      const before = this.deps.store.get(this.controller.kind, name);
      const done = this.#pass(name, abort.signal).finally(() => {
        this.#passes.delete(name);
        this.#soft.delete(name);
        this.#queue.done(name);
        if (this.#unseen.delete(name) && this.#unseen.size === 0) this.#endInitialSync();
        this.#work();
      });
      this.#passes.set(name, { abort, done, startedMs: this.deps.clock.monotonic(), before });
    }
  }

  async #pass(name: string, signal: AbortSignal): Promise<void> {
    const { store, log } = this.deps;
    const { kind, reconcile } = this.controller;
    const before = store.get(kind, name);
    if (!before) return;
    const result = await resultOf(() => reconcile({ name }, signal), signal);
    const dirty = this.#queue.isDirty(name);
    const action = resultToAction(result);
    if (result.is === 'failed') {
      const failure = {
        kind,
        name,
        generation: before.metadata.generation,
        ...(isOurs(result.error) ? {} : { stack: stackOf(result.error) }),
      };
      log.warn(failure, `${kind} ${name}: ${messageWithCauses(result.error)}`);
    }
    this.#writeConditions(before, action);
    if (action.forgetBackoff) this.#backoff.forget(name);
    if (!dirty && (result.is === 'settled' || action.stalled)) store.markReconciled(keyOf(kind, name));
    // Watches ask whether a document is Ready, which this one was all through the pass: a change that they left out
    // meanwhile does not come again.
    if (isReady(before) && result.is === 'waiting') this.#queue.add(name);
    else await this.#next(name, action.next);
  }

  async #next(name: string, next: ReturnType<typeof resultToAction>['next']): Promise<void> {
    if (next.do !== 'again') this.#streaks.delete(name);
    if (next.do !== 'backoff') this.#inBackoff.delete(name); // a pass after the failed one has ended differently
    switch (next.do) {
      case 'rest':
        this.#delays.cancel(name); // the delay of a wait that has ended in the meantime
        return;
      case 'again':
        await this.#yieldAfterStreak(name);
        this.#queue.add(name);
        return;
      case 'later':
        this.#delays.plan(name, next.inMs, () => this.wake(name));
        return;
      case 'backoff':
        if (this.#soft.has(name)) this.#queue.clean(name);
        this.#inBackoff.add(name);
        this.#delays.plan(name, this.#backoff.next(name), () => this.wake(name));
    }
  }

  /** Lets others run when a pass keeps claiming progress, and reports it: that is a defect, and must not starve the process. */
  async #yieldAfterStreak(name: string): Promise<void> {
    const streak = (this.#streaks.get(name) ?? 0) + 1;
    this.#streaks.set(name, streak);
    if (streak % STREAK_LIMIT !== 0) return;
    this.deps.log.error({ kind: this.controller.kind, name, streak }, 'Passes make progress without end');
    await nextTurn();
  }

  /** Writes into documents whose passes are held up why they are: their own status comes only with the end. */
  #reportHeldUp(): void {
    for (const { abort, before } of this.#passes.values()) {
      const message = this.deps.heldUp?.because(abort.signal);
      if (message === undefined || !before) continue;
      this.#writeConditions(before, resultToAction(retry('EngineHangs', message, 0).outcome));
    }
  }

  #writeConditions(before: Resource, action: ReturnType<typeof resultToAction>): void {
    const { store, clock } = this.deps;
    const now = store.get(this.controller.kind, before.metadata.name);
    if (!now || now.metadata.uid !== before.metadata.uid || !action.ready) return;
    const { generation } = before.metadata;
    store.setStatus(now, {
      ...now.status,
      observedGeneration: generation,
      conditions: conditionsAfter(now.status?.conditions, action, generation, new Date(clock.now()).toISOString()),
    });
    const after = store.get(this.controller.kind, before.metadata.name);
    if (after && isReady(after) !== isReady(now)) {
      this.deps.log.debug({ kind: after.kind, name: after.metadata.name, ready: isReady(after) }, 'Ready changed');
    }
  }

  #forget(name: string): void {
    this.#delays.cancel(name);
    this.#inBackoff.delete(name);
    this.#backoff.forget(name);
    this.#streaks.delete(name);
  }
}

/** Creates a loop for each controller, without starting it. Those that others come after are first. */
export function loopsOf(controllers: readonly Controller[], deps: Omit<LoopDeps, 'after'>): readonly Loop[] {
  const loops = new Map<Kind, Loop>();
  const loopOf = (controller: Controller): Loop => {
    const known = loops.get(controller.kind);
    if (known) return known;
    const after = controllers.filter(({ kind }) => controller.after?.includes(kind)).map(loopOf);
    const loop = new Loop(controller, { ...deps, after });
    loops.set(controller.kind, loop);
    return loop;
  };
  for (const controller of controllers) loopOf(controller);
  return [...loops.values()];
}

async function resultOf(pass: () => Promise<PassResult>, signal: AbortSignal): Promise<PassResult> {
  try {
    return await pass();
  } catch (error) {
    return signal.aborted ? { is: 'aborted' } : { is: 'failed', error };
  }
}

const stackOf = (error: unknown): string | undefined => (error instanceof Error ? error.stack : undefined);

/** Tells whether an error was made for people and needs no stack in the log. */
const isOurs = (error: unknown): boolean =>
  error instanceof Error && ['TerminalError', 'EngineError', 'EngineUnreachable', 'StorageError'].includes(error.name);
