import type { SeenContainer, Updatable } from '../../../controllers/engine/engine.js';
import type { Plan } from '../../../controllers/runtime/outcome.js';
import type { ServiceObservation } from '../../../controllers/service/observe.js';
import { planContainer } from '../../../controllers/service/plan-container.js';
import type { DesiredContainer, ServiceState, ServiceStep } from '../../../controllers/service/service-state.js';

export const aContainer = (more: Partial<SeenContainer> = {}): SeenContainer => ({
  id: 'c1',
  name: 'web_1_1_a',
  appId: 1,
  serviceName: 'web',
  specHash: 'h1',
  labels: {},
  state: 'running',
  health: undefined,
  exitCode: 0,
  error: '',
  createdAt: '2026-01-01T00:00:00.000Z',
  startedAt: more.state === 'created' ? undefined : '2026-01-01T00:00:01.000Z',
  finishedAt: undefined,
  image: 'sha256:1',
  networkMode: 'u_default',
  networks: { u_default: { id: 'n1' } },
  volumes: [],
  ...more,
});

export const UNLIMITED: Updatable = {
  RestartPolicy: { Name: 'always', MaximumRetryCount: 0 },
  Memory: 0,
  MemoryReservation: 0,
  NanoCpus: 0,
  CpuShares: 0,
  CpuQuota: 0,
  CpusetCpus: '',
  PidsLimit: 0,
};

/** What a document with that restart policy wants. */
export const restarts = (Name: string, MaximumRetryCount = 0): Partial<DesiredContainer> => ({
  tuning: { ...UNLIMITED, RestartPolicy: { Name, MaximumRetryCount }, MemorySwap: undefined },
});

/** Of the engine, as a service needs it. */
export const network = (name: string, id: string | undefined, notReady?: string) => ({
  name,
  id,
  notReady,
  aliases: ['web'],
});
/** Exists; its controller has not looked at it yet. */
export const unsettledNetwork = (name: string, id: string) => ({
  ...network(name, id, 'it is not settled yet'),
  isUnsettled: true,
});

const wants = (more: Partial<DesiredContainer> = {}): DesiredContainer => ({
  containerName: 'web_1_1_a',
  reference: 'web:1',
  image: { id: 'sha256:1', specHash: 'h1' },
  running: true,
  tuning: { ...UNLIMITED, MemorySwap: undefined },
  networks: [network('u_default', 'n1')],
  volumes: [],
  shares: [],
  unsatisfied: [],
  updatePolicy: { strategy: 'download-then-kill', timeoutMs: 60_000 },
  staging: false,
  ...more,
});

/** A service that is as its document wants it, but for what is said; no container is there unless one is. */
export const aServiceState = (
  desired?: Partial<DesiredContainer>,
  seen: readonly Partial<SeenContainer>[] = [],
  more: Partial<ServiceState> = {},
): ServiceState => ({
  desired: wants(desired),
  containers: seen.map(aContainer),
  terminating: new Map(),
  lost: [],
  closing: new Map(),
  lockHeld: true,
  commands: { recreate: [], stop: undefined, start: false },
  dependents: [],
  overlap: { signalled: false, waitedMs: undefined, ranMs: undefined },
  refusal: undefined,
  ...more,
});

/** That state as a pass over a service sees it; its App exists. */
export const anObservation = (
  state: ServiceState | undefined,
  more: Partial<ServiceObservation> = {},
): ServiceObservation => ({
  appId: 1,
  serviceName: 'web',
  pendingCommands: { stops: [], starts: [], restart: undefined, run: undefined, overtaken: {} },
  hasApp: true,
  state,
  containerSpec: undefined,
  attempt: 'a1',
  failure: undefined,
  ...more,
});

/** What to do about a service and its containers, newest first, as one line. */
export const serviceLine = (...state: Parameters<typeof aServiceState>): string =>
  print(planContainer(aServiceState(...state)));

export function print({ steps, outcome }: Plan<ServiceStep>): string {
  const end = outcome.is === 'settled' ? 'settled' : `${outcome.is}: ${outcome.reason}`;
  const why = outcome.is === 'waiting' && steps.length === 0 ? ` (${outcome.message})` : '';
  return [...steps.map(printStep), `${end}${why}`].join('; ');
}

function printStep(step: ServiceStep): string {
  switch (step.do) {
    case 'terminate':
      return `${[...(step.stop ? ['stop'] : []), ...(step.remove ? ['remove'] : [])].join('+')} ${step.container.id}${step.locked ? ' under lock' : ''}${step.update && step.update.strategy !== 'download-then-kill' ? `, ${step.update.strategy}` : ''} (${step.because})`;
    case 'rename':
      return `rename ${step.container.id} to ${step.to} (${step.because})`;
    case 'connect':
    case 'publishAliases':
      return `${step.do} ${step.container.id} to ${step.network} (${step.because})`;
    case 'create':
      return `create${step.start ? '+start' : ''} ${step.name}${step.surge ? ` surge, ${step.surge}` : ''}${step.ahead ? ' ahead' : ''} (${step.because})`;
    case 'start':
      return `start ${step.container.id}${step.name === undefined ? '' : ` as ${step.name}`} (${step.because})`;
    case 'restart':
    case 'unpause':
      return `${step.do} ${step.container.id} (${step.because})`;
    case 'letGo':
    case 'removeTheirs':
      return `${step.do} ${step.containers.map(({ id }) => id).join(',') || 'nothing'} (${step.because})`;
    case 'claim':
    case 'fail':
    case 'goBack':
    case 'giveBack':
    case 'lose':
    case 'follow':
    case 'miss':
    case 'decline':
      return `${step.do} (${step.because})`;
    case 'note':
      return `note ${step.run.container.id} (${step.because})`;
    case 'update':
      return `update ${step.container.id} to ${JSON.stringify(step.change)} (${step.because})`;
  }
}
