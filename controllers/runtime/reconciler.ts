import type { Store } from '../../api/store/store.js';
import { isActive } from '../../crds/model/active.js';
import type { Condition } from '../../crds/model/conditions.js';
import { type Kind, type Kinds, type Resource, splitKey } from '../../crds/model/kinds.js';
import { isSuspended, SUSPENDED, suspendedMessage } from '../../crds/model/suspend.js';
import { type Outcome, type PassKey, type Plan, type Reconcile, type Unwell, wait } from './outcome.js';
import { conditionsBefore, RUNTIME_CONDITIONS } from './result-to-action.js';

/** A copy of somebody else's state that passes work with, such as `EngineCache`. */
interface Synced {
  /** True when it holds everything as it is now. */
  readonly hasSynced: boolean;
  /** Why it does not, as a sentence. */
  readonly syncError?: string | undefined;
  /** What the engine does not answer about those objects, as a sentence; undefined when nothing is missing. */
  unanswered?(about: readonly string[]): string | undefined;
}

/**
 * Returns the outcome of a pass that can conclude nothing: the cache is not synced, or the engine leaves requests about
 * those objects unanswered. Undefined when nothing is wrong.
 */
function waitForEngine(
  cache: Synced,
  about: readonly string[] = [],
): Outcome<'EngineUnreachable' | 'EngineHangs'> | undefined {
  if (!cache.hasSynced) return wait('EngineUnreachable', cache.syncError ?? 'The engine has not answered yet').outcome;
  const unanswered = about.length === 0 ? undefined : cache.unanswered?.(about);
  return unanswered === undefined ? undefined : wait('EngineHangs', unanswered).outcome;
}

/** The result of a step. A kind adds what cannot be observed afterwards and has to go into its status. */
export interface StepResult {
  /** Ends the pass instead of the planned outcome; the steps after it are left out. */
  readonly outcome?: Outcome;
}

type StepOf<P extends Plan<unknown>> = P['steps'][number];

/** The stage of a pass at which a status is written. */
export interface Progress<P extends Plan<unknown>, Result extends StepResult = StepResult> {
  /**
   * `unsynced`: the cache is not synced. `prepared`: before anything is planned. `suspended`: nothing is planned.
   * `refused`: no plan could be made. `acting`: before `step`. `reported`: while it is executed. `acted`: at the end.
   */
  readonly at: 'unsynced' | 'prepared' | 'suspended' | 'refused' | 'acting' | 'reported' | 'acted';
  readonly plan?: P;
  readonly step?: StepOf<P>;
  /** Results of all steps until now, later ones win; or what `prepare` or a step has just reported. */
  readonly result: Partial<Result>;
  /** What `validate` found, why no plan could be made, or why a step failed. */
  readonly error?: unknown;
}

/** The fields of a kind's status besides those that the runtime writes. */
export type Facts<K extends Kind> = Omit<Kinds[K]['status'], 'observedGeneration' | 'conditions'>;

/** A condition of a kind's own; the runtime adds times and generation. */
export type OwnCondition = Pick<Condition, 'type' | 'status' | 'reason' | 'message'>;

/** A kind's part of a pass: functions that are always called in this order. */
export interface Reconciler<
  K extends Kind,
  Observation,
  P extends Plan<unknown>,
  Result extends StepResult = StepResult,
> {
  readonly kind: K;
  readonly store: Store;
  /** ms since the epoch */
  readonly now: () => number;
  /** Passes wait for it; absent for a kind that does without the engine. */
  readonly cache?: Synced;
  /**
   * Returns the engine's objects that the resource depends on, named as `EngineCache.unanswered` does: nothing is
   * concluded while the engine does not answer about them.
   */
  about?(resource: Resource<K>): readonly string[];
  /** Called instead of a pass while the cache is not synced. */
  unsynced?(resource: Resource<K>): void;
  /**
   * Throws `TerminalError` for what is wrong with the document itself. Also called while the cache is not synced, so
   * that such a document is rejected all the same; its status is then written, too.
   */
  validate?(resource: Resource<K>, observation: Observation): void;
  /** Returns the App whose suspension suspends the resource too: it is observed, and nothing is done about it. */
  suspendedWith?(resource: Resource<K>): string | undefined;
  /** Does what has to happen before it can be observed. Returns the resource as it is then. `report` writes a status at once. */
  prepare?(
    resource: Resource<K>,
    signal: AbortSignal,
    report: (result: Partial<Result>) => Promise<void>,
  ): Promise<Resource<K>>;
  /** Reads everything that a decision depends on; changes nothing. Errors may be returned for `plan` to throw. */
  observe(resource: Resource<K>, signal: AbortSignal): Observation | Promise<Observation>;
  /** Returns the next steps. Pure; throws `TerminalError` for what no pass can fix. */
  plan(resource: Resource<K>, observation: Observation): P;
  /**
   * Carries out one step. Throws when it fails. `report` writes at once what a long step has reached so far; one that
   * goes on in the background may call it after the pass.
   */
  execute(
    resource: Resource<K>,
    step: StepOf<P>,
    observation: Observation,
    signal: AbortSignal,
    report: (result: Partial<Result>) => void,
  ): Promise<Partial<Result> | undefined>;
  /** Returns the status. `resource` is the document as it is now, with the status of before. */
  status(resource: Resource<K>, observation: Observation, progress: Progress<P, Result>): Facts<K>;
  /** Returns all conditions of its own; undefined keeps those that are there. */
  conditions?(
    resource: Resource<K>,
    observation: Observation,
    progress: Progress<P, Result>,
  ): readonly OwnCondition[] | undefined;
  /** Records what has changed between two statuses, as events and system lines. Called after each write. */
  announce?(before: Resource<K>, after: Resource<K>, progress: Progress<P, Result>): void;
  /** Returns the final outcome, once all steps are taken and the status is written; throws for a pass that has failed nevertheless. */
  adjustOutcome?(
    resource: Resource<K>,
    observation: Observation,
    end: { readonly plan: P; readonly outcome: Outcome; readonly result: Partial<Result> },
  ): Outcome | Promise<Outcome>;
}

/**
 * The common skeleton of a pass over one resource. Others see these status writes, in this order: one before each step,
 * in which `Ready` becomes False unless the pass will conclude it; those that the step reports; one at the end, also
 * when a step failed. A deleted resource is released when nothing is left to do for it.
 */
export const reconciler =
  <K extends Kind, Observation, P extends Plan<unknown>, Result extends StepResult>(
    of: Reconciler<K, Observation, P, Result>,
  ): Reconcile =>
  async ({ name, onStep }, signal) => {
    const { kind, store, cache } = of;
    const found = store.get(kind, name);
    if (!found) return { is: 'settled' };
    const unheard = cache && waitForEngine(cache, of.about?.(found));
    if (unheard) {
      if (!cache.hasSynced) await passUnsynced(of, found, signal);
      return unheard;
    }
    const app = of.suspendedWith?.(found);
    if (app !== undefined && isSuspended(store.get('App', app))) {
      write(of, found, await of.observe(found, signal), { at: 'suspended', result: {} });
      return wait(SUSPENDED, suspendedMessage(app)).outcome;
    }

    const report = async (result: Partial<Result>): Promise<void> =>
      write(of, found, await of.observe(found, signal), { at: 'prepared', result });
    const resource = of.prepare ? await of.prepare(found, signal, report) : found;
    const observation = await of.observe(resource, signal);
    const plan = planOrRefuse(of, resource, observation);
    const result = await carryOut(of, resource, observation, plan, signal, onStep);
    const outcome = result.outcome ?? plan.outcome;
    const end = (await of.adjustOutcome?.(resource, observation, { plan, outcome, result })) ?? outcome;
    if (plan.failure) throw plan.failure;
    if (end.is !== 'settled') return end;
    if (isActive(resource)) return { ...withoutOwner(store, resource), ...end };
    await store.release(resource);
    return end;
  };

/** Returns that the owner of this document is missing, as a power failure may leave it: then nobody updates or removes the document. */
function withoutOwner(store: Store, { metadata: { owner } }: Resource): { readonly unwell?: Unwell } {
  if (owner === undefined) return {};
  const { kind, name } = splitKey(owner);
  if (store.get(kind, name)) return {};
  const message = `${kind} ${name}, which made it, is missing; it stays as it is until ${name} is declared again, or until it is deleted`;
  return { unwell: { reason: 'OwnerMissing', message } };
}

/** Does what is possible without the engine: writes the status of a kind that validates, and throws its error. */
async function passUnsynced<K extends Kind, Observation, P extends Plan<unknown>, Result extends StepResult>(
  of: Reconciler<K, Observation, P, Result>,
  resource: Resource<K>,
  signal: AbortSignal,
): Promise<void> {
  of.unsynced?.(resource);
  if (!of.validate) return;
  const observation = await of.observe(resource, signal);
  let failure: { readonly error: unknown } | undefined;
  try {
    of.validate(resource, observation);
  } catch (error) {
    failure = { error };
  }
  write(of, resource, observation, { at: 'unsynced', result: {}, ...failure });
  if (failure) throw failure.error;
}

/** Plans; when that fails, writes the error into the status and throws it. */
function planOrRefuse<K extends Kind, Observation, P extends Plan<unknown>, Result extends StepResult>(
  of: Reconciler<K, Observation, P, Result>,
  resource: Resource<K>,
  observation: Observation,
): P {
  try {
    return of.plan(resource, observation);
  } catch (error) {
    write(of, resource, observation, { at: 'refused', result: {}, error });
    throw error;
  }
}

/** Carries out the steps and writes the statuses around them. Throws what a step threw. */
async function carryOut<K extends Kind, Observation, P extends Plan<unknown>, Result extends StepResult>(
  of: Reconciler<K, Observation, P, Result>,
  resource: Resource<K>,
  observation: Observation,
  plan: P,
  signal: AbortSignal,
  onStep: PassKey['onStep'],
): Promise<Partial<Result>> {
  let result: Partial<Result> = {};
  let failure: { readonly error: unknown } | undefined;
  try {
    for (const step of plan.steps) {
      onStep?.(step);
      write(of, resource, observation, { at: 'acting', plan, step, result });
      const report = (reported: Partial<Result>): void =>
        write(of, resource, observation, { at: 'reported', plan, step, result: reported });
      result = { ...result, ...(await of.execute(resource, step, observation, signal, report)) };
      if (result.outcome) break;
    }
  } catch (error) {
    failure = { error };
  }
  const after = plan.steps.length === 0 ? observation : await observeAfter(of, resource, signal, failure);
  write(of, resource, after, { at: 'acted', plan, result, ...failure });
  if (failure) throw failure.error;
  return result;
}

/** Observes again after steps. The cause of a failed step may make this fail too: the step's error is the one to report. */
async function observeAfter<K extends Kind, Observation, P extends Plan<unknown>, Result extends StepResult>(
  of: Reconciler<K, Observation, P, Result>,
  resource: Resource<K>,
  signal: AbortSignal,
  failure: { readonly error: unknown } | undefined,
): Promise<Observation> {
  try {
    return await of.observe(resource, signal);
  } catch (error) {
    throw failure ? failure.error : error;
  }
}

/** Replaces the status, unless another resource has taken the name, and announces what has changed. */
function write<K extends Kind, Observation, P extends Plan<unknown>, Result extends StepResult>(
  of: Reconciler<K, Observation, P, Result>,
  resource: Resource<K>,
  observation: Observation,
  progress: Progress<P, Result>,
): void {
  const current = latest(of, resource);
  if (!current) return;
  const { generation } = resource.metadata;
  const at = new Date(of.now()).toISOString();
  const { observedGeneration, conditions: before } = current.status ?? {};
  const own = of.conditions?.(current, observation, progress);
  const others = own ? withOwn(before, own, generation, at) : before;
  const conditions =
    progress.at === 'acting' && progress.plan
      ? conditionsBefore(others, progress.plan.outcome, generation, at)
      : others;
  of.store.setStatus(current, {
    ...(observedGeneration === undefined ? {} : { observedGeneration }),
    ...(conditions === undefined || conditions.length === 0 ? {} : { conditions: [...conditions] }),
    ...of.status(current, observation, progress),
  } as Kinds[K]['status']);
  const after = latest(of, resource);
  if (after) of.announce?.(current, after, progress);
}

/** Returns the runtime's conditions as they are, and those of a kind's own; one whose status is the same keeps its time. Pure. */
function withOwn(
  before: readonly Condition[] = [],
  own: readonly OwnCondition[],
  generation: number,
  at: string,
): readonly Condition[] {
  const kept = before.filter(({ type }) => RUNTIME_CONDITIONS.includes(type));
  const now = own.map((condition) => {
    const same = before.find(({ type, status }) => type === condition.type && status === condition.status);
    return { ...condition, lastTransitionTime: same?.lastTransitionTime ?? at, observedGeneration: generation };
  });
  return [...kept, ...now];
}

/** Returns the resource as it is now; undefined when it is gone or another one has taken its name. */
function latest<K extends Kind>(
  { store, kind }: { readonly store: Store; readonly kind: K },
  { metadata }: Resource<K>,
): Resource<K> | undefined {
  const current = store.get(kind, metadata.name);
  return current?.metadata.uid === metadata.uid ? current : undefined;
}
