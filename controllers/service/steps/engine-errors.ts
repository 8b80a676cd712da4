import type { ReasonOf } from '../../../crds/model/reasons.js';
import { EngineError, EngineUnreachable } from '../../engine/engine.js';
import { InvalidSpecError, TerminalError, TransientError } from '../../runtime/outcome.js';
import type { ServiceDeps } from '../deps.js';
import type { Attempt } from './failed-attempts.js';
import type { StepContext } from './step-context.js';

/** The meaning of an engine error while a container is created or started. */
export interface Explained {
  /** One clause: what is wrong, and what to do about it; Docker's own words for an unknown error. */
  readonly due: string;
  /** Undefined for an unknown error. */
  readonly reason: ReasonOf<'Service'> | undefined;
  /** Only another document or image fixes it: no retry before that. */
  readonly lasting: boolean;
}

type Case = readonly [
  pattern: RegExp,
  reason: ReasonOf<'Service'>,
  /** `retry`: the obstacle may go by itself. `document`: it does not. */
  fixedBy: 'retry' | 'document',
  due: (found: readonly string[]) => string,
];

/** The first match counts. Messages of Docker 20.10 and later. */
const CASES: readonly Case[] = [
  [
    /Bind for (\S+) failed: port is already allocated|listen \w+ (\S+): bind: address already in use/i,
    'PortInUse',
    'retry',
    ([, allocated, listened]) =>
      `port ${allocated ?? listened} of the host is taken: another container or program uses it; stop that one, or publish another port`,
  ],
  [
    /port is already allocated|bind: address already in use/i,
    'PortInUse',
    'retry',
    () => 'a port of the host is taken: another container or program uses it; stop that one, or publish another port',
  ],
  [
    /listen \w+ (\S+): bind: cannot assign requested address/i,
    'AddressMissing',
    'retry',
    ([, address]) => `${address} is not an address of this host: give the host that address, or publish on another`,
  ],
  [
    /^Address already in use$/i,
    'AddressInUse',
    'retry',
    () =>
      'a fixed address of the service is taken on its network: choose another ipv4_address or ipv6_address, or none',
  ],
  [
    /no available IPv[46] addresses on this network's address pools: (\S+)/i,
    'NoFreeAddress',
    'retry',
    ([, network]) => `network ${network} has no free address left: give it a larger subnet, or fewer services`,
  ],
  [
    /Invalid address (\S+): It does not belong to any of this network's subnets/i,
    'InvalidSpec',
    'document',
    ([, address]) => `${address} is in no subnet of its network: choose an address of spec.networks.<name>.ipam`,
  ],
  [
    /user specified IP address is supported only when connecting to networks with user configured subnets/i,
    'InvalidSpec',
    'document',
    () => 'a fixed address needs a network with a subnet of its own: declare one under spec.networks.<name>.ipam',
  ],
  [
    /exec format error/i,
    'WrongArchitecture',
    'document',
    () => 'the image is made for another processor architecture (exec format error): name an image for this one',
  ],
  [
    /does not match the specified platform: wanted (\S+), actual: (\S+)/i,
    'WrongArchitecture',
    'document',
    ([, wanted, actual]) => `the image is made for ${actual}, not for ${wanted}: change image or platform`,
  ],
  [
    /error gathering device information while adding custom device "([^"]+)"/i,
    'DeviceMissing',
    'retry',
    ([, device]) => `device ${device} does not exist on this host: plug it in, or correct devices`,
  ],
  [
    /bind source path does not exist: (.+)/i,
    'HostPathMissing',
    'retry',
    ([, path]) => `${path} does not exist on this host: make it, or correct volumes`,
  ],
  [
    /path (\S+) is mounted on (\S+) but it is not a (shared(?: or slave)?) mount/i,
    'InvalidSpec',
    'document',
    ([, path, mount, kind]) =>
      `${path} is on ${mount}, which is no ${kind} mount of this host: leave out the propagation, or make it one`,
  ],
  [
    /exec: "([^"]+)": (?:executable file not found|stat [^:]*: no such file)/i,
    'CommandNotFound',
    'document',
    ([, command]) => `command ${command} does not exist in the image: correct command or entrypoint`,
  ],
  [
    /unable to find (user|group) ([^:]+): no matching entries/i,
    'UserNotFound',
    'document',
    ([, what = '', name]) =>
      `the image has no ${what.toLowerCase()} ${name}: correct ${what.toLowerCase() === 'user' ? 'user' : 'group_add'}`,
  ],
  [
    /unknown runtime specified (\S+)|unknown or invalid runtime name: (\S+)/i,
    'RuntimeMissing',
    'document',
    ([, older, newer]) => `the engine has no runtime ${older ?? newer}: install it there, or leave runtime out`,
  ],
  [
    /could not select device driver "([^"]*)" with capabilities: (\S+)/i,
    'GpuMissing',
    'document',
    () => 'the engine has no driver for GPUs: install the container toolkit of their maker, or leave gpus out',
  ],
  [
    /failed to initialize logging driver: (.+)/i,
    'LogDriverFailed',
    'retry',
    ([, why]) => `the log driver does not work (${why}): correct logging`,
  ],
  [
    /sysctl "([^"]+)" is not in a separate kernel namespace/i,
    'InvalidSpec',
    'document',
    ([, name]) => `${name} belongs to the whole host and not to a container: leave it out of sysctls`,
  ],
  [
    /wrong rlimit value: RLIMIT_(\S+?)(?::|$)/i,
    'InvalidSpec',
    'document',
    ([, name]) => `${String(name).toLowerCase()} is no limit that the kernel has: correct ulimits`,
  ],
  [
    /cpu\.rt_(?:runtime|period)_us/i,
    'InvalidSpec',
    'document',
    () => 'the kernel gives containers no real-time CPU: leave out cpu_rt_runtime and cpu_rt_period',
  ],
  [
    /--storage-opt is supported only|storage-opt/i,
    'InvalidSpec',
    'document',
    () => 'the storage of the engine does not know these options: leave out storage_opt',
  ],
  [
    /non-shareable IPC/i,
    'InvalidSpec',
    'document',
    () => 'the service whose IPC namespace it shares has it for itself: write ipc: shareable there',
  ],
  [
    /sethostname: invalid argument/i,
    'InvalidSpec',
    'document',
    () => 'the host name is too long for the kernel: at most 64 characters',
  ],
  [
    /network (\S+) not found/i,
    'NetworkNotReady',
    'retry',
    ([, network]) => `network ${network} does not exist any more; it is recreated`,
  ],
];

/** Explains an engine error. Pure. */
export function explainEngineError(message: string): Explained {
  for (const [pattern, reason, fixedBy, due] of CASES) {
    const found = pattern.exec(message);
    if (found) return { reason, lasting: fixedBy === 'document', due: due(found) };
  }
  return { reason: undefined, lasting: false, due: message };
}

/** Notes that an attempt has failed, and logs the Supervisor's lines with the error in the last one; once as long as it fails in the same way. */
export const failureLog =
  ({ logs }: ServiceDeps, { service, failures }: StepContext, attempt: Attempt, phrases: readonly string[]) =>
  (due: string): void => {
    const { metadata, spec } = service;
    if (failures.note(metadata.name, attempt, due)) return;
    for (const line of phrases.slice(0, -1)) logs.system(line, { app: spec.app });
    logs.system(`${phrases.at(-1)} due to '${due}'`, { app: spec.app }, { isStdErr: true });
  };

interface Refused {
  /** Told why, where the engine has answered. */
  readonly say?: (due: string) => void;
  /** The request was the definition of a container: what the engine rejects in it is never retried. */
  readonly isDefinition?: boolean;
}

/** Converts an engine error to one with an explanation. */
export function refused(what: string, error: unknown, { say, isDefinition = false }: Refused = {}): Error {
  if (error instanceof EngineUnreachable || !(error instanceof EngineError)) return new Error(what, { cause: error });
  const { due, reason, lasting } = explainEngineError(error.message);
  say?.(due);
  if (lasting && reason === 'InvalidSpec') return new InvalidSpecError([{ path: 'spec', message: due }]);
  if (reason !== undefined) return new (lasting ? TerminalError : TransientError)(reason, `${what}: ${due}`);
  if (error.statusCode === 400 && isDefinition) {
    return new InvalidSpecError([{ path: 'spec', message: `the engine refuses it: ${due}` }]);
  }
  return new EngineError(`${what}: ${due}`, error.statusCode);
}
