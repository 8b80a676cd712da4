import { pino } from 'pino';
import type { LogStream } from '../../api/device-state/logs.js';
import type { Clock } from '../../api/platform/clock.js';
import type { Store } from '../../api/store/store.js';
import { firewall } from '../../controllers/agent/components.js';
import { Gateway } from '../../controllers/agent/gateway.js';
import type { Informer } from '../../controllers/engine/cache/informer.js';
import type { Engine } from '../../controllers/engine/engine.js';
import { startLogFollower } from '../../controllers/engine/logs/log-follower.js';
import type { UpdateLocks } from '../../controllers/host/locks/update-locks.js';
import type { FirewallRules } from '../../controllers/host/network/firewall.js';
import { deviceVariables } from '../../controllers/runtime/variables.js';
import { watchOrphans } from '../../controllers/service/orphans.js';
import { logOwnerOf } from '../../controllers/service/output/log-owner.js';
import { rebootWhenSettled } from '../../controllers/service/reboots.js';
import { PLURALS } from '../../crds/model/kinds.js';
import { aServer, withKey } from '../api/http/a-server.js';

export interface ServingDeps {
  readonly store: Store;
  /** Its calls are no steps of the agent. */
  readonly engine: Engine;
  readonly cache: Informer;
  readonly logs: LogStream;
  readonly locks: UpdateLocks;
  readonly clock: Clock;
}

/** What others have of an agent, besides what Docker holds. */
export interface Served {
  /** Where containers reach the API. */
  readonly gateway: string | undefined;
  readonly firewall: FirewallRules | undefined;
  /** How often the device was asked to boot. */
  readonly reboots: number;
  /** Apps whose update lock is held. */
  readonly locked: readonly number[];
  /** What a client of the log stream gets when each container prints a line. */
  readonly logs: readonly string[];
  /** Whole answers, by path. */
  readonly answers: Readonly<Record<string, unknown>>;
}

const PATHS = [
  ...['/ping', '/v1/healthy', '/v1/device', '/v2/state/status', '/v2/applications/state', '/v2/containerId'],
  ...['/v2/local/target-state', '/v2/device/name', '/v2/device/tags', '/v1/device/host-config', '/v1/apps/1'],
  ...['/v2/applications/1/state', '/apis/supercargo.io/v1/problems'],
  ...Object.values(PLURALS).map((plural) => `/apis/supercargo.io/v1/${plural}`),
];

/** The parts of an agent that serve others, put together as the real one puts them; what they would reach is noted down. */
export class Serving {
  readonly gateway: Gateway;
  #rules: FirewallRules | undefined;
  #reboots = 0;
  readonly #lines: string[] = [];
  readonly #stops: (() => unknown)[] = [];

  constructor(private readonly deps: ServingDeps) {
    const { store, clock } = deps;
    this.gateway = new Gateway({
      ...{ store, clock, port: 48484, isElsewhere: false, elapsedMs: () => clock.now(), random: () => 0 },
      server: { listen: async () => async () => undefined },
    });
  }

  /** What starts before the engine is followed. */
  begin(): void {
    const { store, logs, clock } = this.deps;
    const wall = firewall({
      ...{ store, clock, settings: { apiPort: 48484 }, variables: deviceVariables(store, { localMode: false }) },
      host: {
        firewall: {
          apply: async (rules) => {
            this.#rules = rules;
            return true;
          },
        },
      },
    });
    this.gateway.start();
    void wall.start();
    const deaf = logs.listen((line) => {
      if ('serviceName' in line) this.#lines.push(`${line.serviceName}: ${line.message}`);
    });
    this.#stops.push(
      () => this.gateway.stop(),
      () => wall.stop(),
      deaf,
    );
  }

  /** What starts once the engine is followed. */
  go(): void {
    const { store, engine, cache, logs, clock } = this.deps;
    const log = pino({ level: 'silent' });
    const follower = startLogFollower({ ...{ engine, cache, logs, clock, log }, ...logOwnerOf(store) });
    const reboot = async () => {
      this.#reboots += 1;
      return { is: 'refused', message: 'This device only exists in memory' } as const;
    };
    const after = (ms: number, call: () => void) => clock.after(ms, call);
    this.#stops.push(
      () => follower.stop(),
      watchOrphans({ store, cache, clock }),
      rebootWhenSettled({ store, reboot, after, logs: { system: () => undefined } }),
    );
  }

  stop(): void {
    for (const stop of this.#stops.splice(0).reverse()) stop();
  }

  /** `speak`: has every container print its name, and resolves when that has been heard. */
  async view(speak: () => Promise<void>): Promise<Served> {
    const { store, logs, locks } = this.deps;
    this.#lines.length = 0;
    await speak();
    const bench = await aServer({ store, logs });
    const answers: Record<string, unknown> = {};
    for (const url of PATHS) {
      const { statusCode, payload } = await bench.server.inject({ url, headers: withKey });
      // Versions are counted on from the clock of each process.
      answers[url] = `${statusCode} ${payload.replace(/"resourceVersion":"\d+"/g, '"resourceVersion":""')}`;
    }
    await bench.server.stop(0);
    return {
      gateway: this.gateway.address,
      firewall: this.#rules,
      reboots: this.#reboots,
      locked: store.list('App').flatMap(({ spec: { appId = 0 } }) => (locks.isHeld(appId) ? [appId] : [])),
      logs: [...this.#lines].sort(),
      answers,
    };
  }
}
