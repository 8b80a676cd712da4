import { join } from 'node:path';
import type { ReasonOf } from '../../../crds/model/reasons.js';
import { ProgramMissing, type ProgramResult, runProgram } from '../../platform/run-program.js';
import { makePrivate, replaceText } from './private-files.js';
import { final, transient } from './source-error.js';
import type { Transport } from './transport.js';

/** In force for every git process, whatever a repository says. Nothing here runs, prompts, guesses or cleans up. */
const CONFIG: Readonly<Record<string, string>> = {
  'core.hooksPath': '/dev/null',
  'core.fsmonitor': 'false',
  'core.attributesFile': '/dev/null',
  'core.bigFileThreshold': '1m', // larger blobs are streamed to the disk, not held in memory
  'credential.helper': '',
  'fetch.unpackLimit': '1',
  'gc.auto': '0',
  'maintenance.auto': 'false',
  'http.followRedirects': 'initial',
  'http.lowSpeedLimit': '1',
  'http.lowSpeedTime': '60',
  'submodule.recurse': 'false',
  'log.showSignature': 'false',
};

/** For the other end of a file:// transport, which runs on this device and gets no configuration of ours otherwise. */
const GLOBAL_CONFIG = `[safe]
\tdirectory = *
[uploadpack]
\tallowFilter = true
\tallowAnySHA1InWant = true
`;

/** Variables of the device's proxy, which git uses too. */
const PASSED_ON = ['http_proxy', 'https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY', 'no_proxy', 'NO_PROXY'];

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const OUTPUT_BYTES = 8 * 1024 * 1024;
/**
 * Memory that git may take while it talks to a server, bytes: it keeps every advertised ref before it prints the first,
 * and a server can go on forever. A fetch of 512 MiB takes about 200 MiB.
 */
const MEMORY_BYTES = 512 * 1024 * 1024;

export interface GitDeps {
  /** Folder of our own files: a home that contains nothing of anybody else. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Name or path of the program; `git` when absent. */
  readonly program?: string;
  /** Memory that it may take while it talks to a server, bytes. */
  readonly memoryBytes?: number;
}

export interface GitCall {
  readonly gitDir?: string;
  readonly transport?: Transport;
  readonly config?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string | Buffer;
  readonly timeoutMs?: number;
  readonly limitBytes?: number;
  readonly watch?: () => Promise<string | undefined>;
  /** Exit codes that count as answers. Default: 0 only. */
  readonly codes?: readonly number[];
  readonly signal: AbortSignal;
}

/** Runs the system's git. Every failure is a `SourceError`. */
export interface Git {
  run(args: readonly string[], call: GitCall): Promise<ProgramResult>;
}

/** Time limit of commands without a server, ms: they answer soon or not at all. */
const LOCAL_TIMEOUT_MS = 60_000;

/** Creates the private home at the first call. */
export function systemGit({ folder, env: outer, program = 'git', memoryBytes = MEMORY_BYTES }: GitDeps): Git {
  const home = join(folder, 'home');
  const inherited = Object.fromEntries(PASSED_ON.flatMap((name) => (outer[name] ? [[name, outer[name]]] : [])));
  const base: Readonly<Record<string, string>> = {
    ...inherited,
    PATH: [outer.PATH, PATH].filter(Boolean).join(':'),
    HOME: home,
    XDG_CONFIG_HOME: home,
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: join(home, 'gitconfig'),
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: '',
    SSH_ASKPASS: '',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_LITERAL_PATHSPECS: '1',
    GIT_NO_LAZY_FETCH: '1',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_ALLOW_PROTOCOL: 'none', // until a transport permits one
  };

  return {
    async run(args, call) {
      await makePrivate(home);
      await replaceText(join(home, 'gitconfig'), GLOBAL_CONFIG);
      const { gitDir, transport, timeoutMs = LOCAL_TIMEOUT_MS, limitBytes = OUTPUT_BYTES, codes = [0] } = call;
      const env = {
        ...base,
        ...configEnv({ ...CONFIG, ...transport?.config, ...call.config }),
        ...transport?.env,
        ...call.env,
        ...(gitDir === undefined ? {} : { GIT_DIR: gitDir }),
      };
      const rest = {
        ...(call.input === undefined ? {} : { input: call.input }),
        ...(call.watch === undefined ? {} : { watch: call.watch }),
        ...(transport === undefined ? {} : { memoryBytes }),
      };
      const result = await runProgram(program, {
        args,
        env,
        cwd: home,
        timeoutMs,
        limitBytes,
        signal: call.signal,
        ...rest,
      }).catch((error: unknown) => {
        if (!(error instanceof ProgramMissing)) throw error;
        throw final(
          'GitMissing',
          'The program git is not installed on this device; install it, with apt install git or the like',
        );
      });
      if (result.ended === undefined && result.code !== null && codes.includes(result.code)) return result;
      throw failureOf(args[0] ?? '', result, timeoutMs);
    },
  };
}

/** Returns configuration as environment: others on the device cannot read it, as they could in a file or on a command line. Pure. */
function configEnv(config: Readonly<Record<string, string>>): Record<string, string> {
  const pairs = Object.entries(config);
  return Object.fromEntries([
    ['GIT_CONFIG_COUNT', String(pairs.length)],
    ...pairs.flatMap(([key, value], at) => [
      [`GIT_CONFIG_KEY_${at}`, key],
      [`GIT_CONFIG_VALUE_${at}`, value],
    ]),
  ]);
}

function failureOf(command: string, { code, stderr, ended }: ProgramResult, timeoutMs: number): Error {
  if (ended === 'timeout') {
    return transient('TimedOut', `git ${command} took longer than ${Math.round(timeoutMs / 1000)} s and was ended`);
  }
  if (ended === 'limit') return final('TooLarge', `git ${command} printed more than this device takes`);
  if (ended === 'memory') {
    return final('TooLarge', `git ${command} took more memory than this device gives it; the server says too much`);
  }
  if (ended !== undefined) return final('TooLarge', ended);
  const words = sayable(stderr) || `it ended with ${code ?? 'a signal'}`;
  return transient(reasonOf(stderr), `git ${command}: ${words}`);
}

/** Classifies a failure of git. It has no codes for that, so its messages in the C locale are matched. Pure. */
export function reasonOf(stderr: string): ReasonOf<'GitSource'> {
  if (/No space left on device|Disk quota exceeded/i.test(stderr)) return 'DiskFull';
  if (/Host key verification failed|no matching host key|certificate verif|SSL certificate/i.test(stderr)) {
    return 'UntrustedServer';
  }
  if (/returned error: 30[12378]/.test(stderr)) return 'Redirected';
  if (
    /Authentication failed|could not read Username|Permission denied|Access denied|returned error: 40[13]/i.test(stderr)
  ) {
    return 'AuthenticationFailed';
  }
  if (/not found|does not appear to be a git repository|does not exist/i.test(stderr)) return 'RepositoryNotFound';
  if (
    /Could not resolve host|Connection (refused|timed out|reset)|unreachable|unable to access|hung up/i.test(stderr)
  ) {
    return 'Unreachable';
  }
  return 'GitFailed';
}

/** Returns the informative lines on one line, without login data of addresses and headers. Pure. */
export function sayable(stderr: string): string {
  const lines = stderr
    .split('\n')
    .map((line) => line.trim())
    .filter(
      (line) =>
        line !== '' && !/^(warning: |remote: Enumerating|Please make sure|and the repository exists)/.test(line),
    );
  return lines
    .slice(-4)
    .join('; ')
    .replace(/\b([a-z]+:\/\/)[^/@\s]*@/gi, '$1')
    .replace(/Authorization: \S+ \S+/gi, 'Authorization: …')
    .slice(0, 500);
}
