import { isReady, isSettled } from '../../crds/model/conditions.js';
import type { AnyResource, App, Service } from '../../crds/model/kinds.js';
import { isCrashLooping } from '../../crds/model/readiness.js';
import { timeoutSignal } from '../platform/time-limit.js';
import type { Client } from './client/client.js';
import { objectPath, type Subject } from './kind-words.js';

/** Number of restarts after which a crash no longer counts as a matter of the start, such as a database that is not there yet. */
const HOPELESS_RESTARTS = 3;
/** How long a container that was started meanwhile has to run, unless it is healthy, ms. */
const MIN_READY_MS = 3_000;
/** Number of lines of output that are shown of a container that does not work. */
const LAST_LINES = 10;

/** Returns the services of a document: those of an App, or the Service itself. Pure. */
export const servicesOf = (services: readonly AnyResource[], { kind, name }: Subject): readonly Service[] =>
  services.flatMap((one) =>
    one.kind === 'Service' &&
    (kind === 'Service' ? one.metadata.name === name : kind === 'App' && one.spec.app === name)
      ? [one]
      : [],
  );

/** Tells whether everything that the App declares was promoted to its services. Pure. */
export const isRolledOut = ({ metadata, status }: App): boolean =>
  status?.observedGeneration === metadata.generation && (status.phase === 'Verifying' || status.phase === 'Settled');

/** Tells whether waiting for a service is of no use: it crashes again and again, is unhealthy, or has failed for good. Pure. */
export function isIll(service: Service): boolean {
  if (isReady(service) || !isSettled(service)) return false;
  return !isCrashLooping(service) || (service.status?.restarts ?? 0) >= HOPELESS_RESTARTS;
}

/** Watches whether containers that were just started keep running. By this process's own clock: that of the device may differ. */
export class Steadiness {
  readonly #runs = new Map<string, number>();

  /** `before`: the services as they were; what ran then needs no more time. */
  constructor(
    before: readonly Service[],
    private readonly monotonic: () => number,
  ) {
    for (const service of before) this.#runs.set(runOf(service), Number.NEGATIVE_INFINITY);
  }

  /** Returns how long they have to be watched on, ms; undefined: until their healthchecks have decided; 0: not at all. */
  leftMs(services: readonly Service[]): number | undefined {
    const now = this.monotonic();
    let leftMs = 0;
    for (const service of services) {
      if (service.status?.runningSince === undefined || service.status.health === 'healthy') continue;
      const sinceMs = this.#runs.get(runOf(service)) ?? now;
      this.#runs.set(runOf(service), sinceMs);
      if (sinceMs === Number.NEGATIVE_INFINITY) continue;
      if (service.status.health === 'starting') return undefined;
      leftMs = Math.max(leftMs, sinceMs + MIN_READY_MS - now);
    }
    return leftMs;
  }
}

/** Identifies the present run of a service's container. */
const runOf = ({ status }: Service): string => `${status?.container?.id} ${status?.runningSince}`;

/** Returns the last lines that a container printed, as the end of a message; '' when they cannot be read. */
export async function lastWords(client: Client, { metadata, spec }: Service): Promise<string> {
  const path = `${objectPath({ kind: 'Service', name: metadata.name })}/log?tailLines=${LAST_LINES}`;
  const lines: string[] = [];
  try {
    for await (const line of client.lines<{ readonly message?: string }>(path, timeoutSignal(5_000)))
      if (line.message !== undefined) lines.push(`  ${line.message}`);
  } catch {
    return ''; // the failure that is shown is the container's, not that of its log
  }
  return lines.length === 0
    ? `\n${spec.serviceName} has printed nothing`
    : `\nThe last lines of ${spec.serviceName}:\n${lines.join('\n')}`;
}
