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

/**
 * Who may read a line: keys of the App, by its name or number, that it names something of. `device`: every key, for it names
 * nothing of an app. `nobody`: none but the global key, for it names something of which no app is known.
 */
export type LineOwner = { readonly app: string | number } | 'device' | 'nobody';
type Listener = (line: LogLine, owner: LineOwner) => void;

/** Live lines from controllers to whoever listens; nothing is kept. */
export class LogStream {
  readonly #listeners = new Set<Listener>();
  readonly #audience = new Set<(listening: boolean) => void>();

  /** `isOn`: false drops lines, and does not keep them for later (SUPERVISOR_LOG_CONTROL). */
  constructor(private readonly isOn: () => boolean = () => true) {}

  write(line: LogLine, owner: LineOwner): void {
    if (!this.isOn()) return;
    for (const listener of this.#listeners) listener(line, owner);
  }

  /** A line of the agent itself, in the Supervisor's words: `Installing service 'web sha256:…'`. */
  system(message: string, owner: LineOwner, { isStdErr = false }: { isStdErr?: boolean } = {}): void {
    this.write({ message, isSystem: true, ...(isStdErr ? { isStdErr } : {}), timestamp: Date.now() }, owner);
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
