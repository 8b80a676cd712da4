/** What a container uses at one moment. Rates need two of them. */
export interface ContainerStats {
  /** RFC 3339. */
  readonly at: string;
  /** Processor time since it started, ns, over all processors. */
  readonly cpuNs: number;
  /** Without the page cache that can be freed, as `docker stats` counts. */
  readonly memoryBytes: number;
  /** Its limit; the device's memory without one. */
  readonly memoryLimitBytes: number;
  /** Over all its networks. */
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly readBytes: number;
  readonly writtenBytes: number;
  readonly processes: number;
}

/** The resource usage of a service's container, as the resource API shows it. */
export interface ServiceStats extends ContainerStats {
  readonly app: string;
  readonly service: string;
  /** Its name. */
  readonly container: string;
}

/** How much of the device is in use now. */
export interface DeviceUsage {
  /** Uptime of the operating system and of the agent, s. */
  readonly uptimeSeconds: number;
  readonly agentUptimeSeconds: number;
  readonly processors: number;
  /** Over 1, 5 and 15 minutes. */
  readonly loadAverage: readonly number[];
  /** `available` is what programs can still get, including caches. */
  readonly memory: { readonly totalBytes: number; readonly availableBytes: number };
  /** The file systems of the agent's data and of the engine's, each once. */
  readonly disks: readonly { readonly path: string; readonly totalBytes: number; readonly availableBytes: number }[];
}
