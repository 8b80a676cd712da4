import { cronIssue } from '../model/cron.js';
import { durationMs } from '../model/duration.js';
import { type GitTransport, parseGitUrl } from '../model/git-url.js';
import { listed, shorten } from '../model/issue.js';
import type { GitSourceSpec } from '../model/types.js';
import type { Found } from './check-service.js';

/** Checks what a schema cannot express about where documents come from. Never shows the url: it may contain a password. Pure. */
export function checkGitSource(spec: GitSourceSpec): Found[] {
  return [...checkUrl(spec), ...checkChoice(spec), ...checkPaths(spec), ...checkTimes(spec), ...checkVerify(spec)];
}

const CREDENTIALS_IN_URL =
  'Credentials do not belong here, nor anything behind ? or #: put them into a file and name it in credentials.token';

function checkUrl({ url, credentials = {} }: GitSourceSpec): Found[] {
  const parsed = parseGitUrl(url);
  if (!parsed) return [[['url'], 'This is not the address of a repository']];
  const { transport, host, mayHoldSecret } = parsed;
  const found: Found[] = [];
  if (mayHoldSecret) {
    found.push([['url'], CREDENTIALS_IN_URL]);
  }
  if (credentials.token !== undefined && transport !== 'https' && !isLoopback(transport, host)) {
    found.push([['credentials', 'token'], `A token is only sent over https, not over ${transport}`]);
  }
  if (transport === 'ssh' && credentials.knownHosts === undefined) {
    found.push([['credentials', 'knownHosts'], 'Missing: over ssh the keys of the server have to be known']);
  }
  if (transport === 'ssh' && credentials.sshKey === undefined) {
    found.push([['credentials', 'sshKey'], 'Missing: over ssh a private key logs in']);
  }
  return found;
}

const isLoopback = (transport: GitTransport, host: string): boolean =>
  transport === 'http' && /^(localhost|127(\.\d+){3}|\[::1\])$/.test(host);

const CHOICES = ['branch', 'tag', 'commit', 'semver'] as const;

function checkChoice(spec: GitSourceSpec): Found[] {
  const chosen = CHOICES.filter((one) => spec[one] !== undefined);
  const found: Found[] = chosen
    .slice(1)
    .map((one) => [[one], `Only one of ${listed(CHOICES)} can be chosen; ${chosen[0]} is there too`]);
  for (const one of ['branch', 'tag', 'statusBranch'] as const) {
    const name = spec[one];
    if (name !== undefined && !isRefName(name)) found.push([[one], 'This is not a name that git allows']);
  }
  if (spec.statusBranch !== undefined && spec.statusBranch === spec.branch) {
    found.push([['statusBranch'], 'This is the branch that is read; status goes to one of its own']);
  }
  return found;
}

/** Tells whether a name meets what git-check-ref-format(1) demands beyond the characters that the schema allows. */
const isRefName = (name: string): boolean =>
  !/\.\.|@\{|\/\/|\.lock(\/|$)|(^|\/)\.|[./]$/.test(name) && name !== '@' && !name.startsWith('/');

function checkPaths({ path, paths = [] }: GitSourceSpec): Found[] {
  const both: Found[] =
    path !== undefined && paths.length > 0 ? [[['paths'], 'path is there too; put it in here']] : [];
  const wrong: Found[] = [
    ...(path === undefined || isInside(path) ? [] : [[['path'], OUTSIDE] satisfies Found]),
    ...paths.flatMap((one, at): Found[] => (isInside(one) ? [] : [[['paths', at], OUTSIDE]])),
  ];
  return [...both, ...wrong];
}

const OUTSIDE = 'Expected a path inside the repository, without ..';

const isInside = (path: string): boolean =>
  !path.split('/').includes('..') && [...path].every((character) => character >= ' ');

/** Longest timeout, ms: Node's timers fire at once for more than 24 days. */
const LONGEST_TIMEOUT_MS = 24 * 3_600_000;
/** Longest interval, ms: a date has an end. */
const LONGEST_INTERVAL_MS = 3650 * 24 * 3_600_000;

function checkTimes({ interval, timeout, cron }: GitSourceSpec): Found[] {
  const noCron = cron === undefined ? undefined : cronIssue(cron);
  const found: Found[] = noCron === undefined ? [] : [[['cron'], noCron]];
  const short = Object.entries({ interval, timeout }).flatMap(([name, text]): Found[] => {
    const ms = text === undefined ? undefined : durationMs(text);
    return ms !== undefined && ms < 1000 ? [[[name], `Too short: ${text}, at least 1s`]] : [];
  });
  const timeoutMs = timeout === undefined ? 0 : (durationMs(timeout) ?? 0);
  if (timeoutMs > LONGEST_TIMEOUT_MS) found.push([['timeout'], `Too long: ${shorten(String(timeout))}, at most 1d`]);
  const intervalMs = interval === undefined ? 0 : (durationMs(interval) ?? 0);
  if (intervalMs > LONGEST_INTERVAL_MS) {
    found.push([['interval'], `Too long: ${shorten(String(interval))}, at most 3650d; suspend: true for never`]);
  }
  return [...short, ...found];
}

function checkVerify({ verify, tag, semver }: GitSourceSpec): Found[] {
  if (verify === undefined) return [];
  const found: Found[] = [];
  if (verify.allowedSigners === undefined && verify.keyring === undefined) {
    found.push([['verify'], 'Says nobody whose signature counts: name allowedSigners, keyring or both']);
  }
  if (verify.object === 'tag' && tag === undefined && semver === undefined) {
    found.push([['verify', 'object'], 'A signed tag needs tag or semver beside it']);
  }
  return found;
}
