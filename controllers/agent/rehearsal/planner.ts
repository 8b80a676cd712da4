import { timeoutSignal } from '../../../api/platform/time-limit.js';
import { Limiter } from '../../../api/platform/turns.js';
import type { Reader, Store } from '../../../api/store/store.js';
import { conditionOf, isStalled } from '../../../crds/model/conditions.js';
import { type AnyResource, API_VERSION, type Key, KINDS, type Kind, keyOf } from '../../../crds/model/kinds.js';
import type { Plan, PlanRefusal } from '../../../crds/model/plan.js';
import { withoutLogins } from '../../../crds/model/secret-names.js';
import type { PullOptions } from '../../engine/engine.js';
import type { RemoteImage } from '../../engine/images/registry-client.js';
import { type Download, plannedActions } from './planned-actions.js';
import { type RehearsalDeps, type RehearsalLimits, type Rehearsed, rehearse } from './rehearsal.js';

/** A plan that is longer in the making says so; on a small device with many services it takes a second. */
const LIMITS: RehearsalLimits = { wallMs: 10_000, steps: 2_000 };
/** How long a registry may take to tell of an image, ms. */
const REGISTRY_MS = 4_000;

export interface PlannerDeps extends Omit<RehearsalDeps, 'registry'> {
  /** What a registry tells of an image; undefined when it does not. */
  readonly describe?: (
    reference: string,
    options: PullOptions,
    signal: AbortSignal,
  ) => Promise<RemoteImage | undefined>;
  readonly limits?: RehearsalLimits;
}

/** Makes plans, one after another: each has the memory of a second device while it is made. */
export class DevicePlanner {
  readonly #turns = new Limiter(1);

  constructor(private readonly deps: PlannerDeps) {}

  /**
   * What would be done once `declare` had changed the documents. Of those that it returns the plan tells what is refused also
   * where that was so before. Rejects with the signal's reason, also while another plan is made.
   */
  plan(declare: (store: Store) => Promise<readonly Key[]>, signal: AbortSignal): Promise<Plan> {
    const ended = new Promise<never>((_resolve, reject) =>
      signal.addEventListener('abort', () => reject(signal.reason), { once: true }),
    );
    return Promise.race([ended, this.#turns.run(() => this.#make(declare, signal))]);
  }

  async #make(declare: (store: Store) => Promise<readonly Key[]>, signal: AbortSignal): Promise<Plan> {
    signal.throwIfAborted();
    const { describe, limits = LIMITS, ...deps } = this.deps;
    const sizes = new Map<string, number>();
    // The documents as they are before anybody goes on: plans are about this moment.
    const before = deps.context.store.copy(deps.clock);
    let declared: readonly Key[] = [];
    const rehearsed = await rehearse(
      {
        ...deps,
        registry: async (reference, options, ending) => {
          const remote = await describe?.(reference, options, timeoutSignal(REGISTRY_MS, ending));
          if (!remote) return {};
          sizes.set(
            reference,
            remote.layers.reduce((sum, bytes) => sum + bytes, 0),
          );
          return {
            ...(remote.id === undefined ? {} : { id: remote.id }),
            ...(remote.config ? { config: remote.config } : {}),
          };
        },
      },
      async (store) => {
        declared = await declare(store);
      },
      limits,
      signal,
    );
    return planOf(before, rehearsed, { declared, downloads: downloadsOf(rehearsed, sizes) });
  }
}

/** The sizes by the documents of the images. */
function downloadsOf({ calls }: Rehearsed, sizes: ReadonlyMap<string, number>): ReadonlyMap<Key, Download> {
  return new Map(
    calls.flatMap(({ verb, key, object }): [Key, Download][] => {
      const bytes = verb === 'pullImage' ? sizes.get(object) : undefined;
      return key && bytes !== undefined ? [[key, { bytes }]] : [];
    }),
  );
}

/** A plan in words. Pure. */
function planOf(
  before: Reader,
  rehearsed: Rehearsed,
  { declared, downloads }: { readonly declared: readonly Key[]; readonly downloads: ReadonlyMap<Key, Download> },
): Plan {
  const actions = plannedActions(before, rehearsed, downloads);
  const known = actions.flatMap(({ bytes }) => bytes ?? []);
  return {
    apiVersion: API_VERSION,
    kind: 'Plan',
    actions,
    refused: refusalsOf(before, rehearsed.store, declared),
    waits: rehearsed.waits.map(({ key, reason, message, forMs, passed }) => ({
      ...{ object: key, reason, message: withoutLogins(message), passed },
      ...(forMs === undefined ? {} : { forSeconds: Math.round(forMs / 1_000) }),
    })),
    notes: schedulesOf(before, rehearsed.store),
    ...(known.length > 0 ? { downloadBytes: known.reduce((sum, bytes) => sum + bytes, 0) } : {}),
    complete: rehearsed.complete,
  };
}

/** When jobs run next whose schedule is new: a rehearsal begins no run. */
function schedulesOf(before: Reader, after: Reader): readonly string[] {
  return after.list('Service').flatMap(({ metadata: { name }, status }) => {
    const was = before.get('Service', name)?.status?.followed?.schedule;
    const { nextRunAt, followed } = status ?? {};
    if (nextRunAt === undefined || followed?.schedule === was) return [];
    return [`${keyOf('Service', name)} is scheduled: its next run is due at ${nextRunAt}`];
  });
}

/** What is stalled in the end and was not before, or for another reason, or is declared, or belongs to that. */
function refusalsOf(before: Reader, after: Reader, declared: readonly Key[]): readonly PlanRefusal[] {
  return KINDS.flatMap((kind) =>
    (after.list(kind) as readonly AnyResource[]).flatMap((one): readonly PlanRefusal[] => {
      const object = keyOf(kind, one.metadata.name);
      const was = before.get(kind, one.metadata.name);
      const stalled = isStalled(one) ? conditionOf(one, 'Stalled') : undefined;
      if (!stalled) return [];
      const isSame = was && isStalled(was) && conditionOf(was, 'Stalled')?.message === stalled.message;
      if (isSame && ![object, one.metadata.owner].some((key) => key && declared.includes(key))) return [];
      const { reason } = stalled;
      return withoutLogins(stalled.message)
        .split(/; (?=spec[.[])/)
        .map((message) => refusalOf(kind, { object, reason, message }));
    }),
  );
}

/** Where a field of a document begins a message: `spec.services["a b"].ports[0]: …` */
const FIELD = /^(spec(?:\.[\w-]+|\[\d+\]|\["(?:[^"\\]|\\.)*"\])+): /;

/** Puts the field of a refusal in its place: what begins the message, or what the reason is about. Pure. */
function refusalOf(kind: Kind, { object, reason, message }: PlanRefusal): PlanRefusal {
  const [lead, named] = FIELD.exec(message) ?? ['', undefined];
  const field = named ?? FIELDS[`${kind} ${reason}`] ?? FIELDS[reason];
  return { object, reason, ...(field === undefined ? {} : { field }), message: message.slice(lead.length) };
}

/** Fields by the reason, or by kind and reason. */
const FIELDS: Readonly<Record<string, string>> = {
  'App NameTaken': 'metadata.name',
  'Network NameTaken': 'spec.networkName',
  AccessDenied: 'spec.image',
  AddressInUse: 'spec.networks',
  AddressMissing: 'spec.ports',
  DriverMissing: 'spec.driver',
  ImageNotFound: 'spec.image',
  PoolOverlaps: 'spec.ipam',
  PoolsExhausted: 'spec.ipam',
  PortInUse: 'spec.ports',
  RuntimeMissing: 'spec.runtime',
  WrongArchitecture: 'spec.image',
  WrongPlatform: 'spec.image',
};
