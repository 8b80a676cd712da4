import { join } from 'node:path';
import { parseGitUrl } from '../../../crds/model/git-url.js';
import type { GitSourceSpec } from '../../../crds/model/types.js';
import type { SecretFiles } from '../../device-state/secret-files.js';
import { replaceText } from './private-files.js';
import { final } from './source-error.js';

/** What git has to know to talk to one repository: configuration and environment, never arguments. */
export interface Transport {
  readonly config: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
}

/** Says nothing about a user's or the system's ssh: everything that is in force is in this file. */
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

/** In ssh_config(5) a percent sign begins a token and quotes group words. */
const quoted = (path: string): string => `"${path.replaceAll('%', '%%')}"`;

/**
 * How to reach the repository of a source. Credentials come from files and go where only git sees them. `folder` is the
 * source's own. Rejects with SecretFileError when a file is missing.
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
    // Git hands this to a shell. Nothing in it comes from a document but the data folder's own name.
    env.GIT_SSH_COMMAND = `ssh -F '${file.replaceAll("'", "'\\''")}'`;
    env.GIT_SSH_VARIANT = 'ssh';
  }
  if (transport === 'https' || transport === 'http') {
    const { origin } = new URL(address);
    if (credentials.ca !== undefined) config['http.sslCAInfo'] = await secrets.path(credentials.ca, 'public');
    if (credentials.token !== undefined) {
      const login = `${credentials.username ?? 'git'}:${await secrets.read(credentials.token)}`;
      // Git shows it to every server that a redirect leads to, whatever the name of the setting says. So git follows none:
      // those within the server are followed by hand, and no other.
      config['http.followRedirects'] = 'false';
      config[`http.${origin}/.extraHeader`] = `Authorization: Basic ${Buffer.from(login).toString('base64')}`;
    }
  }
  return { config, env };
}
