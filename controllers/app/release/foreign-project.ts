import { isActive } from '../../../crds/model/active.js';
import { isComposeProject } from '../../../crds/model/compose.js';
import type { App } from '../../../crds/model/kinds.js';

/**
 * Tells whether docker compose may keep the project of that App: it came from a Compose file, and nothing of it has been
 * promoted. Of one without services nothing is begun, so nobody asks. Once its services are there, what somebody else makes
 * beside them does not stop it. Pure.
 */
export const mayBeForeign = (app: App, hasServices: () => boolean): boolean =>
  isComposeProject(app) &&
  isActive(app) &&
  app.spec.release !== null &&
  Object.keys(app.spec.services ?? {}).length > 0 &&
  !hasServices();
