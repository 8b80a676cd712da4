import type { EngineEvent, SeenContainer } from '../engine.js';
import { SUPERVISED } from '../labels.js';
import { agrees } from './event-effects.js';
import { EventSuppression } from './event-suppression.js';
import { ObjectCache, type RequestStamp, type Taken } from './object-cache.js';
import type { Watching } from './watch.js';

const ALL = 'container/*';
const keyOf = (id: string): string => `container/${id}`;

/** Caches our containers, as the engine last reported them. */
export class ContainerWatch {
  readonly #cache = new ObjectCache<SeenContainer>();
  readonly #suppression = new EventSuppression();
  /** By app and service, newest first; built when it is first needed. */
  #services: Map<string, SeenContainer[]> | undefined;

  constructor(private readonly shared: Watching) {}

  all(): readonly SeenContainer[] {
    return this.#cache.values();
  }

  ofService(appId: number, serviceName: string): readonly SeenContainer[] {
    this.#services ??= byService(this.#cache.values());
    return this.#services.get(`${appId}/${serviceName}`) ?? [];
  }

  async refresh(id: string, signal: AbortSignal): Promise<SeenContainer | undefined> {
    // Events may change a part during the inspection; repeated, but not forever.
    for (let attempt = 0; attempt < 3; attempt++) {
      if ((await this.look(id, signal)) !== 'again') break;
    }
    return this.#cache.get(id);
  }

  look(id: string, signal: AbortSignal): Promise<Taken> {
    const { engine, tracker, refreshQueue } = this.shared;
    refreshQueue.unmark(keyOf(id));
    this.#suppression.answer(id);
    return tracker.ask(
      [keyOf(id)],
      () => engine.inspectContainer(id, signal),
      (seen, stamp) => {
        const taken = this.#take(id, seen && SUPERVISED in seen.labels ? seen : undefined, stamp);
        if (taken === 'again') refreshQueue.mark(keyOf(id));
        return taken;
      },
      () => refreshQueue.mark(keyOf(id)),
    );
  }

  /** Returns the containers that a list need not inspect again: those without a pending refresh. */
  known(): (id: string) => SeenContainer | undefined {
    const failing = new Set(this.all().flatMap(({ id }) => (this.shared.refreshQueue.has(keyOf(id)) ? [id] : [])));
    return (id) => (failing.has(id) ? undefined : this.#cache.get(id));
  }

  takeAll(containers: readonly SeenContainer[], stamp: RequestStamp): void {
    this.#cache.takeAll(
      new Map(containers.map((container) => [container.id, container])),
      stamp,
      (_, before, after) => this.#differs(before, after),
      (id) => this.shared.refreshQueue.mark(keyOf(id)),
    );
  }

  suppressEvents<T>(idOrName: string, action: () => Promise<T>): Promise<T> {
    return this.#suppression.during(idOrName, action, (id) => this.shared.refreshQueue.mark(keyOf(id)));
  }

  /** Handles an event after which the container may look different. */
  invalidate(event: EngineEvent, id: string): void {
    const agreed = () => {
      const container = this.#cache.get(id);
      return container !== undefined && agrees(event, container);
    };
    if (this.shared.tracker.answered(event, keyOf(id), this.#cache.asked(id), agreed)) return;
    const name = event.type === 'container' ? event.attributes.name : undefined;
    if (this.#suppression.hold(id, name ?? this.#cache.get(id)?.name)) return;
    this.shared.refreshQueue.mark(keyOf(id));
  }

  /** Handles an event that does not say whether the container is ours. */
  invalidateIfOurs(event: EngineEvent, id: string): void {
    if (this.#cache.get(id) || this.#isBeingAsked(id)) this.invalidate(event, id);
    // Somebody who is creating it may know it: then the event is held back with the others.
    else this.#suppression.hold(id, undefined);
  }

  /** Handles an event that contains the change itself. */
  patch(event: EngineEvent, id: string, patch: Partial<SeenContainer>): void {
    const { tracker, refreshQueue } = this.shared;
    if (tracker.answered(event, keyOf(id), this.#cache.asked(id), () => false)) return;
    // A refresh under way may return the former state: it is repeated soon.
    const asking = this.#isBeingAsked(id);
    const changed = this.#cache.patch(id, patch, tracker.now().ticket);
    const container = this.#cache.get(id);
    if (changed && container) this.#differs(container, container);
    if (asking && !this.#suppression.hold(id, event.attributes.name)) refreshQueue.mark(keyOf(id));
  }

  /** Removes a container. Ids are never reused: what is destroyed stays so. */
  drop(id: string): void {
    this.shared.refreshQueue.unmark(keyOf(id));
    this.#suppression.answer(id);
    this.#take(id, undefined, this.shared.tracker.now());
  }

  /** Tells whether an answer about it is on its way, or will be requested. A list counts for one that is not shown yet. */
  #isBeingAsked(id: string): boolean {
    const { tracker, refreshQueue } = this.shared;
    const listed = tracker.isOpen(ALL) && !this.#cache.get(id);
    return listed || tracker.isOpen(keyOf(id)) || refreshQueue.has(keyOf(id));
  }

  #take(id: string, seen: SeenContainer | undefined, stamp: RequestStamp): Taken {
    const before = this.#cache.get(id);
    const taken = this.#cache.take(id, seen, stamp);
    if (taken === 'changed') this.#differs(before, seen);
    return taken;
  }

  #differs(before: SeenContainer | undefined, after: SeenContainer | undefined): void {
    this.#services = undefined;
    const container = after ?? before;
    if (!container) return;
    const { id, name, appId, serviceName } = container;
    if (!before && (appId === undefined || serviceName === undefined)) {
      const words = 'A container has our label and does not say whose it is; leaving it alone';
      this.shared.log.warn({ container: name, id }, words);
    }
    this.shared.announce({ type: 'container', appId, serviceName, id });
  }
}

function byService(containers: readonly SeenContainer[]): Map<string, SeenContainer[]> {
  const services = new Map<string, SeenContainer[]>();
  for (const container of containers) {
    if (container.appId === undefined || container.serviceName === undefined) continue;
    const key = `${container.appId}/${container.serviceName}`;
    services.set(key, [...(services.get(key) ?? []), container]);
  }
  const age = ({ createdAt, id }: SeenContainer) => `${createdAt} ${id}`;
  for (const group of services.values()) group.sort((a, b) => (age(a) < age(b) ? 1 : -1));
  return services;
}
