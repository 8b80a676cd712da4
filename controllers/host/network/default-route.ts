import { procText } from '../power/boot-clock.js';

const UP = 1;
const REJECT = 0x200;

/** Tells whether /proc/net/route (IPv4) or /proc/net/ipv6_route has a default route that is up. Pure. */
export function hasDefaultRoute(route4: string, route6: string): boolean {
  const v4 = route4.split('\n').some((line) => {
    const [, destination, , flags, , , , mask] = line.trim().split(/\s+/);
    return destination === '00000000' && mask === '00000000' && isUsable(flags);
  });
  const v6 = route6.split('\n').some((line) => {
    const fields = line.trim().split(/\s+/);
    const [destination, prefix] = fields;
    return (
      destination !== undefined &&
      /^0{32}$/.test(destination) &&
      prefix === '00' &&
      fields.at(-1) !== 'lo' &&
      isUsable(fields.at(-2))
    );
  });
  return v4 || v6;
}

function isUsable(flags: string | undefined): boolean {
  const number = Number.parseInt(flags ?? '', 16);
  return (number & UP) !== 0 && (number & REJECT) === 0;
}

/** Tells whether the host's kernel has one now. */
export const readDefaultRoute = async (hostRoot: string): Promise<boolean> =>
  hasDefaultRoute((await procText(hostRoot, 'net/route')) ?? '', (await procText(hostRoot, 'net/ipv6_route')) ?? '');
