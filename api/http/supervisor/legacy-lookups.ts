import type { Service } from '../../../crds/model/kinds.js';
import type { Reader } from '../../store/store.js';
import { type AppTree, appTrees } from './app-tree.js';

/** The Supervisor's message for an app, or a service of it, that is not where it was looked for. */
export const APP_NOT_FOUND = [
  'App not found: an app needs to be installed for this endpoint to work.',
  "\tIf you've recently moved this device from another app,",
  '\tplease push an app and wait for it to be installed first.',
].join('\n');
export const SVC_NOT_FOUND = 'Service not found, a container must exist for this endpoint to work';
export const TARGET_SVC_NOT_FOUND = 'Service does not exist in target release';
export const V2_PARAMS =
  'serviceName or imageId parameters were not provided or the app is multi-container. Use the v2 service action endpoints.';
export const notInState = (appId: number): string => `Application with ID ${appId} is not in the current state`;

/** Returns an app of which something is on the device; undefined for one that is unknown or being deleted. */
export function installedApp(store: Pick<Reader, 'list'>, appId: number): AppTree | undefined {
  const tree = appTrees(store, { type: 'global' }).find((one) => one.appId === appId);
  if (!tree || tree.app.metadata.deletionTimestamp !== undefined) return undefined;
  const isThere =
    tree.services.some(({ status }) => status?.container !== undefined) ||
    tree.images.some(({ status }) => status?.state !== undefined) ||
    store.list('Volume').some(({ spec, status }) => spec.app === tree.app.metadata.name && status?.present === true);
  return isThere ? tree : undefined;
}

export type Container = NonNullable<NonNullable<Service['status']>['container']>;

/** Returns services with their containers, youngest document last. Pure. */
export const containersOf = ({ services }: AppTree): readonly { service: Service; container: Container }[] =>
  services.flatMap((service) => {
    const container = service.status?.container;
    return container ? [{ service, container }] : [];
  });

/** Tells whether the target release still has a service. Pure. */
export const isInTarget = ({ targets }: AppTree, { spec }: Service): boolean =>
  targets.some(({ name }) => name === spec.serviceName);
