import { type AllLocks, allLocks } from './all-locks.js';
import { BootFiles } from './boot-files.js';
import { type Departure, type DepartureDeps, departures } from './departure.js';
import { HostNetwork, type ShownNetwork } from './host-network.js';
import { type JournalQuery, type JournalReading, openJournal } from './journal.js';
import { ledBlinker } from './led.js';
import { commandWords, hostPower, type PowerVerb } from './power.js';
import { type Run, systemdUnits, type Units } from './units.js';
import type { UpdateLocks } from './update-locks.js';
import { seeVpn } from './vpn.js';

export interface HostOptions {
  readonly settings: {
    readonly hostRoot: string;
    readonly power: boolean;
    readonly powerCommands: Readonly<Record<PowerVerb, string | undefined>>;
    readonly ledFile: string;
  };
  readonly locks: UpdateLocks;
  appIds(): readonly number[];
  /** The device is configured to override locks. */
  overrides(): boolean;
  readonly run: Run;
  readonly say: DepartureDeps['say'];
  readonly log: DepartureDeps['log'] & { readonly warn: (details: object, message: string) => void };
  readonly after: (ms: number, call: () => void) => unknown;
}

/** The host in our words. */
export interface Host {
  readonly files: HostNetwork;
  readonly units: Units;
  network(): Promise<ShownNetwork>;
  readonly underLocks: AllLocks['during'];
  leave(verb: PowerVerb, force: boolean): Promise<Departure>;
  blink(): void;
  vpn(): Promise<{ readonly enabled: boolean; readonly connected: boolean }>;
  journal(query: JournalQuery): Promise<JournalReading>;
}

/** Puts the parts of the host together. Nothing is read or run before somebody asks. Throws for a command with an open quote. */
export function openHost({ settings, locks, appIds, overrides, run, say, log, after }: HostOptions): Host {
  const { hostRoot, powerCommands } = settings;
  const units = systemdUnits({ hostRoot, run });
  const files = new HostNetwork({ hostRoot, files: new BootFiles() });
  const everyLock = allLocks({ locks, appIds, overrides });
  const power = hostPower({
    commands: { reboot: commandWords(powerCommands.reboot), shutdown: commandWords(powerCommands.shutdown) },
    allowed: settings.power,
    hasSystemd: () => units.present,
    run,
  });
  return {
    files,
    units,
    network: () => files.show(),
    underLocks: (force, action) => everyLock.during(force, action),
    leave: departures({ hostRoot, power, locks: everyLock, say, log, after }),
    blink: ledBlinker({ path: settings.ledFile, log, after }),
    vpn: () => seeVpn(hostRoot, units),
    journal: (query) => openJournal(query, { hostRoot, log }),
  };
}
