import { isMap, type Values } from '../../../crds/model/maps.js';
import type { BootValues, DesiredValues } from './values.js';

export const POWER_AND_FAN_KEYS: readonly string[] = ['power_mode', 'fan_profile'];

/** Reads power mode and fan profile of a Jetson Orin from the member `os` of config.json (docs/reference/host.md §4.7). Pure. */
export function readPowerAndFan(os: unknown): BootValues {
  const { power, fan } = fieldsOf(os);
  const { mode } = fieldsOf(power);
  const { profile } = fieldsOf(fan);
  return {
    ...(typeof mode === 'string' ? { power_mode: mode } : {}),
    ...(typeof profile === 'string' ? { fan_profile: profile } : {}),
  };
}

/** Returns the member `os` with the wanted values: `power` and `fan` are ours as a whole, everything else stays. Pure. */
export function editPowerAndFan(os: unknown, wanted: DesiredValues): Values {
  const { power, fan, ...others } = fieldsOf(os);
  const now = readPowerAndFan(os);
  const part = (name: string, key: string, field: string, before: unknown): Values => {
    if (!(key in wanted) || wanted[key] === now[key]) return before === undefined ? {} : { [name]: before };
    return wanted[key] === undefined ? {} : { [name]: { [field]: wanted[key] } };
  };
  return { ...others, ...part('power', 'power_mode', 'mode', power), ...part('fan', 'fan_profile', 'profile', fan) };
}

const fieldsOf = (value: unknown): Values => (isMap(value) ? value : {});
