import { systemClock } from '../../api/platform/clock.js';
import type { JournalQuery } from '../../crds/model/journal.js';
import { loadAcpiTables } from './boot/acpi-tables.js';
import type { BootDevice } from './boot/backend.js';
import { BootFiles } from './boot/boot-files.js';
import { BootPartition, type SeenBoot } from './boot/boot-partition.js';
import { HostStateFile } from './host-state.js';
import { type JournalReading, openJournal } from './journal.js';
import { ledBlinker } from './led.js';
import { type AllLocks, allLocks } from './locks/all-locks.js';
import type { UpdateLocks } from './locks/update-locks.js';
import { type Firewall, iptablesFirewall } from './network/firewall.js';
import { HostNetwork, type ShownNetwork } from './network/host-network.js';
import { seeVpn } from './network/vpn.js';
import { type BootClock, kernelBootClock } from './power/boot-clock.js';
import { commandWords, hostPower, type PowerVerb } from './power/power.js';
import {
  type PowerAnswer,
  type PowerFailure,
  PowerFailures,
  type PowerRequestDeps,
  powerRequests,
} from './power/power-request.js';
import { RebootMarker } from './power/reboot-marker.js';
import { type Run, systemdUnits, type Units } from './units.js';
import { watchHostFiles } from './watch-files.js';

export interface HostOptions {
  readonly settings: {
    readonly firewall: boolean;
    readonly hostRoot: string;
    readonly dataFolder: string;
    readonly power: boolean;
    readonly powerCommands: Readonly<Record<PowerVerb, string | undefined>>;
    readonly ledFile: string;
  };
  readonly device: BootDevice;
  readonly locks: UpdateLocks;
  appIds(): readonly number[];
  /** Tells whether the device is configured to override locks. */
  overrides(): boolean;
  readonly run: Run;
  readonly logLine: PowerRequestDeps['logLine'];
  readonly log: PowerRequestDeps['log'] & { readonly warn: (details: object, message: string) => void };
  readonly after: (ms: number, call: () => void) => unknown;
  /** ms since the epoch. */
  readonly now: () => number;
  /** Called with the new path of a file of ours that could not be used. */
  readonly lost: (aside: string) => void;
}

/** The parts of the host that controllers use. */
export interface Host {
  readonly files: HostNetwork;
  readonly boot: BootPartition;
  /** Facts that cannot be seen on the host. */
  readonly state: HostStateFile;
  readonly clock: BootClock;
  readonly marker: RebootMarker;
  readonly run: Run;
  /** Loads the ACPI tables that the boot files name, where the device takes any. */
  loadTables(seen: SeenBoot): Promise<void>;
  readonly firewall: Firewall;
  readonly watchFiles: ReturnType<typeof watchHostFiles>;
  readonly units: Units;
  network(): Promise<ShownNetwork>;
  readonly underLocks: AllLocks['during'];
  /** Returns why this agent cannot end the operating system; undefined when it can. */
  obstacle(verb: PowerVerb): string | undefined;
  requestPower(verb: PowerVerb, force: boolean): Promise<PowerAnswer>;
  /** Returns how the last attempt failed; undefined when there was none, and while one is under way. */
  powerFailure(verb: PowerVerb): PowerFailure | undefined;
  blink(): void;
  vpn(): Promise<{ readonly enabled: boolean; readonly connected: boolean }>;
  journal(query: JournalQuery): Promise<JournalReading>;
}

/** Wires the parts of the host. Reads and runs nothing before it is asked to. Throws for a command with an open quote. */
export function openHost({
  settings,
  device,
  locks,
  appIds,
  overrides,
  run,
  logLine,
  log,
  after,
  now,
  lost,
}: HostOptions): Host {
  const { hostRoot, dataFolder, powerCommands } = settings;
  const units = systemdUnits({ hostRoot, run });
  const bootFiles = new BootFiles(); // one for all: it keeps writers and readers apart
  const files = new HostNetwork({ hostRoot, files: bootFiles });
  const everyLock = allLocks({ locks, appIds, overrides });
  const power = hostPower({
    commands: { reboot: commandWords(powerCommands.reboot), shutdown: commandWords(powerCommands.shutdown) },
    allowed: settings.power,
    hasSystemd: () => units.present,
    run,
  });
  const failures = new PowerFailures(systemClock);
  return {
    files,
    boot: new BootPartition({ hostRoot, device, files: bootFiles }),
    state: new HostStateFile(dataFolder, { now, lost }),
    clock: kernelBootClock(hostRoot),
    marker: new RebootMarker(hostRoot),
    run,
    loadTables: ({ backends }) =>
      loadAcpiTables(
        backends.flatMap(({ backend, now }) => (backend.name === 'configfs.json' ? (now.ssdt ?? []) : [])),
        { hostRoot, run, log },
      ),
    firewall: iptablesFirewall({ allowed: settings.firewall, run, logLine, log }),
    watchFiles: watchHostFiles({ hostRoot, log }),
    units,
    network: () => files.show(),
    underLocks: (force, action) => everyLock.during(force, action),
    obstacle: (verb) => power.obstacle(verb),
    requestPower: powerRequests({ hostRoot, power, locks: everyLock, logLine, log, after, failures }),
    powerFailure: (verb) => failures.last(verb),
    blink: ledBlinker({ path: settings.ledFile, log, after }),
    vpn: () => seeVpn(hostRoot, units),
    journal: (query) => openJournal(query, { hostRoot, log }),
  };
}
