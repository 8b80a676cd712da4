import { accessOfImage, missingPermission } from '../../../crds/model/host-access.js';
import { pathText } from '../../../crds/model/issue.js';
import type { App, Service } from '../../../crds/model/kinds.js';
import { cameAsTargetState } from '../../../crds/model/target-state.js';
import { standaloneAccess } from '../../../crds/schema/check-host-access.js';
import type { SeenContainer, SeenImage } from '../../engine/engine.js';
import type { EngineTraits } from '../../engine/engine-traits.js';
import { foreignImage } from '../../engine/platform.js';
import { InvalidSpecError, TerminalError } from '../../runtime/outcome.js';
import { isUnbounded } from '../spec/logging.js';
import type { Definition } from './definition.js';

/**
 * Throws `InvalidSpecError` when the service reaches into the host without the permission of its App. A service that
 * the App wrote was checked with the App's document, and an image was checked when a container was created from it;
 * only standalone services are checked in full. Nothing that runs is stopped for this.
 */
export function refuseHostAccess(
  service: Service,
  app: App | undefined,
  image: SeenImage | undefined,
  containers: readonly SeenContainer[],
): void {
  if (app?.spec.allowHostBinds === true) return;
  const { metadata, spec } = service;
  const isMade = metadata.origin === `App/${spec.app}`;
  if (isMade && (cameAsTargetState(app?.metadata) || containers.some((one) => one.image === image?.id))) return;
  const issues = accessOfImage(spec, image?.config.Labels ?? {}).map((one) => ({
    path: pathText(['spec', ...one.path]),
    message: missingPermission(one, spec.app),
  }));
  if (!isMade) issues.unshift(...standaloneAccess(service, app));
  if (issues.length > 0) throw new InvalidSpecError(issues);
}

/**
 * Throws `WrongArchitecture` for an image of another machine. An image that a container was created from is accepted:
 * it is known to run, or was meant to be tried.
 */
export function refuseForeign(
  { image: reference, platform }: Definition,
  image: SeenImage | undefined,
  { machine }: EngineTraits,
  containers: readonly SeenContainer[],
): void {
  if (!image || (platform === undefined && containers.some((one) => one.image === image.id))) return;
  const mismatch = foreignImage(reference, image, { machine, platform });
  if (mismatch !== undefined) throw new TerminalError('WrongArchitecture', mismatch);
}

/**
 * Tells whether the agent limits the size of container logs. It does not for a target state, which keeps the
 * Supervisor's rules and leaves logs to the engine.
 */
export const boundsLogs = (app: App | undefined, { logDriver }: EngineTraits): boolean =>
  !cameAsTargetState(app?.metadata) && isUnbounded(logDriver);
