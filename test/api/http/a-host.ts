import { Readable } from 'node:stream';
import type { HostPorts } from '../../../api/http/supervisor/host-ports.js';

/** A host that does nothing and refuses nothing; a case says what matters to it. It has no power to end anything. */
export const aHost = (change: Partial<HostPorts> = {}): HostPorts => ({
  network: async () => ({ hostname: 'mydevice' }),
  underLocks: async (_, action) => ({ is: 'done', value: await action() }),
  requestPower: async () => ({ is: 'scheduled' }),
  blink: () => undefined,
  vpn: async () => ({ enabled: false, connected: false }),
  journal: async () => ({ output: Readable.from([]), stop: () => undefined }),
  ...change,
});
