import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import type { NetworkInterfaceInfo } from 'node:os';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { interfaceReader, planAddresses } from '../../../../controllers/host/network/interfaces.js';

const address = (text: string, more: Partial<NetworkInterfaceInfo> = {}): NetworkInterfaceInfo =>
  ({
    address: text,
    netmask: '',
    mac: '',
    cidr: null,
    internal: false,
    family: text.includes(':') ? 'IPv6' : 'IPv4',
    ...more,
  }) as NetworkInterfaceInfo;
const ethernet = (name: string, mac: string, more: object = {}) => ({ name, type: 1, mac, hasMaster: false, ...more });

describe('addresses of a device', () => {
  it('are those of its own interfaces, without loopback, link-local, engines and tunnels', () => {
    const list = [address('192.0.2.2'), address('fd00::2'), address('fe80::1')];
    const skipped = [
      'tun0',
      'resin-vpn',
      'supervisor0',
      'docker0',
      'balena0',
      'rce1',
      'br-0123456789ab',
      'sc0123456789',
      'ifb0',
      'ifb17',
    ];
    const seen = planAddresses(
      {
        lo: [address('127.0.0.1', { internal: true })],
        eth0: list,
        'br-lan': [address('192.0.2.9')],
        ...Object.fromEntries(skipped.map((name) => [name, [address('10.0.0.1')]])),
      },
      [
        ethernet('eth0', '02:fc:00:00:00:01'),
        ethernet('wlan0', '6e:6a:27:88:75:95'),
        ethernet('eth0.1', '02:fc:00:00:00:01'),
        ethernet('veth12', '02:00:00:00:00:09', { hasMaster: true }),
        ethernet('docker0', '02:00:00:00:00:08'),
        ethernet('can0', '', { type: 280 }),
      ],
    );
    assert.deepEqual(seen, {
      ip: ['192.0.2.2', 'fd00::2', '192.0.2.9'],
      mac: ['02:FC:00:00:00:01', '6E:6A:27:88:75:95'],
    });
  });

  it('are read from the kernel, at most every 30 s', () => {
    const folder = mkdtempSync(join(tmpdir(), 'net-'));
    const add = (name: string, mac: string): void => {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, 'type'), '1\n');
      writeFileSync(join(folder, name, 'address'), `${mac}\n`);
    };
    try {
      const clock = { ms: 1_000_000 };
      const read = interfaceReader(() => clock.ms, folder);
      add('eth0', '02:fc:00:00:00:01');
      add('veth1', '02:fc:00:00:00:02');
      symlinkSync('../docker0', join(folder, 'veth1', 'master'));
      assert.deepEqual(read().mac, ['02:FC:00:00:00:01']);
      add('eth1', '02:fc:00:00:00:03');
      assert.deepEqual(read().mac, ['02:FC:00:00:00:01']);
      clock.ms += 30_001;
      assert.deepEqual([...read().mac].sort(), ['02:FC:00:00:00:01', '02:FC:00:00:00:03']);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
