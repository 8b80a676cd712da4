import { withFacts } from '../../crds/model/conditions.js';
import type { Service } from '../../crds/model/kinds.js';
import { acknowledgementsOf, type Refusal, withAcknowledged } from '../../crds/model/requests.js';
import type { ServiceStatus } from '../../crds/model/types.js';
import type { SeenContainer } from '../engine/engine.js';
import { ALIVE } from './commands/commands.js';
import type { Joined } from './dependencies/namespaces.js';
import type { RunFacts } from './health/runs.js';
import { readContainerName } from './spec/identity.js';
import type { UpdateRecord } from './update/record.js';

/** What a step shows as while it runs, in the Supervisor's words. */
export type Doing = 'Installing' | 'Starting' | 'Stopping';

/** What a pass adds to what is seen. */
export interface Said {
  readonly doing?: Doing | undefined;
  readonly lastAction?: ServiceStatus['lastAction'];
  /** Which runs of other containers it lives in. */
  readonly joined?: readonly Joined[];
  /** How far the last update has come. */
  readonly update?: UpdateRecord;
  /** Ids of requests that were dealt with, by name. */
  readonly dealt?: Readonly<Record<string, string>>;
  /** Which of those were not carried out. */
  readonly refused?: Readonly<Record<string, Refusal>>;
}

/** The status of a service: what was observed, and why the last step was taken; `runs` is what each container did. Pure. */
export function serviceStatus(
  service: Service,
  [container, older]: readonly SeenContainer[],
  [runs, olderRuns]: readonly RunFacts[],
  { doing, lastAction, joined = [], update = service.status?.update, dealt = {}, refused }: Said = {},
): ServiceStatus {
  const outgoing = older && ALIVE.includes(older.state) ? older : undefined;
  const state = outgoing ? AWAITING : (doing ?? container?.state);
  const action = lastAction ?? service.status?.lastAction;
  return withFacts<ServiceStatus>(service, {
    ...(state ? { state } : {}),
    ...(container?.health ? { health: container.health } : {}),
    ...(container?.state === 'exited' || container?.state === 'dead' ? { exitCode: container.exitCode } : {}),
    ...runs,
    ...(container ? { container: containerFacts(container) } : {}),
    ...(outgoing ? { outgoing: { ...containerFacts(outgoing), ...olderRuns } } : {}),
    ...(joined.length > 0 ? { joined: [...joined] } : {}),
    ...(update ? { update } : {}),
    ...(action ? { lastAction: action } : {}),
    ...withAcknowledged(acknowledgementsOf(service.status), dealt, refused),
  });
}

/** The Supervisor's word for the younger of two containers that run. */
const AWAITING = 'Awaiting handover';

/** Nothing of its environment: values may be secrets, and a status goes to disks and to whoever asks. */
const containerFacts = ({
  id,
  name,
  createdAt,
  startedAt,
  restartCount = 0,
  image,
}: SeenContainer): NonNullable<ServiceStatus['container']> => ({
  id,
  name,
  createdAt,
  ...(startedAt === undefined ? {} : { startedAt }),
  restartCount,
  image,
  ...readContainerName(name),
});
