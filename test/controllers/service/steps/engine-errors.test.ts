import assert from 'node:assert/strict';
import { EngineError, EngineUnreachable } from '../../../../controllers/engine/engine.js';
import { InvalidSpecError, TerminalError, TransientError } from '../../../../controllers/runtime/outcome.js';
import { explainEngineError, refused } from '../../../../controllers/service/steps/engine-errors.js';

/** What Docker 20.10.24 said, and what becomes of it. */
const cases: readonly [output: string, reason: string | undefined, lasting: boolean, due: string][] = [
  [
    'driver failed programming external connectivity on endpoint web_1 (52ff): Bind for 0.0.0.0:8099 failed: port is already allocated',
    'PortInUse',
    false,
    'port 0.0.0.0:8099 of the host is taken: another container or program uses it; stop that one, or publish another port',
  ],
  [
    'driver failed …: Error starting userland proxy: listen tcp4 0.0.0.0:8098: bind: address already in use',
    'PortInUse',
    false,
    'port 0.0.0.0:8098 of the host is taken: another container or program uses it; stop that one, or publish another port',
  ],
  [
    'driver failed …: Error starting userland proxy: listen tcp4 9.9.9.9:8098: bind: cannot assign requested address',
    'AddressMissing',
    false,
    '9.9.9.9:8098 is not an address of this host: give the host that address, or publish on another',
  ],
  [
    'Address already in use',
    'AddressInUse',
    false,
    'a fixed address of the service is taken on its network: choose another ipv4_address or ipv6_address, or none',
  ],
  [
    "no available IPv4 addresses on this network's address pools: 7_tiny (3db3)",
    'NoFreeAddress',
    false,
    'network 7_tiny has no free address left: give it a larger subnet, or fewer services',
  ],
  [
    "Invalid address 10.78.1.5: It does not belong to any of this network's subnets",
    'InvalidSpec',
    true,
    '10.78.1.5 is in no subnet of its network: choose an address of spec.networks.<name>.ipam',
  ],
  [
    'user specified IP address is supported only when connecting to networks with user configured subnets',
    'InvalidSpec',
    true,
    'a fixed address needs a network with a subnet of its own: declare one under spec.networks.<name>.ipam',
  ],
  [
    'image with reference bb:1 was found but does not match the specified platform: wanted linux/arm64, actual: linux/amd64',
    'WrongArchitecture',
    true,
    'the image is made for linux/amd64, not for linux/arm64: change image or platform',
  ],
  [
    'error gathering device information while adding custom device "/dev/nope": no such file or directory',
    'DeviceMissing',
    false,
    'device /dev/nope does not exist on this host: plug it in, or correct devices',
  ],
  [
    'invalid mount config for type "bind": bind source path does not exist: /nope/x',
    'HostPathMissing',
    false,
    '/nope/x does not exist on this host: make it, or correct volumes',
  ],
  [
    'path /tmp/a is mounted on / but it is not a shared or slave mount',
    'InvalidSpec',
    true,
    '/tmp/a is on /, which is no shared or slave mount of this host: leave out the propagation, or make it one',
  ],
  [
    'failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "/nope": stat /nope: no such file or directory: unknown',
    'CommandNotFound',
    true,
    'command /nope does not exist in the image: correct command or entrypoint',
  ],
  [
    'unable to find user nobodyhere: no matching entries in passwd file',
    'UserNotFound',
    true,
    'the image has no user nobodyhere: correct user',
  ],
  [
    'Unable to find group nogrouphere: no matching entries in group file',
    'UserNotFound',
    true,
    'the image has no group nogrouphere: correct group_add',
  ],
  [
    'Unknown runtime specified nvidia',
    'RuntimeMissing',
    true,
    'the engine has no runtime nvidia: install it there, or leave runtime out',
  ],
  [
    'could not select device driver "" with capabilities: [[gpu]]',
    'GpuMissing',
    true,
    'the engine has no driver for GPUs: install the container toolkit of their maker, or leave gpus out',
  ],
  [
    'failed to initialize logging driver: journald is not enabled on this host',
    'LogDriverFailed',
    false,
    'the log driver does not work (journald is not enabled on this host): correct logging',
  ],
  [
    'failed to create shim task: OCI runtime create failed: runc create failed: sysctl "vm.swappiness" is not in a separate kernel namespace: unknown',
    'InvalidSpec',
    true,
    'vm.swappiness belongs to the whole host and not to a container: leave it out of sysctls',
  ],
  [
    'failed to create shim task: OCI runtime create failed: runc create failed: wrong rlimit value: RLIMIT_BOGUS: unknown',
    'InvalidSpec',
    true,
    'bogus is no limit that the kernel has: correct ulimits',
  ],
  [
    'unable to apply cgroup configuration: failed to write "400000": write /sys/fs/cgroup/cpu/docker/f3/cpu.rt_runtime_us: invalid argument: unknown',
    'InvalidSpec',
    true,
    'the kernel gives containers no real-time CPU: leave out cpu_rt_runtime and cpu_rt_period',
  ],
  [
    "--storage-opt is supported only for overlay over xfs with 'pquota' mount option",
    'InvalidSpec',
    true,
    'the storage of the engine does not know these options: leave out storage_opt',
  ],
  ['network 7_front not found', 'NetworkNotReady', false, 'network 7_front does not exist any more; it is recreated'],
  ['something nobody has seen yet', undefined, false, 'something nobody has seen yet'],
];

describe('explainRefusal', () => {
  for (const [output, reason, lasting, due] of cases) {
    it(`makes ${reason ?? 'nothing'} of "${output.slice(-70)}"`, () =>
      assert.deepEqual(explainEngineError(output), { reason, lasting, due }));
  }
});

/** The class of the error, its reason where it has one, and its message. */
function reported(error: Error): string {
  if (error instanceof InvalidSpecError)
    return `InvalidSpecError: ${error.issues.map(({ path, message }) => `${path} ${message}`).join('; ')}`;
  if (error instanceof TerminalError) return `TerminalError ${error.reason}: ${error.message}`;
  if (error instanceof TransientError) return `TransientError ${error.reason}: ${error.message}`;
  if (error instanceof EngineError) return `EngineError ${error.statusCode}: ${error.message}`;
  return `Error: ${error.message}`;
}

describe('what the engine refused', () => {
  const CREATE = 'Could not create container web';
  const START = 'Could not start container web';
  const rows: readonly { it: string; what: string; error: unknown; want: RegExp; says?: boolean }[] = [
    {
      it: 'is tried again when what is in the way may go',
      what: START,
      error: new EngineError('driver failed: Bind for 0.0.0.0:80 failed: port is already allocated', 500),
      want: /^TransientError PortInUse: Could not start container web: port 0\.0\.0\.0:80 of the host is taken/,
      says: true,
    },
    {
      it: 'is a mistake in the document when Docker names one',
      what: START,
      error: new EngineError("Invalid address 10.9.9.9: It does not belong to any of this network's subnets", 500),
      want: /^InvalidSpecError: spec 10\.9\.9\.9 is in no subnet/,
      says: true,
    },
    {
      it: 'is a mistake in the document when a request to create is refused as such',
      what: CREATE,
      error: new EngineError('something new', 400),
      want: /^InvalidSpecError: spec the engine refuses it: something new$/,
      says: true,
    },
    {
      it: 'is tried again when a request to start is refused for what nobody knows',
      what: START,
      error: new EngineError('something new', 400),
      want: /^EngineError 400: Could not start container web: something new$/,
      says: true,
    },
    {
      it: 'is tried again when creating fails for what nobody knows',
      what: CREATE,
      error: new EngineError('something new', 500),
      want: /^EngineError 500: Could not create container web: something new$/,
      says: true,
    },
    {
      it: 'is no refusal while the engine is away: nothing is logged',
      what: START,
      error: new EngineUnreachable(),
      want: /^Error: Could not start container web$/,
    },
    {
      it: 'keeps any other error as its cause',
      what: START,
      error: new TypeError('x'),
      want: /^Error: Could not start container web$/,
    },
  ];
  for (const { it: what, what: doing, error, want, says = false } of rows) {
    it(what, () => {
      const output: string[] = [];
      const found = refused(doing, error, { say: (due) => output.push(due), isDefinition: doing === CREATE });
      assert.match(reported(found), want);
      assert.equal(output.length > 0, says);
      if (!says) assert.equal(found.cause, error);
    });
  }
});
