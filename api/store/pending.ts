import type { AnyResource, Kind, Kinds } from '../../crds/model/kinds.js';

/** Kinds whose status names the requests that were carried out. The type keeps the table in step with the schemas. */
type Handling = { readonly [K in Kind]: 'handled' extends keyof Kinds[K]['status'] ? true : false };
const HANDLES: Handling = {
  App: true,
  Image: false,
  Network: false,
  Volume: true,
  Service: true,
  HostConfig: true,
  GitSource: true,
};

/** Its controller has not concluded anything about this generation, or has not carried out a request. Pure. */
export function isDue({ kind, metadata, requests, status }: AnyResource): boolean {
  if (status?.observedGeneration !== metadata.generation) return true;
  if (!HANDLES[kind]) return false;
  const handled: Readonly<Record<string, unknown>> = 'handled' in status && status.handled ? status.handled : {};
  return Object.entries(requests).some(([name, request]) => handled[name] !== request.id);
}
