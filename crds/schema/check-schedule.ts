import { cronIssue, timeZoneIssue } from '../model/cron.js';
import { type Issue, issuesOf, type Path } from '../model/issue.js';
import { isJob } from '../model/jobs.js';
import type { References } from '../model/references.js';
import type { ServiceFields, ServiceSpec } from '../model/types.js';
import { takesHostPort } from './check-engine-values.js';
import type { Found } from './check-service.js';

/** What of a service a schedule has to do with. */
type Scheduled = ServiceFields & { readonly running?: boolean | null };

/** Whose meaning a port without one of the host has. */
type Meaning = Pick<ServiceSpec, 'defaults'>;

/**
 * Checks the schedule of a service, and the fields that make no sense beside one; `base` leads to them, and `meaning` is that of its
 * document. Nothing for a service without a schedule. Pure.
 */
export function checkSchedule(fields: Scheduled, base: Path, meaning: Meaning): Found[] {
  const { schedule } = fields;
  if (!schedule) return [];
  const { cron, timeZone, concurrencyPolicy } = schedule;
  const found: (readonly [Path, string | undefined])[] = [
    [['schedule', 'cron'], cronIssue(cron, 'five')],
    [['schedule', 'timeZone'], timeZone === undefined ? undefined : timeZoneIssue(timeZone)],
    [['restart'], restartIssue(fields.restart)],
    [
      ['running'],
      fields.running === false
        ? 'Has no meaning beside a schedule, which says when it runs; leave the service out, or suspend the App'
        : undefined,
    ],
    [
      ['updateStrategy'],
      fields.updateStrategy
        ? 'Has no meaning beside a schedule: a run goes on as it began, and the next one is made of what is declared then; leave it out'
        : undefined,
    ],
    [
      ['containerName'],
      fields.containerName
        ? 'Cannot stand beside a schedule: each run has a container, and a name, of its own; leave it out'
        : undefined,
    ],
    [
      ['restart_unhealthy'],
      fields.restart_unhealthy
        ? 'Has no meaning beside a schedule; schedule.activeDeadlineSeconds ends a run that hangs'
        : undefined,
    ],
  ];
  if (concurrencyPolicy === 'Allow') found.push(...onlyOnce(fields, meaning));
  return found.flatMap(([path, message]): Found[] => (message === undefined ? [] : [[[...base, ...path], message]]));
}

function restartIssue(restart: string | null | undefined): string | undefined {
  if (!restart || restart === 'no' || /^on-failure:[1-9]/.test(restart)) return undefined;
  return restart === 'on-failure'
    ? 'Needs a number beside a schedule, such as on-failure:3: a run that always fails would never end'
    : `A run ends, and is not begun again beside a schedule: write no, or on-failure:3, and not ${restart}`;
}

/** What two runs at once cannot both have. */
function onlyOnce(
  { ports, networks }: Scheduled,
  { defaults = 'compose' }: Meaning,
): readonly (readonly [Path, string])[] {
  const message = 'Two runs at once cannot both have it: leave it out, or say concurrencyPolicy: Forbid';
  const endpoints = Array.isArray(networks) ? [] : Object.entries(networks ?? {});
  return [
    ...(ports ?? []).flatMap((port, index): (readonly [Path, string])[] =>
      takesHostPort(port, defaults) ? [[['ports', index], message]] : [],
    ),
    ...endpoints.flatMap(([name, endpoint]) =>
      (['ipv4_address', 'ipv6_address'] as const).flatMap((field): (readonly [Path, string])[] =>
        endpoint?.[field] ? [[['networks', name, field], message]] : [],
      ),
    ),
  ];
}

/** Returns the services that wait for one with a schedule, or share a namespace with it: it runs only now and then. Pure. */
export function waitsForJobs(
  references: readonly (readonly [service: string, References])[],
  services: Readonly<Record<string, Pick<ServiceFields, 'schedule'>>>,
): readonly Issue[] {
  const jobs = new Set(Object.entries(services).flatMap(([name, fields]) => (isJob(fields) ? [name] : [])));
  return references.flatMap(([service, { dependsOn, mode, namespaces }]) => {
    const named = [
      ...dependsOn.map((one) => ['depends_on', one.service] as const),
      ...(mode.is === 'service' ? [['network_mode', mode.service] as const] : []),
      ...namespaces.map((one) => [one.field, one.service] as const),
    ];
    return issuesOf(
      named.filter(([, name]) => jobs.has(name)),
      ([field, name]) => ({
        path: `spec.services.${service}.${field}`,
        message: `${name} has a schedule and runs only at its times, so nothing can wait for it or share what it has: take it out, or give ${name} no schedule`,
      }),
    );
  });
}
