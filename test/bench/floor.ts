import { mkdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { atMost, type DockerApi, listContainers, listNetworks } from './docker-api.js';
import { type EventWatch, lastOf } from './event-watch.js';
import { AGENT_LABEL } from './target.js';

/** Begins the name of everything that the floor makes. */
const PREFIX = 'supercargo-floor';

/** The bodies that make what the agent made, read from what it made. */
export interface Recipe {
  readonly network: object;
  readonly containers: readonly ContainerRecipe[];
}

export interface ContainerRecipe {
  readonly name: string;
  readonly body: { readonly HostConfig: { readonly Binds?: readonly string[] | null } };
}

interface Inspected {
  readonly Id: string;
  readonly Name: string;
  readonly Config: { readonly Labels: Readonly<Record<string, string>>; readonly Hostname: string };
  readonly HostConfig: { readonly Binds?: readonly string[] | null };
  readonly NetworkSettings: { readonly Networks: Readonly<Record<string, { readonly Aliases?: readonly string[] }>> };
}

interface InspectedNetwork {
  readonly Driver: string;
  readonly EnableIPv6: boolean;
  readonly Internal: boolean;
  readonly Options: object;
  readonly Labels: Readonly<Record<string, string>>;
}

/** Reads the recipe from the agent's containers and network, which must be there. */
export async function recordRecipe(docker: DockerApi): Promise<Recipe> {
  const [network] = await listNetworks(docker, { label: [AGENT_LABEL] });
  if (network === undefined) throw new Error('The agent has made no network');
  const seen = (await docker.call('GET', `/networks/${network.Id}`)) as InspectedNetwork;
  const listed = await listContainers(docker, { label: [AGENT_LABEL] });
  const inspected = await Promise.all(listed.map(async ({ Id }) => docker.call('GET', `/containers/${Id}/json`)));
  const { Driver, EnableIPv6, Internal, Options, Labels } = seen;
  return {
    network: { Name: PREFIX, CheckDuplicate: true, Driver, EnableIPv6, Internal, Options, Labels: foreign(Labels) },
    containers: inspected.map((one, index) => containerRecipe(one as Inspected, index)),
  };
}

function containerRecipe({ Id, Config, HostConfig, NetworkSettings }: Inspected, index: number): ContainerRecipe {
  const [endpoint] = Object.values(NetworkSettings.Networks);
  const { Hostname, ...config } = Config;
  const body = {
    ...config,
    ...(Id.startsWith(Hostname) ? {} : { Hostname }), // Docker's own default
    Labels: foreign(Config.Labels),
    HostConfig: { ...HostConfig, NetworkMode: PREFIX },
    NetworkingConfig: {
      EndpointsConfig: { [PREFIX]: { Aliases: (endpoint?.Aliases ?? []).filter((alias) => !Id.startsWith(alias)) } },
    },
  };
  return { name: `${PREFIX}-${index}`, body };
}

/** As many labels of the same length, but none by which an agent would know its own. Pure. */
const foreign = (labels: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(labels).map(([name, value]) => [name.replace(/^io\./, 'xx.'), value]));

const id = (reply: unknown): string => (reply as { Id: string }).Id;

const create = async (docker: DockerApi, { name, body }: ContainerRecipe): Promise<string> =>
  id(await docker.call('POST', `/containers/create?name=${name}`, body));
const start = (docker: DockerApi, container: string): Promise<unknown> =>
  docker.call('POST', `/containers/${container}/start`);

/** The agent makes these before it creates a container; the floor finds them ready. */
async function prepare({ containers }: Recipe): Promise<void> {
  const folders = containers.flatMap(({ body }) => body.HostConfig.Binds ?? []).map((bind) => bind.split(':')[0] ?? '');
  await Promise.all([...new Set(folders)].map((folder) => mkdir(folder, { recursive: true })));
}

/** Network, then create and start of every container, so many at once. Ms until the engine says the last one started. */
export async function floorStart(
  docker: DockerApi,
  events: EventWatch,
  recipe: Recipe,
  concurrency: number,
): Promise<number> {
  await prepare(recipe);
  events.reset();
  const startedMs = Date.now();
  await docker.call('POST', '/networks/create', recipe.network);
  await atMost(
    concurrency,
    recipe.containers.map((one) => async () => start(docker, await create(docker, one))),
  );
  return lastOf(await events.seen(recipe.containers.length, ofFloor('start'))) - startedMs;
}

/** Stop, remove, create and start of one of the floor's containers. Ms until it runs again. */
export async function floorReplace(docker: DockerApi, events: EventWatch, one: ContainerRecipe): Promise<number> {
  events.reset();
  const startedMs = Date.now();
  await docker.call('POST', `/containers/${one.name}/stop`);
  await docker.call('DELETE', `/containers/${one.name}`);
  await start(docker, await create(docker, one));
  return lastOf(await events.seen(1, ofFloor('start'))) - startedMs;
}

/** Create and start of one of the floor's containers that is gone. Ms from the moment it was gone until it runs again. */
export async function floorRecreate(docker: DockerApi, events: EventWatch, one: ContainerRecipe): Promise<number> {
  events.reset();
  await docker.call('DELETE', `/containers/${one.name}?force=1`);
  const startedMs = Date.now();
  await start(docker, await create(docker, one));
  return lastOf(await events.seen(1, ofFloor('start'))) - startedMs;
}

const ofFloor =
  (action: string) =>
  (event: { readonly action: string; readonly name: string }): boolean =>
    event.action === action && event.name.startsWith(`${PREFIX}-`);

export const removeFloor = (docker: DockerApi): Promise<void> => removeAll(docker, { name: [PREFIX] });

/** Removes the containers and networks that the filters let through, whoever made them. */
export async function removeAll(docker: DockerApi, filters: object): Promise<void> {
  const containers = await listContainers(docker, filters);
  await atMost(
    4,
    containers.map(
      ({ Id }) =>
        () =>
          docker.call('DELETE', `/containers/${Id}?force=1&v=1`, undefined, 404, 409),
    ),
  );
  for (const { Id } of await listNetworks(docker, filters)) await removeNetwork(docker, Id);
}

/** Docker lets go of endpoints a little after their containers are gone, and sometimes forgets to (moby issue 42119). */
async function removeNetwork(docker: DockerApi, network: string): Promise<void> {
  for (let attempt = 0; attempt < 20; attempt += 1) {
    const refused = await docker.call('DELETE', `/networks/${network}`, undefined, 403, 404);
    if (refused === undefined) return;
    await sleep(100);
  }
}
