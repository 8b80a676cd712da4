import type { ApiServer } from '../../api/http/server.js';
import type { Cancel, Clock } from '../../api/platform/clock.js';
import { Emitter } from '../../api/platform/emitter.js';
import { errorMessage } from '../../api/platform/errors.js';
import type { Store } from '../../api/store/store.js';
import { isReady } from '../../crds/model/conditions.js';
import type { EventReason } from '../../crds/model/event-reasons.js';
import { keyOf } from '../../crds/model/kinds.js';
import { API_NETWORK } from '../../crds/model/names.js';
import type { ApiReach } from '../network/observe.js';
import { Backoff } from '../runtime/backoff.js';
import type { ApiFailure } from '../runtime/health.js';
import type { Component } from '../runtime/manager.js';

/** Delay between two tries to listen, ms: the bridge of an engine that has just started is there within a second. */
const RETRY_MS = { firstMs: 250, maxMs: 5_000 };
const KEY = keyOf('Network', API_NETWORK);

export interface GatewayDeps {
  readonly store: Pick<Store, 'get' | 'watch' | 'record'>;
  readonly server: Pick<ApiServer, 'listen'>;
  readonly port: number;
  /** The engine is on another machine: its networks have no address on this one, and a restart would not change that. */
  readonly isElsewhere: boolean;
  readonly clock: Clock;
  /** Monotonic clock, ms. */
  readonly elapsedMs: () => number;
  readonly random: () => number;
}

/**
 * Keeps the API listening on the gateway of the network `supervisor0`, where containers call it. Compares the Network
 * document with what is open: at the start, whenever the document changes, and again after a failure.
 */
export class Gateway implements ApiReach, Component {
  readonly name = `the API on ${API_NETWORK}`;
  readonly #changes = new Emitter<void>();
  readonly #backoff: Backoff;
  #open: { readonly address: string; readonly close: () => Promise<void> } | undefined;
  /** Why the last try failed. */
  #lastError: string | undefined;
  /** Since when nobody listens although the network exists; monotonic clock, ms. */
  #silentSinceMs: number | undefined;
  /** The state that listeners have last been called for. */
  #lastMessage: string | undefined;
  #cancelRetry: Cancel = () => undefined;
  #unwatch: Cancel = () => undefined;
  #turn: Promise<void> = Promise.resolve();
  #isOver = false;

  constructor(private readonly deps: GatewayDeps) {
    this.#backoff = new Backoff({ ...RETRY_MS, random: deps.random });
  }

  start(): void {
    this.#unwatch = this.deps.store.watch(({ key }) => {
      if (key === KEY) this.#look();
    });
    this.#look();
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    this.#unwatch();
    this.#cancelRetry();
    await this.#turn;
    await this.#open?.close();
    this.#open = undefined;
  }

  /** The address on which it listens; undefined while it does not. */
  get address(): string | undefined {
    return this.#open?.address;
  }

  state(): ReturnType<ApiReach['state']> {
    const wanted = this.#wanted();
    if (wanted === undefined) return undefined;
    if (this.#open?.address === wanted) return { isReachable: true, message: `Containers reach the API at ${wanted}` };
    const why = this.#lastError ?? 'nobody listens there yet';
    return { isReachable: false, message: `Containers cannot reach the API at ${wanted}: ${why}` };
  }

  onChange(listener: () => void): Cancel {
    return this.#changes.listen(listener);
  }

  /** Why containers cannot reach the API although they should, and for how long; undefined while they can, or there is no network. */
  get failure(): ApiFailure | undefined {
    const state = this.state();
    if (this.deps.isElsewhere || this.#silentSinceMs === undefined || state?.isReachable !== false) return undefined;
    return { message: state.message, forMs: this.deps.elapsedMs() - this.#silentSinceMs };
  }

  /** Returns the `host:port` that containers call, as the network was last seen; undefined while there is none. */
  #wanted(): string | undefined {
    const host = this.deps.store.get('Network', API_NETWORK)?.status?.gateway;
    if (host === undefined) return undefined;
    return `${host.includes(':') ? `[${host}]` : host}:${this.deps.port}`;
  }

  /** Looks once more after the looks before it; each sees the state at its own time. */
  #look(): void {
    this.#cancelRetry();
    this.#turn = this.#turn.then(() => this.#converge()).catch((error: unknown) => void this.#failed(error));
  }

  async #converge(): Promise<void> {
    if (this.#isOver) return;
    const wanted = this.#wanted();
    if (this.#open && this.#open.address !== wanted) {
      const { address, close } = this.#open;
      this.#open = undefined;
      await close();
      this.#emit('Normal', 'ApiClosed', `Containers reach the API at ${address} no longer`);
    }
    if (wanted === undefined) {
      this.#lastError = undefined;
      this.#backoff.forget(KEY);
    } else if (!this.#open) await this.#listen(wanted);
    this.#count();
    const lastMessage = this.state()?.message;
    if (lastMessage === this.#lastMessage) return;
    this.#lastMessage = lastMessage;
    this.#changes.emit(undefined);
  }

  async #listen(address: string): Promise<void> {
    try {
      this.#open = { address, close: await this.deps.server.listen(address, 'gateway') };
      this.#lastError = undefined;
      this.#backoff.forget(KEY);
      this.#emit('Normal', 'ApiReachable', `Containers reach the API at ${address}`);
    } catch (error) {
      const before = this.#lastError;
      const why = this.#failed(error);
      if (why !== before)
        this.#emit('Warning', 'ApiUnreachable', `Could not listen at ${address}, trying again: ${why}`);
    }
  }

  /** Plans another look; returns the reason, in one sentence. */
  #failed(error: unknown): string {
    this.#lastError = errorMessage(error);
    if (!this.#isOver) this.#cancelRetry = this.deps.clock.after(this.#backoff.next(KEY), () => this.#look());
    return this.#lastError;
  }

  /** Stops counting when the network was not seen on the engine lately: it has no address that could be missing. */
  #count(): void {
    const network = this.deps.store.get('Network', API_NETWORK);
    const isMissed = network !== undefined && isReady(network) && this.#wanted() !== undefined && !this.#open;
    if (!isMissed) this.#silentSinceMs = undefined;
    else this.#silentSinceMs ??= this.deps.elapsedMs();
  }

  #emit(type: 'Normal' | 'Warning', reason: EventReason, message: string): void {
    this.deps.store.record(KEY, { type, reason, message });
  }
}
