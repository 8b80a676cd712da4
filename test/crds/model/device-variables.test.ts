import assert from 'node:assert/strict';
import {
  configWithDefaults,
  decodeInteger,
  decodeVariables,
  isBootVariable,
  knownConfig,
} from '../../../crds/model/device-variables.js';

const device = { localMode: true };

describe('configuration variables of a device', () => {
  it('have the prefix of the cloud taken off, and the first prefix wins', () => {
    const written = {
      RESIN_HOST_CONFIG_a: '2',
      BALENA_HOST_CONFIG_a: '1',
      HOST_CONFIG_a: '3',
      HOST_CONFIG_b: '4',
      X: '5',
    };
    assert.deepEqual(knownConfig(written), { config: { HOST_CONFIG_a: '1', HOST_CONFIG_b: '4' }, unknown: ['X'] });
  });

  it('take the old name of the lock override', () => {
    assert.deepEqual(knownConfig({ RESIN_OVERRIDE_LOCK: '1' }).config, { SUPERVISOR_OVERRIDE_LOCK: '1' });
  });

  const names: readonly [name: string, isBoot: boolean][] = [
    ['HOST_CONFIG_hdmi_mode:1', true],
    ['HOST_CONFIG_', false],
    ['HOST_CONFIGFS_ssdt', true],
    ['HOST_CONFIGFS_other', false],
    ['HOST_SPLASH_IMAGE', true],
    ['HOST_ODMDATA_configuration', true],
    ['HOST_EXTLINUX_isolcpus', true],
    ['image', false],
    ['HOST_LOG_TO_DISPLAY', false],
  ];
  for (const [name, isBoot] of names) {
    it(`${name} is ${isBoot ? 'a' : 'no'} setting of the boot files`, () => assert.equal(isBootVariable(name), isBoot));
  }

  it('are read as numbers and switches', () => {
    const { values, declared, invalid } = decodeVariables(
      { RESIN_SUPERVISOR_POLL_INTERVAL: '600000.5', SUPERVISOR_LOG_CONTROL: 'OFF', HOST_FIREWALL_MODE: 'auto' },
      device,
    );
    assert.equal(values.SUPERVISOR_POLL_INTERVAL, 600_000);
    assert.equal(values.SUPERVISOR_LOG_CONTROL, false);
    assert.equal(values.HOST_FIREWALL_MODE, 'auto');
    assert.equal(values.SUPERVISOR_DELTA_VERSION, 2);
    assert.equal(values.SUPERVISOR_LOCAL_MODE, true);
    assert.deepEqual([...declared], ['SUPERVISOR_POLL_INTERVAL', 'SUPERVISOR_LOG_CONTROL', 'HOST_FIREWALL_MODE']);
    assert.deepEqual(invalid, []);
  });

  it('fall back to the default when they cannot be understood', () => {
    const { values, declared, invalid } = decodeVariables(
      { SUPERVISOR_DELTA: 'maybe', SUPERVISOR_POLL_INTERVAL: 'x' },
      device,
    );
    assert.equal(values.SUPERVISOR_DELTA, false);
    assert.equal(values.SUPERVISOR_POLL_INTERVAL, 900_000);
    assert.equal(declared.size, 0);
    assert.deepEqual(invalid, [
      { name: 'SUPERVISOR_POLL_INTERVAL', value: 'x', default: '900000' },
      { name: 'SUPERVISOR_DELTA', value: 'maybe', default: 'false' },
    ]);
  });

  it('are whole numbers or none', () => {
    assert.deepEqual(['12abc', '-1', '', 'x', '9'.repeat(40)].map(decodeInteger), [
      12,
      -1,
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('are all shown, the stored ones first', () => {
    const shown = configWithDefaults({ HOST_CONFIG_a: '1', SUPERVISOR_DELTA: 'true' }, device);
    assert.deepEqual(Object.keys(shown).slice(0, 3), ['HOST_CONFIG_a', 'SUPERVISOR_DELTA', 'SUPERVISOR_POLL_INTERVAL']);
    assert.equal(Object.keys(shown).length, 19);
    assert.equal(shown.SUPERVISOR_LOCAL_MODE, 'true');
  });
});
