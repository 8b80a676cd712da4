import { type Clock, systemClock } from '../../api/platform/clock.js';
import type { EventReason } from '../../crds/model/event-reasons.js';
import { keyOf } from '../../crds/model/kinds.js';
import { EngineKeeper } from '../engine/engine-keeper.js';
import { seedImage } from '../engine/local/seed-image.js';
import { startLogFollower } from '../engine/logs/log-follower.js';
import { endLostContainers } from '../engine/lost-containers.js';
import type { Host } from '../host/open-host.js';
import { containerProcesses } from '../host/processes/container-processes.js';
import { Backoff } from '../runtime/backoff.js';
import { watchClock } from '../runtime/clock-watch.js';
import type { Loop } from '../runtime/loop.js';
import { type Component, Manager, ongoing } from '../runtime/manager.js';
import { onVariables, repeat } from '../runtime/variables.js';
import { watchOrphans } from '../service/orphans.js';
import { logOwnerOf } from '../service/output/log-owner.js';
import { rebootWhenSettled } from '../service/reboots.js';
import type { AgentContext } from './agent-context.js';
import type { EngineHandle } from './engine-handle.js';
import type { Settings } from './settings.js';
import type { Wiring } from './wiring.js';

/** How often everything is listed again, in case an event was lost, ms. */
const RELIST_MS = 5 * 60_000;

/**
 * Creates the component that does the work: it finds the engine first, then starts the parts that need it, the sources
 * and the controllers among them.
 */
export function acting(wiring: Wiring, signal: AbortSignal): Component {
  const manager = new Manager(wiring.context.log);
  return {
    name: 'the controllers',
    start: async () => {
      await wiring.handle.find(signal);
      await manager.start(actingComponents(wiring));
    },
    stop: () => manager.stop(),
  };
}

function actingComponents({
  context,
  handle,
  traits,
  archives,
  pulls,
  folders,
  rescan,
  loops,
}: Wiring): readonly Component[] {
  const { store, host, logs, variables, log } = context;
  const { engine, cache } = handle;
  const clock = systemClock;
  const lookAtAll = (): void => {
    for (const loop of loops) loop.resync();
  };
  return [
    // Before the first list, which an engine that hangs would hold up.
    keeper(context, handle),
    { name: 'the engine cache', start: () => cache.start(), stop: () => cache.stop() },
    lostContainers(context, handle),
    { name: 'the traits of the engine', start: () => traits.start(), stop: () => traits.stop() },
    { name: 'the files of images', start: () => archives.start(), stop: () => archives.stop() },
    { name: 'the pulls', start: () => undefined, stop: () => pulls.stop() },
    ongoing('the container logs', () => {
      const follower = startLogFollower({ engine, cache, logs, clock, log, ...logOwnerOf(store) });
      return () => follower.stop();
    }),
    {
      name: 'the folders',
      start: async () => {
        // An engine that hangs would hold up everything else.
        if (cache.hasSynced) await seed(context, handle.dockerHost);
        await folders.start();
      },
      stop: () => folders.stop(),
    },
    ...loops.filter(({ controller }) => !controller.beginsFirst).map(working),
    ongoing('the orphans', () => watchOrphans({ store, cache, clock })),
    // Reboots the device for services that start only then, where the agent may.
    ongoing('the reboots', () =>
      rebootWhenSettled({
        ...{ store, logs, after: (ms, call) => clock.after(ms, call) },
        reboot: () => host.requestPower('reboot', false),
        failure: () => host.powerFailure('reboot'),
      }),
    ),
    // By the monotonic clock, so that setting the clock back does not stop it.
    ongoing('the relist', () => {
      const action = async (): Promise<void> => {
        await cache.relist();
        archives.look();
        lookAtAll();
      };
      return repeat({ clock, intervalMs: () => RELIST_MS, action: () => void action() });
    }),
    // When the clock was set, or the machine has slept, everything that is due by the time of day is due at another
    // moment.
    ongoing('the watch over the clock', () =>
      watchClock(clock, (byMs) => {
        const seconds = Math.round(Math.abs(byMs) / 1000);
        log.warn({ byMs: Math.round(byMs) }, `The clock was set ${byMs < 0 ? 'back' : 'forward'} by ${seconds} s`);
        lookAtAll();
      }),
    ),
    // Reads every source again at the interval of the device's settings, even if no change was noticed.
    ongoing('the poll', () =>
      repeat({
        clock,
        intervalMs: () => variables().SUPERVISOR_POLL_INTERVAL,
        changes: (changed) => onVariables(store, changed),
        action: () => void rescan().catch((err: unknown) => log.warn({ err }, 'Could not read every source again')),
      }),
    ),
  ];
}

interface FirewallDeps extends Pick<AgentContext, 'store' | 'variables'> {
  readonly settings: Pick<Settings, 'apiPort'>;
  readonly host: Pick<Host, 'firewall'>;
  readonly clock: Clock;
}

/** Delay between two tries to set the firewall, ms: another program may hold its lock; a kernel without IPv6 never succeeds. */
const FIREWALL_RETRY_MS = { firstMs: 5_000, maxMs: 10 * 60_000 };

/** Keeps the host's firewall as the settings say, where the agent may. Services on the host's network matter, too. */
export function firewall({ settings, store, variables, host, clock }: FirewallDeps): Component {
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

/** Watches the engine, and its process where that is ours. Its events are recorded for every App, because each of them runs on it. */
function keeper({ store, log }: AgentContext, handle: EngineHandle): Component {
  return new EngineKeeper({
    daemon: handle.daemon,
    ...{ cache: handle.cache, requests: handle.requests, restarts: handle.restarts, clock: systemClock },
    elapsedMs: () => performance.now(),
    random: Math.random,
    emit: recordForEveryApp({ store, log }),
    log,
  });
}

const recordForEveryApp =
  ({ store, log }: Pick<AgentContext, 'store' | 'log'>) =>
  (type: 'Normal' | 'Warning', reason: EventReason, message: string): void => {
    for (const app of store.list('App')) store.record(keyOf('App', app.metadata.name), { type, reason, message });
    log[type === 'Normal' ? 'info' : 'warn'](message);
  };

/** Ends containers that an engine of our own has forgotten. */
function lostContainers({ store, log }: AgentContext, { daemon, cache, engine }: EngineHandle): Component {
  let stop = async (): Promise<void> => undefined;
  return {
    name: 'the lost containers',
    start: () => {
      stop = endLostContainers({
        ...{ daemon, engine, cache },
        kill: (id) => containerProcesses().kill(id),
        emit: (message) => recordForEveryApp({ store, log })('Warning', 'Stray', message),
        failed: (error) => log.warn({ err: error }, 'Could not look for containers that the engine has forgotten'),
      });
    },
    stop: () => stop(),
  };
}

async function seed({ settings, reporter, log }: AgentContext, dockerHost: string): Promise<void> {
  if (settings.seedImage === undefined) return;
  try {
    await seedImage({ dockerHost, reference: settings.seedImage, print: (text) => reporter.print(text) });
  } catch (error) {
    log.warn({ err: error }, `Could not make ${settings.seedImage}; it will be pulled`);
  }
}

/** Creates the component of a running controller. */
export const working = (loop: Loop): Component => ({
  name: `the ${loop.controller.kind} controller`,
  start: () => loop.start(),
  stop: () => loop.stop(),
});
