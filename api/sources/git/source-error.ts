import type { ReasonOf } from '../../../crds/model/reasons.js';

/**
 * Why documents could not be taken from a repository. `final`: trying again changes nothing before the repository, the
 * document or a file of the device changes.
 */
export class SourceError extends Error {
  override readonly name = 'SourceError';
  constructor(
    readonly reason: ReasonOf<'GitSource'>,
    message: string,
    readonly final: boolean,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Returns an error that is worth another try a little later: the network, the disk, a server. */
export const transient = (reason: ReasonOf<'GitSource'>, message: string, options?: ErrorOptions): SourceError =>
  new SourceError(reason, message, false, options);

/** Returns an error that stays until somebody acts. */
export const final = (reason: ReasonOf<'GitSource'>, message: string, options?: ErrorOptions): SourceError =>
  new SourceError(reason, message, true, options);
