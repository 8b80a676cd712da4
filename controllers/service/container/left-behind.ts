import type { SeenContainer } from '../../engine/engine.js';

/** What an engine that was killed has kept of an earlier start, so that the container can never be started again. */
export type LeftBehind =
  /** Its containerd, the shim or runc has something under the container's id, or dockerd a record of that: another container has another id. */
  | { readonly is: 'task' }
  /** The network has an endpoint under the container's name: the next container has the same one. */
  | { readonly is: 'endpoint'; readonly network: string };

/** Words of Docker 20.10 and later, with containerd 1.6 and runc: `task <id>: already exists`, `mkdir …/moby/<id>: file exists`. */
const EXISTS = /\b(?:already|file) exists\b/;
const SOME_ID = /\bid already in use\b|\bcontainer with (?:given )?id (?:already )?exists\b/i;
const ENDPOINT = /\bendpoint with name (\S+) already exists in network (\S+)/;

/** What the engine's last error for a container tells of it, if it tells that. Pure. */
export function leftBehind({ id, name, error }: Pick<SeenContainer, 'id' | 'name' | 'error'>): LeftBehind | undefined {
  if (error === '') return undefined;
  if (SOME_ID.test(error) || (error.includes(id) && EXISTS.test(error))) return { is: 'task' };
  const [, endpoint, network] = ENDPOINT.exec(error) ?? [];
  return endpoint === name && network !== undefined ? { is: 'endpoint', network } : undefined;
}
