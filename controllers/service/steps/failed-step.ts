import { conditionOf } from '../../../crds/model/conditions.js';
import type { Service } from '../../../crds/model/kinds.js';
import { EngineError, EngineUnreachable } from '../../engine/engine.js';
import { InvalidSpecError, TerminalError, TransientError } from '../../runtime/outcome.js';
import type { ServiceDeps } from '../deps.js';
import { explainEngineError } from './engine-errors.js';

/** Logs the Supervisor's line for a failure, once as long as retries fail in the same way. */
export const tell =
  ({ logs, store }: ServiceDeps, { metadata, spec }: Service, phrase: string) =>
  (due: string): void => {
    const current = store.get('Service', metadata.name);
    const before = current && conditionOf(current, 'Ready')?.message;
    if (!before?.includes(due)) {
      logs.system(`${phrase} due to '${due}'`, { app: spec.app }, { isStdErr: true });
    }
  };

/** Converts an engine error to one with an explanation. What the engine rejects in the request itself is never retried. */
export function refused(what: string, error: unknown, say?: (due: string) => void): Error {
  if (error instanceof EngineUnreachable || !(error instanceof EngineError)) return new Error(what, { cause: error });
  const { due, reason, lasting } = explainEngineError(error.message);
  say?.(due);
  if (lasting && reason === 'InvalidSpec') return new InvalidSpecError([{ path: 'spec', message: due }]);
  if (reason !== undefined) return new (lasting ? TerminalError : TransientError)(reason, `${what}: ${due}`);
  if (error.statusCode === 400 && what.startsWith('Could not create')) {
    return new InvalidSpecError([{ path: 'spec', message: `the engine refuses it: ${due}` }]);
  }
  return new EngineError(`${what}: ${due}`, error.statusCode);
}
