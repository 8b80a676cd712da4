import { isActive } from '../../crds/model/active.js';
import { conditionOf, isReady, isSettled } from '../../crds/model/conditions.js';
import { canonical } from '../../crds/model/hash.js';
import type { Issue } from '../../crds/model/issue.js';
import type { AnyDeclared, AnyResource, App, Key, Kind } from '../../crds/model/kinds.js';
import { waitsForRetry, waitsForSibling, waitsForSomebody } from '../../crds/model/readiness.js';
import type { ReasonOf } from '../../crds/model/reasons.js';
import type { NumberedRelease } from '../../crds/model/release.js';
import { latestOf, type Revision } from '../../crds/model/revisions.js';
import { isSuspended, SUSPENDED, suspendedMessage } from '../../crds/model/suspend.js';
import type { AppStatus } from '../../crds/model/types.js';
import type { ListedContainer } from '../engine/engine.js';
import { act, type Plan, settled, TerminalError, type Unwell, wait } from '../runtime/outcome.js';
import { type CommandStep, hasPendingRequest, type PendingCommands, planCommands } from './commands/commands.js';
import { type DiskPressure, type DiskPressureStep, planDiskPressure } from './images/disk-pressure.js';
import type { ImageRetention, ImageRetentionStep } from './images/image-retention.js';
import { adoptionFailure, askedForLater, planTheirs, refusal } from './release/adoption.js';
import type { Unsatisfied } from './release/contracts.js';
import { differences, keyOfChild, newMeaning } from './release/differences.js';
import { type AdoptionStep, planAdoption, planAdoptionStart } from './release/plan-adoption.js';
import type { Content } from './rollout/content.js';
import { type RolloutFacts, releaseOfRevision, releaseToRun } from './rollout/observe.js';
import { planTurn, type RolloutStep, rollbackFailure, rolledBack } from './rollout/plan.js';
import type { When } from './rollout/when.js';

export type AppStep =
  | AdoptionStep
  | CommandStep
  | DiskPressureStep
  | ImageRetentionStep
  | RolloutStep
  /** Notes in which boot of the device the content was seen that waits for the next one. */
  | { readonly do: 'note'; readonly because: string }
  /** Declares the new images beside the existing children. */
  | { readonly do: 'stage'; readonly because: string }
  /** Declares all children of the release. */
  | { readonly do: 'promote'; readonly because: string }
  | { readonly do: 'commit'; readonly because: string }
  /** Writes a Revision of what runs: an earlier version of the agent promoted it. */
  | { readonly do: 'remember'; readonly because: string }
  /** Writes the App's `volumeReclaim` into its volumes. */
  | { readonly do: 'reclaim'; readonly because: string }
  | { readonly do: 'remove'; readonly kind: Kind; readonly because: string }
  | { readonly do: 'unlock'; readonly because: string }
  /** Refuses everything that is pending. */
  | { readonly do: 'refuse'; readonly because: string };

export interface AppFacts {
  /** The App's children, also deleted ones. */
  readonly existing: readonly AnyResource[];
  /** The children that its document asks for. */
  readonly desired: readonly AnyDeclared[];
  /** What of them is promoted. */
  readonly content: Content;
  /** What was promoted before, and what came of it. */
  readonly revisions: readonly Revision[];
  /** Whether that is what the document says, and what is known of it. */
  readonly rollout: RolloutFacts;
  /** Whether it may be promoted now. */
  readonly when: When;
  readonly issues: readonly Issue[];
  /** Optional services whose contract this device does not satisfy. */
  readonly skipped: readonly Unsatisfied[];
  /** Other services whose contract it does not satisfy: the release is rejected. */
  readonly unsatisfied: readonly Unsatisfied[];
  /** Names of desired children that another origin has declared. */
  readonly taken: readonly Key[];
  /** Desired images that have not been seen on the device since this process began, and how far each is. */
  readonly missing: readonly string[];
  /** What has to be removed from the disk before some of them are downloaded. */
  readonly diskPressure: DiskPressure;
  /** Services have made room for a release that is not promoted, and are not brought back yet. */
  readonly isInterrupted: boolean;
  /** Images that the document does not ask for, and what happens to them. */
  readonly imageRetention: ImageRetention;
  /** Services of the app that wait for the lock. */
  readonly needLock: readonly string[];
  /** This process holds the update lock. */
  readonly locked: boolean;
  /** Lock files of an earlier process may exist. */
  readonly unswept: boolean;
  /** Containers that are not ours and that the App may take over; absent where nobody looked. */
  readonly theirs?: readonly ListedContainer[];
  /** Commands and cleanups that it has not acknowledged. */
  readonly pending: PendingCommands;
}

type Phase = NonNullable<AppStatus['phase']>;
type Steps = Plan<AppStep, ReasonOf<'App'>>;
export type AppPlan = Steps & { readonly phase: Phase };

/** Plans the next steps of an App's release, of its removal or of its suspension. Pure. (docs/design/rollout.md.) */
export function planApp(app: App, facts: AppFacts): AppPlan {
  if (!isActive(app)) return planRemoval(app, facts);
  if (isSuspended(app)) return planSuspension(app, facts);
  const { blocking } = facts.imageRetention;
  if (blocking.length > 0) {
    const because = `${imagesOf(blocking)} only kept, and the disk is short of room for a download`;
    return { ...act('MakingRoom', { do: 'prune', images: blocking, because }), phase: phaseBefore(app) };
  }
  const rejection = failureOf(facts);
  const turn = planTurn(app, facts.rollout, facts.when, rejection);
  if (turn) return { ...turn, phase: phaseBefore(app) };
  const adoption = planAdoption(app, facts, rejection);
  if (adoption) return { ...adoption, phase: phaseBefore(app) };
  const failure = rejection ?? adoptionFailure(app, facts) ?? rollbackFailure(facts.rollout);
  if (!failure) return planRelease(app, facts);
  // The children stay as they are. What runs is still repaired, under the lock when that is needed.
  const upkeep =
    planDemands(facts, planCommands(facts.pending, facts.locked)) ?? planUnlock(facts) ?? settled<AppStep>();
  return { ...upkeep, phase: phaseBefore(app), failure };
}

/** Returns the phase that the status says. The one before a suspension is not known any more. */
const phaseBefore = ({ status }: App): Phase =>
  status?.phase === undefined || status.phase === 'Suspended' ? 'Staging' : status.phase;

/** Throws the first issue of a release that cannot run on any engine, as a `TerminalError`. Pure. */
export function validateApp(_app: App, { issues: [issue] }: AppFacts): void {
  if (issue) throw new TerminalError('InvalidRelease', `${issue.path}: ${issue.message}`);
}

/**
 * A suspended App changes nothing. It gives the lock back and refuses requests, so that nobody waits for it; the take-over of
 * containers that are named is kept for its end.
 */
function planSuspension(app: App, { pending, rollout, locked, theirs = [], desired }: AppFacts): AppPlan {
  const { name } = app.metadata;
  const later = askedForLater(app);
  const plan = later && planTheirs(app, later, theirs, desired);
  const isLacking = plan !== undefined && plan.issues.length > 0;
  const kept = later && !isLacking ? `; then it takes over ${(later.containers ?? []).join(', ')} first` : '';
  const because = `${suspendedMessage(name)}${kept}`;
  const { byHand, retry, approve } = rollout;
  const adopt = later ? undefined : pending.adopt;
  const isAsked = pending.commands.length > 0 || pending.cleanup || byHand || retry || approve || adopt;
  const steps: readonly AppStep[] = [
    ...(later && isLacking
      ? [{ do: 'decline' as const, name: 'adopt' as const, id: later.id, because: refusal(name, plan) }]
      : []),
    ...(isAsked ? [{ do: 'refuse' as const, because }] : []),
    ...(locked ? [{ do: 'unlock' as const, because: 'the app is suspended' }] : []),
  ];
  return { ...wait(SUSPENDED, because), steps, phase: 'Suspended' };
}

/** The compatible API knows a rejected release by this reason. */
export const REJECTED = 'ContractUnmet';

function failureOf({ issues, taken, unsatisfied }: AppFacts): TerminalError | undefined {
  if (unsatisfied.length > 0) {
    const missing = unsatisfied.map(({ service, requirement }) => `${service} requires ${requirement}`).join('; ');
    return new TerminalError(REJECTED, `This device does not meet the contract of the release: ${missing}`);
  }
  if (issues.length > 0) {
    return new TerminalError('InvalidRelease', issues.map(({ path, message }) => `${path}: ${message}`).join('; '));
  }
  if (taken.length === 0) return undefined;
  const message = `${listOf(taken)} ${taken.length === 1 ? 'belongs' : 'belong'} to somebody else: give the App or its service another name`;
  return new TerminalError('NameTaken', message);
}

function planRelease(app: App, facts: AppFacts): AppPlan {
  const { existing, desired, missing, locked } = facts;
  const command = planCommands(facts.pending, locked);
  if (command?.steps.length) return { ...command, phase: phaseBefore(app) };
  if (isUnnoted(app, facts.when)) {
    const because = 'it waits for another boot of the device than this one';
    return { ...act('Staging', { do: 'note', because }), phase: phaseBefore(app) };
  }
  const changes = differences(existing, desired);
  const heldBack = desired
    .filter((one) => one.kind === 'Image' && facts.diskPressure.heldBack.has(one.spec.image))
    .map(keyOfChild);
  const newImages = changes.filter((change) => change.startsWith('Image/') && !heldBack.includes(change));

  if (missing.length > 0) {
    const { evictable } = facts.imageRetention;
    if (changes.length > 0 && evictable.length > 0) {
      const because = `${imagesOf(evictable)} neither in what runs nor in what is to run`;
      return { ...act('Staging', { do: 'prune', images: evictable, because }), phase: 'Staging' };
    }
    if (newImages.length > 0)
      return {
        ...act('Staging', { do: 'stage', because: `images come first: ${listOf(newImages)}` }),
        phase: 'Staging',
      };
    if (command && !isShort(facts)) return { ...command, phase: 'Staging' };
    const upkeep = planUpkeep(facts);
    if (upkeep?.steps.length) return { ...upkeep, phase: 'Staging' };
    const pressure = planDiskPressure(facts.diskPressure, locked);
    if (pressure && facts.when.is === 'later') return planWaiting(app, facts, facts.when, upkeep);
    if (pressure) return { ...pressure, phase: 'Staging' };
    const unlock = upkeep ? undefined : planUnlock(facts, 'nothing stops while images download');
    const reason = facts.rollout.back ? 'RollbackNeedsDownload' : 'ImagesNotReady';
    const waiting: Steps = wait(reason, `Waiting for images: ${listOf(missing, '; ')}`);
    return { ...waiting, steps: unlock?.steps ?? [], phase: 'Staging' };
  }
  if (facts.when.is === 'later') return planWaiting(app, facts, facts.when, planDemands(facts, command));
  const adoption = planAdoptionStart(app, facts);
  if (adoption) return { ...adoption, phase: phaseBefore(app) };
  // Services that made room for their images are promoted already: what is left is to write down that they were.
  const isUnwritten = facts.revisions.length > 0 && isUnremembered(facts);
  if (changes.length > 0 || isUnwritten) {
    const because =
      existing.length === 0
        ? 'first release'
        : changes.length === 0
          ? 'all of it is declared'
          : `${listOf(changes)} differ${changes.length === 1 ? 's' : ''}${meaningText(existing, desired)}`;
    const needsLock = !locked && changes.length > 0; // to write it down interrupts nothing
    const claim: readonly AppStep[] = needsLock ? [{ do: 'claim', because: 'a release is to be promoted' }] : [];
    return { ...act('Promoting', ...claim, { do: 'promote', because }), phase: needsLock ? 'Locking' : 'Promoting' };
  }
  const upkeep = planDemands(facts, command);
  if (upkeep) return { ...upkeep, phase: 'Verifying' };
  const end = planSettling(app, facts);
  if (end.outcome.is !== 'settled') return { ...end, phase: 'Settled' };
  const back = rolledBack(app, facts.rollout);
  if (back) return { ...end, phase: 'Settled', failure: back };
  const isOpen = facts.rollout.verdict === 'open';
  const unwell = unwellOf(facts) ?? (isOpen ? verifying(facts) : undefined);
  const phase = isOpen ? 'Verifying' : 'Settled';
  return { ...end, ...(unwell ? { outcome: { is: 'settled', unwell } } : {}), phase };
}

/** Says of which services fields that they leave out mean something else from now on, as a clause; nothing where none do. */
function meaningText(existing: readonly AnyResource[], desired: readonly AnyDeclared[]): string {
  const services = newMeaning(existing, desired);
  if (services.length === 0) return '';
  const fields = [...new Set(services.flatMap((one) => one.fields))];
  const names = listOf(services.map(({ service }) => service));
  return `; what ${names} ${services.length === 1 ? 'leaves' : 'leave'} out means what Compose means from now on: ${fields.join(', ')}`;
}

/** The release that runs while the one that is declared waits for its time; null and undefined: none. Pure. */
export function runningRelease({ revisions }: Pick<AppFacts, 'revisions'>): NumberedRelease | null | undefined {
  const latest = latestOf(revisions);
  return latest && releaseOfRevision(latest);
}

/** Tells whether it is not known yet which boot of the device does not count for the content. */
const isUnnoted = ({ status }: App, { next }: When): boolean =>
  next?.bootId !== undefined && (status?.next?.revision !== next.revision || status.next.bootId !== next.bootId);

/** The release waits for its time. What runs comes to its end meanwhile, and the lock is given back unless that needs it. */
function planWaiting(
  app: App,
  facts: AppFacts,
  when: Extract<When, { readonly is: 'later' }>,
  upkeep?: Steps,
): AppPlan {
  if (upkeep?.steps.length) return { ...upkeep, phase: 'Waiting' };
  const leftover = planLeftoverImages(facts);
  if (leftover) return { ...leftover, phase: 'Waiting' };
  const running = runningRelease(facts);
  if (!upkeep && running && canonical(app.status?.release) !== canonical(running)) {
    const because = `release ${running.commit}`;
    return { ...act('Settling', { do: 'commit', because }), phase: 'Waiting' };
  }
  const isStuck = facts.isInterrupted && upkeep !== undefined;
  const unlock = upkeep && !isStuck ? undefined : planUnlock(facts, 'nothing stops while the release waits');
  const down = isStuck && upkeep.outcome.is === 'waiting' ? `. ${upkeep.outcome.message}` : '';
  const waiting: Steps = wait(when.reason, `${when.message}${down}`, when.forMs);
  return { ...waiting, steps: unlock?.steps ?? [], phase: 'Waiting' };
}

/** Deletes or retains images of earlier edits: neither what runs nor what waits needs them, and no download has them deleted. */
function planLeftoverImages({ imageRetention: { evictable, expired, unused } }: AppFacts): Steps | undefined {
  const ofNobody = (names: readonly string[]): readonly string[] => names.filter((one) => evictable.includes(one));
  const [gone, kept] = [ofNobody(expired), ofNobody(unused)];
  const because = 'neither in what runs nor in what waits';
  if (gone.length > 0) return act('Staging', { do: 'prune', images: gone, because: `${imagesOf(gone)} ${because}` });
  if (kept.length > 0) return act('Staging', { do: 'keep', images: kept, because: `${imagesOf(kept)} ${because}` });
  return undefined;
}

/** The release runs, and nobody knows yet whether it is good. */
const verifying = ({ content }: AppFacts): Unwell => ({
  reason: 'Verifying',
  message: `Everything is as it is meant to be; whether revision ${content.name} is good is known in a while`,
});

/** Names the services that are as the release wants them and do not work. */
function unwellOf({ existing }: AppFacts): Unwell | undefined {
  const ill = existing.filter((one) => one.kind === 'Service' && !isReady(one));
  if (ill.length === 0) return undefined;
  return { reason: 'ServicesNotHealthy', message: listOf(ill.map(stateOf), '; ') };
}

/** Plans a command first. One that only waits for services gives way to what those need: the lock. */
const planDemands = (facts: AppFacts, command: Steps | undefined): Steps | undefined =>
  command && (command.steps.length > 0 || !isShort(facts)) ? command : (planUpkeep(facts) ?? command);

/** Tells whether services need the lock and this process does not hold it. */
const isShort = ({ needLock, locked }: AppFacts): boolean => needLock.length > 0 && !locked;

/** Plans what the children wait for: the lock, or each other. Returns undefined when all of them are Ready. */
function planUpkeep(facts: AppFacts): Steps | undefined {
  const { existing, desired, needLock } = facts;
  if (isShort(facts)) {
    return act('Locking', {
      do: 'claim',
      because: `${listOf(needLock)} ${needLock.length === 1 ? 'needs' : 'need'} it`,
    });
  }
  // An image that is no longer wanted is not waited for: somebody may use it for long, or it never comes.
  const wanted = new Set(desired.map(keyOfChild));
  const counts = (one: AnyResource): boolean => one.kind !== 'Image' || (isActive(one) && wanted.has(keyOfChild(one)));
  const late = existing.filter((one) => counts(one) && (!isActive(one) || !isSettled(one) || hasPendingRequest(one)));
  if (late.length === 0 && needLock.length === 0) return undefined;
  const steps = needLock.length === 0 && areStuck(late) ? planUnlock(facts, becauseStuck(late)) : undefined;
  const waiting = `Waiting for ${listOf(late.length > 0 ? late.map(stateOf) : needLock, '; ')}`;
  return { ...wait('ChildrenNotReady', waiting), steps: steps?.steps ?? [] };
}

/**
 * Tells whether every child that is late is stalled, waits for its next attempt, or waits for one that does: that may take
 * long, and nothing is interrupted meanwhile, so the lock is given back.
 */
const areStuck = (late: readonly AnyResource[]): boolean =>
  late.some(isStuck) && late.every((one) => isStuck(one) || waitsForSibling(one));

const isStuck = (one: AnyResource): boolean => waitsForSomebody(one) || waitsForRetry(one);

const becauseStuck = (late: readonly AnyResource[]): string =>
  late.some(waitsForSomebody) ? 'nothing goes on before somebody acts' : 'nothing is stopped before the next attempt';

/** Plans the end of a release that is complete: commits it, deletes or retains old images, gives the lock back. */
function planSettling(app: App, facts: AppFacts): Steps {
  const { status } = app;
  const { expired, unused } = facts.imageRetention;
  const release = releaseToRun(app, facts.rollout);
  const steps: AppStep[] = [];
  if (canonical(status?.release ?? null) !== canonical(release)) {
    steps.push({
      do: 'commit',
      because: release ? `release ${release.commit}` : 'what its documents say, without a release',
    });
  }
  // One of these in a pass, because each declares all children.
  if (isUnremembered(facts)) steps.push({ do: 'remember', because: 'nothing says yet what runs' });
  else if (expired.length > 0)
    steps.push({ do: 'prune', images: expired, because: `${imagesOf(expired)} not in the release` });
  else if (unused.length > 0)
    steps.push({ do: 'keep', images: unused, because: `${imagesOf(unused)} of the release before` });
  const unlock = planUnlock(facts);
  return steps.length > 0 ? act('Settling', ...steps, ...(unlock?.steps ?? [])) : (unlock ?? settled());
}

/** Whether what was promoted has no Revision. An App that never had anything needs none. */
const isUnremembered = ({ content, revisions }: AppFacts): boolean =>
  latestOf(revisions)?.metadata.name !== content.name && (content.documents.length > 0 || revisions.length > 0);

/** Plans to give the lock back. Looking for files of an earlier process leaves the App Ready. */
function planUnlock(
  { locked, unswept }: AppFacts,
  because = 'all children are as they are meant to be',
): Steps | undefined {
  if (locked) return act('Unlocking', { do: 'unlock', because });
  if (!unswept) return undefined;
  return { ...settled(), steps: [{ do: 'unlock', because: 'an earlier process may have left it' }] };
}

/** Plans the removal of a deleted App: Services, Networks, Volumes, then Images, each kind once the one before has gone. */
function planRemoval(app: App, facts: AppFacts): AppPlan {
  const { existing, locked } = facts;
  const { volumeReclaim = 'Retain' } = app.spec;
  // The App may have been deleted before its last `volumeReclaim` was promoted.
  const untold = existing.filter((one) => one.kind === 'Volume' && isActive(one) && one.spec.reclaim !== volumeReclaim);
  if (untold.length > 0) {
    const because = `volumeReclaim is ${volumeReclaim}, and goes for ${listOf(untold.map(keyOfChild))} first`;
    return { ...act('Removing', { do: 'reclaim', because }), phase: 'Removing' };
  }
  const kind = REMOVAL_ORDER.find((one) => existing.some((child) => child.kind === one));
  if (kind === undefined && facts.revisions.length > 0) {
    const because = 'the app is gone, and its history with it';
    return { ...act('Removing', { do: 'remove', kind: 'Revision', because }), phase: 'Removing' };
  }
  if (kind === undefined) return { ...(planUnlock(facts, 'the app is gone') ?? settled<AppStep>()), phase: 'Removing' };
  const children = existing.filter((one) => one.kind === kind);
  if (children.some(isActive)) {
    const claim: readonly AppStep[] =
      kind === 'Service' && !locked ? [{ do: 'claim', because: 'the app is deleted' }] : [];
    return { ...act('Removing', ...claim, { do: 'remove', kind, because: 'the app is deleted' }), phase: 'Removing' };
  }
  const upkeep = planUpkeep({ ...facts, existing: [] });
  if (upkeep?.steps.length) return { ...upkeep, phase: 'Removing' };
  const going = listOf(children.map(stateOf), '; ');
  return { ...wait('ChildrenNotReady', `Waiting for the removal of ${going}`), phase: 'Removing' };
}
const REMOVAL_ORDER: readonly Kind[] = ['Service', 'Network', 'Volume', 'Image'];

const imagesOf = (names: readonly string[]): string => listOf(names.map((name) => `Image/${name}`));

/** Describes a child by its key and why it is not Ready. */
function stateOf(child: AnyResource): string {
  const ready =
    child.status?.observedGeneration === child.metadata.generation ? conditionOf(child, 'Ready') : undefined;
  const said = ready?.status === 'False' ? ` (${ready.reason}: ${ready.message})` : '';
  return `${keyOfChild(child)}${said}`;
}

/** How many names a sentence lists. */
const SHOWN = 3;
const listOf = (names: readonly string[], separator = ', '): string =>
  names.length > SHOWN
    ? `${names.slice(0, SHOWN).join(separator)}${separator}and ${names.length - SHOWN} more`
    : names.join(separator);
