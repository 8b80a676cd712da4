import assert from 'node:assert/strict';
import { BOOT_BACKENDS } from '../../../../controllers/host/boot/backend.js';
import type { SeenBackend, SeenBoot } from '../../../../controllers/host/boot/boot-partition.js';
import {
  type DeviceUndo,
  type HostState,
  NO_STATE,
  type UnconfirmedChange,
} from '../../../../controllers/host/host-state.js';
import {
  type DeviceObservation,
  type DeviceStep,
  planDevice,
  rebootChanges,
} from '../../../../controllers/host-config/device/plan.js';
import { attempt, InvalidSpecError, type Plan, TerminalError } from '../../../../controllers/runtime/outcome.js';
import { decodeVariables } from '../../../../crds/model/device-variables.js';

/**
 * What is done about the settings of a device. Each row is a device that differs in one thing from one at rest: it was
 * booted (`b`) with what its document wants, `gpu_mem=64` in config.txt. Documents that are being deleted are in
 * `plan-deleted.test.ts`.
 */
const DEVICE = { deviceType: 'raspberrypi4-64', metaVersion: undefined };
const backendOf = (name: string) => BOOT_BACKENDS.find((one) => one.name === name) ?? assert.fail(name);

/** The boot partition with that config.txt. */
const boot = (text: string, config: SeenBoot['config'] = { persistentLogging: false }): SeenBoot => {
  const backend = backendOf('config.txt');
  const configTxt: SeenBackend = { backend, text, now: backend.read(text) };
  return { hasBoot: true, backends: [configTxt], config };
};
const NO_BOOT: SeenBoot = { hasBoot: false, backends: [], config: undefined };
const GPU = 'HOST_CONFIG_gpu_mem';
const CHANGE = `${GPU}: 16 → 64`;
const UNCONFIRMED: UnconfirmedChange<DeviceUndo> = {
  uid: 'u',
  generation: 1,
  undo: { managed: {}, files: {} },
  before: { defaultRoute: true, addresses: [] },
  starts: 0,
};

const AT_REST: DeviceObservation = {
  uid: 'u',
  generation: 1,
  isDeleted: false,
  config: { [GPU]: '64' },
  variables: decodeVariables({}, { localMode: true }),
  seen: boot('gpu_mem=64\n'),
  device: DEVICE,
  state: { ...NO_STATE, booted: { bootId: 'b', values: { [GPU]: '64' } }, managed: { [GPU]: '64' } },
  bootId: 'b',
  isMarked: false,
  units: [],
  verdict: undefined,
  request: undefined,
  notes: [],
  unknown: [],
  repairs: 0,
  system: {},
  permission: { is: 'allowed' },
  obstacle: undefined,
  waiting: [],
  unsettled: [],
};

/** Steps with their reasons, then how the pass ends, and when it looks again if not soon. */
function reported(device: DeviceObservation): string {
  const plan = attempt(() => planDevice(device));
  if (plan instanceof InvalidSpecError) return `stalled, ${plan.issues.map(({ message }) => message).join('; ')}`;
  if (plan instanceof TerminalError) return `stalled, ${plan.reason}: ${plan.message}`;
  return [...plan.steps.map((step) => `${stepText(step)}: ${step.because}`), endText(plan.outcome)].join('; ');
}

function stepText(step: DeviceStep): string {
  switch (step.do) {
    case 'set':
      return `set ${step.difference.backend.name}${step.isRepair ? ' as a repair' : ''}`;
    case 'unit':
      return `unit ${step.verb} ${step.unit}`;
    case 'configure':
      return `configure ${JSON.stringify(step.members)}`;
    case 'start-timer':
      return `start-timer (start ${step.starts})`;
    case 'own':
      return `own ${JSON.stringify(step.managed)}`;
    case 'reboot':
      return `reboot for ${step.changes.length}`;
    default:
      return step.do;
  }
}

function endText(outcome: Plan<DeviceStep>['outcome']): string {
  switch (outcome.is) {
    case 'settled':
      return 'settled';
    case 'waiting':
      return `wait${outcome.forMs !== LONG_WAIT_MS ? ` ${outcome.forMs} ms` : ''}, ${outcome.reason}: ${outcome.message}`;
    default:
      return `${outcome.is}, ${outcome.reason}`;
  }
}

/** How long a pass waits when nothing says how soon to look again. */
const LONG_WAIT_MS = 60_000;

interface Row {
  readonly it: string;
  readonly device?: Partial<DeviceObservation>;
  readonly state?: Partial<HostState>;
  readonly want: string;
}

/** Booted with 16 and changed to 64 since: takes effect at the next start. */
const CHANGED = {
  device: { isMarked: true } as Partial<DeviceObservation>,
  state: { booted: { bootId: 'b', values: { [GPU]: '16' } }, touched: [GPU] } as Partial<HostState>,
};
/** The same, and another setting beside it that was not there. */
const BOOST = 'HOST_CONFIG_arm_boost';
const TWO_CHANGED = {
  device: {
    isMarked: true,
    config: { [GPU]: '64', [BOOST]: '1' },
    seen: boot('gpu_mem=64\narm_boost=1\n'),
  } as Partial<DeviceObservation>,
  state: {
    booted: { bootId: 'b', values: { [GPU]: '16' } },
    touched: [GPU, BOOST],
    managed: { [GPU]: '64', [BOOST]: '1' },
  } as Partial<HostState>,
};
const ASKED = (more: object = {}) => ({ bootId: 'b', uid: 'u', generation: 1, changes: [CHANGE], ...more });
const DUE = `The device has to be restarted: ${CHANGE}`;
const ROLLED_BACK = { uid: 'u', generation: 1, because: 'no default route', bootId: 'b' };

const TABLES: Readonly<Record<string, readonly Row[]>> = {
  'at first': [
    { it: 'does nothing when nothing differs', want: 'settled' },
    {
      it: 'notes what was booted before anything else',
      device: { bootId: 'b2', config: { [GPU]: '16' } },
      want: 'note-boot: the device was started; progressing, Observing',
    },
    {
      it: 'notes it at the very first start',
      state: { booted: undefined as never },
      want: 'note-boot: the device was started; progressing, Observing',
    },
    {
      it: 'notes no boot without a boot partition',
      device: { bootId: 'b2', seen: NO_BOOT, config: {} },
      state: { managed: {} },
      want: 'settled',
    },
  ],
  'without its boot partition': [
    {
      it: 'waits for it when something in it is ours',
      device: { seen: NO_BOOT, config: {} },
      want: 'wait, BootPartitionMissing: The boot partition of this device is not there now: its settings wait until it is mounted again. Nothing of it is lost',
    },
    {
      it: 'waits for it when something has to prove itself',
      device: { seen: NO_BOOT, config: {}, verdict: { is: 'good', because: 'x' } },
      state: { managed: {}, trials: { device: UNCONFIRMED } },
      want: 'wait, BootPartitionMissing: The boot partition of this device is not there now: its settings wait until it is mounted again. Nothing of it is lost',
    },
    {
      it: 'is at rest on a host that has none and wants nothing of it',
      device: { seen: NO_BOOT, config: {} },
      state: { managed: {} },
      want: 'settled',
    },
    {
      it: 'leaves the reboot marker alone: nobody can tell what is due',
      device: { seen: NO_BOOT, config: {}, isMarked: true },
      state: { managed: {} },
      want: 'settled',
    },
  ],
  'with settings that differ': [
    {
      it: 'writes the file, and says what changes',
      device: { seen: boot('gpu_mem=16\n') },
      state: { managed: {} },
      want: `set config.txt: ${CHANGE}; progressing, Writing`,
    },
    {
      it: 'calls it a repair when the file said so before',
      device: { seen: boot('gpu_mem=16\n') },
      want: `count-repair: ${CHANGE}; set config.txt as a repair: ${CHANGE}; progressing, Writing`,
    },
    {
      it: 'puts it back a fifth time within a minute',
      device: { seen: boot('gpu_mem=16\n'), repairs: 4 },
      want: `count-repair: ${CHANGE}; set config.txt as a repair: ${CHANGE}; progressing, Writing`,
    },
    {
      it: 'puts it back no sixth time',
      device: { seen: boot('gpu_mem=16\n'), repairs: 5 },
      want: `wait 600000 ms, Contested: Somebody else changes it as often as it is put back: ${CHANGE}`,
    },
    {
      it: 'writes what is new, however often it has put something back',
      device: { seen: boot('gpu_mem=16\n'), repairs: 5 },
      state: { managed: {} },
      want: `set config.txt: ${CHANGE}; progressing, Writing`,
    },
    {
      it: 'calls it no repair when another value was ours',
      device: { seen: boot('gpu_mem=16\n') },
      state: { managed: { [GPU]: '32' } },
      want: `set config.txt: ${CHANGE}; progressing, Writing`,
    },
    {
      it: 'calls it no repair when one of two was not ours',
      device: { seen: boot('gpu_mem=16\n'), config: { [GPU]: '64', HOST_CONFIG_arm_boost: '1' } },
      want: `set config.txt: ${CHANGE}, HOST_CONFIG_arm_boost: not set → 1; progressing, Writing`,
    },
    {
      it: 'removes what is declared no more, which is no repair',
      device: { config: {} },
      want: `set config.txt: ${GPU}: 64 → not set; progressing, Writing`,
    },
    {
      it: 'notes what has become ours when the file says it already',
      state: { managed: {} },
      want: `own {"${GPU}":"64"}: other variables are declared; progressing, Observing`,
    },
    {
      it: 'stops when what it wrote did not stay, with what was seen',
      device: { seen: boot('gpu_mem=16\n') },
      state: { stuck: { uid: 'u', generation: 1, message: 'it reads otherwise' } },
      want: 'stalled, DoesNotConverge: it reads otherwise',
    },
    {
      it: 'tries another generation again',
      device: { seen: boot('gpu_mem=16\n') },
      state: { managed: {}, stuck: { uid: 'u', generation: 0, message: 'it reads otherwise' } },
      want: `set config.txt: ${CHANGE}; progressing, Writing`,
    },
    {
      it: 'tries another document of that name again',
      device: { seen: boot('gpu_mem=16\n') },
      state: { managed: {}, stuck: { uid: 'other', generation: 1, message: 'it reads otherwise' } },
      want: `set config.txt: ${CHANGE}; progressing, Writing`,
    },
    {
      it: 'writes nothing of a document whose window is none',
      device: { seen: boot('gpu_mem=16\n'), permission: new TerminalError('InvalidSpec', 'no window') },
      want: 'stalled, InvalidSpec: no window',
    },
    {
      it: 'writes nothing where a file cannot be understood',
      device: {
        seen: {
          ...boot(''),
          backends: [{ backend: backendOf('config.txt'), text: undefined, now: {}, error: 'it is no text' }],
        },
      },
      want: 'stalled, UnreadableBootFile: config.txt: it is no text',
    },
  ],
  'with variables of config.json': [
    {
      it: 'writes them before the boot files: the host may end the agent for it',
      device: {
        seen: boot('gpu_mem=16\n'),
        variables: decodeVariables({ SUPERVISOR_PERSISTENT_LOGGING: 'true' }, { localMode: true }),
      },
      want: 'configure {"persistentLogging":true}: persistentLogging: false → true; progressing, Writing',
    },
    {
      it: 'writes two at once',
      device: {
        variables: decodeVariables(
          { SUPERVISOR_PERSISTENT_LOGGING: 'true', SUPERVISOR_POLL_INTERVAL: '900000' },
          { localMode: true },
        ),
      },
      want: 'configure {"persistentLogging":true,"appUpdatePollInterval":900000}: persistentLogging: false → true, appUpdatePollInterval: not set → 900000; progressing, Writing',
    },
    {
      it: 'writes one that was not set',
      device: {
        seen: boot('gpu_mem=64\n', {}),
        variables: decodeVariables({ SUPERVISOR_POLL_INTERVAL: '900000' }, { localMode: true }),
      },
      want: 'configure {"appUpdatePollInterval":900000}: appUpdatePollInterval: not set → 900000; progressing, Writing',
    },
    {
      it: 'takes a text in the file for what it means',
      device: {
        seen: boot('gpu_mem=64\n', { persistentLogging: 'true' }),
        variables: decodeVariables({ SUPERVISOR_PERSISTENT_LOGGING: 'true' }, { localMode: true }),
      },
      want: 'settled',
    },
    {
      it: 'leaves those alone that nobody declared',
      device: { seen: boot('gpu_mem=64\n', { persistentLogging: true }) },
      want: 'settled',
    },
    {
      it: 'does without a config.json',
      device: {
        seen: { ...boot('gpu_mem=64\n'), config: undefined },
        variables: decodeVariables({ SUPERVISOR_PERSISTENT_LOGGING: 'true' }, { localMode: true }),
      },
      want: 'settled',
    },
  ],
  'with units of the host': [
    {
      it: 'starts and stops those that are otherwise than wanted',
      device: {
        units: [
          { unit: 'a.service', active: true, wanted: false },
          { unit: 'b.service', active: false, wanted: true },
          { unit: 'c.service', active: true, wanted: true },
        ],
      },
      want: 'unit stop a.service: a.service is running; unit start b.service: b.service is not running; progressing, Switching',
    },
    {
      it: 'writes files first',
      device: { seen: boot('gpu_mem=16\n'), units: [{ unit: 'a.service', active: true, wanted: false }] },
      want: `count-repair: ${CHANGE}; set config.txt as a repair: ${CHANGE}; progressing, Writing`,
    },
    {
      it: 'leaves those alone that are as wanted',
      device: { units: [{ unit: 'a.service', active: true, wanted: true }] },
      want: 'settled',
    },
  ],
  'after a change that takes a restart': [
    {
      it: 'leaves a reboot marker first',
      device: { isMarked: false },
      state: CHANGED.state,
      want: `write-marker: ${CHANGE}; progressing, Observing`,
    },
    {
      it: 'leaves it for all that has changed',
      device: { ...TWO_CHANGED.device, isMarked: false },
      state: TWO_CHANGED.state,
      want: `write-marker: ${CHANGE}, ${BOOST}: not set → 1; progressing, Observing`,
    },
    {
      it: 'restarts the device once for all of it',
      ...TWO_CHANGED,
      want: `reboot for 2: ${CHANGE}, ${BOOST}: not set → 1; progressing, Rebooting`,
    },
    {
      it: 'says all of it when it may not',
      device: { ...TWO_CHANGED.device, permission: { is: 'never' } },
      state: TWO_CHANGED.state,
      want: `wait, RebootRequired: ${DUE}, ${BOOST}: not set → 1. spec.reboot is never: restart it by hand`,
    },
    {
      it: 'does not restart for what was changed and is as it was booted again',
      state: { touched: [GPU] },
      want: 'settled',
    },
    { it: 'restarts the device', ...CHANGED, want: `reboot for 1: ${CHANGE}; progressing, Rebooting` },
    {
      it: 'restarts for what was not there when the device was started',
      device: CHANGED.device,
      state: { ...CHANGED.state, booted: { bootId: 'b', values: {} } },
      want: `reboot for 1: ${GPU}: not set → 64; progressing, Rebooting`,
    },
    {
      it: 'does not restart for what somebody else changed',
      device: {},
      state: { ...CHANGED.state, touched: [] },
      want: 'settled',
    },
    {
      it: 'withdraws the reboot marker when the change was taken back',
      device: { isMarked: true },
      want: 'remove-marker: no restart of the device is due; progressing, Observing',
    },
    {
      it: 'never restarts where the document says so',
      device: { ...CHANGED.device, permission: { is: 'never' } },
      state: CHANGED.state,
      want: `wait, RebootRequired: ${DUE}. spec.reboot is never: restart it by hand`,
    },
    {
      it: 'does not restart where this agent cannot',
      device: { ...CHANGED.device, obstacle: 'This agent may not' },
      state: CHANGED.state,
      want: `wait, RebootRequired: ${DUE}. This agent may not`,
    },
    {
      it: 'waits for its window',
      device: { ...CHANGED.device, permission: { is: 'later', inMs: 7, next: '2026-01-02T03:00:00Z' } },
      state: CHANGED.state,
      want: `wait 7 ms, RebootRequired: ${DUE}. Its window begins at 2026-01-02T03:00:00Z`,
    },
    {
      it: 'says when its window is far away',
      device: { ...CHANGED.device, permission: { is: 'later', inMs: 7, next: undefined } },
      state: CHANGED.state,
      want: `wait 7 ms, RebootRequired: ${DUE}. Its window does not begin within a week`,
    },
    {
      it: 'waits for what has not settled',
      device: { ...CHANGED.device, unsettled: ['App a', 'App b', 'App c'] },
      state: CHANGED.state,
      want: `wait 5000 ms, RebootRequired: ${DUE}. It waits for App a, App b, App c to settle`,
    },
    {
      it: 'names three of many',
      device: { ...CHANGED.device, unsettled: ['App a', 'App b', 'App c', 'App d'] },
      state: CHANGED.state,
      want: `wait 5000 ms, RebootRequired: ${DUE}. It waits for App a, App b, App c, … to settle`,
    },
    {
      it: 'restarts for containers that wait for the next start',
      device: { waiting: ['Service a.b starts with it'] },
      want: 'reboot for 1: Service a.b starts with it; progressing, Rebooting',
    },
    {
      it: 'does not ask twice in one boot, and looks whether the restart has failed',
      device: CHANGED.device,
      state: { ...CHANGED.state, reboot: ASKED() },
      want: `wait 5000 ms, RebootRequired: ${DUE}. It was asked to and has not done so yet`,
    },
    {
      it: 'notes that the restart has failed',
      device: { ...CHANGED.device, rebootFailure: { message: 'no reboot here', inMs: 60_000 } },
      state: { ...CHANGED.state, reboot: ASKED() },
      want: 'note-failed-reboot: the restart failed: no reboot here; progressing, Observing',
    },
    {
      it: 'waits after a failed restart before it asks again',
      device: { ...CHANGED.device, rebootFailure: { message: 'no reboot here', inMs: 120_000 } },
      state: { ...CHANGED.state, reboot: { ...ASKED(), failed: 'no reboot here' } },
      want: `wait 120000 ms, RebootRequired: ${DUE}. That failed, and is tried again: no reboot here`,
    },
    {
      it: 'asks again when that time is over',
      device: { ...CHANGED.device, rebootFailure: { message: 'no reboot here', inMs: 0 } },
      state: { ...CHANGED.state, reboot: { ...ASKED(), failed: 'no reboot here' } },
      want: `reboot for 1: ${CHANGE}; progressing, Rebooting`,
    },
    {
      it: 'gives up when a restart did not help',
      device: CHANGED.device,
      state: { ...CHANGED.state, reboot: ASKED({ bootId: 'earlier' }) },
      want: `stalled, DoesNotConverge: ${DUE}. It was restarted for this before, and then something changed it back`,
    },
    {
      it: 'gives up as well when an earlier version of the agent had asked, which told no uid',
      device: CHANGED.device,
      state: { ...CHANGED.state, reboot: ASKED({ bootId: 'earlier', uid: undefined }) },
      want: `stalled, DoesNotConverge: ${DUE}. It was restarted for this before, and then something changed it back`,
    },
    {
      it: 'asks again for another generation',
      device: CHANGED.device,
      state: { ...CHANGED.state, reboot: ASKED({ generation: 0 }) },
      want: `reboot for 1: ${CHANGE}; progressing, Rebooting`,
    },
    {
      it: 'asks again for other changes',
      device: CHANGED.device,
      state: { ...CHANGED.state, reboot: ASKED({ changes: ['another'] }) },
      want: `reboot for 1: ${CHANGE}; progressing, Rebooting`,
    },
  ],
  'while a change proves itself': [
    {
      it: 'restarts the device for it: its time does not run before',
      device: { ...CHANGED.device, verdict: { is: 'not-started' } },
      state: { ...CHANGED.state, trials: { device: UNCONFIRMED } },
      want: `reboot for 1: ${CHANGE}; progressing, Rebooting`,
    },
    {
      it: 'begins its time at the start',
      device: { verdict: { is: 'begin', starts: 2 } },
      state: { trials: { device: UNCONFIRMED } },
      want: 'start-timer (start 2): the change has taken effect; progressing, Confirming',
    },
    {
      it: 'waits for what is missing',
      device: { verdict: { is: 'open', missing: ['a default route', 'the API'], leftMs: 9, forMs: 5 } },
      state: { trials: { device: UNCONFIRMED } },
      want: 'wait 5 ms, Confirming: The change has to prove itself, or what was there before comes back. Missing: a default route, the API',
    },
    {
      it: 'ends it when it is good',
      device: { verdict: { is: 'good', because: 'confirmed by request' } },
      state: { trials: { device: UNCONFIRMED } },
      want: 'confirm: confirmed by request; progressing, Confirming',
    },
    {
      it: 'gives it up when it is bad',
      device: { verdict: { is: 'bad', because: 'after 600 s it still lacked a default route' } },
      state: { trials: { device: UNCONFIRMED } },
      want: 'give-up: after 600 s it still lacked a default route; progressing, RollingBack',
    },
    {
      it: 'looks at no verdict without an unconfirmed change',
      device: { verdict: { is: 'bad', because: 'x' } },
      want: 'settled',
    },
    {
      it: 'ends it even where the document cannot be obeyed any more',
      device: { verdict: { is: 'good', because: 'x' }, permission: new TerminalError('InvalidSpec', 'no window') },
      state: { trials: { device: UNCONFIRMED } },
      want: 'confirm: x; progressing, Confirming',
    },
    {
      it: 'writes a later change first',
      device: { seen: boot('gpu_mem=16\n'), verdict: { is: 'good', because: 'x' } },
      state: { trials: { device: UNCONFIRMED } },
      want: `count-repair: ${CHANGE}; set config.txt as a repair: ${CHANGE}; progressing, Writing`,
    },
  ],
  'after a change failed': [
    {
      it: 'puts back what was there before, whatever else',
      device: { config: { [GPU]: '128' } },
      state: { trials: { device: { ...UNCONFIRMED, failed: 'no default route' } } },
      want: 'roll-back: no default route; progressing, RollingBack',
    },
    {
      it: 'writes nothing of that generation again, and says why',
      device: { config: { [GPU]: '128' } },
      state: { rolledBack: { device: ROLLED_BACK } },
      want: 'stalled, RolledBack: What was there before is back: no default route. Change the document to try again',
    },
    {
      it: 'tries the next generation',
      device: { generation: 2, config: { [GPU]: '128' } },
      state: { rolledBack: { device: ROLLED_BACK } },
      want: `set config.txt: ${GPU}: 64 → 128; progressing, Writing`,
    },
    {
      it: 'tries another document of that name',
      device: { uid: 'other', config: { [GPU]: '128' } },
      state: { rolledBack: { device: ROLLED_BACK } },
      want: `set config.txt: ${GPU}: 64 → 128; progressing, Writing`,
    },
    {
      it: 'restarts the device out of what is booted, without waiting for window or apps',
      device: {
        ...CHANGED.device,
        permission: { is: 'later', inMs: 1, next: undefined },
        unsettled: ['App a'],
      },
      state: { ...CHANGED.state, rolledBack: { device: ROLLED_BACK } },
      want: `reboot for 1: ${CHANGE}; progressing, Rebooting`,
    },
    {
      it: 'leaves that to a person where the document never wants a restart',
      device: { ...CHANGED.device, permission: { is: 'never' } },
      state: { ...CHANGED.state, rolledBack: { device: ROLLED_BACK } },
      want: `wait, RebootRequired: ${DUE}. spec.reboot is never: restart it by hand`,
    },
  ],
};

describe('the plan for a HostConfig device', () => {
  for (const [when, rows] of Object.entries(TABLES)) {
    describe(when, () => {
      for (const { it: what, device, state, want } of rows) {
        it(what, () => assert.equal(reported({ ...AT_REST, ...device, state: { ...AT_REST.state, ...state } }), want));
      }
    });
  }

  it('knows of no change that takes a restart while nobody noted what was booted', () => {
    const { booted: _unknown, ...state } = { ...AT_REST.state, touched: [GPU] };
    assert.deepEqual(rebootChanges(state, AT_REST.seen), []);
  });

  it('knows of none while the boot partition is not there', () => {
    assert.deepEqual(rebootChanges({ ...AT_REST.state, touched: [GPU] }, NO_BOOT), []);
  });
});
