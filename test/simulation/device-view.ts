import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { APP_ID, SERVICE_NAME, SUPERVISED } from '../../controllers/engine/labels.js';
import type { MemoryContainer } from '../../controllers/engine/simulated/memory-container.js';
import { isKeptName } from '../../controllers/image/kept-names.js';
import { COMPOSE_PROJECT, COMPOSE_SERVICE } from '../../crds/model/compose.js';
import { conditionOf, isReady } from '../../crds/model/conditions.js';
import type { Device } from './device.js';

/** What is on a device, as lines that people can read and tests compare. */
export interface DeviceView {
  /** `web_7_1_a running web:1 V=1 on u_default`; the word `stale` follows a network that is not the present one. */
  readonly containers: readonly string[];
  /** `u_default`, with its subnet where it was asked for. */
  readonly networks: readonly string[];
  readonly volumes: readonly string[];
  /** References that lead to an image, but for names of ours. */
  readonly images: readonly string[];
  /** Lock files of agents and applications. */
  readonly locks: readonly string[];
  /** Documents that are not Ready, with their reason. */
  readonly failures: readonly string[];
}

export function viewOf(device: Device): DeviceView {
  const { docker, images } = device.engine;
  return {
    containers: docker.containers.map((one) => containerLine(device, one)).sort(),
    networks: docker.networks
      .filter(({ labels }) => labels[SUPERVISED] !== undefined)
      .map(({ name, gateway }) => (gateway?.startsWith('10.') ? `${name} ${gateway}` : name))
      .sort(),
    volumes: docker.volumes.map(({ name }) => name).sort(),
    images: images
      .list()
      .flatMap(({ tags }) => tags)
      .filter((tag) => !isKeptName(tag))
      .sort(),
    locks: lockFiles(device).sort(),
    failures: (device.agent?.documents() ?? [])
      .filter((one) => !isReady(one) || one.metadata.deletionTimestamp !== undefined)
      .map((one) => `${one.kind}/${one.metadata.name} ${conditionOf(one, 'Ready')?.reason ?? 'unseen'}`)
      .sort(),
  };
}

function containerLine({ engine }: Device, { name, state, image, options, networks, networkMode }: MemoryContainer) {
  const variable = (options.Env ?? []).find((one) => one.startsWith('V='));
  const parent = networkMode.startsWith('container:') ? networkMode.slice('container:'.length) : undefined;
  const where =
    parent === undefined
      ? [...networks].map(([network, { id }]) => {
          const present = id === '' || engine.docker.findNetwork(network)?.id === id;
          return present ? network : `${network} stale`;
        })
      : [`in ${engine.docker.findContainer(parent)?.name ?? 'nothing'}`];
  const tags = engine.images.list().find(({ id }) => id === image)?.tags ?? [];
  const tag = tags.find((one) => !isKeptName(one)) ?? 'untagged';
  return [name, state, tag, ...(variable ? [variable] : []), 'on', where.sort().join(',')].join(' ');
}

/** `1/web/updates.lock` for every lock file on the device. */
export function lockFiles({ folder }: Device): string[] {
  const root = join(folder, 'locks');
  if (!existsSync(root)) return [];
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory() && entry.name.endsWith('.lock')) // what a hand-over left says nothing later
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1));
}

/** The service of a container, whoever has made it: ours have the labels of Docker Compose too where theirs have. */
export function serviceText(labels: Readonly<Record<string, string>> = {}): string {
  const { [COMPOSE_PROJECT]: project, [COMPOSE_SERVICE]: service } = labels;
  return project === undefined ? `${labels[APP_ID]}/${labels[SERVICE_NAME]}` : `${project}/${service}`;
}

/** Containers of an app, or of one of its services. */
export const containersOfApp = ({ engine }: Device, appId: number): readonly MemoryContainer[] =>
  engine.docker.containers.filter(({ options }) => options.Labels?.[APP_ID] === String(appId));
