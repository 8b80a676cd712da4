/** Meetings of a service that was not tried to be started in between have to do with each other when they follow so soon, ms. */
const TOGETHER_MS = 30_000;

interface Meeting {
  readonly sinceMs: number;
  readonly lastMs: number;
  /** It was not tried to start the service since the last one. */
  rests: boolean;
}

/**
 * Since when services have met ports that the engine holds for no container that runs, at one attempt to start after the
 * other. Lives as long as the process.
 */
export class HeldPorts {
  readonly #meetings = new Map<string, Meeting>();

  constructor(private readonly deps: { readonly monotonic: () => number }) {}

  /** Notes that the service has met such a port. Returns for how long it has by now, ms; undefined the first time. */
  met(service: string): number | undefined {
    const lastMs = this.deps.monotonic();
    const before = this.#meetings.get(service);
    const goesOn = before !== undefined && (!before.rests || lastMs - before.lastMs <= TOGETHER_MS);
    const sinceMs = goesOn ? before.sinceMs : lastMs;
    this.#meetings.set(service, { sinceMs, lastMs, rests: false });
    return goesOn ? lastMs - sinceMs : undefined;
  }

  /** It is not tried any more to start the service: it was stopped, or suspended. */
  rest(service: string): void {
    const meeting = this.#meetings.get(service);
    if (meeting) meeting.rests = true;
  }

  /** The service has started, or has gone. */
  forget(service: string): void {
    this.#meetings.delete(service);
  }
}
