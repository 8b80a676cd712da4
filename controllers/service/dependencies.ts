import { isAbsent, isRecord, texts } from './fields.js';
import type { Findings } from './findings.js';
import type { NetworkUse } from './networks.js';

export type DependencyCondition = 'service_started' | 'service_healthy' | 'service_completed_successfully';

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

/** Reads `depends_on`, short or long; sharing a sibling's network depends on it as well. Pure. */
export function readDependencies(value: unknown, network: NetworkUse, findings: Findings): readonly Dependency[] {
  const declared = isRecord(value)
    ? Object.entries(value).map(([service, entry]) => longForm(service, entry, findings))
    : (texts(value, 'depends_on', findings) ?? []).map((service) => started(service));
  return network.is === 'service' && !declared.some(({ service }) => service === network.service)
    ? [...declared, started(network.service)]
    : declared;
}

const started = (service: string): Dependency => ({ service, condition: 'service_started', required: true });

function longForm(service: string, entry: unknown, findings: Findings): Dependency {
  const path = `depends_on.${service}`;
  if (isAbsent(entry)) return started(service);
  if (!isRecord(entry)) return findings.issue(path, 'must be a map') ?? started(service);
  const condition = CONDITIONS.find((one) => one === (entry.condition ?? 'service_started'));
  if (!condition) findings.issue(`${path}.condition`, `must be one of ${CONDITIONS.join(', ')}`);
  return { service, condition: condition ?? 'service_started', required: entry.required !== false };
}

/** Names of the siblings that a service waits for, read leniently: for wake-ups only. Pure. */
export function namesWaitedFor(spec: {
  readonly depends_on?: unknown;
  readonly network_mode?: unknown;
}): readonly string[] {
  const listed = Array.isArray(spec.depends_on)
    ? spec.depends_on.filter((name) => typeof name === 'string')
    : isRecord(spec.depends_on)
      ? Object.keys(spec.depends_on)
      : [];
  const [, shared] =
    typeof spec.network_mode === 'string' ? (/^\s*service:\s*(.*?)\s*$/.exec(spec.network_mode) ?? []) : [];
  return shared ? [...listed, shared] : listed;
}
