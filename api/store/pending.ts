import { type AnyResource, requestsOf } from '../../crds/model/kinds.js';
import { pendingRequest } from '../../crds/model/requests.js';

/**
 * Tells whether a document needs a pass: its controller has concluded nothing about this generation, or has not carried
 * out a request. Pure.
 */
export function isDue({ kind, metadata, requests, status }: AnyResource): boolean {
  if (status?.observedGeneration !== metadata.generation) return true;
  return requestsOf(kind).some((name) => pendingRequest({ requests, status }, name) !== undefined);
}
