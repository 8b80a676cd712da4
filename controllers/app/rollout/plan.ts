import type { App, Request } from '../../../crds/model/kinds.js';
import type { ReasonOf } from '../../../crds/model/reasons.js';
import type { Revision } from '../../../crds/model/revisions.js';
import { act, type Plan, TerminalError } from '../../runtime/outcome.js';
import { BY_HAND, goneMessage, type RolloutFacts } from './observe.js';
import type { When } from './when.js';

/** What is decided about a release, and why. */
interface Decision {
  /** Name of the Revision that is refused. */
  readonly from: string;
  readonly to: string;
  readonly reason: string;
  readonly message: string;
  /** What the container that failed printed last. */
  readonly lastLines?: readonly string[];
}

export type RolloutStep =
  /** Decides that another revision is to run. `request`: the one that asks for it. */
  | { readonly do: 'goBack'; readonly decision: Decision; readonly request?: string; readonly because: string }
  /** Lets what the document says be tried again, as a request of that name asks. */
  | { readonly do: 'retry'; readonly name: 'retry' | 'rollback'; readonly request: Request; readonly because: string }
  /** Lets the content that waits for its time go ahead. */
  | { readonly do: 'approve'; readonly request: Request; readonly revision: string; readonly because: string }
  /** Acknowledges a request that is not carried out. */
  | {
      readonly do: 'decline';
      readonly name: 'retry' | 'rollback' | 'approve' | 'adopt';
      readonly id: string;
      readonly because: string;
    };

/**
 * Plans a turn in what an App runs: by a request, or because what was promoted is bad. Undefined while it goes on as it is.
 * `failure`: why what is declared cannot be promoted at all. Pure.
 */
export function planTurn(
  app: App,
  facts: RolloutFacts,
  when: When,
  failure?: TerminalError,
): Plan<RolloutStep, ReasonOf<'App'>> | undefined {
  const { retry, byHand, back, declared, verdict, refusedBefore, badMeanwhile, refuge, onFailure } = facts;
  if (byHand) {
    const { request, to, refusal } = byHand;
    const { id } = request;
    if (!to || refusal !== undefined) {
      return act('Refused', { do: 'decline', name: 'rollback', id, because: refusal ?? 'there is no such revision' });
    }
    // A way back from what is declared to what is declared would never end.
    if (to.metadata.name === declared.name) {
      return act('Promoting', {
        do: 'retry',
        name: 'rollback',
        request,
        because: 'rollback to what is declared requested',
      });
    }
    const decision = {
      from: declared.name,
      to: to.metadata.name,
      reason: BY_HAND,
      message: 'somebody asked for another one',
    };
    return act('RollingBack', { do: 'goBack', decision, request: id, because: 'rollback requested' });
  }
  if (retry) {
    if (back || refusedBefore)
      return act('Promoting', { do: 'retry', name: 'retry', request: retry, because: 'retry requested' });
    const because = `There is nothing to try again: what App ${app.metadata.name} declares is not held back`;
    return act('Refused', { do: 'decline', name: 'retry', id: retry.id, because });
  }
  const approval = facts.approve && planApproval(app, facts.approve, facts, { when, failure });
  if (approval) return approval;
  // What waits does not mend what runs until then.
  const meanwhile = when.is === 'later' ? badMeanwhile : undefined;
  const bad = refusedBefore ?? (typeof verdict === 'object' ? verdict.revision : meanwhile);
  if (back || !bad || onFailure === 'hold' || !refuge || refuge.lost.length > 0) return undefined;
  const { reason = 'Unknown', message = 'it is bad', lastLines } = bad.status ?? {};
  const decision: Decision = {
    ...{ from: bad.metadata.name, to: refuge.revision.metadata.name, reason, message },
    ...(lastLines ? { lastLines } : {}),
  };
  return act('RollingBack', { do: 'goBack', decision, because: message });
}

/** Plans an approval: of what waits now, and of nothing else. */
function planApproval(
  { metadata: { name } }: App,
  request: Request,
  { back, declared }: RolloutFacts,
  { when: { next }, failure }: { readonly when: When; readonly failure: TerminalError | undefined },
): Plan<RolloutStep, ReasonOf<'App'>> {
  const refused = (because: string): Plan<RolloutStep, ReasonOf<'App'>> =>
    act('Refused', { do: 'decline', name: 'approve', id: request.id, because });
  if (request.to !== undefined && request.to !== declared.name) {
    return refused(
      `App ${name} declares revision ${declared.name} by now, and not ${request.to}: look at it with \`supercargo plan\`, and approve that`,
    );
  }
  if (back?.rollback.from === declared.name) {
    return refused(
      `Revision ${declared.name} is refused (${back.rollback.message}): \`supercargo retry ${name}\` lets it be tried again`,
    );
  }
  // It would go ahead unasked once another document has mended it.
  if (failure) return refused(`Revision ${declared.name} cannot go ahead: ${failure.message}`);
  if (!next) return refused(`What App ${name} declares waits for nothing`);
  const because = `approved by ${request.by ?? 'somebody'}`;
  return act('Promoting', { do: 'approve', request, revision: next.revision, because });
}

/** Why the way back has ended before its end; undefined while it has not. What can run goes on. Pure. */
export function rollbackFailure({ back, verdict, refuge, onFailure }: RolloutFacts): TerminalError | undefined {
  if (!back) {
    const isStuck =
      typeof verdict === 'object' && onFailure === 'rollback' && refuge !== undefined && refuge.lost.length > 0;
    return isStuck
      ? failed(`${refusedText(verdict.revision)}. ${goneMessage(refuge.revision, refuge.lost)}`)
      : undefined;
  }
  const { rollback, to, lost } = back;
  if (!to) {
    return failed(
      `Revision ${rollback.to}, which is to run instead of ${rollback.from}, has been removed; everything stays as it is until something else is declared or a retry is asked for`,
    );
  }
  if (lost.length > 0) return failed(goneMessage(to, lost));
  if (typeof verdict !== 'object') return undefined;
  return failed(
    `Revision ${rollback.from} is refused (${rollback.message}), and ${rollback.to}, which runs again, is not well either: ${verdict.revision.status?.message}. It stays; declare something else`,
  );
}

const failed = (message: string): TerminalError => new TerminalError('RollbackFailed', message);

const refusedText = ({ metadata, status }: Revision): string =>
  `Revision ${metadata.name} is bad (${status?.message ?? 'nobody knows why'})`;

/** What an App says that has gone back. Pure. */
export function rolledBack(app: App, { back }: RolloutFacts): TerminalError | undefined {
  if (!back) return undefined;
  const { from, to, message, lastLines = [] } = back.rollback;
  const printed = lastLines.length === 0 ? '' : `. It printed last: ${lastLines.join(' | ')}`;
  const way = `Declare something else, or \`supercargo retry ${app.metadata.name}\``;
  return new TerminalError(
    'RolledBack',
    `Revision ${from} is refused (${message}), and ${to} runs again; volumes keep their data. ${way}${printed}`,
  );
}
