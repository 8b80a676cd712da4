/** What Docker says when a container cannot be created or started, in words for people. Decides nothing. */
const SENTENCES: readonly (readonly [pattern: RegExp, sentence: (found: readonly string[]) => string])[] = [
  [
    /Bind for (\S+) failed: port is already allocated|listen \w+ (\S+): bind: address already in use/i,
    ([, allocated, listened]) =>
      `port ${allocated ?? listened} of the host is taken: another container or program uses it`,
  ],
  [
    /port is already allocated|address already in use/i,
    () => 'a port of the host is taken: another container or program uses it',
  ],
  [
    /listen \w+ (\S+): bind: cannot assign requested address/i,
    ([, address]) => `${address} is not an address of this host`,
  ],
  [/exec format error/i, () => 'the image is made for another processor architecture (exec format error)'],
  [
    /error gathering device information while adding custom device "([^"]+)"/i,
    ([, device]) => `device ${device} does not exist on this host`,
  ],
  [
    /exec: "([^"]+)": (?:executable file not found|stat [^:]*: no such file)/i,
    ([, command]) => `command ${command} does not exist in the image`,
  ],
  [/network (\S+) not found/i, ([, network]) => `network ${network} does not exist any more`],
];

/** One clause about what went wrong; Docker's own words where we have none. Pure. */
export function explainRefusal(message: string): string {
  for (const [pattern, sentence] of SENTENCES) {
    const found = pattern.exec(message);
    if (found) return sentence(found);
  }
  return message;
}
