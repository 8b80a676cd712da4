import { systemClock } from '../../api/platform/clock.js';
import { SystemReader } from '../host/facts/system-facts.js';
import { answersAt } from '../host/network/api-answer.js';
import { readDefaultRoute } from '../host/network/default-route.js';
import { interfaceReader } from '../host/network/interfaces.js';
import type { HostConfigDeps } from '../host-config/controller.js';
import type { AgentContext } from './agent-context.js';

/** Wires what HostConfigs need. `addresses`: where the API listens. `appsAreKnown`: every App has had a pass. */
export function hostConfigDeps(
  { settings, store, variables, host, facts, logs }: AgentContext,
  { addresses, appsAreKnown }: { addresses(): readonly string[]; appsAreKnown(): boolean },
): HostConfigDeps {
  const { hostRoot, dataFolder } = settings;
  const { clock, run, units } = host;
  const reader = new SystemReader({
    hostRoot,
    dataFolder,
    facts,
    interfaces: interfaceReader(systemClock.monotonic),
    clock,
    run,
    ...{ now: systemClock.now, monotonic: systemClock.monotonic },
  });
  return {
    ...{ store, units, clock, facts },
    device: { deviceType: facts.deviceType, metaVersion: facts.metaVersion },
    ...{ network: host.files, boot: host.boot, state: host.state, marker: host.marker },
    localMode: settings.localMode,
    probes: {
      hasDefaultRoute: () => readDefaultRoute(hostRoot),
      addresses,
      answers: answersAt,
      appsAreKnown,
    },
    ...{ now: systemClock.now, monotonic: systemClock.monotonic },
    obstacle: () => host.obstacle('reboot'),
    reboot: () => host.requestPower('reboot', false),
    rebootFailure: () => host.powerFailure('reboot'),
    logLine: (message, isStdErr = false) => logs.system(message, 'device', { isStdErr }),
    async system() {
      const system = await reader.facts();
      return variables().SUPERVISOR_HARDWARE_METRICS ? { system, metrics: await reader.metrics() } : { system };
    },
  };
}
