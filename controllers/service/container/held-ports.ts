/** Records since when services have met ports that the engine holds for no running container. Lives as long as the process. */
export class HeldPorts {
  readonly #sinceMs = new Map<string, number>();

  constructor(private readonly deps: { readonly monotonic: () => number }) {}

  /** Notes that the service has met such a port. Returns for how long it has by now, ms; undefined the first time. */
  met(service: string): number | undefined {
    const nowMs = this.deps.monotonic();
    const sinceMs = this.#sinceMs.get(service);
    if (sinceMs === undefined) this.#sinceMs.set(service, nowMs);
    return sinceMs === undefined ? undefined : nowMs - sinceMs;
  }

  forget(service: string): void {
    this.#sinceMs.delete(service);
  }
}
