import type { ServiceStats } from '../../crds/model/stats.js';

/** A line that a service's container printed. */
export interface ServiceLogLine {
  readonly app: string;
  readonly service: string;
  readonly message: string;
  readonly isStdErr: boolean;
  /** RFC 3339, ms. */
  readonly timestamp: string;
}

export interface LogChoice {
  readonly app: string;
  /** Only lines of this service of the app. */
  readonly service?: string;
  /** ms since the epoch. */
  readonly sinceMs?: number;
  /** Only the last lines of each service. */
  readonly tailLines?: number;
  /** Of a service with a schedule: only the lines of the run with that id. */
  readonly run?: string;
  /** Also yields what is printed from now on, also by containers that are created later. */
  readonly follow: boolean;
}

/** Reads what no document contains: output, resource usage and environment of containers. */
export interface ContainerReader {
  /** Yields lines in the order in which they were read. Ends when there are no more, or with the signal. */
  logs(choice: LogChoice, signal: AbortSignal): AsyncIterable<ServiceLogLine>;
  stats(signal: AbortSignal): Promise<readonly ServiceStats[]>;
  /** Returns the variables of the container with that id, without API keys; undefined while it is not known. Sends no request. */
  environment(id: string): Readonly<Record<string, string>> | undefined;
}
