import { isReady, isStalled, readinessOf } from '../../../crds/model/conditions.js';
import { hasFailedRun, isJob } from '../../../crds/model/jobs.js';
import type { AnyResource, App, GitSource, Problem, Service } from '../../../crds/model/kinds.js';
import { hasFailed } from '../../../crds/model/readiness.js';
import { addressText } from '../client/address.js';
import type { Session } from '../client/session.js';
import { tableLines } from '../format/table.js';
import { ageText, bytesText } from '../format/words.js';
import { collectionPath, GROUP_PATH, subjectText } from '../kind-words.js';

/** Number of lines of one list: more are for programs, and push what is above them off the screen. */
const LIMIT_LINES = 20;

interface Device {
  readonly metadata: { readonly name: string; readonly uid?: string };
  readonly status: {
    readonly agentVersion: string;
    readonly arch: string;
    readonly deviceType: string;
    readonly osVersion?: string;
    readonly addresses: readonly string[];
    readonly healthy: boolean;
    readonly unhealthyBecause?: string;
    readonly uptimeSeconds?: number;
    readonly agentUptimeSeconds?: number;
    readonly processors?: number;
    readonly loadAverage?: readonly number[];
    readonly memory?: { readonly totalBytes: number; readonly availableBytes: number };
    readonly disks?: readonly { readonly path: string; readonly totalBytes: number; readonly availableBytes: number }[];
  };
}

interface Facts {
  readonly device: Device;
  readonly apps: readonly App[];
  readonly services: readonly Service[];
  readonly others: readonly AnyResource[];
  readonly sources: readonly GitSource[];
  readonly problems: readonly Problem[];
}

/** Runs `supercargo status`: one screen with device, apps, waits, sources and problems. */
export async function status(session: Session): Promise<void> {
  const client = await session.client();
  const list = async <T>(path: string): Promise<readonly T[]> =>
    (await client.ask<{ items: readonly T[] }>('GET', path)).items;
  const [device, apps, services, images, networks, volumes, hostConfigs, sources, problems] = await Promise.all([
    client.ask<Device>('GET', `${GROUP_PATH}/device`),
    list<App>(collectionPath('App')),
    list<Service>(collectionPath('Service')),
    list<AnyResource>(collectionPath('Image')),
    list<AnyResource>(collectionPath('Network')),
    list<AnyResource>(collectionPath('Volume')),
    list<AnyResource>(collectionPath('HostConfig')),
    list<GitSource>(collectionPath('GitSource')),
    list<Problem>(`${GROUP_PATH}/problems`),
  ]);
  const facts = {
    device,
    apps,
    services,
    sources,
    problems,
    others: [...images, ...networks, ...volumes, ...hostConfigs],
  };
  if (session.json) {
    const waiting = waitingOf(facts).map(({ kind, name, reason, message }) => ({ kind, name, reason, message }));
    const appFacts = apps.map((app) => ({ name: app.metadata.name, ready: isReady(app), ...app.status }));
    session.io.out(
      JSON.stringify({ device: { ...device.metadata, ...device.status }, apps: appFacts, waiting, problems }),
    );
    return;
  }
  session.io.out(
    ...deviceLines(session, facts, addressText(client.address)),
    '',
    ...appLines(session, facts),
    ...sourceLines(session, facts),
    ...waitingLines(session, facts),
    ...problemLines(session, facts),
  );
}

function deviceLines({ io }: Session, { device: { metadata, status: of } }: Facts, address: string): readonly string[] {
  const used = (total: number, available: number): string =>
    `${bytesText(total - available)} of ${bytesText(total)} (${Math.round((1 - available / total) * 100)} %)`;
  const rows: [string, string | undefined][] = [
    ['Device', `${metadata.name}  ${[of.deviceType, of.osVersion].filter(Boolean).join(', ')}`],
    [
      'Agent',
      `${of.agentVersion} at ${address}${of.agentUptimeSeconds === undefined ? '' : `, up ${ageText(of.agentUptimeSeconds * 1000)}`}`,
    ],
    ['Health', of.healthy ? io.style('green', 'good') : io.style('red', of.unhealthyBecause ?? 'bad')],
    ['Addresses', of.addresses.join(', ') || undefined],
    [
      'Load',
      of.loadAverage && `${of.loadAverage.map((load) => load.toFixed(2)).join(' ')} on ${of.processors} processors`,
    ],
    ['Memory', of.memory && used(of.memory.totalBytes, of.memory.availableBytes)],
    ...(of.disks ?? []).map((disk): [string, string] => [
      'Disk',
      `${used(disk.totalBytes, disk.availableBytes)}  ${disk.path}`,
    ]),
  ];
  return tableLines(
    [],
    rows.flatMap(([name, value]) => (value === undefined ? [] : [[io.style('bold', name), value]])),
  );
}

function appLines({ io }: Session, { apps, services }: Facts): readonly string[] {
  if (apps.length === 0) return ['No apps. `supercargo apply -f FILE` declares one.'];
  const rows = apps.map((app) => {
    const own = services.filter(({ spec }) => spec.app === app.metadata.name);
    const jobs = own.filter(({ spec }) => isJob(spec)).length;
    const running = own.filter(({ spec, status: of }) => !isJob(spec) && of?.state === 'running').length;
    const named = (word: string, ill: (service: Service) => boolean): string => {
      const names = own.filter(ill).map(({ spec }) => spec.serviceName);
      return names.length > 0 ? `, ${word}: ${names.join(', ')}` : '';
    };
    const ill =
      named('unhealthy', ({ status: of }) => of?.unhealthySince !== undefined) +
      named('crashing', ({ status: of }) => of?.crashLoopSince !== undefined) +
      named('failed', hasFailed) +
      named('last run failed', hasFailedRun);
    const release = app.status?.release?.commit ?? '-';
    const state = isReady(app)
      ? io.style('green', 'ready')
      : isStalled(app)
        ? io.style('red', 'stuck')
        : io.style('yellow', readinessOf(app)?.reason ?? 'new');
    return [
      app.metadata.name,
      state,
      `${running}/${own.length - jobs} running${jobs > 0 ? `, ${jobs} scheduled` : ''}${ill}`,
      release,
      app.metadata.origin,
    ];
  });
  return tableLines(
    ['APP', 'STATE', 'SERVICES', 'RELEASE', 'DECLARED BY'].map((head) => io.style('bold', head)),
    rows,
  );
}

function sourceLines({ io }: Session, { sources }: Facts): readonly string[] {
  if (sources.length === 0) return [];
  const rows = sources.map((source) => [
    source.metadata.name,
    isReady(source) ? io.style('green', 'ready') : io.style('yellow', readinessOf(source)?.reason ?? 'new'),
    source.status?.applied?.commit?.slice(0, 10) ?? '-',
    source.spec.url,
  ]);
  return [
    '',
    ...tableLines(
      ['SOURCE', 'STATE', 'COMMIT', 'URL'].map((head) => io.style('bold', head)),
      rows,
    ),
  ];
}

/** Returns every document that is not Ready, with its message. Pure. */
function waitingOf({ apps, services, others, sources }: Facts) {
  return [...apps, ...services, ...others, ...sources].flatMap((one: AnyResource) => {
    const ready = readinessOf(one);
    const { kind } = one;
    if (isReady(one)) return [];
    const condition =
      ready && ready.status !== 'True'
        ? ready
        : { reason: 'Pending', message: 'Nobody has looked at this version yet' };
    return [
      { kind, name: one.metadata.name, reason: condition.reason, message: condition.message, isStuck: isStalled(one) },
    ];
  });
}

function waitingLines({ io }: Session, facts: Facts): readonly string[] {
  const rows = waitingOf(facts).map((one) => [
    subjectText(one),
    io.style(one.isStuck ? 'red' : 'yellow', one.reason),
    one.message,
  ]);
  return rows.length === 0
    ? []
    : [
        '',
        ...tableLines(
          ['NOT READY', 'REASON', 'MESSAGE'].map((head) => io.style('bold', head)),
          rows.slice(0, LIMIT_LINES),
        ),
        ...moreLines(rows.length),
      ];
}

/** Returns the problems. Pure. */
export function problemLines({ io }: Pick<Session, 'io'>, { problems }: Pick<Facts, 'problems'>): readonly string[] {
  const section = (title: string, problems: readonly Problem[]): readonly string[] => {
    const lines = problems.slice(0, LIMIT_LINES).map(({ source, path, message }) => {
      const place = source ? `${[source.file, source.line].filter(Boolean).join(':')}: ` : '';
      return `  ${place}${path ? `${path}: ` : ''}${message}`;
    });
    return problems.length === 0 ? [] : ['', io.style('bold', title), ...lines, ...moreLines(problems.length)];
  };
  return [
    ...section(
      'NOT ACCEPTED',
      problems.filter(({ severity }) => severity === undefined),
    ),
    ...section(
      'WARNINGS',
      problems.filter(({ severity }) => severity === 'warning'),
    ),
  ];
}

const moreLines = (count: number): readonly string[] =>
  count > LIMIT_LINES ? [`  and ${count - LIMIT_LINES} more: \`supercargo status --json\` has all`] : [];
