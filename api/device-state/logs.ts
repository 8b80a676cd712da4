/** One line for `/v2/local/logs`. Container lines carry a service, system lines `isSystem`. */
export type LogLine =
  | { readonly message: string; readonly isSystem: true; readonly isStdErr?: true; readonly timestamp?: number }
  | {
      readonly serviceName: string;
      readonly message: string;
      readonly isStdErr: boolean;
      /** ms since the epoch */
      readonly timestamp: number;
      readonly serviceId: number;
    };

/** Name or number of the App that a line is about; undefined for what concerns the whole device. */
export type LineOwner = string | number | undefined;
type Listener = (line: LogLine, app: LineOwner) => void;

/** Live lines from controllers to whoever listens; nothing is kept. */
export class LogStream {
  readonly #listeners = new Set<Listener>();
  readonly #audience = new Set<(listening: boolean) => void>();

  /** `isOn`: false drops lines, and does not keep them for later (SUPERVISOR_LOG_CONTROL). */
  constructor(private readonly isOn: () => boolean = () => true) {}

  write(line: LogLine, app?: LineOwner): void {
    if (!this.isOn()) return;
    for (const listener of this.#listeners) listener(line, app);
  }

  /** A line of the agent itself, in the Supervisor's words: `Installing service 'web sha256:…'`. */
  system(message: string, options: { isStdErr?: boolean; now?: number; app?: LineOwner } = {}): void {
    const { isStdErr, now = Date.now(), app } = options;
    this.write({ message, isSystem: true, ...(isStdErr ? { isStdErr } : {}), timestamp: now }, app);
  }

  /** Calls the listener for every line from now on. Returns how to stop. */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    if (this.#listeners.size === 1) for (const notice of this.#audience) notice(true);
    return () => {
      if (!this.#listeners.delete(listener) || this.#listeners.size > 0) return;
      for (const notice of this.#audience) notice(false);
    };
  }

  /** Says when the first listener came and when the last one left, so that container logs are followed only then. */
  onAudience(notice: (listening: boolean) => void): () => void {
    this.#audience.add(notice);
    if (this.#listeners.size > 0) notice(true);
    return () => this.#audience.delete(notice);
  }
}
