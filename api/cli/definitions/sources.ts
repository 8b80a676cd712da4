import type { Command } from 'commander';
import type { ActionOptions } from '../commands/actions.js';
import type { DeleteOptions } from '../commands/delete.js';
import type { AddOptions } from '../commands/source.js';
import { action, collect, waiting } from './run.js';

/** Defines `source add`, `list`, `sync`, `rm`. */
export function defineSources(source: Command): void {
  waiting(source.command('add'))
    .summary('declare a git repository')
    .argument('<name>')
    .argument('<url>', 'https://, ssh://, user@host:path, file://')
    .option('--branch <name>', 'its newest commit counts')
    .option('--tag <name>', 'this one counts')
    .option('--commit <hash>', 'this one counts')
    .option('--semver <range>', 'the highest tag in the range counts')
    .option('--path <path>', 'folder or file in the repository; may be repeated', collect)
    .option('--interval <duration>', 'between two looks')
    .option('--cron <expression>', 'when to look')
    .option('--token <file>', "file in the agent's folder secrets with a token for https")
    .option('--ssh-key <file>', 'the same with a private key')
    .option('--known-hosts <file>', 'the same with the host keys for ssh')
    .option('--allowed-signers <file>', 'the same with the ssh keys whose signature a commit must bear')
    .option('--keyring <file>', 'the same with GPG keys')
    .action(
      action<AddOptions>(async (session, [name = '', url = ''], options) =>
        (await import('../commands/source.js')).addSource(session, name, url, options),
      ),
    );
  source
    .command('list')
    .summary('all of them, with their commits')
    .action(action(async (session) => (await import('../commands/source.js')).listSources(session)));
  waiting(source.command('sync'))
    .summary('look at the repository now')
    .argument('<names...>')
    .action(
      action<ActionOptions>(async (session, names, options) =>
        (await import('../commands/source.js')).syncSources(session, names, options),
      ),
    );
  waiting(source.command('rm'))
    .summary('take a source back, with what it declared')
    .argument('<names...>')
    .action(
      action<DeleteOptions>(async (session, names, options) =>
        (await import('../commands/source.js')).removeSources(session, names, options),
      ),
    );
}
