import type { EngineEvent, SeenContainer } from '../engine.js';
import { SUPERVISED } from '../labels.js';
import { agrees } from './event-effects.js';
import { EventSuppression } from './event-suppression.js';
import { ObjectCache, type RequestStamp, type Taken } from './object-cache.js';
import type { Watching } from './watch.js';

const ALL = 'container/*';
const keyOf = (id: string): string => `container/${id}`;

/** Our containers, as the engine last told. */
export class ContainerWatch {
  readonly #cache = new ObjectCache<SeenContainer>();
  readonly #suppression = new EventSuppression();
  /** By app and service, newest first; made when somebody asks. */
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
    // Events may change a part while we ask; not for ever.
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

  /** What a list may take for granted: containers that nothing is doubtful about. */
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

  /** An event after which the container may look different. */
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

  /** The same for an event that does not say whether the container is ours. */
  invalidateIfOurs(event: EngineEvent, id: string): void {
    if (this.#cache.get(id) || this.#isBeingAsked(id)) this.invalidate(event, id);
    // Known, perhaps, to somebody who is making it: then it is held back with the rest.
    else this.#suppression.hold(id, undefined);
  }

  /** An event that says itself what is different. */
  patch(event: EngineEvent, id: string, patch: Partial<SeenContainer>): void {
    const { tracker, refreshQueue } = this.shared;
    if (tracker.answered(event, keyOf(id), this.#cache.asked(id), () => false)) return;
    // Whoever asks just now may be told the former state: ask once more, shortly.
    const asking = this.#isBeingAsked(id);
    const changed = this.#cache.patch(id, patch, tracker.now().ticket);
    const container = this.#cache.get(id);
    if (changed && container) this.#differs(container, container);
    if (asking && !this.#suppression.hold(id, event.attributes.name)) refreshQueue.mark(keyOf(id));
  }

  /** Ids are never given twice: what is destroyed stays so. */
  drop(id: string): void {
    this.shared.refreshQueue.unmark(keyOf(id));
    this.#suppression.answer(id);
    this.#take(id, undefined, this.shared.tracker.now());
  }

  /** Whether an answer about it is on its way, or will be asked for. A list counts for one that is not shown yet. */
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
