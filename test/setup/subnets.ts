/** Whether two IPv4 subnets (`10.1.0.0/16`) share an address. False for what is no IPv4 subnet. Pure. */
export function overlaps(one: string, other: string): boolean {
  const [a, b] = [parse(one), parse(other)];
  if (a === undefined || b === undefined) return false;
  const size = 2 ** (32 - Math.min(a.prefix, b.prefix));
  return Math.floor(a.address / size) === Math.floor(b.address / size);
}

function parse(subnet: string): { address: number; prefix: number } | undefined {
  const [, text = '', prefix] = /^(\d+\.\d+\.\d+\.\d+)\/(\d+)$/.exec(subnet) ?? [];
  if (prefix === undefined) return undefined;
  const address = text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  return { address, prefix: Number(prefix) };
}
