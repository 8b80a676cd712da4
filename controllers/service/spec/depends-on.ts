import { isMap } from '../../../crds/model/maps.js';
import type { Findings } from './fields.js';
import { isAbsent, texts } from './fields.js';
import { providerNames } from './namespaces.js';

type DependencyCondition = 'service_started' | 'service_healthy' | 'service_completed_successfully';

/** Another service of the app, and the state it must have reached before this one starts. */
export interface Dependency {
  readonly service: string;
  readonly condition: DependencyCondition;
  /** False: start without it when it cannot reach that state. */
  readonly required: boolean;
}

const CONDITIONS: readonly DependencyCondition[] = [
  'service_started',
  'service_healthy',
  'service_completed_successfully',
];

/** Reads `depends_on`, short or long. A service also depends on those whose namespaces it shares. Pure. */
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

/** Returns the names of the siblings that a service waits for. Reads leniently: used for wake-ups only. Pure. */
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
