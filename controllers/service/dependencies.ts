import { isMap } from '../../crds/model/maps.js';
import type { SeenContainer } from '../engine/engine.js';
import { namedService } from './namespaces.js';
import { isAbsent, texts } from './spec/fields.js';
import type { Findings } from './spec/findings.js';

type DependencyCondition = 'service_started' | 'service_healthy' | 'service_completed_successfully';

/** Another service of the app that must have come that far before this one starts. */
export interface Dependency {
  readonly service: string;
  readonly condition: DependencyCondition;
  /** False: go on without it when it cannot come that far. */
  readonly required: boolean;
}

const CONDITIONS: readonly DependencyCondition[] = [
  'service_started',
  'service_healthy',
  'service_completed_successfully',
];

/** Reads `depends_on`, short or long. Whose namespaces a service shares, on that it depends as well. Pure. */
export function readDependencies(
  value: unknown,
  providers: readonly string[],
  findings: Findings,
): readonly Dependency[] {
  const declared = isMap(value)
    ? Object.entries(value).map(([service, entry]) => longForm(service, entry, findings))
    : (texts(value, 'depends_on', findings) ?? []).map((service) => started(service));
  const others = new Set(providers.filter((name) => !declared.some(({ service }) => service === name)));
  return [...declared, ...[...others].map(started)];
}

const started = (service: string): Dependency => ({ service, condition: 'service_started', required: true });

function longForm(service: string, entry: unknown, findings: Findings): Dependency {
  const path = `depends_on.${service}`;
  if (isAbsent(entry)) return started(service);
  if (!isMap(entry)) return findings.issue(path, 'must be a map') ?? started(service);
  const condition = CONDITIONS.find((one) => one === (entry.condition ?? 'service_started'));
  if (!condition) findings.issue(`${path}.condition`, `must be one of ${CONDITIONS.join(', ')}`);
  return { service, condition: condition ?? 'service_started', required: entry.required !== false };
}

/** Names of the siblings that a service waits for, read leniently: for wake-ups only. Pure. */
export function namesWaitedFor(spec: {
  readonly depends_on?: unknown;
  readonly network_mode?: unknown;
  readonly pid?: unknown;
  readonly ipc?: unknown;
}): readonly string[] {
  const listed = Array.isArray(spec.depends_on)
    ? spec.depends_on.filter((name) => typeof name === 'string')
    : isMap(spec.depends_on)
      ? Object.keys(spec.depends_on)
      : [];
  return [...listed, ...providerNames(spec)];
}

/** The siblings in whose namespaces a service lives, read leniently. Pure. */
export const providerNames = ({
  network_mode: network,
  pid,
  ipc,
}: {
  readonly network_mode?: unknown;
  readonly pid?: unknown;
  readonly ipc?: unknown;
}): readonly string[] => [network, pid, ipc].flatMap((mode) => namedService(mode) ?? []);

/** How far a sibling has come. */
export interface Sibling {
  /** Its document asks for nothing more: a service that is being changed is not there yet. One that crashes is. */
  readonly settled: boolean;
  readonly stalled: boolean;
  readonly container: SeenContainer | undefined;
}

/**
 * What is still to be waited for, as in `db to be healthy (it is starting)`. Names that nobody has are ignored, as the
 * Supervisor does. Pure.
 */
export const unmetDependencies = (
  dependencies: readonly Dependency[],
  siblingOf: (service: string) => Sibling | undefined,
): readonly string[] =>
  dependencies.flatMap((dependency) => {
    const sibling = siblingOf(dependency.service);
    if (!sibling || (!dependency.required && isHopeless(dependency, sibling))) return [];
    return missingStep(dependency, sibling) ?? [];
  });

function missingStep({ service, condition }: Dependency, { settled, container }: Sibling): string | undefined {
  if (container?.startedAt === undefined) return `${service} to be started`;
  switch (condition) {
    case 'service_started':
      return settled ? undefined : `${service} to be settled`;
    case 'service_healthy':
      if (container.health === undefined) return `${service} to be healthy (it has no healthcheck)`;
      if (container.health !== 'healthy') return `${service} to be healthy (it is ${container.health})`;
      return settled ? undefined : `${service} to be settled`;
    case 'service_completed_successfully':
      if (container.state !== 'exited') return `${service} to complete (it is ${container.state})`;
      if (container.exitCode !== 0) return `${service} to complete (it exited with ${container.exitCode})`;
      return settled ? undefined : `${service} to be settled`;
  }
}

const isHopeless = ({ condition }: Dependency, { stalled, container }: Sibling): boolean =>
  stalled ||
  (condition === 'service_healthy' && container?.health === 'unhealthy') ||
  (condition === 'service_completed_successfully' && container?.state === 'exited' && container.exitCode !== 0);
