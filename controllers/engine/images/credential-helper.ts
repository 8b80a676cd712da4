import { errorMessage } from '../../../api/platform/errors.js';
import { parseJsonWithin } from '../../../api/platform/json-text.js';
import { type Env, findProgram, withoutSecrets } from '../../../api/platform/programs.js';
import { runProgram } from '../../../api/platform/run-program.js';
import { HUB, HUB_KEY } from '../../../crds/model/image-reference.js';
import { type AuthEntry, CredentialsError, entryOf } from './registry-auth.js';

/** How long a helper may take, ms: it may ask a server of its own, or wait for a key to be unlocked. */
const HELPER_LIMIT_MS = 20_000;

/**
 * Asks a credential helper (`docker-credential-<name> get`, the registry on its input, JSON on its output). Undefined:
 * it has none for that registry. No shell; its output goes nowhere else. Throws `CredentialsError`.
 */
export async function askHelper(
  name: string,
  registry: string,
  env: Env,
  limitMs = HELPER_LIMIT_MS,
): Promise<AuthEntry | undefined> {
  const program = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(name) ? findProgram(`docker-credential-${name}`, env) : undefined;
  if (program === undefined) throw new CredentialsError(`There is no program docker-credential-${name} on this device`);
  const { code, output } = await run(program, registry === HUB ? HUB_KEY : registry, env, limitMs);
  if (code === 'late') throw new CredentialsError(`${program} has not answered within ${limitMs / 1_000} s`);
  if (code !== 0) {
    // The words that helpers have agreed on.
    if (/credentials not found/i.test(output)) return undefined;
    throw new CredentialsError(`${program} could not tell the credentials of ${registry}: it ended with ${code}`);
  }
  try {
    const { username, secret } = entryOf(parseJsonWithin(output)) as Readonly<Record<string, string | undefined>>;
    if (!username || secret === undefined) return undefined;
    return username === '<token>' ? { identitytoken: secret } : { username, password: secret };
  } catch {
    throw new CredentialsError(`${program} answered something else than JSON for ${registry}`);
  }
}

async function run(
  program: string,
  input: string,
  env: Env,
  timeoutMs: number,
): Promise<{ readonly code: number | string; readonly output: string }> {
  const call = { args: ['get'], env: withoutSecrets(env), input: `${input}\n`, timeoutMs, limitBytes: 1024 * 1024 };
  try {
    const { code, ended, stdout } = await runProgram(program, call);
    if (ended === 'timeout') return { code: 'late', output: '' };
    return { code: ended === 'limit' ? 'too much to read' : (code ?? 'a signal'), output: stdout.toString() };
  } catch (error) {
    return { code: errorMessage(error), output: '' };
  }
}
