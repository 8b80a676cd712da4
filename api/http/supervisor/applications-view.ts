import { isActive } from '../../../crds/model/active.js';
import { isObserved, isStalled } from '../../../crds/model/conditions.js';
import type { App, Image, Service } from '../../../crds/model/kinds.js';
import { isRejected } from '../../../crds/model/readiness.js';
import type { AppTree, TargetService } from './app-tree.js';
import { HANDING_OVER, imageWord, serviceWord } from './status-words.js';

interface ServiceEntry {
  readonly status: string;
  readonly image: string;
  readonly downloadProgress: number | null;
  readonly releaseId: number;
}

/**
 * Returns the answer of `GET /v2/applications/state`: target apps by name, with the services of their target release
 * (docs/reference/http-api.md §7.1). Pure.
 */
export function applicationsState(trees: readonly AppTree[]): object {
  const present = trees.filter(({ app }) => app.metadata.deletionTimestamp === undefined);
  return Object.fromEntries(present.map((tree) => [tree.name, applicationEntry(tree)]));
}

function applicationEntry(tree: AppTree): object {
  const { app, appId, uuid, release } = tree;
  const rejected = isRejected(app);
  const services =
    release === null || rejected
      ? []
      : tree.targets.map((target) => [target.name, serviceEntry(tree, target, release)] as const);
  return {
    appId,
    appUuid: uuid,
    commit: release?.commit ?? null,
    updateStatus: rejected
      ? 'rejected'
      : updateStatus(
          services.map(([, entry]) => entry),
          isUnderWay(tree),
        ),
    services: Object.fromEntries(services),
  };
}

function serviceEntry(
  { services, images }: AppTree,
  target: TargetService,
  release: { readonly commit: string; readonly id: number },
): ServiceEntry {
  const service = services.find(({ spec }) => spec.serviceName === target.name);
  const word = service && isOfRelease(service, release.commit) ? serviceWord(service) : undefined;
  const image = imageWord(images.find(({ spec }) => spec.image === target.image));
  return {
    status: word ?? image.status,
    image: target.image,
    downloadProgress: word === undefined ? image.progress : null,
    releaseId: release.id,
  };
}

/** Tells whether the container is of that release, and not of another one; a step in progress is one towards the promoted spec. */
function isOfRelease({ spec, status }: Pick<Service, 'spec' | 'status'>, commit: string): boolean {
  const promoted = spec.release === undefined || spec.release.commit === commit;
  return promoted && (status?.container?.commit === undefined || status.container.commit === commit);
}

/** Phases before the roll-out: what runs is not of the release yet. */
const BEFORE_ROLLOUT: readonly string[] = ['Staging', 'Locking', 'Promoting'] satisfies NonNullable<
  App['status']
>['phase'][];

/**
 * Tells whether the present containers say nothing about the target: no pass has seen it, or nothing of it has been
 * rolled out. Releases may share a name (`local`), so containers do not show it. Pure.
 */
const isUnderWay = ({ app, services }: AppTree): boolean =>
  !isObserved(app) ||
  services.some((one) => isActive(one) && !isObserved(one)) ||
  (!isStalled(app) && BEFORE_ROLLOUT.includes(app.status?.phase ?? ''));

function updateStatus(services: readonly ServiceEntry[], underWay: boolean): string {
  const has = (...words: string[]): boolean => services.some(({ status }) => words.includes(status));
  if (has('Aborted')) return 'aborted';
  if (services.some(({ downloadProgress }) => downloadProgress !== null && downloadProgress !== 100))
    return 'downloading';
  if (has('Downloaded')) return 'downloaded';
  return underWay || has('Installing', 'Installed', 'Awaiting handover') ? 'applying changes' : 'done';
}

/**
 * Returns the answer of `GET /v2/applications/:appId/state`: what is on the device of one app, by appId and imageId
 * (docs/reference/http-api.md §7.2). Undefined when that is nothing: the app does not exist here. Pure.
 */
export function applicationState(tree: AppTree): object | undefined {
  const entries = allEntries(tree);
  if (entries.length === 0) return undefined;
  const commit = tree.app.status?.release?.commit;
  return {
    ...(commit === undefined ? {} : { commit }),
    local: { [tree.appId]: { services: Object.fromEntries(entries) } },
    dependent: {},
  };
}

/** Returns what is on the device of one app, one entry for each imageId, by ascending imageId. Pure. */
export const stateEntries = (tree: AppTree): readonly StateEntry[] =>
  [...new Map(allEntries(tree))].sort(([a], [b]) => a - b).map(([, entry]) => entry);

interface StateEntry {
  readonly status: string;
  readonly releaseId: number | undefined;
  readonly download_progress: number | null;
}

/** Images come first: a container of the same number replaces its image. */
const allEntries = (tree: AppTree): [number, StateEntry][] => [
  ...tree.images.flatMap((image) => imageEntries(tree, image)),
  ...tree.services.flatMap((service) => containerEntries(tree, service)),
];

function containerEntries(tree: AppTree, service: Service): [number, StateEntry][] {
  const status = serviceWord(service);
  if (status === undefined) return [];
  const { container } = service.status ?? {};
  const target = tree.targets.find(({ name }) => name === service.spec.serviceName);
  const imageId = container?.imageId ?? service.spec.imageId ?? target?.imageId;
  if (imageId === undefined) return [];
  const releaseId = container?.releaseId ?? service.spec.release?.id ?? tree.release?.id;
  const outgoing = service.status?.outgoing;
  return [
    [imageId, { status, releaseId, download_progress: null }],
    ...(outgoing
      ? [
          [
            outgoing.imageId ?? imageId,
            { status: HANDING_OVER, releaseId: outgoing.releaseId, download_progress: null },
          ] as [number, StateEntry],
        ]
      : []),
  ];
}

function imageEntries(tree: AppTree, image: Image): [number, StateEntry][] {
  if (image.status?.state === undefined) return [];
  const { status, progress } = imageWord(image);
  return tree.targets
    .filter((target) => target.image === image.spec.image)
    .map(({ imageId }) => [imageId, { status, releaseId: tree.release?.id, download_progress: progress }]);
}
