import { timeoutSignal } from '../../api/platform/time-limit.js';
import { visible } from '../../api/platform/visible.js';
import { isMap } from '../../crds/model/maps.js';
import type { Revision } from '../../crds/model/revisions.js';
import { isSecretName } from '../../crds/model/secret-names.js';
import type { StepResult } from '../runtime/reconciler.js';
import type { RevisionDeps } from './observe.js';
import type { RevisionStep } from './plan.js';

export interface RevisionResult extends StepResult {
  readonly lastLines: readonly string[];
}

/** Lines that are kept, and characters of each: they go into conditions. */
const LINES = 3;
const LONGEST = 200;
const READ_MS = 10_000;

/**
 * Reads the last lines of a container, without the values of variables that it may have printed. What cannot be read is
 * left out: the verdict does not hang on it.
 */
export async function executeRevisionStep(
  { engine }: Pick<RevisionDeps, 'engine'>,
  revision: Pick<Revision, 'spec'>,
  { container }: RevisionStep,
): Promise<Partial<RevisionResult>> {
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
  return { lastLines: lines.slice(-LINES) };
}

/** Shorter values are words of every sentence, unless the name says that it is a secret. */
const SHORTEST = 6;

/** Values of variables of its services, which may be secrets; the longest first. Pure. */
function valuesOf({ spec }: Pick<Revision, 'spec'>): readonly string[] {
  const found = spec.documents.flatMap(({ spec: { environment } }): readonly (readonly [string, string])[] => {
    if (!Array.isArray(environment)) return isMap(environment) ? Object.entries(environment).map(textOf) : [];
    return environment.map((one) => {
      const [name = '', ...rest] = String(one).split('=');
      return [name, rest.join('=')];
    });
  });
  return found
    .filter(([name, { length }]) => length >= SHORTEST || (length > 0 && isSecretName(name)))
    .map(([, value]) => value)
    .toSorted((a, b) => b.length - a.length);
}

const textOf = ([name, value]: readonly [string, unknown]) => [name, String(value ?? '')] as const;

const without = (text: string, values: readonly string[]): string =>
  values.reduce((left, value) => left.replaceAll(value, '***'), text);
