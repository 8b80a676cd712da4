import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Units } from '../units.js';

const STOPPED = ['inactive', 'deactivating'];

/** Reads the state of the host's VPN: wanted while its unit is not stopped, also a failed one; connected while the marker file exists. */
export async function seeVpn(
  hostRoot: string,
  units: Units,
): Promise<{ readonly enabled: boolean; readonly connected: boolean }> {
  const unit = await units.find('openvpn.service');
  return {
    enabled: unit !== undefined && !STOPPED.includes(unit.activeState),
    connected: existsSync(join(hostRoot, 'run/openvpn/vpn_status/active')),
  };
}
