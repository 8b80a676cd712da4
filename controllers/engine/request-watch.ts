import type { Cancel, Clock } from '../../api/platform/clock.js';
import { Emitter } from '../../api/platform/emitter.js';
import type { Engine } from './engine.js';

/** How long an engine that is well may take to answer, ms; a stop gets the container's grace period besides. */
export const OVERDUE_MS = 30_000;
/** Docker's grace period for a container without one, ms. */
const USUAL_GRACE_MS = 10_000;

/** A request that has no answer yet. */
interface OpenRequest {
  /** In words: `start container web_1_1`. */
  readonly what: string;
  /** `container/<id or name>`, `network/…`, `volume/…`, `image/…`; '' for the engine itself. */
  readonly about: string;
  /** Time of day, ms. */
  readonly sentAtMs: number;
  /** When it becomes overdue; monotonic clock, ms. */
  readonly dueMs: number;
  /** The caller's signal: tells whose request it is. */
  readonly signal: AbortSignal;
}

/** Watched verbs, and what they do to which object. Streams, pulls and loads have limits of their own. */
const WATCHED = {
  info: ['tell what it is like', ''],
  inspectContainer: ['inspect container', 'container'],
  createContainer: ['create container', 'container'],
  startContainer: ['start container', 'container'],
  stopContainer: ['stop container', 'container'],
  restartContainer: ['restart container', 'container'],
  publishedPorts: ['list the published ports', ''],
  listLabelled: ['list the containers with label', 'label'],
  listNamed: ['list the containers of that name', 'label'],
  removeContainer: ['remove container', 'container'],
  renameContainer: ['rename container', 'container'],
  updateContainer: ['update container', 'container'],
  unpauseContainer: ['unpause container', 'container'],
  inspectNetwork: ['inspect network', 'network'],
  createNetwork: ['create network', 'network'],
  removeNetwork: ['remove network', 'network'],
  connectNetwork: ['connect a container to network', 'network'],
  disconnectNetwork: ['disconnect a container from network', 'network'],
  networkUsers: ['inspect network', 'network'],
  releaseEndpoint: ['disconnect a container from network', 'network'],
  inspectVolume: ['inspect volume', 'volume'],
  createVolume: ['create volume', 'volume'],
  removeVolume: ['remove volume', 'volume'],
  volumeUsers: ['list the users of volume', 'volume'],
  inspectImage: ['inspect image', 'image'],
  tagImage: ['tag image', 'image'],
  removeImage: ['remove image', 'image'],
} as const satisfies Partial<Record<keyof Engine, readonly [string, string]>>;

export interface RequestWatchDeps {
  readonly clock: Clock;
  /** Returns the name of a container and its grace period, ms; undefined for an unknown one. */
  readonly container: (id: string) => { readonly name: string; readonly stopGraceMs?: number } | undefined;
}

/**
 * Knows which requests the engine has left unanswered for too long. It ends none of them: the engine may carry them out
 * all the same, and a second one would only wait behind the first.
 */
export class RequestWatch {
  readonly #open = new Set<OpenRequest>();
  /** Those of `#open` that were announced as overdue. */
  readonly #overdue = new Set<OpenRequest>();
  readonly #changes = new Emitter<string>();
  #cancel: Cancel = () => undefined;
  #plannedMs = Number.POSITIVE_INFINITY;

  constructor(private readonly deps: RequestWatchDeps) {}

  /** Returns the same engine with watched requests. */
  watch(engine: Engine): Engine {
    const verbs = new Map<PropertyKey, unknown>();
    const watched = (target: Engine, verb: PropertyKey): unknown => {
      const call: unknown = Reflect.get(target, verb);
      if (typeof call !== 'function') return call;
      const words = Object.hasOwn(WATCHED, verb) ? WATCHED[verb as keyof typeof WATCHED] : undefined;
      if (!words) return call.bind(target);
      return (...args: unknown[]) => this.#follow(String(verb), words, args, () => call.apply(target, args));
    };
    return new Proxy(engine, {
      get: (target, verb) => {
        if (!verbs.has(verb)) verbs.set(verb, watched(target, verb));
        return verbs.get(verb);
      },
    });
  }

  /** Describes overdue requests, oldest first, in one sentence; undefined when there are none. `signal`: only of that caller. */
  sentence(waiter: { readonly about?: readonly string[]; readonly signal?: AbortSignal } = {}): string | undefined {
    const { about, signal } = waiter;
    const due = [...this.#overdue].filter(
      (one) => (!about || about.includes(one.about)) && (!signal || one.signal === signal),
    );
    const [first] = due.sort((a, b) => a.sentAtMs - b.sentAtMs);
    if (!first) return undefined;
    const more = due.length === 1 ? '' : `, nor ${due.length - 1} later request${due.length === 2 ? '' : 's'}`;
    return `The Docker engine has not answered since ${timeText(first.sentAtMs)} to: ${first.what}${more}`;
  }

  /** Describes the requests that keep the caller with that signal waiting; see `sentence`. */
  because(signal: AbortSignal): string | undefined {
    return this.sentence({ signal });
  }

  get isOverdue(): boolean {
    return this.#overdue.size > 0;
  }

  /** Calls back with the object of a request when it has become overdue, and when an overdue one has ended. */
  onChange(listener: (about: string) => void): Cancel {
    return this.#changes.listen(listener);
  }

  async #follow(
    verb: string,
    [words, type]: readonly [string, string],
    args: readonly unknown[],
    call: () => Promise<unknown>,
  ): Promise<unknown> {
    const { clock, container } = this.deps;
    const signal = args.find((one): one is AbortSignal => one instanceof AbortSignal) ?? new AbortController().signal;
    const id = type === '' ? '' : String(args[0]);
    const known = type === 'container' ? container(id) : undefined;
    const graceMs =
      verb === 'stopContainer' || verb === 'restartContainer' ? (known?.stopGraceMs ?? USUAL_GRACE_MS) : 0;
    const request: OpenRequest = {
      what: [words, known?.name ?? id].join(' ').trim(),
      about: type === '' ? '' : `${type}/${id}`,
      sentAtMs: clock.now(),
      dueMs: clock.monotonic() + OVERDUE_MS + graceMs,
      signal,
    };
    this.#open.add(request);
    this.#plan(request.dueMs);
    try {
      return await call();
    } finally {
      this.#open.delete(request);
      if (this.#open.size === 0) this.#unplan();
      if (this.#overdue.delete(request)) this.#changes.emit(request.about);
    }
  }

  /** Plans one timer for all: most requests are answered long before it fires. */
  #plan(dueMs: number): void {
    if (this.#plannedMs <= dueMs) return;
    this.#unplan();
    this.#plannedMs = dueMs;
    this.#cancel = this.deps.clock.after(Math.max(0, dueMs - this.deps.clock.monotonic()), () => this.#look());
  }

  #unplan(): void {
    this.#cancel();
    this.#plannedMs = Number.POSITIVE_INFINITY;
  }

  #look(): void {
    this.#unplan();
    const nowMs = this.deps.clock.monotonic();
    const late = [...this.#open].filter((one) => one.dueMs <= nowMs && !this.#overdue.has(one));
    for (const one of late) this.#overdue.add(one);
    const next = Math.min(...[...this.#open].filter((one) => !this.#overdue.has(one)).map(({ dueMs }) => dueMs));
    if (Number.isFinite(next)) this.#plan(next);
    this.#changes.emit(...late.map(({ about }) => about));
  }
}

/** Returns a time, as in `2026-01-02T03:04:05Z`. Pure. */
export const timeText = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
