/** How git talks to a repository. */
export type GitTransport = 'https' | 'http' | 'ssh' | 'git' | 'file';

/** The parts of a repository's address. */
export interface GitUrl {
  readonly transport: GitTransport;
  /** In the form for git: never the short form of ssh, never a bare path. */
  readonly address: string;
  /** Name or address of the server; empty for file. */
  readonly host: string;
  /** It contains login data, or something behind `?` or `#`, where tokens are written. */
  readonly mayHoldSecret: boolean;
}

/** Reads `https://…`, `ssh://…`, `user@host:path`, `git://…`, `file:///…` or a path. Undefined for anything else. Pure. */
export function parseGitUrl(text: string): GitUrl | undefined {
  if (text.startsWith('/')) return { transport: 'file', address: `file://${text}`, host: '', mayHoldSecret: false };
  const [, login, server, path] =
    /^([A-Za-z0-9_.]+)@([A-Za-z0-9_.][A-Za-z0-9_.-]*):(?!\/\/)([^\s-]\S*)$/.exec(text) ?? [];
  const full = path === undefined ? text : `ssh://${login}@${server}/${path.replace(/^\//, '')}`;
  if (!URL.canParse(full)) return undefined;
  const { protocol, hostname, username, password, pathname } = new URL(full);
  const transport = (['https', 'http', 'ssh', 'git', 'file'] as const).find((one) => `${one}:` === protocol);
  if (!transport || hostname.startsWith('-') || /\s/.test(full)) return undefined;
  if (transport === 'file') {
    return hostname === '' && pathname !== '/'
      ? { transport, address: full, host: '', mayHoldSecret: false }
      : undefined;
  }
  if (hostname === '') return undefined;
  const named = username !== '' && transport !== 'ssh';
  // A path of ssh may contain these characters; an https address may not, and git requests nothing there that needs
  // them.
  const asked = /^https?$/.test(transport) && /[?#]/.test(full);
  return { transport, address: full, host: hostname, mayHoldSecret: password !== '' || named || asked };
}
