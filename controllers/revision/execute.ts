import { timeoutSignal } from '../../api/platform/time-limit.js';
import { visible } from '../../api/platform/visible.js';
import { isMap } from '../../crds/model/maps.js';
import { secretsIn } from '../../crds/model/masked-text.js';
import type { Revision } from '../../crds/model/revisions.js';
import { isSecretName } from '../../crds/model/secret-names.js';
import { wait } from '../runtime/outcome.js';
import type { StepResult } from '../runtime/reconciler.js';
import type { RevisionDeps } from './observe.js';
import type { RecentRun } from './parts.js';
import type { RevisionStep } from './plan.js';

export interface RevisionResult extends StepResult {
  readonly lastLines: readonly string[];
  /** The engine says, too, that the runs go on which make the release good. */
  readonly confirmed: boolean;
}

/** Lines that are kept, and characters of each: they go into conditions. */
const LINES = 3;
const LONGEST = 200;
/**
 * For the last lines. An engine answers only when it is done with starting or stopping the container, for which the way
 * back has to wait in any case.
 */
const READ_MS = 30_000;
const CONFIRM_MS = 10_000;
/** An engine that does not confirm a good release is asked again after this time, ms, if nothing happens before. */
const AGAIN_MS = 10_000;

/** Takes one step; what the engine does not answer is no failure of the Revision. */
export async function executeRevisionStep(
  deps: Pick<RevisionDeps, 'engine' | 'cache'>,
  revision: Pick<Revision, 'spec'>,
  step: RevisionStep,
): Promise<Partial<RevisionResult>> {
  switch (step.do) {
    case 'read':
      return { lastLines: await readLastLines(deps, revision, step.container) };
    case 'confirm': {
      const goOn = await Promise.all(step.runs.map((run) => goesOn(deps, run)));
      if (goOn.every(Boolean)) return { confirmed: true };
      const message = 'The engine does not confirm yet that every service still runs';
      return { confirmed: false, outcome: wait('Watching', message, AGAIN_MS).outcome };
    }
  }
}

/** Whether the container is in that very run, as the engine has it now. */
async function goesOn(
  { cache }: Pick<RevisionDeps, 'cache'>,
  { container, startedAt, restartCount }: RecentRun,
): Promise<boolean> {
  try {
    const seen = await cache.refreshContainer(container, timeoutSignal(CONFIRM_MS));
    return (
      (seen?.state === 'running' || seen?.state === 'paused') &&
      seen.health !== 'unhealthy' &&
      seen.startedAt === startedAt &&
      (seen.restartCount ?? 0) === restartCount
    );
  } catch {
    return false;
  }
}

/**
 * Reads the last lines of a container, without the values of variables that it may have printed. What cannot be read is
 * left out: the verdict does not hang on it.
 */
async function readLastLines(
  { engine }: Pick<RevisionDeps, 'engine'>,
  revision: Pick<Revision, 'spec'>,
  container: string,
): Promise<readonly string[]> {
  const lines: string[] = [];
  const values = valuesOf(revision);
  try {
    for await (const { message } of engine.pastLogs(container, { tail: LINES }, timeoutSignal(READ_MS))) {
      const text = visible(without(message, values), false).trim();
      if (text !== '') lines.push(text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text);
    }
  } catch {
    // The container is gone, its log driver keeps nothing, or the engine does not answer.
  }
  return lines.slice(-LINES);
}

/** Shorter values are words of every sentence, unless the name says that it is a secret. */
const SHORTEST = 6;

/** Values of variables of its services, which may be secrets, and the secrets in their arguments; the longest first. Pure. */
function valuesOf({ spec }: Pick<Revision, 'spec'>): readonly string[] {
  const variables = spec.documents.flatMap(({ spec: { environment } }): readonly (readonly [string, string])[] => {
    if (!Array.isArray(environment)) return isMap(environment) ? Object.entries(environment).map(textOf) : [];
    return environment.map((one) => {
      const [name = '', ...rest] = String(one).split('=');
      return [name, rest.join('=')];
    });
  });
  const values = variables
    .filter(([name, { length }]) => length >= SHORTEST || (length > 0 && isSecretName(name)))
    .map(([, value]) => value);
  const secrets = spec.documents.flatMap(({ spec: { entrypoint, command } }) =>
    [entrypoint, command].flatMap((one) => secretsIn(textsOf(one))),
  );
  return [...values, ...secrets].filter(({ length }) => length > 0).toSorted((a, b) => b.length - a.length);
}

/** Arguments as they are written: one text, or a list. Pure. */
const textsOf = (value: unknown): readonly string[] =>
  (Array.isArray(value) ? value : [value]).filter((one) => typeof one === 'string');

const textOf = ([name, value]: readonly [string, unknown]) => [name, String(value ?? '')] as const;

const without = (text: string, values: readonly string[]): string =>
  values.reduce((left, value) => left.replaceAll(value, '***'), text);
