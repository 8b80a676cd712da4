import { join } from 'node:path';
import { parseGitUrl } from '../../../crds/model/git-url.js';
import type { GitSourceSpec } from '../../../crds/model/types.js';
import type { SecretFiles } from '../../device-state/secret-files.js';
import { replaceText } from './private-files.js';
import { final } from './source-error.js';

/** Configuration and environment with which git talks to one repository; never arguments. */
export interface Transport {
  readonly config: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
}

/** Returns a configuration of ssh that leaves out the user's and the system's: everything in force is in this file. */
const sshConfig = (key: string, knownHosts: string): string =>
  [
    'Host *',
    `  IdentityFile ${quoted(key)}`,
    '  IdentitiesOnly yes',
    '  IdentityAgent none',
    `  UserKnownHostsFile ${quoted(knownHosts)}`,
    '  GlobalKnownHostsFile /dev/null',
    '  StrictHostKeyChecking yes',
    '  UpdateHostKeys no',
    '  BatchMode yes',
    '  PreferredAuthentications publickey',
    '  ForwardAgent no',
    '  ForwardX11 no',
    '  PermitLocalCommand no',
    '  ProxyCommand none',
    '  ControlMaster no',
    '  ConnectTimeout 20',
    '  ServerAliveInterval 15',
    '  ServerAliveCountMax 3',
    '  LogLevel ERROR',
    '',
  ].join('\n');

/** Quotes a path for ssh_config(5), where a percent sign begins a token. */
const quoted = (path: string): string => `"${path.replaceAll('%', '%%')}"`;

/**
 * Returns how to reach the repository of a source. Credentials come from files and go where only git sees them.
 * `folder` is the source's own. Rejects with `SecretFileError` when a file is missing.
 */
export async function transportOf(
  { url, credentials = {} }: Pick<GitSourceSpec, 'url' | 'credentials'>,
  secrets: SecretFiles,
  folder: string,
): Promise<Transport> {
  const parsed = parseGitUrl(url);
  if (!parsed) throw final('InvalidSpec', 'spec.url is not the address of a repository');
  const { transport, address } = parsed;
  const config: Record<string, string> = {
    'remote.origin.url': address,
    'protocol.allow': 'never',
    [`protocol.${transport}.allow`]: 'always',
  };
  const env: Record<string, string> = { GIT_ALLOW_PROTOCOL: transport };

  if (transport === 'ssh') {
    const key = await secrets.path(credentials.sshKey ?? '', 'private');
    const file = join(folder, 'ssh_config');
    await replaceText(file, sshConfig(key, await secrets.path(credentials.knownHosts ?? '', 'public')));
    // Git passes this to a shell. Only the data folder's own name in it is not ours.
    env.GIT_SSH_COMMAND = `ssh -F '${file.replaceAll("'", "'\\''")}'`;
    env.GIT_SSH_VARIANT = 'ssh';
  }
  if (transport === 'https' || transport === 'http') {
    const { origin } = new URL(address);
    if (credentials.ca !== undefined) config['http.sslCAInfo'] = await secrets.path(credentials.ca, 'public');
    if (credentials.token !== undefined) {
      const login = `${credentials.username ?? 'git'}:${await secrets.read(credentials.token)}`;
      // Git sends it to every server that a redirect leads to, whatever the name of the setting suggests. So git
      // follows none: redirects within the server are followed here, and no others.
      config['http.followRedirects'] = 'false';
      config[`http.${origin}/.extraHeader`] = `Authorization: Basic ${Buffer.from(login).toString('base64')}`;
    }
  }
  return { config, env };
}
