import type { Readable } from 'node:stream';

/**
 * What the API may ask of the host besides its documents: facts that no status holds (the proxy's password), and acts
 * that must not be found again on disk after a boot (reboot). Whoever starts the server hands them in.
 */
export interface HostPorts {
  /** Host name and proxy as the host's files have them now, credentials included. */
  network(): Promise<HostNetworkView>;
  /** Runs the action under the update locks of every app, or not at all. */
  underLocks<T>(
    force: boolean,
    action: () => Promise<T>,
  ): Promise<{ readonly is: 'done'; readonly value: T } | { readonly is: 'locked'; readonly message: string }>;
  /** Schedules the end of the operating system, so that the answer still leaves. */
  requestPower(
    verb: 'reboot' | 'shutdown',
    force: boolean,
  ): Promise<{ readonly is: 'scheduled' } | { readonly is: 'refused' | 'locked'; readonly message: string }>;
  /** Makes the device show itself for a while. */
  blink(): void;
  vpn(): Promise<{ readonly enabled: boolean; readonly connected: boolean }>;
  /** Rejects when there is no journal to read. */
  journal(query: JournalQuery): Promise<{ readonly output: Readable; stop(): void }>;
}

type ProxyView = Readonly<Record<string, string | number | readonly string[]>>;

export interface HostNetworkView {
  readonly hostname: string;
  /** Absent without a redsocks.conf; without fields when that is not valid. `noProxy` and `dns` come last. */
  readonly proxy?: ProxyView;
}

/** What of the journal is wanted, in journalctl's terms. */
export interface JournalQuery {
  readonly all: boolean;
  readonly follow: boolean;
  readonly unit?: string | undefined;
  readonly containerId?: string | undefined;
  readonly count?: number | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly format?: string | undefined;
}
