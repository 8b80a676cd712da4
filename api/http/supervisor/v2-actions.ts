import type { Lifecycle } from '@hapi/hapi';
import { keyOf, type Service } from '../../../crds/model/kinds.js';
import type { OrphanedVolumes } from '../../../crds/model/orphans.js';
import { errorMessage } from '../../platform/errors.js';
import { timeoutSignal } from '../../platform/time-limit.js';
import type { Reader } from '../../store/store.js';
import { failed, json, sentence } from '../transport/answer.js';
import { reaches, scopeOf } from '../transport/auth.js';
import { bodyOf, fieldOf } from '../transport/body.js';
import { booleanOf, integerOf, nameOf } from '../transport/coercion.js';
import type { Route } from '../transport/routes.js';
import { type AppTree, appTrees } from './app-tree.js';
import type { Command, Verdict } from './commands.js';
import {
  APP_NOT_FOUND,
  installedApp,
  isInTarget,
  SVC_NOT_FOUND,
  TARGET_SVC_NOT_FOUND,
  V2_PARAMS,
} from './legacy-lookups.js';
import { answerOf, commandApp } from './v1-apps.js';

/** Longest time that the engine may take to remove a volume, ms. */
export const REMOVAL_MS = 30_000;

export interface ActionRoutesDeps {
  readonly store: Reader;
  readonly command: Command;
  readonly volumes: OrphanedVolumes;
}

type Verb = 'restart' | 'stop' | 'start';

/** Serves `POST /v2/applications/:appId/…`, commands for apps and for their services, and `/v2/cleanup-volumes`. */
export function actionRoutes(deps: ActionRoutesDeps): readonly Route[] {
  const { store, command, volumes } = deps;

  const ofApp = (name: 'restart' | 'purge'): Route => ({
    method: 'POST',
    path: `/v2/applications/{appId}/${name}`,
    callers: 'any key',
    body: 'Force',
    async handler(request, h) {
      const appId = pathId(request.params.appId);
      if (appId === undefined) return failed(h, 400, 'Missing app id');
      if (!reaches(scopeOf(request), appId)) return failed(h, 401, 'Unauthorized');
      const force = booleanOf(fieldOf(bodyOf(request), 'force'));
      return answerOf(h, await commandApp(deps, appId, name, force), () => sentence(h, 'OK'));
    },
  });
  const ofService = (verb: Verb): Route => ({
    method: 'POST',
    path: `/v2/applications/{appId}/${verb}-service`,
    callers: 'any key',
    body: 'ServiceCommand',
    async handler(request, h) {
      const appId = pathId(request.params.appId);
      if (appId === undefined) return failed(h, 400, 'Invalid app id');
      if (!reaches(scopeOf(request), appId)) return failed(h, 401, 'Unauthorized');
      const body = bodyOf(request);
      const wanted = {
        serviceName: nameOf(fieldOf(body, 'serviceName')),
        imageId: integerOf(fieldOf(body, 'imageId')),
      };
      if (wanted.serviceName === undefined && wanted.imageId === undefined) return sentence(h, V2_PARAMS, 400);
      const tree = installedApp(store, appId);
      if (!tree || tree.services.length === 0) return sentence(h, APP_NOT_FOUND, 404);
      const service = findService(tree, wanted, verb);
      if (!service) return sentence(h, SVC_NOT_FOUND, 404);
      if (!isInTarget(tree, service)) return sentence(h, TARGET_SVC_NOT_FOUND, 404);
      const force = booleanOf(fieldOf(body, 'force'));
      const verdict = await command(keyOf('Service', service.metadata.name), verb, { force });
      return answerOf(h, verdict, () => sentence(h, 'OK'));
    },
  });
  const cleanup: Lifecycle.Method = async (request, h) => {
    const apps = appTrees(store, scopeOf(request)).map(({ app }) => app);
    const present = apps.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    const verdicts = await Promise.all(
      present.map(({ metadata }) => command(keyOf('App', metadata.name), 'cleanup', { force: false })),
    );
    // Volumes of apps that are gone belong to no app's key.
    if (scopeOf(request).type === 'global') verdicts.push(await removeOrphans(volumes));
    const bad = verdicts.find(({ is }) => is !== 'done');
    return answerOf(h, bad ?? { is: 'done' }, () => json(h, { status: 'success' }));
  };
  return [
    ofApp('restart'),
    ofApp('purge'),
    ofService('restart'),
    ofService('stop'),
    ofService('start'),
    { method: ['GET', 'POST'], path: '/v2/cleanup-volumes', callers: 'any key', handler: cleanup },
  ];
}

/** Removes the volumes of apps that are gone; one that is mounted stays, like those of an app. */
async function removeOrphans(volumes: OrphanedVolumes): Promise<Verdict> {
  try {
    const orphans = volumes.list();
    if (orphans.length === 0) return { is: 'done' };
    const unsure = volumes.unsure();
    if (unsure !== undefined) {
      return { is: 'failed', message: `Volumes of apps that are gone were kept, as ${unsure}` };
    }
    for (const { name } of orphans) await volumes.remove(name, timeoutSignal(REMOVAL_MS));
    return { is: 'done' };
  } catch (error) {
    return { is: 'failed', message: errorMessage(error) };
  }
}

/** Reads an appId; version 2 knows no app 0. Pure. */
const pathId = (text: unknown): number | undefined => integerOf(text) || undefined;

/**
 * Finds the service that is meant. In an app with one service it is that one, whatever was sent; otherwise the first
 * whose number or name matches, and only a start needs no container (docs/reference/http-api.md §7.3). Pure.
 */
function findService(
  { services, targets }: Pick<AppTree, 'services' | 'targets'>,
  wanted: { readonly serviceName: string | undefined; readonly imageId: number | undefined },
  verb: Verb,
): Service | undefined {
  const candidates = services.filter(({ status }) => verb === 'start' || status?.container !== undefined);
  if (services.length === 1) return candidates[0];
  return candidates.find(({ spec, status }) => {
    const target = targets.find(({ name }) => name === spec.serviceName);
    const imageId = status?.container?.imageId ?? spec.imageId ?? target?.imageId;
    return (wanted.imageId !== undefined && imageId === wanted.imageId) || spec.serviceName === wanted.serviceName;
  });
}
