import { conditionOf } from './conditions.js';
import { canonicalHash } from './hash.js';
import type { Request, Service } from './kinds.js';
import type { Schedule, ServiceStatus } from './types.js';

/** Tells whether a service is a job: it runs at times, in a container of its own for each run. Pure. */
export const isJob = ({ schedule }: { readonly schedule?: Schedule | null }): boolean =>
  schedule !== undefined && schedule !== null;

/** A run of a job, as the status of its service has it. */
export type JobRun = NonNullable<ServiceStatus['lastRun']>;

/** What a run belongs to. */
type Owner = Pick<Service['spec'], 'app' | 'serviceName'>;

/**
 * Returns the id of the run that is due at a time, ms since the epoch: the same whoever asks, so that an agent that died
 * finds what the one before began. It names the container, whose name is unique on the engine. Pure.
 */
export const scheduledRunId = ({ app, serviceName }: Owner, atMs: number): string =>
  runId(atMs, [app, serviceName, atMs]);

/** Returns the id of the run that a request asks for. Pure. */
export const requestedRunId = ({ app, serviceName }: Owner, { id, at }: Pick<Request, 'id' | 'at'>): string =>
  runId(Date.parse(at), [app, serviceName, id]);

/** As in `20261130T0300Z-1f3a9c2e`. */
const runId = (atMs: number, of: readonly unknown[]): string =>
  `${new Date(atMs).toISOString().slice(0, 16).replace(/[-:]/g, '')}Z-${canonicalHash(of).slice(0, 8)}`;

/** Returns the name of the container of a run. Pure. */
export const runContainerName = ({ serviceName }: Pick<Owner, 'serviceName'>, id: string): string =>
  `${serviceName}_${id}`;

/** Returns the run of that id; undefined when the status has none. Pure. */
export const runOf = (status: ServiceStatus | undefined, id: string): JobRun | undefined =>
  status?.lastRun?.runId === id ? status.lastRun : status?.runs?.find((one) => one.runId === id);

/** Tells whether the last run of a job that is over failed; for Ready that counts nothing. Pure. */
export const hasFailedRun = (service: Pick<Service, 'metadata' | 'status'>): boolean =>
  conditionOf(service, 'LastRunFailed')?.status === 'True';
