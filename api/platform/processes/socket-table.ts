import { isIP } from 'node:net';
import { endianness } from 'node:os';
import type { Connection } from '../../../crds/model/local-peers.js';

/** A socket as `/proc/net/tcp` and `tcp6` list it. */
export interface ListedSocket {
  /** Of the process that created it. */
  readonly uid: number;
  /** 0: no process holds it any more, and the uid has no meaning then. */
  readonly inode: number;
}

/** Returns the client's end of a connection as a table lists it: its address and port, then ours. Pure. */
export const clientKey = ({ remoteAddress, remotePort, localAddress, localPort }: Connection, family: 4 | 6): string =>
  `${endText(remoteAddress, remotePort, family)} ${endText(localAddress, localPort, family)}`;

/** Returns the sockets of whole lines of a table that have one of these keys, in one pass however many are wanted. Pure. */
export function clientSockets(lines: Buffer, wanted: ReadonlySet<string>): ReadonlyMap<string, ListedSocket> {
  const found = new Map<string, ListedSocket>();
  const [anyKey] = wanted;
  if (anyKey === undefined) return found;
  for (let begin = 0; begin < lines.length; ) {
    const newline = lines.indexOf(0x0a, begin);
    const end = newline === -1 ? lines.length : newline;
    const colon = lines.indexOf(0x3a, begin); // after the number of the line; the line of titles has none before its end
    const from = colon + 2;
    const key = colon !== -1 && colon < end ? lines.toString('latin1', from, from + anyKey.length) : '';
    if (wanted.has(key)) {
      // Local, remote, state, queues, timer, retransmits, uid, timeout, inode (proc_net_tcp in the kernel's documentation).
      const fields = lines.toString('latin1', from, end).split(/ +/);
      const [uid, inode] = [Number(fields[6]), Number(fields[8])];
      if (Number.isSafeInteger(uid) && Number.isSafeInteger(inode)) found.set(key, { uid, inode });
    }
    begin = end + 1;
  }
  return found;
}

/** A socket of the table that has a port of this machine. */
export interface LocalSocket extends ListedSocket {
  readonly isListening: boolean;
}

/** State of a socket that listens: TCP_LISTEN in the kernel's tcp_states.h. */
const LISTENING = '0A';

/** Returns the sockets in a table that have that port at an address, at all of them, or at any of those that `host` stands for. Pure. */
export function serverSockets(table: string, host: string, port: number, family: 4 | 6): readonly LocalSocket[] {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const own = isIP(host) === 0 ? undefined : addressText(host, family);
  const isEverywhere = (address: string): boolean => /^0+$/.test(address);
  return table.split('\n').flatMap((line) => {
    const [, local = '', , state, , , , uid, , inode] = line.trim().split(/ +/);
    if (!local.endsWith(wanted)) return [];
    const address = local.slice(0, -wanted.length);
    if (own !== undefined && own !== address && !isEverywhere(own) && !isEverywhere(address)) return [];
    return [{ uid: Number(uid), inode: Number(inode), isListening: state === LISTENING }];
  });
}

const endText = (address: string, port: number, family: 4 | 6): string =>
  `${addressText(address, family)}:${port.toString(16).toUpperCase().padStart(4, '0')}`;

/** Returns the bytes of an address as the kernel prints them: words of 32 bits in the byte order of this machine. */
function addressText(address: string, family: 4 | 6): string {
  const bytes = bytesOf(address);
  const all = family === 4 ? bytes.subarray(12) : bytes;
  return endianness() === 'LE'
    ? Buffer.from(all).swap32().toString('hex').toUpperCase()
    : all.toString('hex').toUpperCase();
}

/** Returns an address as an IPv6 address; an IPv4 address as Linux maps it. */
function bytesOf(address: string): Buffer {
  const bytes = Buffer.alloc(16);
  const [, quads] = /^(?:::ffff:)?(\d+\.\d+\.\d+\.\d+)$/i.exec(address) ?? [];
  if (quads !== undefined) {
    bytes.writeUInt16BE(0xffff, 10);
    bytes.set(quads.split('.').map(Number), 12);
    return bytes;
  }
  const [before = '', after = ''] = address.replace(/%.*$/, '').split('::');
  const words = (text: string): string[] => text.split(':').filter((word) => word !== '');
  const [head, tail] = [words(before), words(after)];
  for (const [index, word] of head.entries()) bytes.writeUInt16BE(Number.parseInt(word, 16), 2 * index);
  const rest = 16 - 2 * tail.length;
  for (const [index, word] of tail.entries()) bytes.writeUInt16BE(Number.parseInt(word, 16), rest + 2 * index);
  return bytes;
}
