import type { ContainerStats } from '../../../crds/model/stats.js';

/** The fields of `GET /containers/<id>/stats` that we read. A container that does not run has zeros, or nothing. */
export interface DockerStats {
  readonly read: string;
  readonly cpu_stats?: { readonly cpu_usage?: { readonly total_usage?: number } };
  readonly memory_stats?: {
    readonly usage?: number;
    readonly limit?: number;
    readonly stats?: Readonly<Record<string, number>>;
  };
  readonly networks?: Readonly<Record<string, { readonly rx_bytes?: number; readonly tx_bytes?: number }>>;
  readonly blkio_stats?: {
    readonly io_service_bytes_recursive?: readonly { readonly op: string; readonly value: number }[] | null;
  };
  readonly pids_stats?: { readonly current?: number };
}

/** Converts Docker's statistics; undefined for a container that does not run. Pure. */
export function containerStats(stats: DockerStats): ContainerStats | undefined {
  const cpuNs = stats.cpu_stats?.cpu_usage?.total_usage ?? 0;
  const memory = stats.memory_stats ?? {};
  if (cpuNs === 0 && memory.usage === undefined) return undefined;
  const networks = Object.values(stats.networks ?? {});
  const moved = (op: string): number =>
    sum(
      (stats.blkio_stats?.io_service_bytes_recursive ?? []).map((one) => (one.op.toLowerCase() === op ? one.value : 0)),
    );
  return {
    at: stats.read,
    cpuNs,
    memoryBytes: usedMemory(memory),
    memoryLimitBytes: memory.limit ?? 0,
    receivedBytes: sum(networks.map(({ rx_bytes = 0 }) => rx_bytes)),
    sentBytes: sum(networks.map(({ tx_bytes = 0 }) => tx_bytes)),
    readBytes: moved('read'),
    writtenBytes: moved('write'),
    processes: stats.pids_stats?.current ?? 0,
  };
}

/** Returns the used memory without page cache that was not touched lately: `total_inactive_file` in cgroups v1, `inactive_file` in v2. */
function usedMemory({ usage = 0, stats = {} }: NonNullable<DockerStats['memory_stats']>): number {
  const cache = stats.total_inactive_file ?? stats.inactive_file ?? 0;
  return cache < usage ? usage - cache : usage;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);
