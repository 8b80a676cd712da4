import type { EngineEvent, SeenContainer } from '../engine.js';
import { SUPERVISED } from '../labels.js';
import { agrees } from './event-effects.js';
import { EventSuppression } from './event-suppression.js';
import { ObjectCache, type Question, type Taken } from './object-cache.js';
import type { Watching } from './watch.js';

const ALL = 'container/*';
const keyOf = (id: string): string => `container/${id}`;

/** Our containers, as the engine last told. */
export class ContainerWatch {
  readonly #cache = new ObjectCache<SeenContainer>();
  readonly #quiet = new EventSuppression();
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
    const { engine, questions, inspections } = this.shared;
    inspections.unmark(keyOf(id));
    this.#quiet.answer(id);
    return questions.ask(
      [keyOf(id)],
      () => engine.inspectContainer(id, signal),
      (seen, question) => {
        const taken = this.#take(id, seen && SUPERVISED in seen.labels ? seen : undefined, question);
        if (taken === 'again') inspections.mark(keyOf(id));
        return taken;
      },
      () => inspections.mark(keyOf(id)),
    );
  }

  /** What a list may take for granted: containers that nothing is doubtful about. */
  known(): (id: string) => SeenContainer | undefined {
    const doubtful = new Set(this.all().flatMap(({ id }) => (this.shared.inspections.has(keyOf(id)) ? [id] : [])));
    return (id) => (doubtful.has(id) ? undefined : this.#cache.get(id));
  }

  takeAll(containers: readonly SeenContainer[], question: Question): void {
    this.#cache.takeAll(
      new Map(containers.map((container) => [container.id, container])),
      question,
      (_, before, after) => this.#differs(before, after),
      (id) => this.shared.inspections.mark(keyOf(id)),
    );
  }

  quietly<T>(idOrName: string, action: () => Promise<T>): Promise<T> {
    return this.#quiet.during(idOrName, action, (id) => this.shared.inspections.mark(keyOf(id)));
  }

  /** An event after which the container may look different. */
  invalidate(event: EngineEvent, id: string): void {
    const agreed = () => {
      const container = this.#cache.get(id);
      return container !== undefined && agrees(event, container);
    };
    if (this.shared.questions.answered(event, keyOf(id), this.#cache.asked(id), agreed)) return;
    const name = event.type === 'container' ? event.attributes.name : undefined;
    if (this.#quiet.hold(id, name ?? this.#cache.get(id)?.name)) return;
    this.shared.inspections.mark(keyOf(id));
  }

  /** The same for an event that does not say whether the container is ours. */
  doubtIfOurs(event: EngineEvent, id: string): void {
    if (this.#cache.get(id) || this.#isBeingAsked(id)) this.invalidate(event, id);
    // Known, perhaps, to somebody who is making it: then it is held back with the rest.
    else this.#quiet.hold(id, undefined);
  }

  /** An event that says itself what is different. */
  patch(event: EngineEvent, id: string, patch: Partial<SeenContainer>): void {
    const { questions, inspections } = this.shared;
    if (questions.answered(event, keyOf(id), this.#cache.asked(id), () => false)) return;
    // Whoever asks just now may be told the former state: ask once more, shortly.
    const asking = this.#isBeingAsked(id);
    const changed = this.#cache.patch(id, patch, questions.now().ticket);
    const container = this.#cache.get(id);
    if (changed && container) this.#differs(container, container);
    if (asking && !this.#quiet.hold(id, event.attributes.name)) inspections.mark(keyOf(id));
  }

  /** Ids are never given twice: what is destroyed stays so. */
  drop(id: string): void {
    this.shared.inspections.unmark(keyOf(id));
    this.#quiet.answer(id);
    this.#take(id, undefined, this.shared.questions.now());
  }

  /** Whether an answer about it is on its way, or will be asked for. A list counts for one that is not shown yet. */
  #isBeingAsked(id: string): boolean {
    const { questions, inspections } = this.shared;
    const listed = questions.isOpen(ALL) && !this.#cache.get(id);
    return listed || questions.isOpen(keyOf(id)) || inspections.has(keyOf(id));
  }

  #take(id: string, seen: SeenContainer | undefined, question: Question): Taken {
    const before = this.#cache.get(id);
    const taken = this.#cache.take(id, seen, question);
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
