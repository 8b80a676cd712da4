import type { Image, Service } from '../../../crds/model/kinds.js';
import { allottedId } from '../../../crds/model/names.js';
import type { AppTree } from './app-tree.js';
import { HANDING_OVER, imageWord, serviceWord } from './status-words.js';

interface Contained {
  readonly tree: AppTree;
  readonly service: Service;
  readonly container: NonNullable<NonNullable<Service['status']>['outgoing']>;
  readonly status: string;
}

/** Returns containers in the order in which the engine lists them: the youngest first. Pure. */
function containersOf(trees: readonly AppTree[]): readonly Contained[] {
  return trees
    .flatMap((tree) =>
      tree.services.flatMap((service) => {
        const { container, outgoing } = service.status ?? {};
        return [
          ...(container ? [{ tree, service, container, status: serviceWord(service) ?? 'Installed' }] : []),
          ...(outgoing ? [{ tree, service, container: outgoing, status: HANDING_OVER }] : []),
        ];
      }),
    )
    .sort((a, b) =>
      a.container.createdAt < b.container.createdAt ? 1 : a.container.createdAt > b.container.createdAt ? -1 : 0,
    );
}

/**
 * Returns the answer of `GET /v2/state/status`: one app's containers and images, the progress of all
 * (docs/reference/http-api.md §7.5). Pure.
 */
export function deviceStatus(trees: readonly AppTree[], appState: 'applying' | 'applied'): object {
  const containers = containersOf(trees);
  const images = trees.flatMap((tree) => tree.images.flatMap((image) => imageEntries(tree, image)));
  const shown = containers[0]?.tree ?? images[0]?.tree;
  const progress = images.flatMap(({ entry }) =>
    typeof entry.downloadProgress === 'number' ? [entry.downloadProgress] : [],
  );
  const commit = shown?.app.status?.release?.commit;
  return {
    status: 'success',
    appState,
    overallDownloadProgress:
      progress.length === 0 ? null : progress.reduce((sum, one) => sum + one, 0) / progress.length,
    containers: containers.filter(({ tree }) => tree === shown).map(containerEntry),
    images: images
      .filter(({ tree }) => tree === shown)
      .map(({ entry }) => entry)
      .sort((a, b) => Number(b.status === 'Downloading') - Number(a.status === 'Downloading')),
    ...(commit === undefined ? {} : { release: commit }),
  };
}

/**
 * Returns the answer of `GET /v2/containerId` (docs/reference/http-api.md §7.7): container ids by service name; of two
 * with the same name the last one. Pure.
 */
export const containerIds = (trees: readonly AppTree[]): Readonly<Record<string, string>> =>
  Object.fromEntries(containersOf(trees).map(({ service, container }) => [service.spec.serviceName, container.id]));

/** Returns the id of the first container of a service. Pure. */
export const containerIdOf = (trees: readonly AppTree[], serviceName: string): string | undefined =>
  containersOf(trees).find(({ service }) => service.spec.serviceName === serviceName)?.container.id;

function containerEntry({ tree, service, container, status }: Contained): object {
  const { spec } = service;
  const serviceId = spec.serviceId ?? allottedId(`${tree.app.metadata.name}/${spec.serviceName}`);
  return {
    status,
    serviceName: spec.serviceName,
    appId: tree.appId,
    imageId: container.imageId ?? spec.imageId ?? serviceId,
    serviceId,
    containerId: container.id,
    createdAt: container.createdAt,
  };
}

interface ImageEntry {
  readonly name: string;
  readonly appId: number;
  readonly serviceName: string;
  readonly imageId: number;
  readonly dockerImageId?: string;
  readonly status: string;
  readonly downloadProgress?: number | null;
}

/** Returns one entry for each service that uses the image; none before anything was done about it. */
function imageEntries(tree: AppTree, { spec, status }: Image): readonly { tree: AppTree; entry: ImageEntry }[] {
  if (status?.state === undefined) return [];
  const { status: word, progress } = imageWord({ status });
  return spec.services.map((serviceName) => {
    const target = tree.targets.find(({ name }) => name === serviceName);
    const imageId = target?.imageId ?? allottedId(`${tree.app.metadata.name}/${serviceName}`);
    const entry: ImageEntry = {
      name: spec.image,
      appId: tree.appId,
      serviceName,
      imageId,
      ...(word === 'Downloading' || status.dockerImageId === undefined ? {} : { dockerImageId: status.dockerImageId }),
      status: word,
      ...(word === 'Deleting' ? {} : { downloadProgress: progress }),
    };
    return { tree, entry };
  });
}
