import type { SeenContainer } from '../../engine/engine.js';

/** What a killed engine has kept of an earlier start and what keeps the container from ever starting again. */
export type LeftBehind =
  /** containerd, the shim, runc or dockerd still has an entry under the container's id. A new container has another id. */
  | { readonly is: 'task' }
  /** The network still has an endpoint under the container's name, which a new container would have as well. */
  | { readonly is: 'endpoint'; readonly network: string };

/** Words of Docker 20.10 and later, with containerd 1.6 and runc: `task <id>: already exists`, `mkdir …/moby/<id>: file exists`. */
const EXISTS = /\b(?:already|file) exists\b/;
const SOME_ID = /\bid already in use\b|\bcontainer with (?:given )?id (?:already )?exists\b/i;
const ENDPOINT = /\bendpoint with name (\S+) already exists in network (\S+)/;

/** Reads from the engine's last error for a container what a killed engine has left behind; undefined for every other error. Pure. */
export function leftBehind({ id, name, error }: Pick<SeenContainer, 'id' | 'name' | 'error'>): LeftBehind | undefined {
  if (error === '') return undefined;
  if (SOME_ID.test(error) || (error.includes(id) && EXISTS.test(error))) return { is: 'task' };
  const [, endpoint, network] = ENDPOINT.exec(error) ?? [];
  return endpoint === name && network !== undefined ? { is: 'endpoint', network } : undefined;
}
