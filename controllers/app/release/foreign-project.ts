import { isActive } from '../../../crds/model/active.js';
import {
  COMPOSE_CONFIG_FILES,
  COMPOSE_ONE_OFF,
  COMPOSE_PROJECT,
  isComposeProject,
} from '../../../crds/model/compose.js';
import type { App } from '../../../crds/model/kinds.js';
import type { Engine, ListedContainer } from '../../engine/engine.js';
import { SUPERVISED } from '../../engine/labels.js';
import { TerminalError } from '../../runtime/outcome.js';

/** How long until somebody may have ended the project, ms: no event tells of containers that are not ours. */
const LOOK_AGAIN_MS = 10_000;

/**
 * Tells whether docker compose may keep the project of that App: it came from a Compose file, and nothing of it has been
 * promoted. Once its services are there, what somebody else makes beside them does not stop it. Pure.
 */
export const mayBeForeign = (app: App, hasServices: () => boolean): boolean =>
  isComposeProject(app) && isActive(app) && app.spec.release !== null && !hasServices();

/** Returns the containers of the App's project that docker compose has made; not those of `run` that have ended. One request. */
export async function foreignContainers(
  { listLabelled }: Pick<Engine, 'listLabelled'>,
  app: App,
  signal: AbortSignal,
): Promise<readonly ListedContainer[]> {
  const all = await listLabelled(`${COMPOSE_PROJECT}=${app.metadata.name}`, signal);
  return all.filter(
    ({ labels, state }) =>
      labels[SUPERVISED] === undefined && (labels[COMPOSE_ONE_OFF] !== 'True' || state === 'running'),
  );
}

/**
 * Says what docker compose keeps there, and the way out. Nothing of the App is begun: its ports are taken, and beside the
 * data of a project that runs no empty volume is to stand. Undefined: nothing is there. Pure.
 */
export function adoptionNeeded(project: string, theirs: readonly ListedContainer[]): TerminalError | undefined {
  if (theirs.length === 0) return undefined;
  const names = theirs.map(({ name }) => name).sort();
  const volumes = [...new Set(theirs.flatMap((one) => one.volumes))].sort();
  const files = [...new Set(theirs.flatMap(({ labels }) => labels[COMPOSE_CONFIG_FILES] || []))].sort();
  const data = volumes.length > 0 ? ` and volumes ${volumes.join(', ')}` : '';
  const from = files.length > 0 ? `, of ${files.join(', ')}` : '';
  const message = `The project ${project} is kept by docker compose: containers ${names.join(', ')}${data}${from}. Nothing of it is touched. End it there with \`docker compose -p ${project} down\`, without --volumes: its volumes stay, and the App goes on with them`;
  return new TerminalError('AdoptionNeeded', message, { requeueAfterMs: LOOK_AGAIN_MS });
}
