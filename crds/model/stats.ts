/** What a container uses at one moment. Rates come from two of them. */
export interface ContainerStats {
  /** RFC 3339. */
  readonly at: string;
  /** Processor time since it started, ns, over all processors. */
  readonly cpuNs: number;
  /** Without the page cache that can be given back, as `docker stats` counts. */
  readonly memoryBytes: number;
  /** What it may use; the device's memory without a limit. */
  readonly memoryLimitBytes: number;
  /** Over all its networks. */
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly readBytes: number;
  readonly writtenBytes: number;
  readonly processes: number;
}

/** The same of a service's container, as the resource API tells it. */
export interface ServiceStats extends ContainerStats {
  readonly app: string;
  readonly service: string;
  /** Its name. */
  readonly container: string;
}

/** How much of the device is in use now. */
export interface DeviceUsage {
  /** Of the operating system and of the agent, s. */
  readonly uptimeSeconds: number;
  readonly agentUptimeSeconds: number;
  readonly processors: number;
  /** Over 1, 5 and 15 minutes. */
  readonly loadAverage: readonly number[];
  /** `available` is what programs can still have, caches included. */
  readonly memory: { readonly totalBytes: number; readonly availableBytes: number };
  /** File systems that matter: where the agent keeps its data, where the engine does. Each once. */
  readonly disks: readonly { readonly path: string; readonly totalBytes: number; readonly availableBytes: number }[];
}
