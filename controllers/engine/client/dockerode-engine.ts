import type {
  ContainerInfo,
  ContainerInspectInfo,
  ImageInfo,
  ImageInspectInfo,
  NetworkInspectInfo,
  VolumeInspectInfo,
} from 'dockerode';
import { systemClock } from '../../../api/platform/clock.js';
import { isMap } from '../../../crds/model/maps.js';
import { type Engine, EngineError, type ListedContainer } from '../engine.js';
import { SUPERVISED } from '../labels.js';
import { seenContainer, seenImage, seenNetwork, seenReferences, seenVolume } from '../seen.js';
import { createContainer } from './container-creation.js';
import { containerStats, type DockerStats } from './container-stats.js';
import { parseDockerHost } from './docker-address.js';
import { type DockerHttp, dockerHttp, refusal } from './docker-http.js';
import { followEvents, followLogs, loadImages, pastLogs, pullImage, splitReference } from './engine-streams.js';
import { isUnchanged } from './list-diff.js';

/** Number of inspections of one list at a time. */
const PARALLEL_INSPECTIONS = 16;

export interface EngineSettings {
  /** As the `DOCKER_HOST` variable; nothing means Docker's usual socket. A function is called at the first verb. */
  readonly dockerHost?: string | undefined | (() => string);
  /** ms since the epoch */
  readonly now?: () => number;
  /** How long a pull may be silent, ms. */
  readonly pullSilenceMs?: number;
}

/** Creates the engine at an address. Connects when the first verb is called. Throws only for an invalid address. */
export function connectEngine({ dockerHost, now = systemClock.now, pullSilenceMs }: EngineSettings = {}): Engine {
  const http = dockerHttp(
    typeof dockerHost === 'function' ? () => parseDockerHost(dockerHost()) : parseDockerHost(dockerHost),
  );

  return {
    ...daemonVerbs(http),
    ...containerVerbs(http, now),
    ...networkVerbs(http),
    ...volumeVerbs(http),
    ...imageVerbs(http, pullSilenceMs),
    events: (since, onOpen, signal) => followEvents(http, since, onOpen, signal),
  };
}

const daemonVerbs = ({ ask }: DockerHttp): Pick<Engine, 'info'> => ({
  async info(signal) {
    const answer = await ask({ path: '/info', signal });
    const { ServerVersion, DockerRootDir, LoggingDriver, Architecture } = expect<Readonly<Record<string, string>>>(
      answer,
      200,
    );
    return {
      version: ServerVersion ?? '',
      apiVersion: answer.apiVersion,
      rootDir: DockerRootDir ?? '',
      logDriver: LoggingDriver ?? '',
      machine: Architecture ?? '',
    };
  },
});

function containerVerbs(
  http: DockerHttp,
  now: () => number,
): Pick<
  Engine,
  | 'listContainers'
  | 'inspectContainer'
  | 'createContainer'
  | 'startContainer'
  | 'stopContainer'
  | 'restartContainer'
  | 'publishedPorts'
  | 'listLabelled'
  | 'listNamed'
  | 'removeContainer'
  | 'renameContainer'
  | 'updateContainer'
  | 'unpauseContainer'
  | 'followLogs'
  | 'pastLogs'
  | 'containerStats'
> {
  const { ask } = http;
  const at = (id: string, verb = '') => `/containers/${encodeURIComponent(id)}${verb}`;

  const listed = async (filters: object, signal: AbortSignal): Promise<readonly ListedContainer[]> => {
    const query = { all: '1', filters: JSON.stringify(filters) };
    const answer = await ask({ path: '/containers/json', query, isList: true, signal });
    return objectsOf(expect<ContainerInfo[]>(answer, 200)).map(listedContainer);
  };

  const inspectContainer: Engine['inspectContainer'] = async (id, signal) => {
    const answer = await ask({ path: at(id, '/json'), signal });
    return answer.status === 404 ? undefined : seenContainer(expect<ContainerInspectInfo>(answer, 200));
  };

  return {
    inspectContainer,
    async listContainers(signal, known) {
      const filters = JSON.stringify({ label: [SUPERVISED] });
      const answer = await ask({ path: '/containers/json', query: { all: '1', filters }, isList: true, signal });
      const rows = objectsOf(expect<ContainerInfo[]>(answer, 200));
      const seen = await inParallel(rows, PARALLEL_INSPECTIONS, (row) => {
        const before = known?.(row.Id);
        return before !== undefined && isUnchanged(row, before, now()) ? before : inspectContainer(row.Id, signal);
      });
      return seen.filter((container) => container !== undefined); // the others went between list and inspection
    },
    createContainer: (name, options, signal) => createContainer(http, name, options, signal),
    async startContainer(id, signal) {
      const answer = await ask({ method: 'POST', path: at(id, '/start'), signal });
      if (answer.status === 304) return 'already';
      // A network or a `container:` parent that is gone is 404 too: only the message tells which.
      if (answer.status === 404 && refusal(404, answer.body).message === `No such container: ${id}`) return 'absent';
      expect(answer, 204);
      return 'started';
    },
    async stopContainer(id, signal) {
      const answer = await ask({ method: 'POST', path: at(id, '/stop'), signal });
      if (answer.status === 304) return 'already';
      if (answer.status === 404) return 'absent';
      expect(answer, 204);
      return 'stopped';
    },
    async restartContainer(id, signal) {
      const answer = await ask({ method: 'POST', path: at(id, '/restart'), signal });
      if (answer.status === 404 && refusal(404, answer.body).message === `No such container: ${id}`) return 'absent';
      expect(answer, 204);
      return 'restarted';
    },
    async publishedPorts(signal) {
      const listed = expect<readonly ContainerInfo[]>(
        await ask({ path: '/containers/json', isList: true, signal }),
        200,
      );
      return listed.flatMap(({ Id, Names: [first], Ports }) =>
        // A port that is only exposed has none of the host.
        (Ports ?? []).flatMap(({ IP = '', PublicPort, Type }) =>
          PublicPort
            ? { container: first?.slice(1) ?? Id.slice(0, 12), address: IP, port: PublicPort, protocol: Type }
            : [],
        ),
      );
    },
    listLabelled: (label, signal) => listed({ label: [label] }, signal),
    async listNamed(names, signal) {
      if (names.length === 0) return [];
      // Docker takes each for a regular expression, and also lists links, which have several names.
      const name = names.map((one) => `^/${one.replaceAll('.', '\\.')}$`);
      return (await listed({ name }, signal)).filter((one) => names.includes(one.name));
    },
    async removeContainer(id, signal, { keepVolumes = false } = {}) {
      const query = { force: '1', ...(keepVolumes ? {} : { v: '1' }) };
      const answer = await ask({ method: 'DELETE', path: at(id), query, signal });
      if (answer.status === 404) return 'absent';
      if (answer.status === 409) {
        // Another removal is under way: it is gone when that one has ended.
        const query = { condition: 'removed' };
        const ended = await ask({ method: 'POST', path: at(id, '/wait'), query, signal });
        if (ended.status !== 404) expect(ended, 200);
        return 'removed';
      }
      expect(answer, 204);
      return 'removed';
    },
    async renameContainer(id, name, signal) {
      const answer = await ask({ method: 'POST', path: at(id, '/rename'), query: { name }, signal });
      if (answer.status === 404) return 'absent';
      if (answer.status === 409) return 'name-taken';
      // The same refusal as for an invalid name: 400. A repeated rename is no failure.
      if (answer.status === 400 && (await inspectContainer(id, signal))?.name === name) return 'renamed';
      expect(answer, 204);
      return 'renamed';
    },
    async updateContainer(id, change, signal) {
      const answer = await ask({ method: 'POST', path: at(id, '/update'), body: change, signal });
      if (answer.status === 404) return 'absent';
      expect(answer, 200);
      return 'updated';
    },
    async unpauseContainer(id, signal) {
      const answer = await ask({ method: 'POST', path: at(id, '/unpause'), signal });
      if (answer.status === 404) return 'absent';
      // A 500 in 20.10, a 409 in later engines.
      if (/is not paused/.test(refusal(answer.status, answer.body).message)) return 'already';
      expect(answer, 204);
      return 'unpaused';
    },
    followLogs: (id, since, signal) => followLogs(http, id, since, signal),
    pastLogs: (id, range, signal) => pastLogs(http, id, range, signal),
    async containerStats(id, signal) {
      const query = { stream: '0', 'one-shot': '1' }; // without one-shot Docker waits a second for its own second sample
      const answer = await ask({ path: at(id, '/stats'), query, signal });
      return answer.status === 404 ? undefined : containerStats(expect<DockerStats>(answer, 200));
    },
  };
}

/** Converts an entry of Docker's list. Pure. */
const listedContainer = ({ Id, Names, State, Labels, Mounts }: ContainerInfo): ListedContainer => ({
  id: Id,
  name: Names[0]?.slice(1) ?? Id.slice(0, 12),
  state: State,
  labels: Labels,
  volumes: (Mounts ?? []).flatMap(({ Type, Name }) => (Type === 'volume' && Name ? [Name] : [])),
  mounts: (Mounts ?? []).map(({ Type, Name, Source, Destination, RW }) => ({
    type: Type,
    source: (Type === 'volume' ? Name : Source) ?? '',
    target: Destination,
    isReadOnly: !RW,
  })),
});

function networkVerbs({
  ask,
}: DockerHttp): Pick<
  Engine,
  | 'listNetworks'
  | 'inspectNetwork'
  | 'createNetwork'
  | 'removeNetwork'
  | 'connectNetwork'
  | 'disconnectNetwork'
  | 'networkUsers'
  | 'releaseEndpoint'
> {
  const at = (id: string, verb = '') => `/networks/${encodeURIComponent(id)}${verb}`;

  return {
    async listNetworks(signal) {
      const answer = await ask({ path: '/networks', isList: true, signal });
      return objectsOf(expect<NetworkInspectInfo[]>(answer, 200)).map(seenNetwork);
    },
    async inspectNetwork(id, signal) {
      const answer = await ask({ path: at(id), signal });
      return answer.status === 404 ? undefined : seenNetwork(expect<NetworkInspectInfo>(answer, 200));
    },
    async createNetwork(name, options, signal) {
      // Engines before API 1.44 refuse a second network of the same name only when asked to.
      const body = { ...options, Name: name, CheckDuplicate: true };
      const answer = await ask({ method: 'POST', path: '/networks/create', body, signal });
      if (answer.status === 409) return { is: 'exists' };
      return { is: 'created', id: expect<{ Id: string }>(answer, 201).Id };
    },
    async removeNetwork(id, signal) {
      const answer = await ask({ method: 'DELETE', path: at(id), signal });
      if (answer.status === 404) return 'absent';
      if (answer.status === 403) return 'in-use';
      expect(answer, 204);
      return 'removed';
    },
    async connectNetwork(network, container, endpoint, signal) {
      const body = { Container: container, EndpointConfig: endpoint };
      const answer = await ask({ method: 'POST', path: at(network, '/connect'), body, signal });
      if (answer.status === 404) return 'absent';
      // 403 also means that a fixed address is taken.
      if (answer.status === 403 && /already exists in network/.test(refusal(403, answer.body).message))
        return 'already';
      expect(answer, 200);
      return 'connected';
    },
    async disconnectNetwork(network, container, signal) {
      const body = { Container: container };
      const answer = await ask({ method: 'POST', path: at(network, '/disconnect'), body, signal });
      if (answer.status === 404) return 'absent';
      // "container … is not connected to network …" is a 500 in 20.10 and a 403 in later engines.
      if (/is not connected to (the )?network/.test(refusal(answer.status, answer.body).message)) return 'absent';
      expect(answer, 200);
      return 'disconnected';
    },
    async networkUsers(network, signal) {
      const answer = await ask({ path: at(network), signal });
      if (answer.status === 404) return undefined;
      return Object.values(expect<NetworkInspectInfo>(answer, 200).Containers ?? {}).map(({ Name }) => Name);
    },
    async releaseEndpoint(network, name, signal) {
      const body = { Container: name, Force: true };
      const answer = await ask({ method: 'POST', path: at(network, '/disconnect'), body, signal });
      // "endpoint … not found" is a 404 or, wrapped, a 500.
      if (answer.status === 404 || /not found|is not connected/.test(refusal(answer.status, answer.body).message)) {
        return 'absent';
      }
      expect(answer, 200);
      return 'released';
    },
  };
}

function volumeVerbs({
  ask,
}: DockerHttp): Pick<Engine, 'listVolumes' | 'inspectVolume' | 'createVolume' | 'removeVolume' | 'volumeUsers'> {
  const at = (name: string) => `/volumes/${encodeURIComponent(name)}`;

  return {
    async listVolumes(signal) {
      const { Volumes } = expect<{ Volumes: VolumeInspectInfo[] | null }>(
        await ask({ path: '/volumes', isList: true, signal }),
        200,
      );
      return objectsOf(Volumes ?? []).map(seenVolume);
    },
    async inspectVolume(name, signal) {
      const answer = await ask({ path: at(name), signal });
      return answer.status === 404 ? undefined : seenVolume(expect<VolumeInspectInfo>(answer, 200));
    },
    async createVolume(name, options, signal) {
      const body = { ...options, Name: name };
      const answer = await ask({ method: 'POST', path: '/volumes/create', body, signal });
      return seenVolume(expect<VolumeInspectInfo>(answer, 201));
    },
    async removeVolume(name, signal) {
      const answer = await ask({ method: 'DELETE', path: at(name), signal });
      if (answer.status === 404) return 'absent';
      if (answer.status === 409) return 'in-use';
      expect(answer, 204);
      return 'removed';
    },
    async volumeUsers(name, signal) {
      const query = { all: 'true', filters: JSON.stringify({ volume: [name] }) };
      const listed = expect<readonly ContainerInfo[]>(
        await ask({ path: '/containers/json', query, isList: true, signal }),
        200,
      );
      return listed.map(({ Id, Names: [first], Labels }) => ({
        name: first?.slice(1) ?? Id.slice(0, 12),
        isOurs: Labels[SUPERVISED] !== undefined,
      }));
    },
  };
}

function imageVerbs(
  http: DockerHttp,
  silenceMs: number | undefined,
): Pick<Engine, 'inspectImage' | 'listImages' | 'pullImage' | 'loadImages' | 'tagImage' | 'removeImage'> {
  const { ask } = http;
  /** Returns the path of an image. Slashes, colons and `@` of a reference stay: Docker takes the rest of the path as it is. */
  const at = (reference: string, verb = '') => `/images/${encodeURI(reference)}${verb}`;

  return {
    async inspectImage(reference, signal) {
      const answer = await ask({ path: at(reference, '/json'), signal });
      return answer.status === 404 ? undefined : seenImage(expect<ImageInspectInfo>(answer, 200));
    },
    async listImages(signal) {
      const answer = await ask({ path: '/images/json', isList: true, signal });
      return objectsOf(expect<ImageInfo[]>(answer, 200)).map(seenReferences);
    },
    pullImage: (reference, options, onProgress, signal) =>
      pullImage(http, reference, options, onProgress, signal, silenceMs),
    loadImages: (archive, signal) => loadImages(http, archive, signal),
    async tagImage(image, reference, signal) {
      const { fromImage: repo, tag } = splitReference(reference);
      const answer = await ask({ method: 'POST', path: at(image, '/tag'), query: { repo, tag }, signal });
      if (answer.status === 404) return 'absent';
      expect(answer, 201);
      return 'tagged';
    },
    async removeImage(reference, signal) {
      const answer = await ask({ method: 'DELETE', path: at(reference), signal });
      if (answer.status === 404) return 'absent';
      if (answer.status === 409) return 'in-use';
      expect(answer, 200);
      return 'removed';
    },
  };
}

/** Returns the body of an answer with an expected status; throws `EngineError` with Docker's message for any other. */
function expect<T>({ status, body }: { readonly status: number; readonly body: unknown }, wanted: number): T {
  if (status !== wanted) throw refusal(status, body);
  return body as T;
}

/** Returns a list of objects. Throws `EngineError` for anything else. */
function objectsOf<T>(list: readonly T[]): readonly T[] {
  if (list.some((one) => !isMap(one))) throw new EngineError('The engine lists what are no objects', 200);
  return list;
}

/** Runs `work` over all items, at most `limit` at a time; results are in order. */
async function inParallel<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T) => R | Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = [];
  const queue = items.entries();
  const lane = async (): Promise<void> => {
    for (const [index, item] of queue) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, lane));
  return results;
}
