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
  /** Only this service of the app. */
  readonly service?: string;
  /** ms since the epoch. */
  readonly sinceMs?: number;
  /** Of each service, the last so many lines. */
  readonly tailLines?: number;
  /** Goes on with what is printed from now on, also by containers that come later. */
  readonly follow: boolean;
}

/** What no document tells: output, use and environment of containers. Given by whoever speaks to the engine. */
export interface ContainerReader {
  /** Lines in the order in which they were read. Ends when there is no more, or with the signal. */
  logs(choice: LogChoice, signal: AbortSignal): AsyncIterable<ServiceLogLine>;
  stats(signal: AbortSignal): Promise<readonly ServiceStats[]>;
  /** Variables of the container with that id, without API keys; undefined while it is not known. Asks nobody. */
  environment(id: string): Readonly<Record<string, string>> | undefined;
}
