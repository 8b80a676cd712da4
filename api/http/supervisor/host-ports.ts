import type { Readable } from 'node:stream';
import type { JournalQuery } from '../../../crds/model/journal.js';

/**
 * What the API may ask of the host besides its documents: facts that no status holds (the proxy's password), and
 * actions that must not be found again on disk after a boot (reboot). Passed in by whoever starts the server.
 */
export interface HostPorts {
  /** Reads host name and proxy from the host's files, with credentials. */
  network(): Promise<HostNetworkView>;
  /** Runs the action under the update locks of every app, or not at all. */
  underLocks<T>(
    force: boolean,
    action: () => Promise<T>,
  ): Promise<{ readonly is: 'done'; readonly value: T } | { readonly is: 'locked'; readonly message: string }>;
  /** Schedules a reboot or shutdown, so that the answer is still sent. */
  requestPower(
    verb: 'reboot' | 'shutdown',
    force: boolean,
  ): Promise<{ readonly is: 'scheduled' } | { readonly is: 'refused' | 'locked'; readonly message: string }>;
  /** Makes the device blink for a while, so that somebody finds it. */
  blink(): void;
  vpn(): Promise<{ readonly enabled: boolean; readonly connected: boolean }>;
  /** Opens the journal. Rejects when there is none to read. */
  journal(query: JournalQuery): Promise<{ readonly output: Readable; stop(): void }>;
}

type ProxyView = Readonly<Record<string, string | number | readonly string[]>>;

export interface HostNetworkView {
  readonly hostname: string;
  /** Absent without a redsocks.conf; without fields when that is invalid. `noProxy` and `dns` come last. */
  readonly proxy?: ProxyView;
}
