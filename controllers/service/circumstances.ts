import type { App, Service } from '../../crds/model/kinds.js';
import type { SeenContainer, SeenImage } from '../engine/engine.js';
import type { EngineTraits } from '../engine/engine-traits.js';
import { foreignImage } from '../engine/platform.js';
import { InvalidSpecError, TerminalError } from '../runtime/outcome.js';
import type { Definition } from './container/definition.js';
import { isUnbounded } from './spec/logging.js';

/** What an App made had its leave when it was made; whoever writes a service by hand needs it now. */
export function refuseHostPaths({ volumes }: Definition, { metadata, spec }: Service, app: App | undefined): void {
  const [bind] = volumes.binds;
  if (!bind || metadata.origin === `App/${spec.app}` || app?.spec.allowHostBinds === true) return;
  const message = `${bind.source} of the host is mounted only where App ${spec.app} says allowHostBinds: true; say so there, or use a volume`;
  throw new InvalidSpecError([{ path: 'spec.volumes', message }]);
}

/** An image for another machine stops nothing that runs. One that a container has been made of is known to run, or was meant to be tried. */
export function refuseForeign(
  { image: reference, platform }: Definition,
  image: SeenImage | undefined,
  { machine }: EngineTraits,
  containers: readonly SeenContainer[],
): void {
  if (!image || (platform === undefined && containers.some((one) => one.image === image.id))) return;
  const trouble = foreignImage(reference, image, { machine, platform });
  if (trouble !== undefined) throw new TerminalError('WrongArchitecture', trouble);
}

/** Not for a posted target state or the cloud's, which keep the Supervisor's rules: there logs are the engine's business. */
export const boundsLogs = (app: App | undefined, { logDriver }: EngineTraits): boolean =>
  app?.metadata.origin !== 'local' && app?.metadata.origin !== 'cloud' && isUnbounded(logDriver);
