import { keyOf } from '../../crds/model/kinds.js';
import type { Informer } from '../engine/cache/informer.js';
import { foreignDaemon } from '../engine/daemon-look.js';
import { EngineKeeper } from '../engine/engine-keeper.js';
import { privateDaemon } from '../engine/local/private-engine.js';
import type { RequestWatch } from '../engine/request-watch.js';
import type { Host } from '../host/open-host.js';
import { Backoff } from '../runtime/backoff.js';
import { type Clock, systemClock } from '../runtime/delays.js';
import type { Loop } from '../runtime/loop.js';
import type { Part } from '../runtime/manager.js';
import { onVariables, repeat } from '../runtime/variables.js';
import { rebootWhenSettled } from '../service/reboots.js';
import type { ActorDeps } from './actor-deps.js';
import type { Settings } from './settings.js';

/** Boots the device for services that start only then, where the agent may. */
export function reboots({ store, host, logs }: ActorDeps): Part {
  const part: { stop?: () => void } = {};
  return {
    name: 'the reboots',
    start: () => {
      part.stop = rebootWhenSettled({
        store,
        reboot: () => host.requestPower('reboot', false),
        after: (ms, call) => systemClock.after(ms, call),
        logs,
      });
    },
    stop: () => part.stop?.(),
  };
}

/** Reads every source anew at the interval of the device's settings, though nothing was announced. */
export function poll({ store, variables, sources, log }: ActorDeps): Part {
  const stops: (() => void)[] = [];
  const action = (): void => {
    Promise.all(sources.map((source) => source.rescan())).catch((error: unknown) =>
      log.warn({ err: error }, 'Could not read every source anew'),
    );
  };
  const intervalMs = (): number => variables().SUPERVISOR_POLL_INTERVAL;
  const changes = (changed: () => void): (() => void) => onVariables(store, changed);
  return {
    name: 'the poll',
    start: () => void stops.push(repeat({ clock: systemClock, intervalMs, changes, action })),
    stop: () => {
      for (const stop of stops) stop();
    },
  };
}

interface FirewallDeps extends Pick<ActorDeps, 'store' | 'variables'> {
  readonly settings: Pick<Settings, 'apiPort'>;
  readonly host: Pick<Host, 'firewall'>;
  readonly clock: Clock;
}

/** Between two tries to set the firewall, ms: another program may hold its lock; a kernel without IPv6 never can. */
const FIREWALL_RETRY_MS = { firstMs: 5_000, maxMs: 10 * 60_000 };

/** Keeps the host's firewall as the settings say, where the agent may: services on the host's network count too. */
export function firewall({ settings, store, variables, host, clock }: FirewallDeps): Part {
  const stops: (() => void)[] = [];
  let last: Promise<void> = Promise.resolve();
  let cancel: () => void = () => undefined;
  const backoff = new Backoff({ ...FIREWALL_RETRY_MS, random: () => 0 });
  const apply = (): void => {
    cancel();
    const { HOST_FIREWALL_MODE: mode, SUPERVISOR_LOCAL_MODE: localMode } = variables();
    const hasHostService = store.list('Service').some(({ spec }) => spec.network_mode === 'host');
    last = last.then(async () => {
      const isDone = await host.firewall.apply({ mode, localMode, hasHostService, apiPort: settings.apiPort });
      if (isDone) backoff.forget('firewall');
      else if (stops.length > 0) cancel = clock.after(backoff.next('firewall'), apply);
    });
  };
  return {
    name: 'the firewall',
    start: () => {
      stops.push(
        onVariables(store, apply),
        store.watch(({ object, parts, type }) => {
          if (object.kind === 'Service' && (type === 'DELETED' || parts.includes('spec'))) apply();
        }),
      );
      apply();
    },
    stop: () => {
      for (const stop of stops.splice(0)) stop();
      cancel();
    },
  };
}

/** Looks after the engine, and after its process where that is ours. What happens to it is told of every App: each of them runs on it. */
export function keeper(
  { settings, store, voice, log }: ActorDeps,
  {
    world,
    requests,
    dockerHost,
    isOurs,
  }: {
    readonly world: Informer;
    readonly requests: RequestWatch;
    readonly dockerHost: string;
    readonly isOurs: boolean;
  },
): Part {
  const ours = { env: process.env, say: (text: string) => voice.say(text) };
  return new EngineKeeper({
    daemon: isOurs ? privateDaemon(settings.dataFolder, ours) : foreignDaemon(dockerHost),
    world,
    requests,
    clock: systemClock,
    elapsedMs: () => performance.now(),
    random: Math.random,
    tell: (type, reason, message) => {
      for (const app of store.list('App')) store.record(keyOf('App', app.metadata.name), { type, reason, message });
      log[type === 'Normal' ? 'info' : 'warn'](message);
    },
    log,
  });
}

/** A controller at work. */
export const working = (loop: Loop): Part => ({
  name: `the ${loop.controller.kind} controller`,
  start: () => loop.start(),
  stop: () => loop.stop(),
});
