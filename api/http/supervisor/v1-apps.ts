import type { Request, ResponseObject, ResponseToolkit } from '@hapi/hapi';
import { keyOf, type Service } from '../../../crds/model/kinds.js';
import type { Reader } from '../../store/store.js';
import type { ContainerReader } from '../container-reader.js';
import { failed, json, sentence } from '../transport/answer.js';
import { reaches, scopeOf } from '../transport/auth.js';
import { bodyOf, fieldOf } from '../transport/body.js';
import { booleanOf, integerOf } from '../transport/coercion.js';
import type { Route } from '../transport/routes.js';
import type { AppTree } from './app-tree.js';
import type { Command, Verdict } from './commands.js';
import {
  APP_NOT_FOUND,
  type Container,
  containersOf,
  installedApp,
  isInTarget,
  notInState,
  TARGET_SVC_NOT_FOUND,
  V2_PARAMS,
} from './legacy-lookups.js';

export interface AppRoutesDeps {
  readonly store: Reader;
  readonly command: Command;
  readonly containers: Pick<ContainerReader, 'environment'>;
}

/** Serves `/v1/restart`, `/v1/purge`, `/v1/apps/…`: whole apps, and apps of a single container. */
export function appRoutes({ store, command, containers: reader }: AppRoutesDeps): readonly Route[] {
  const whole = async (
    request: Request,
    h: ResponseToolkit,
    name: 'restart' | 'purge',
    missing: string,
  ): Promise<Verdict | ResponseObject> => {
    const body = bodyOf(request);
    const appId = integerOf(fieldOf(body, 'appId'));
    if (appId === undefined) return sentence(h, missing, 400);
    if (!reaches(scopeOf(request), appId)) return failed(h, 401, 'Unauthorized');
    return commandApp({ store, command }, appId, name, booleanOf(fieldOf(body, 'force')));
  };

  const ofOnlyContainer = (verb: 'stop' | 'start'): Route => ({
    method: 'POST',
    path: `/v1/apps/{appId}/${verb}`,
    callers: 'any key',
    body: 'Force',
    async handler(request, h) {
      const appId = integerOf(request.params.appId);
      if (appId === undefined) return sentence(h, 'Invalid app id', 400);
      if (!reaches(scopeOf(request), appId)) return sentence(h, 'Unauthorized', 401);
      const tree = installedApp(store, appId);
      const containers = tree ? containersOf(tree) : [];
      if (containers.length > 1) return sentence(h, V2_PARAMS, 400);
      const service = containers[0]?.service ?? (verb === 'start' ? onlyOne(tree?.services) : undefined);
      if (!tree || !service) return sentence(h, APP_NOT_FOUND, 400);
      if (!isInTarget(tree, service)) return sentence(h, TARGET_SVC_NOT_FOUND, 404);
      const { name } = service.metadata;
      const force = booleanOf(fieldOf(bodyOf(request), 'force'));
      const verdict = await command(keyOf('Service', name), verb, { force });
      return answerOf(h, verdict, () => {
        const now = store.get('Service', name)?.status?.container ?? service.status?.container;
        return json(h, { containerId: now?.id });
      });
    },
  });

  return [
    {
      method: 'POST',
      path: '/v1/restart',
      callers: 'any key',
      body: 'AppCommand',
      async handler(request, h) {
        const verdict = await whole(request, h, 'restart', 'Missing app id');
        return answerOf(h, verdict, () => sentence(h, 'OK'));
      },
    },
    {
      method: 'POST',
      path: '/v1/purge',
      callers: 'any key',
      body: 'AppCommand',
      async handler(request, h) {
        const verdict = await whole(request, h, 'purge', 'Invalid or missing appId');
        return answerOf(h, verdict, () => json(h, { Data: 'OK', Error: '' }));
      },
    },
    {
      method: 'GET',
      path: '/v1/apps/{appId}',
      callers: 'any key',
      handler(request, h) {
        const appId = integerOf(request.params.appId);
        if (appId === undefined) return sentence(h, 'Missing app id', 400);
        if (!reaches(scopeOf(request), appId)) return failed(h, 401, 'Application is not available');
        const tree = installedApp(store, appId);
        const [first, second] = tree ? containersOf(tree) : [];
        if (!tree || !first) return sentence(h, 'App not found', 400);
        if (second) return sentence(h, 'Some v1 endpoints are only allowed on single-container apps', 400);
        return json(h, singleApp(tree, first.container, reader.environment(first.container.id)));
      },
    },
    ofOnlyContainer('stop'),
    ofOnlyContainer('start'),
  ];
}

/** Runs a command for a whole app; an app of which nothing is here gets none. */
export async function commandApp(
  { store, command }: Pick<AppRoutesDeps, 'store' | 'command'>,
  appId: number,
  name: 'restart' | 'purge',
  force: boolean,
): Promise<Verdict> {
  const tree = installedApp(store, appId);
  if (!tree) return { is: 'failed', message: notInState(appId) };
  return command(keyOf('App', tree.app.metadata.name), name, { force });
}

/** Returns the answer for the end of a command: that of its success, 423 for the update lock, 503 for anything else. */
export function answerOf(
  h: ResponseToolkit,
  verdict: Verdict | ResponseObject,
  done: () => ResponseObject,
): ResponseObject {
  if (!('is' in verdict)) return verdict;
  if (verdict.is === 'done') return done();
  return failed(h, verdict.is === 'locked' ? 423 : 503, verdict.message);
}

/**
 * Returns the answer of `GET /v1/apps/:appId` for an app with one container (docs/reference/http-api.md §6.12). No
 * document contains the environment of a container. Pure.
 */
function singleApp(
  { app, appId, release }: AppTree,
  container: Container,
  env: Readonly<Record<string, string>> = {},
): object {
  const commit = app.status?.release?.commit;
  return {
    appId,
    ...(commit === undefined ? {} : { commit }),
    containerId: container.id,
    env,
    imageId: container.image,
    releaseId: container.releaseId ?? release?.id,
  };
}

const onlyOne = (services: readonly Service[] = []): Service | undefined =>
  services.length === 1 ? services[0] : undefined;
