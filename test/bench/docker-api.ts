import { httpClient } from './http-client.js';

export interface DockerApi {
  /** Throws unless 2xx or one of `also`. JSON in, JSON out. */
  call(method: string, path: string, body?: object, ...also: readonly number[]): Promise<unknown>;
  close(): void;
}

/** Docker's API, raw. */
export function dockerApi(socketPath: string): DockerApi {
  const client = httpClient({ socketPath });
  return {
    async call(method, path, body, ...also) {
      const { status, text } = await client.ask(method, path, body);
      if (status >= 300 && !also.includes(status)) throw new Error(`${method} ${path}: ${status} ${text.trim()}`);
      return text === '' ? undefined : JSON.parse(text);
    },
    close: () => client.close(),
  };
}

export interface Listed {
  readonly Id: string;
  readonly Names: readonly string[];
  readonly Labels: Readonly<Record<string, string>>;
}

/** All containers, running or not, that the filters let through. */
export async function listContainers(docker: DockerApi, filters: object): Promise<readonly Listed[]> {
  const query = encodeURIComponent(JSON.stringify(filters));
  return (await docker.call('GET', `/containers/json?all=1&filters=${query}`)) as Listed[];
}

export interface SeenNetwork {
  readonly Id: string;
  readonly Name: string;
}

export async function listNetworks(docker: DockerApi, filters: object): Promise<readonly SeenNetwork[]> {
  return (await docker.call(
    'GET',
    `/networks?filters=${encodeURIComponent(JSON.stringify(filters))}`,
  )) as SeenNetwork[];
}

/** Runs the tasks in order, at most so many at once. */
export async function atMost(limit: number, tasks: readonly (() => Promise<unknown>)[]): Promise<void> {
  const left = [...tasks];
  const worker = async (): Promise<void> => {
    for (let task = left.shift(); task; task = left.shift()) await task();
  };
  await Promise.all(Array.from({ length: limit }, worker));
}
