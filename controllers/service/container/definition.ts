import { splitCommandLine } from '../../../crds/model/command-line.js';
import { dropsCommand, meansCompose } from '../../../crds/model/defaults.js';
import { composeDurationMs } from '../../../crds/model/duration.js';
import type { UnusualNames } from '../../../crds/model/engine-names.js';
import { normalizeReference } from '../../../crds/model/image-reference.js';
import { isJob } from '../../../crds/model/jobs.js';
import type { ServiceSpec } from '../../../crds/model/types.js';
import type { ContainerOptions, HostOptions } from '../../engine/engine.js';
import { InvalidSpecError } from '../../runtime/outcome.js';
import { type Dependency, readDependencies } from '../spec/depends-on.js';
import { type Environment, readEnvironment } from '../spec/environment.js';
import { type Fields, Findings, isAbsent, text, texts } from '../spec/fields.js';
import { type Healthcheck, readHealthcheck } from '../spec/healthcheck.js';
import { type Labels, readLabels } from '../spec/labels.js';
import { readVolumes, type VolumeUse } from '../spec/mounts.js';
import { providerNames } from '../spec/namespaces.js';
import { type NetworkUse, readNetworks } from '../spec/networks.js';
import { type PortBinding, readExposed, readPorts } from '../spec/ports.js';
import { HOST_FIELDS, onlyDefined, readHostOptions } from './host-options.js';

/** Fields of the create body outside HostConfig. */
export type PlainOptions = Pick<
  ContainerOptions,
  'Hostname' | 'Domainname' | 'MacAddress' | 'User' | 'WorkingDir' | 'Tty' | 'OpenStdin' | 'StopSignal' | 'StopTimeout'
>;

/** A service document, checked and normalized. It contains nothing from the image, the device or our defaults. */
export interface Definition {
  readonly image: string;
  /** As in `linux/arm64`; undefined means the device's own. */
  readonly platform: string | undefined;
  readonly running: boolean;
  readonly dependencies: readonly Dependency[];
  readonly command: readonly string[] | undefined;
  readonly entrypoint: readonly string[] | undefined;
  readonly environment: Environment;
  readonly labels: Labels;
  readonly healthcheck: Healthcheck | undefined;
  readonly ports: readonly PortBinding[];
  /** Ports that are exposed but not published, as in `53/udp`, sorted. */
  readonly expose: readonly string[];
  readonly volumes: VolumeUse;
  readonly network: NetworkUse;
  /** Names on the engine of those networks and volumes that do not have the usual one. */
  readonly names: UnusualNames;
  readonly plain: PlainOptions;
  readonly host: HostOptions;
}

/** Fields of the document that do not describe the container itself. */
const OWN_FIELDS = [
  'app',
  'serviceName',
  'image',
  'appId',
  'appUuid',
  'appName',
  'serviceId',
  'imageId',
  'release',
  'networkNames',
  'volumeNames',
  'defaults',
  'containerName',
  'running',
  'updateStrategy',
  'restart_unhealthy',
  'schedule',
  'contract',
  'pull_policy',
];
const CONTAINER_FIELDS = [
  'command',
  'entrypoint',
  'environment',
  'labels',
  'healthcheck',
  'ports',
  'volumes',
  'network_mode',
  'networks',
  'depends_on',
  'hostname',
  'domainname',
  'mac_address',
  'user',
  'working_dir',
  'tty',
  'stop_signal',
  'stop_grace_period',
  'stdin_open',
  'expose',
  'platform',
];
const KNOWN = new Set([...OWN_FIELDS, ...CONTAINER_FIELDS, ...HOST_FIELDS]);

/**
 * Reads a service document. Unknown fields are left out with one warning that names them; values that cannot be
 * understood throw `InvalidSpecError` with every path. Pure.
 */
export function readDefinition(spec: ServiceSpec): { definition: Definition; warnings: readonly string[] } {
  const fields: Fields = {
    ...spec,
    ...(meansCompose(spec) ? leftOutOf(spec) : {}),
    // A run of a job that says nothing of restarts is run once.
    ...(isJob(spec) ? { restart: spec.restart ?? 'no' } : {}),
  };
  const findings = new Findings();
  const network = readNetworks(fields.network_mode, fields.networks, findings);
  const definition: Definition = {
    image: normalizeReference(spec.image),
    platform: text(fields.platform, 'platform', findings),
    running: spec.running !== false,
    dependencies: readDependencies(fields.depends_on, providerNames(fields), findings),
    command: readCommand(fields, 'command', findings),
    entrypoint: readCommand(fields, 'entrypoint', findings),
    environment: readEnvironment(fields.environment, findings),
    labels: readLabels(fields.labels, findings),
    healthcheck: readHealthcheck(fields.healthcheck, findings),
    ports: readPorts(fields.ports, findings, { isFree: meansCompose(spec) }),
    expose: readExposed(fields.expose, findings),
    volumes: readVolumes(fields.volumes, findings),
    network,
    names: namesOf(spec),
    plain: readPlainOptions(fields, findings),
    host: readHostOptions(fields, findings),
  };
  if (spec.pull_policy === 'always') {
    findings.warn('pull_policy', 'always is followed as missing: a release takes its image once');
  }
  const unknown = Object.keys(fields).filter((key) => !KNOWN.has(key) && !isAbsent(fields[key]));
  if (unknown.length > 0) findings.warnings.push(`not supported and left out: ${unknown.sort().join(', ')}`);
  if (findings.issues.length > 0) throw new InvalidSpecError(findings.issues);
  return { definition, warnings: findings.warnings };
}

/** Returns what a service leaves out, as Compose means it; what it says itself is not among it. */
const leftOutOf = (spec: ServiceSpec): Fields => ({
  ...(isAbsent(spec.tty) ? { tty: false } : {}),
  // Empty is as the engine is configured.
  ...(isAbsent(spec.ipc) ? { ipc: '' } : {}),
  ...(dropsCommand(spec) ? { command: [] } : {}),
});

const namesOf = ({ networkNames, volumeNames }: ServiceSpec): UnusualNames => ({
  ...(networkNames === undefined ? {} : { networkNames }),
  ...(volumeNames === undefined ? {} : { volumeNames }),
});

function readCommand(fields: Fields, key: 'command' | 'entrypoint', findings: Findings): readonly string[] | undefined {
  const value = fields[key];
  if (typeof value === 'string') return splitCommandLine(value) ?? findings.issue(key, 'a quote is not closed');
  return texts(value, key, findings);
}

function readPlainOptions(fields: Fields, findings: Findings): PlainOptions {
  const word = (key: string): string | undefined => text(fields[key], key, findings);
  return onlyDefined<PlainOptions>({
    Hostname: word('hostname'),
    Domainname: word('domainname'),
    MacAddress: word('mac_address'),
    User: word('user'),
    WorkingDir: word('working_dir'),
    Tty: isAbsent(fields.tty) ? undefined : Boolean(fields.tty),
    OpenStdin: isAbsent(fields.stdin_open) ? undefined : Boolean(fields.stdin_open),
    StopSignal: word('stop_signal'),
    StopTimeout: readStopTimeout(fields.stop_grace_period, findings),
  });
}

function readStopTimeout(value: unknown, findings: Findings): number | undefined {
  if (isAbsent(value)) return undefined;
  const ms = composeDurationMs(value);
  return ms === undefined
    ? findings.issue('stop_grace_period', 'must be a duration such as 30s')
    : Math.floor(ms / 1000);
}
