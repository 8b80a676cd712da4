import assert from 'node:assert/strict';
import type { DeviceUndo, HostState, UnconfirmedChange } from '../../../../controllers/host/host-state.js';
import { NO_STATE } from '../../../../controllers/host/host-state.js';
import { type DeviceObservation, planDevice } from '../../../../controllers/host-config/device/plan.js';
import { attempt, TerminalError } from '../../../../controllers/runtime/outcome.js';
import { decodeVariables } from '../../../../crds/model/device-variables.js';

const UNCONFIRMED: UnconfirmedChange<DeviceUndo> = {
  uid: 'u',
  generation: 1,
  undo: { managed: {}, files: {} },
  before: { defaultRoute: true, addresses: [] },
  starts: 0,
};
/** A change that takes effect at the next start of the device: what was booted says false. */
const CHANGED: Partial<HostState> = {
  booted: { bootId: 'b', values: { SUPERVISOR_PERSISTENT_LOGGING: 'false' } },
  touched: ['SUPERVISOR_PERSISTENT_LOGGING'],
};
const CHANGE = 'SUPERVISOR_PERSISTENT_LOGGING: false → true';
const BACK: HostState['rolledBack'] = { device: { uid: 'u', generation: 1, because: 'x', bootId: 'b' } };
const ASKED: HostState['reboot'] = { bootId: 'b', uid: 'u', generation: 1, changes: [CHANGE] };

const DEVICE: DeviceObservation = {
  uid: 'u',
  generation: 1,
  isDeleted: true,
  config: { HOST_CONFIG_gpu_mem: '64' },
  variables: decodeVariables({}, { localMode: true }),
  seen: { hasBoot: true, backends: [], config: { persistentLogging: true } },
  device: { deviceType: 'raspberrypi4-64', metaVersion: undefined },
  state: { ...NO_STATE, booted: { bootId: 'b', values: {} } },
  bootId: 'b',
  isMarked: false,
  units: [{ unit: 'avahi-daemon.service', active: true, wanted: false }],
  verdict: undefined,
  request: undefined,
  notes: [],
  unknown: [],
  repairs: 0,
  system: {},
  permission: { is: 'allowed' },
  obstacle: undefined,
  waiting: ['Service a.b starts with it'],
  unsettled: ['App a'],
};

/** The plan as one line. */
function reported(device: DeviceObservation): string {
  const plan = attempt(() => planDevice(device));
  if (plan instanceof TerminalError) return `${plan.reason}: ${plan.message}`;
  const steps = plan.steps.map((step) => `${step.do}: ${step.because}`);
  const { outcome } = plan;
  return [
    ...steps,
    outcome.is === 'settled'
      ? 'settled'
      : `${outcome.is}, ${outcome.reason}${outcome.is === 'waiting' ? `: ${outcome.message}` : ''}`,
  ].join('; ');
}

describe('the plan for a HostConfig device that is being deleted', () => {
  const UNPROVEN = 'its document was deleted before the change had proved itself';
  const cases: readonly [it: string, device: Partial<DeviceObservation>, state: Partial<HostState>, want: string][] = [
    ['lets it go, whatever else it says, when nothing is unconfirmed', {}, {}, 'settled'],
    [
      'gives a change up that has not begun to prove itself',
      { verdict: { is: 'not-started' } },
      { trials: { device: UNCONFIRMED } },
      `give-up: ${UNPROVEN}; progressing, RollingBack`,
    ],
    [
      'gives a change up of which nobody could tell whether it is good',
      {},
      { trials: { device: UNCONFIRMED } },
      `give-up: ${UNPROVEN}; progressing, RollingBack`,
    ],
    [
      'gives a change up that still lacks something',
      { verdict: { is: 'open', missing: ['a default route'], leftMs: 1, forMs: 1 } },
      { trials: { device: UNCONFIRMED } },
      `give-up: ${UNPROVEN}; progressing, RollingBack`,
    ],
    [
      'gives a change up that has failed by itself, and says why',
      { verdict: { is: 'bad', because: 'after 60 s it still lacked a default route' } },
      { trials: { device: UNCONFIRMED } },
      'give-up: after 60 s it still lacked a default route; progressing, RollingBack',
    ],
    [
      'keeps a change that was confirmed just before',
      { verdict: { is: 'good', because: 'confirmed by request' } },
      { trials: { device: UNCONFIRMED } },
      'confirm: confirmed by request; progressing, Confirming',
    ],
    [
      'puts back what was given up',
      { verdict: { is: 'not-started' } },
      { trials: { device: { ...UNCONFIRMED, failed: 'x' } } },
      'roll-back: x; progressing, RollingBack',
    ],
    [
      'waits for a boot partition without which nothing can be put back',
      { seen: { hasBoot: false, backends: [], config: undefined }, verdict: { is: 'not-started' } },
      { trials: { device: UNCONFIRMED } },
      'waiting, BootPartitionMissing: The boot partition of this device is not there now: its settings wait until it is mounted again. Nothing of it is lost',
    ],
    [
      'waits for no boot partition when nothing is unconfirmed',
      { seen: { hasBoot: false, backends: [], config: undefined } },
      { managed: { HOST_CONFIG_gpu_mem: '64' } },
      'settled',
    ],
    ['restarts nothing when what was put back is what was booted', {}, { rolledBack: BACK }, 'settled'],
    [
      'leaves a reboot marker for what was put back and is not booted',
      {},
      { ...CHANGED, rolledBack: BACK },
      `write-marker: ${CHANGE}; progressing, Observing`,
    ],
    [
      'restarts the device for it at once: no window, nobody is waited for',
      { isMarked: true, permission: { is: 'later', inMs: 1, next: undefined } },
      { ...CHANGED, rolledBack: BACK },
      `reboot: ${CHANGE}; progressing, Rebooting`,
    ],
    [
      'restarts the device although the document names a window that is none',
      { isMarked: true, permission: new TerminalError('InvalidSpec', 'no window') },
      { ...CHANGED, rolledBack: BACK },
      `reboot: ${CHANGE}; progressing, Rebooting`,
    ],
    [
      'stays until the device has been restarted',
      { isMarked: true },
      { ...CHANGED, rolledBack: BACK, reboot: ASKED },
      `waiting, RebootRequired: The device has to be restarted: ${CHANGE}. It was asked to and has not done so yet`,
    ],
    [
      'leaves a restart to somebody else where the document never wanted one',
      { isMarked: true, permission: { is: 'never' } },
      { ...CHANGED, rolledBack: BACK },
      `leave-restart: The device has to be restarted: ${CHANGE}. spec.reboot is never: restart it by hand; settled`,
    ],
    [
      'leaves a restart to somebody else where it cannot be had',
      { isMarked: true, obstacle: 'This agent may not' },
      { ...CHANGED, rolledBack: BACK },
      `leave-restart: The device has to be restarted: ${CHANGE}. This agent may not; settled`,
    ],
    ['restarts nothing for a change that nobody asked a proof of', { isMarked: true }, CHANGED, 'settled'],
    [
      'restarts nothing for what was put back before the last start of the device',
      { isMarked: true },
      { ...CHANGED, rolledBack: { device: { uid: 'u', generation: 1, because: 'x', bootId: 'a' } } },
      'settled',
    ],
    [
      'withdraws a reboot marker that nothing stands behind',
      { isMarked: true },
      {},
      'remove-marker: no restart of the device is due; progressing, Observing',
    ],
  ];
  for (const [what, device, state, want] of cases) {
    it(what, () => assert.equal(reported({ ...DEVICE, ...device, state: { ...DEVICE.state, ...state } }), want));
  }

  it('and a later one of the same name may ask for the restart that the deleted one asked for', () => {
    const later = { ...DEVICE, isDeleted: false, config: {}, units: [], waiting: [], unsettled: [], isMarked: true };
    const reboot = { bootId: 'a', uid: 'u', generation: 1, changes: [CHANGE] };
    const state = { ...DEVICE.state, ...CHANGED, reboot };
    assert.match(reported({ ...later, state }), /^DoesNotConverge: /);
    assert.equal(reported({ ...later, uid: 'other', state }), `reboot: ${CHANGE}; progressing, Rebooting`);
  });
});
