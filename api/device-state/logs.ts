import { Emitter } from '../platform/emitter.js';
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
 * Who may read a line. `app`: keys of the App with that name or number, which the line is about. `device`: every key,
 * because it is about no app. `nobody`: only the global key, because it is about something of an unknown app.
 */
export type LineOwner = { readonly app: string | number } | 'device' | 'nobody';
type Listener = (line: LogLine, owner: LineOwner) => void;

/** Passes live lines from controllers to listeners; nothing is kept. */
export class LogStream {
  readonly #lines = new Emitter<{ readonly line: LogLine; readonly owner: LineOwner }>();
  readonly #audience = new Emitter<boolean>();

  /** `isOn`: false drops lines, and does not keep them for later (SUPERVISOR_LOG_CONTROL). */
  constructor(private readonly isOn: () => boolean = () => true) {}

  write(line: LogLine, owner: LineOwner): void {
    if (this.isOn()) this.#lines.emit({ line, owner });
  }

  /** Writes a line of the agent itself, in the Supervisor's words: `Installing service 'web sha256:…'`. */
  system(message: string, owner: LineOwner, { isStdErr = false }: { isStdErr?: boolean } = {}): void {
    this.write({ message, isSystem: true, ...(isStdErr ? { isStdErr } : {}), timestamp: Date.now() }, owner);
  }

  /** Calls the listener for every line from now on. Returns how to stop. */
  listen(listener: Listener): () => void {
    const isFirst = !this.#lines.hasListeners;
    const stop = this.#lines.listen(({ line, owner }) => listener(line, owner));
    if (isFirst) this.#audience.emit(true);
    return () => {
      if (stop() && !this.#lines.hasListeners) this.#audience.emit(false);
    };
  }

  /** Calls back when the first listener has come and when the last one has left, so that container logs are followed only meanwhile. */
  onAudience(notice: (listening: boolean) => void): () => void {
    const stop = this.#audience.listen(notice);
    if (this.#lines.hasListeners) notice(true);
    return stop;
  }
}
