import assert from 'node:assert/strict';
import type { Reader } from '../../../api/store/store.js';
import { firewall } from '../../../controllers/agent/components.js';
import type { FirewallRules } from '../../../controllers/host/network/firewall.js';
import { decodeVariables } from '../../../crds/model/device-variables.js';
import { FakeClock } from '../../setup/fake-clock.js';

describe('the firewall of the host', () => {
  it('is set at the start, and tried again by itself until it holds', async () => {
    const clock = new FakeClock();
    const applied: FirewallRules[] = [];
    const store = { list: () => [], watch: () => () => undefined } as unknown as Reader;
    const part = firewall({
      store: store as never,
      settings: { apiPort: 48484 },
      variables: () => decodeVariables({}, { localMode: false }).values,
      host: { firewall: { apply: async (rules) => applied.push(rules) === 3 } },
      clock,
    });
    void part.start();
    for (let second = 0; second < 120; second += 1) {
      await new Promise(setImmediate);
      clock.advance(1_000);
    }
    assert.equal(applied.length, 3, 'twice in vain, and then no more');
    void part.stop();
    assert.deepEqual(clock.planned, []);
  });
});
