import assert from 'node:assert/strict';
import { iptablesFirewall, jumpPlace, renderFirewall } from '../../../../controllers/host/network/firewall.js';
import type { Run } from '../../../../controllers/host/units.js';

const RULES = { mode: 'off', hasHostService: false, localMode: false, apiPort: 48484 };

const EXPECTED = `*filter
:BALENA-FIREWALL - [0:0]
:DOCKER-USER - [0:0]
:BALENA-SUPERVISOR - [0:0]
-I INPUT 1 -j BALENA-FIREWALL
-F BALENA-FIREWALL
-A BALENA-FIREWALL -p tcp --dport 48484 -i resin-vpn -j ACCEPT
-A BALENA-FIREWALL -p tcp --dport 48484 -i tun0 -j ACCEPT
-A BALENA-FIREWALL -p tcp --dport 48484 -i docker0 -j ACCEPT
-A BALENA-FIREWALL -p tcp --dport 48484 -i lo -j ACCEPT
-A BALENA-FIREWALL -p tcp --dport 48484 -i supervisor0 -j ACCEPT
-A BALENA-FIREWALL -p tcp --dport 48484 -j REJECT
-A BALENA-FIREWALL -p tcp --dport 22222 -j ACCEPT
-A BALENA-FIREWALL -p tcp --dport 2375 -j ACCEPT
-A BALENA-FIREWALL -m addrtype --dst-type MULTICAST -j ACCEPT
-A BALENA-FIREWALL -p icmp -j ACCEPT
-A BALENA-FIREWALL -p udp --dport 53 -i balena0 -j ACCEPT
-A BALENA-FIREWALL -p udp --dport 53 -i br+ -j ACCEPT
-I BALENA-FIREWALL -m addrtype --src-type LOCAL -j ACCEPT
-I BALENA-FIREWALL -m state --state ESTABLISHED,RELATED -j ACCEPT
-A BALENA-FIREWALL -j RETURN
-A BALENA-FIREWALL -j REJECT
-A DOCKER-USER -j BALENA-SUPERVISOR
-F BALENA-SUPERVISOR
COMMIT
`;

describe('the firewall', () => {
  it('is written as recorded (FW01)', () => assert.equal(renderFirewall(4, RULES, undefined), EXPECTED));

  const modes: readonly [mode: string, hasHostService: boolean, refuses: boolean][] = [
    ['on', false, true],
    ['auto', true, true],
    ['auto', false, false],
    ['off', true, false],
    ['nonsense', true, false],
  ];
  for (const [mode, hasHostService, refuses] of modes) {
    it(`${refuses ? 'refuses' : 'lets through'} the rest in mode ${mode} ${hasHostService ? 'with' : 'without'} a service on the host`, () => {
      const text = renderFirewall(4, { ...RULES, mode, hasHostService }, undefined);
      assert.equal(text.includes('-A BALENA-FIREWALL -j RETURN'), !refuses);
    });
  }

  it('opens the port of the API to everybody in local mode', () => {
    const text = renderFirewall(4, { ...RULES, localMode: true }, undefined);
    assert.deepEqual(
      text.split('\n').filter((line) => line.includes('48484')),
      ['-A BALENA-FIREWALL -p tcp --dport 48484 -j ACCEPT', '-A BALENA-FIREWALL -p tcp --dport 48484 -j REJECT'],
    );
  });

  it('keeps the place of its jump', () => {
    assert.equal(jumpPlace('-P INPUT ACCEPT\n-A INPUT -i lo -j ACCEPT\n-A INPUT -j BALENA-FIREWALL\n'), 2);
    assert.equal(jumpPlace('-P INPUT ACCEPT\n'), undefined);
    assert.match(renderFirewall(4, RULES, 2), /-D INPUT -j BALENA-FIREWALL\n-I INPUT 2 -j BALENA-FIREWALL\n/);
  });

  it('speaks of ipv6-icmp to IPv6, and not of Docker’s chain', () => {
    const text = renderFirewall(6, RULES, undefined);
    assert.match(text, /-p ipv6-icmp/);
    assert.ok(!text.includes('DOCKER-USER'));
  });

  const bench = (allowed: boolean) => {
    const ran: string[] = [];
    const output: string[] = [];
    const run: Run = async (program, args) => {
      ran.push([program, ...args].join(' '));
      return { ok: !program.startsWith('ip6'), stdout: '', output: 'no such table' };
    };
    const firewall = iptablesFirewall({
      allowed,
      run,
      logLine: (message) => output.push(message),
      log: { warn: () => undefined },
    });
    return { firewall, ran, output };
  };

  it('is made once for the same rules, again where that failed, and tells once what fails', async () => {
    const { firewall, ran, output } = bench(true);
    assert.equal(await firewall.apply(RULES), false);
    assert.equal(await firewall.apply(RULES), false);
    assert.deepEqual(ran, [
      'iptables -S INPUT',
      'iptables -S DOCKER-USER',
      'iptables-restore --noflush --verbose',
      'ip6tables -S INPUT',
      'ip6tables -S INPUT',
    ]);
    assert.deepEqual(output, ['Error applying firewall mode: ip6tables -S INPUT: no such table']);
    await firewall.apply({ ...RULES, mode: 'on' });
    assert.equal(ran.length, 9);
  });

  it('is not touched without permission', async () => {
    const { firewall, ran } = bench(false);
    await firewall.apply(RULES);
    assert.deepEqual(ran, []);
  });
});
