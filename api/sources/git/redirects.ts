import { parseGitUrl } from '../../../crds/model/git-url.js';

/** The paths that git requests below the address of a repository. */
const ASKED = /\/(?:info\/refs(?:\?.*)?|git-(?:upload|receive)-pack)$/;

/** Number of redirects within one server that are followed. */
export const REDIRECTS = 5;

/** Makes git print the headers of answers; it leaves logins out of them. */
export const TRACE_HEADERS: Readonly<Record<string, string>> = {
  GIT_TRACE_CURL: '1',
  GIT_TRACE_CURL_NO_DATA: '1',
  GIT_TRACE_REDACT: '1',
};

/** `same server`: the repository has another path there. `elsewhere` and `no repository` are only for messages. */
export type Redirect = {
  readonly is: 'same server' | 'elsewhere' | 'no repository';
  /** Without login data and query. */
  readonly address: string;
};

/** Returns where the last answer in a trace of git redirects to, for a repository at this address; undefined when it does not. Pure. */
export function redirectIn(trace: string, address: string): Redirect | undefined {
  const location = [...trace.matchAll(/<= Recv header: location: (\S+)/gi)].at(-1)?.[1];
  const base = `${address.replace(/\/+$/, '')}/info/refs`;
  if (location === undefined || !URL.canParse(location, base)) return undefined;
  const target = new URL(location, base);
  const isRepository = ASKED.test(target.pathname);
  const moved = `${target.origin}${target.pathname.replace(ASKED, '')}`;
  if (target.origin !== new URL(address).origin) return { is: 'elsewhere', address: moved };
  const isFollowed = isRepository && moved !== address && parseGitUrl(moved) !== undefined;
  return { is: isFollowed ? 'same server' : 'no repository', address: moved };
}
