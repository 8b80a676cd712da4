import { PROXY_TYPES } from '../../../crds/model/proxy.js';

/** Fields of the `redsocks` block in the order of the file; `port` is a number, everything else as written. */
export type ProxyFields = Readonly<Record<string, string | number>>;

/** The proxy that a redsocks.conf sets. */
export interface Redsocks {
  readonly fields: ProxyFields;
  /** Name server behind the proxy, `address:port`. */
  readonly dns?: string;
}

/** Name server that `dns: true` means. */
const DEFAULT_DNS = '8.8.8.8:53';

/** Fields that are written in double quotes, where redsocks knows the escapes of C. Every other one is a bare word. */
const QUOTED: readonly string[] = ['login', 'password'];
const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\', '"': '"', "'": "'", n: '\n', t: '\t', r: '\r' };
const BASE = { log_debug: 'off', log_info: 'on', log: 'stderr', daemon: 'off', redirector: 'iptables' };
const LOCAL = { local_ip: '127.0.0.1', local_port: 12345 };
const LOCAL_DNS = { local_ip: '127.0.0.1', local_port: 53 };

/**
 * Reads a redsocks.conf. Undefined when its redsocks block is missing or lacks a known type, an ip or a port. Accepts
 * what redsocks itself accepts: comments, CRLF, one-line blocks, `=` and `}` inside quotes. Pure.
 */
export function parseRedsocks(text: string): Redsocks | undefined {
  const blocks = blocksOf(text);
  const all = Object.entries(blocks.get('redsocks') ?? {}).filter(([key]) => !/local_(?:ip|port)/.test(key));
  const { type, ip, port } = Object.fromEntries(all);
  if (type === undefined || !PROXY_TYPES.includes(type) || !ip || !/^\d+$/.test(port ?? '')) return undefined;
  const fields = Object.fromEntries(all.map(([key, value]) => [key, key === 'port' ? Number(value) : value]));
  const { remote_ip: address, remote_port: dnsPort } = blocks.get('dnsu2t') ?? {};
  return { fields, ...(address && /^\d+$/.test(dnsPort ?? '') ? { dns: `${address}:${dnsPort}` } : {}) };
}

/** Writes the file for a proxy; empty without one, whatever `dns` says. Expects fields without `fieldIssues`. Pure. */
export function renderRedsocks({ fields, dns }: Redsocks): string {
  const own = Object.entries(fields).filter(([key]) => !isReserved(key));
  if (own.length === 0) return '';
  const proxy = own.map(([key, value]) => [key, QUOTED.includes(key) ? quoted(String(value)) : value] as const);
  const blocks = [block('base', Object.entries(BASE)), block('redsocks', [...proxy, ...Object.entries(LOCAL)])];
  const colon = dns?.lastIndexOf(':') ?? -1;
  if (dns !== undefined && colon > 0) {
    const remote = { remote_ip: dns.slice(0, colon), remote_port: dns.slice(colon + 1) };
    blocks.push(block('dnsu2t', Object.entries({ ...remote, ...LOCAL_DNS })));
  }
  return blocks.join('\n');
}

/** Returns the name server: `true` is a well-known one, `false` none, a text itself. Pure. */
export const dnsServer = (dns: string | boolean | undefined): string | undefined =>
  dns === true ? DEFAULT_DNS : dns === false ? undefined : dns;

/** Returns the fields that cannot be written to the file without changing its meaning, and why. Pure. */
export function fieldIssues(fields: ProxyFields): readonly { readonly field: string; readonly message: string }[] {
  return Object.entries(fields).flatMap(([field, value]) => {
    if (!/^[A-Za-z_][\w.-]*$/.test(field)) return [{ field, message: 'Not a name that redsocks.conf can hold' }];
    const text = String(value);
    if (QUOTED.includes(field)) {
      const fits = [...text].every((character) => character >= ' ' || '\n\t\r'.includes(character));
      return fits ? [] : [{ field, message: 'Control characters cannot stand in redsocks.conf' }];
    }
    const message = 'Expected one word without blanks, quotes, braces and semicolons';
    return text !== '' && [...text].every(isBare) ? [] : [{ field, message }];
  });
}

/** Tells whether a field belongs to the redirector itself or to other files. Pure. */
export const isReserved = (key: string): boolean => ['local_ip', 'local_port', 'dns', 'noProxy'].includes(key);

const isBare = (character: string): boolean => character > ' ' && !/[\s;{}"\u007f]/.test(character);

const block = (name: string, entries: readonly (readonly [string, string | number])[]): string =>
  `${name} {\n${entries.map(([key, value]) => `\t${key} = ${value};\n`).join('')}}\n`;

const quoted = (text: string): string => {
  const escaped = text
    .replace(/[\\"]/g, '\\$&')
    .replaceAll('\n', '\\n')
    .replaceAll('\t', '\\t')
    .replaceAll('\r', '\\r');
  return `"${escaped}"`;
};

/** Matches a token that is neither a comment of several lines nor a text in quotes; of those two, one without an end begins nothing. */
const PLAIN_TOKEN = /\n|[^\S\n]+|\/\/[^\n]*|[{}=;]|[^\s{}=;"]+|"/y;

interface Token {
  readonly text: string;
  readonly at: number;
}

/** Splits a text into tokens. No place is read more than twice: what has no end is not looked for again. */
function* tokensOf(text: string): Generator<Token> {
  const lastClose = text.lastIndexOf('*/');
  let openUntil = 0; // behind one quote without an end on its line, all others of the line are escaped and have none either
  for (let at = 0; at < text.length; ) {
    let end: number | undefined;
    if (text.startsWith('/*', at) && at + 2 <= lastClose) end = text.indexOf('*/', at + 2) + 2;
    else if (text[at] === '"' && at >= openUntil) {
      const { closed, to } = quotedFrom(text, at);
      if (closed) end = to;
      else openUntil = to;
    }
    PLAIN_TOKEN.lastIndex = at;
    end ??= at + (PLAIN_TOKEN.exec(text)?.[0].length ?? 1);
    yield { text: text.slice(at, end), at };
    at = end;
  }
}

/** Returns where a text in quotes ends, or the line on which its end is missing. A backslash takes the next character along. */
function quotedFrom(text: string, from: number): { readonly closed: boolean; readonly to: number } {
  for (let at = from + 1; at < text.length; at += 1) {
    if (text[at] === '"') return { closed: true, to: at + 1 };
    if (text[at] === '\\') at += 1;
    if (text[at] === '\n') return { closed: false, to: at };
  }
  return { closed: false, to: text.length };
}

/** Returns every block's assignments by name; of two blocks with one name the first counts. */
function blocksOf(source: string): ReadonlyMap<string, Readonly<Record<string, string>>> {
  const text = source.replaceAll('\r\n', '\n');
  const blocks = new Map<string, Readonly<Record<string, string>>>();
  let word = '';
  let open: { readonly name: string; readonly entries: [string, string][] } | undefined;
  let statement: Token[] = [];
  const flush = (): void => {
    const entry = assignment(text, statement);
    if (entry) open?.entries.push(entry);
    statement = [];
  };
  for (const { text: token, at } of tokensOf(text)) {
    if (token !== '\n' && /^(?:\s|\/\/|\/\*)/.test(token)) continue;
    if (!open) {
      if (token === '{') open = { name: word, entries: [] };
      else if (token !== '\n') word = token;
    } else if (token === '}' || token === ';' || token === '\n') {
      flush();
      if (token !== '}') continue;
      if (!blocks.has(open.name)) blocks.set(open.name, Object.fromEntries(open.entries));
      open = undefined;
      word = '';
    } else statement.push({ text: token, at });
  }
  return blocks;
}

/** Reads `key = value`; the value goes on to the end of the statement. */
function assignment(text: string, [key, equals, ...value]: readonly Token[]): [string, string] | undefined {
  const [first] = value;
  const last = value.at(-1);
  if (!key || equals?.text !== '=' || !first || !last) return undefined;
  if (value.length === 1 && /^".*"$/.test(first.text) && first.text.length > 1) {
    return [key.text, unescaped(first.text.slice(1, -1))];
  }
  const raw = text.slice(first.at, last.at + last.text.length);
  return [key.text, QUOTED.includes(key.text) ? raw.replaceAll('"', '') : raw];
}

/** Resolves escapes. One that redsocks does not know stays, because other writers put backslashes there as they are. */
const unescaped = (text: string): string =>
  text.replace(/\\(.)/g, (all, character: string) => ESCAPES[character] ?? all);

/** Reads the entries of a `no_proxy` file: one for each line, empty lines left out. Pure. */
export const parseNoProxy = (text: string): readonly string[] =>
  text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '');

/** Writes the file for a list, without a newline at its end as the Supervisor does; empty for none. Pure. */
export const renderNoProxy = (entries: readonly string[]): string => entries.join('\n');
