import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from '../../api/platform/programs.js';
import { installPackages } from '../../controllers/engine/local/debian-packages.js';

/** Programs that tests need, and the Debian packages that they come in. */
const PACKAGES = {
  git: 'git',
  gpg: 'gnupg',
  'ssh-keygen': 'openssh-client',
  sshd: 'openssh-server',
  dockerd: 'docker.io',
  iptables: 'iptables',
  ip: 'iproute2',
  'docker-registry': 'docker-registry',
  curl: 'curl',
  'docker-compose': 'docker-compose',
} as const;

export type Program = keyof typeof PACKAGES;

const say = (text: string): void => console.error(`    ${text}`);

/** Installs what is missing of these programs, with apt-get. */
export async function needPrograms(...names: readonly Program[]): Promise<void> {
  const missing = names.filter((name) => findProgram(name, process.env) === undefined);
  if (missing.length === 0) return;
  const packages = missing.map((name) => PACKAGES[name]);
  await installPackages(packages, `The tests need ${missing.join(', ')}`, { env: process.env, print: say });
}

/** Where Debian puts libfaketime: in the folder of the architecture. */
const LIBRARIES = '/usr/lib';

/** The path of libfaketime for programs with threads; installed when it is missing. */
export async function needFaketime(): Promise<string> {
  if (findFaketime() === undefined) {
    await installPackages(['libfaketime'], 'The tests need a clock that can be set', { env: process.env, print: say });
  }
  const library = findFaketime();
  if (library === undefined) throw new Error('libfaketime is not to be found');
  return library;
}

function findFaketime(): string | undefined {
  const folders = readdirSync(LIBRARIES).filter((name) => name.includes('-linux-gnu'));
  return folders.map((name) => join(LIBRARIES, name, 'faketime/libfaketimeMT.so.1')).find((path) => existsSync(path));
}
