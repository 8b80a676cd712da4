import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { GitSourceSpec } from '../../../crds/model/types.js';
import type { SecretFiles } from '../../device-state/secret-files.js';
import { runProgram } from '../../platform/run-program.js';
import { makePrivate } from './private-files.js';
import type { Repository } from './repository.js';
import { final, transient } from './source-error.js';

export interface Signed {
  /** The object that was picked: a commit, or an annotated tag. */
  readonly oid: string;
  readonly commit: string;
  /** `refs/tags/v1.2`, or what else it was found by. */
  readonly what: string;
}

export interface VerifyDeps {
  readonly repository: Repository;
  readonly secrets: SecretFiles;
  /** The source's own folder. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Program for the other kind of signature: it never finds a good one. */
const NONE = '/bin/false';

/**
 * Returns who signed a commit or tag. Throws a `SourceError` unless it was one of the keys that the source names: no
 * signature, an unknown key, an expired or revoked key and a missing program all throw.
 */
export async function verifySignature(
  verify: NonNullable<GitSourceSpec['verify']>,
  signed: Signed,
  { repository, secrets, folder, env: outer }: VerifyDeps,
  signal: AbortSignal,
): Promise<string> {
  const object = verify.object ?? 'commit';
  if (object === 'tag') await checkTag(repository, signed, signal);
  const oid = object === 'tag' ? signed.oid : signed.commit;
  const home = join(folder, 'gnupg');
  const config: Record<string, string> = {
    'gpg.x509.program': NONE,
    'gpg.openpgp.program': NONE,
    'gpg.program': NONE,
    'gpg.ssh.program': NONE,
    'gpg.minTrustLevel': 'undefined', // every key of the keyring counts
  };
  if (verify.allowedSigners !== undefined) {
    config['gpg.ssh.program'] = 'ssh-keygen';
    config['gpg.ssh.allowedSignersFile'] = await secrets.path(verify.allowedSigners, 'public');
  }
  if (verify.keyring !== undefined) {
    config['gpg.program'] = 'gpg';
    config['gpg.openpgp.program'] = 'gpg';
    await importKeys(await secrets.path(verify.keyring, 'public'), home, outer.PATH, signal);
  }
  const { code, stderr } = await repository.verify(object, oid, signal, { config, env: { GNUPGHOME: home } });
  const by = code === 0 ? signerOf(stderr) : undefined;
  if (by !== undefined) return by;
  const why =
    /^error: (?:no signature|.*no signature found)/m.test(stderr) || stderr.trim() === ''
      ? 'it is not signed'
      : whyNot(stderr);
  throw final('NotVerified', `The ${object} ${oid.slice(0, 12)} is not taken: ${why}`);
}

/** Checks the name in the signed text of a tag: an old tag that is served under another name is refused. */
async function checkTag(repository: Repository, { oid, commit, what }: Signed, signal: AbortSignal): Promise<void> {
  if (oid === commit) throw final('NotVerified', `${what} is not an annotated tag, so nobody can have signed it`);
  const name = /^tag (.+)$/m.exec((await repository.text(oid, 'tag', signal)).split('\n\n')[0] ?? '')?.[1];
  if (what !== `refs/tags/${name}`) {
    throw final('NotVerified', `${what} is not taken: the tag that was signed is called ${name}`);
  }
}

/** Creates a home for gpg that holds the keys of the file and nothing else. */
async function importKeys(file: string, home: string, path: string | undefined, signal: AbortSignal): Promise<void> {
  await rm(home, { recursive: true, force: true });
  await makePrivate(home);
  const args = ['--homedir', home, '--batch', '--no-tty', '--no-autostart', '--quiet', '--import', file];
  const env = { PATH: path ?? '/usr/bin:/bin', HOME: home, LC_ALL: 'C' };
  const call = { args, env, cwd: home, timeoutMs: 30_000, limitBytes: 1024 * 1024, signal };
  const { code } = await runProgram('gpg', call).catch((cause: unknown) => {
    throw signal.aborted ? cause : final('GpgMissing', 'The program gpg is not installed on this device', { cause });
  });
  if (code !== 0) throw transient('NotVerified', `gpg cannot read the keys in ${file}`);
}

/** Returns the signer of a good signature, in the words of ssh-keygen or gpg; undefined without one. Pure. */
export function signerOf(status: string): string | undefined {
  const ssh = /^Good "git" signature for (.+) with \S+ key (SHA256:\S+)$/m.exec(status);
  if (ssh) return `${ssh[1]} (${ssh[2]})`;
  if (/^\[GNUPG:\] (BADSIG|ERRSIG|EXPSIG|EXPKEYSIG|REVKEYSIG|KEYREVOKED)/m.test(status)) return undefined;
  const good = /^\[GNUPG:\] GOODSIG ([0-9A-F]+) (.+)$/m.exec(status);
  const valid = /^\[GNUPG:\] VALIDSIG ([0-9A-F]+)/m.exec(status);
  return good && valid ? `${good[2]} (${valid[1]})` : undefined;
}

/** Returns why a signature is not good, in one sentence. Pure. */
function whyNot(status: string): string {
  if (
    /No principal matched|Could not verify|Good "git" signature with|NO_PUBKEY|cannot run|No such file/m.test(status)
  ) {
    return 'no key that counts has signed it';
  }
  if (/BADSIG|Signature verification failed|incorrect signature/i.test(status)) return 'its signature is wrong';
  if (/EXPKEYSIG|EXPSIG/.test(status)) return 'the key or its signature has expired';
  if (/REVKEYSIG|KEYREVOKED/.test(status)) return 'the key that signed it was revoked';
  return 'no key that counts has signed it';
}
