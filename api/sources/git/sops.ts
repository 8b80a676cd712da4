import { isMap } from '../../../crds/model/maps.js';
import { type YamlItem, yamlItems } from '../../../crds/yaml/yaml-items.js';
import type { SecretFiles } from '../../device-state/secret-files.js';
import { ProgramMissing, runProgram } from '../../platform/run-program.js';

export interface SopsDeps {
  readonly secrets: SecretFiles;
  /** Name of the secret with the private key; undefined when the source names none. */
  readonly ageKey: string | undefined;
  /** A folder of ours without anything that sops would read. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export type Decrypted =
  | {
      readonly ok: true;
      readonly items: readonly YamlItem[];
      /** Decrypted texts: never to be shown. */
      readonly secrets: readonly string[];
    }
  | { readonly ok: false; readonly message: string };

/** Other places in which sops finds keys: it would ask servers and run programs that a repository names. */
const OTHER_KEYS = ['kms', 'gcp_kms', 'azure_kv', 'hc_vault', 'pgp', 'key_groups'];
const TIMEOUT_MS = 30_000;
const LIMIT_BYTES = 4 * 1024 * 1024;

/** Tells whether SOPS has encrypted these values. Pure. */
export const isEncrypted = (items: readonly YamlItem[]): boolean =>
  items.some(({ value }) => isMap(value) && isMap(value.sops) && value.sops.mac !== undefined);

/** Decrypts a file of documents with the system's sops and an age key. Nothing touches the disk. */
export async function decrypt(
  content: Buffer,
  file: string,
  items: readonly YamlItem[],
  { secrets, ageKey, folder, env }: SopsDeps,
  signal: AbortSignal,
): Promise<Decrypted> {
  if (ageKey === undefined) {
    return { ok: false, message: 'It is encrypted with SOPS, and the source names no key: set spec.decryption.ageKey' };
  }
  const foreign = items.flatMap(({ value }) => (isMap(value) && isMap(value.sops) ? otherKeys(value.sops) : []));
  if (foreign.length > 0) {
    return { ok: false, message: `It is encrypted for ${foreign.join(', ')}; only keys of age are used here` };
  }
  const type = file.toLowerCase().endsWith('.json') ? 'json' : 'yaml';
  const result = await runProgram('sops', {
    args: ['--decrypt', '--input-type', type, '--output-type', type, '/dev/stdin'],
    env: {
      PATH: env.PATH ?? '/usr/local/bin:/usr/bin:/bin',
      HOME: folder,
      XDG_CONFIG_HOME: folder,
      SOPS_AGE_KEY_FILE: await secrets.path(ageKey, 'private'),
    },
    cwd: folder,
    input: content,
    timeoutMs: TIMEOUT_MS,
    limitBytes: LIMIT_BYTES,
    signal,
  }).catch((error: unknown) => {
    if (error instanceof ProgramMissing) return undefined;
    throw error;
  });
  if (!result) {
    return { ok: false, message: 'It is encrypted with SOPS, and the program sops is not installed on this device' };
  }
  if (result.code !== 0 || result.ended !== undefined) {
    return {
      ok: false,
      message: `sops cannot decrypt it with the key ${ageKey}: the key is another one, or the file was changed`,
    };
  }
  const read = yamlItems(result.stdout.toString(), file);
  if (read.problems.length > 0) return { ok: false, message: 'What sops made of it cannot be read' };
  const plain = read.items.map(({ value, isQuoted }) => ({
    value: isMap(value) ? withoutSops(value) : value,
    locate: () => ({ file }), // lines of the decrypted text exist in no file
    isQuoted,
  }));
  return { ok: true, items: plain, secrets: plain.flatMap(({ value }, at) => encryptedTexts(items[at]?.value, value)) };
}

const otherKeys = (sops: Readonly<Record<string, unknown>>): readonly string[] =>
  OTHER_KEYS.filter((name) => Array.isArray(sops[name]) && sops[name].length > 0);

function withoutSops({ sops: _sops, ...value }: Readonly<Record<string, unknown>>): object {
  return value;
}

/** Returns the texts whose encrypted values are `ENC[…]`. Pure. */
export function encryptedTexts(encrypted: unknown, plain: unknown): readonly string[] {
  if (typeof encrypted === 'string') return encrypted.startsWith('ENC[') && !isMap(plain) ? [String(plain)] : [];
  if (Array.isArray(encrypted)) {
    const list: readonly unknown[] = Array.isArray(plain) ? plain : [];
    return encrypted.flatMap((one, at) => encryptedTexts(one, list[at]));
  }
  if (!isMap(encrypted) || !isMap(plain)) return [];
  return Object.entries(encrypted).flatMap(([name, one]) => encryptedTexts(one, plain[name]));
}

/** Returns the text without secrets, also where one was cut short. Pure. */
export function redact(text: string, secrets: readonly string[]): string {
  const shown = secrets.flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1), secret.slice(0, 40)]);
  return shown
    .filter((secret) => secret.trim().length > 2)
    .sort((a, b) => b.length - a.length)
    .reduce((rest, secret) => rest.replaceAll(secret, '(secret)'), text);
}
