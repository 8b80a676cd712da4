import { join, relative } from 'node:path';
import type { ApiServer } from '../../api/http/server.js';
import { systemClock } from '../../api/platform/clock.js';
import { collectWhenIdle } from '../runtime/idle-gc.js';
import { type Component, Manager } from '../runtime/manager.js';
import { openAgent } from './agent-context.js';
import { acting, firewall, working } from './components.js';
import type { Reporter } from './reporter.js';
import { printable, type Settings } from './settings.js';
import { AGENT_VERSION } from './version.js';
import { type Wiring, wire } from './wiring.js';

/**
 * Longest time that one component may take to stop, ms: more than the working component, which stops part by part,
 * usually takes in all.
 */
const STOP_MS = 15_000;

export interface Agent {
  /** Addresses on which the API listens. */
  readonly addresses: readonly string[];
  /** Stops in reverse order of the start: passes drain, status goes to disk. Containers keep running. */
  stop(): Promise<void>;
}

/**
 * Runs the whole agent: opens its data folder, wires the parts and starts them. The API starts first, so that it
 * answers while an engine is still being found. Rejects when a part cannot start; parts that had started are stopped
 * again.
 */
export async function startAgent(settings: Settings, reporter: Reporter, signal: AbortSignal): Promise<Agent> {
  const { log } = reporter;
  log.info({ settings: printable(settings) }, `supercargo ${AGENT_VERSION}`);
  const wiring = await wire(await openAgent(settings, reporter));
  const { context, server, loopOf } = wiring;
  const manager = new Manager(log, STOP_MS);
  await manager.start(componentsOf(wiring, signal));
  // An app that has not changed since the last agent is not reported.
  void loopOf('App').initialSync.then(() => context.following.look());
  return {
    get addresses() {
      return server.addresses;
    },
    stop: () => manager.stop(),
  };
}

/** Returns everything that is started, in that order. */
function componentsOf(wiring: Wiring, signal: AbortSignal): readonly Component[] {
  const { context, server, peers, gateway, loops } = wiring;
  const { settings, reporter, store, following, unlockFolder } = context;
  return [
    { name: 'the data folder', start: () => undefined, stop: unlockFolder },
    { name: 'the heap', start: () => undefined, stop: collectWhenIdle() },
    { name: 'the store', start: () => undefined, stop: () => store.close() },
    { name: 'the terminal', start: () => undefined, stop: () => following.stop() },
    { name: 'the API', start: () => server.start(), stop: () => server.stop() },
    {
      name: 'the banner',
      start: () => printBanner(settings, reporter, server, peers.blindness),
      stop: () => undefined,
    },
    gateway,
    firewall({ ...context, clock: systemClock }),
    ...loops.filter(({ controller }) => controller.beginsFirst).map(working),
    acting(wiring, signal),
  ];
}

function printBanner(settings: Settings, reporter: Reporter, server: ApiServer, blindness: string | undefined): void {
  reporter.print(`supercargo ${AGENT_VERSION}`);
  reporter.print(`  API      ${server.addresses.map((address) => address.replace(/^(?!unix)/, 'http://')).join('  ')}`);
  reporter.print(
    `  key      ${settings.apiKey ? 'SUPERCARGO_API_KEY' : nearPath(join(settings.dataFolder, 'keys.json'))}`,
  );
  reporter.print(`  watching ${settings.manifestFolders.join('  ')}`);
  if (blindness !== undefined && !settings.development) {
    reporter.log.warn(`Callers on this machine need a key when the agent cannot tell who they are: ${blindness}`);
  }
}

/** Shortens a path below the working folder to what people typed; returns any other as it is. */
function nearPath(path: string): string {
  const near = relative('', path);
  return near.startsWith('..') ? path : near;
}
