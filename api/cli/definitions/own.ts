import { Argument, type Command } from 'commander';
import type { ConvertOptions } from '../commands/compose.js';
import { usageError } from '../failure.js';
import { action, collect } from './run.js';

/** Defines commands about the command itself, and about the key. */
export function defineOwn(program: Command): void {
  program
    .command('key')
    .summary('print the key of the agent on this device')
    .option('--data <folder>', "the agent's data folder")
    .action(
      action<{ data?: string }>(async (session, _, options) =>
        (await import('../commands/key.js')).key(session, options),
      ),
    );

  const context = program
    .command('context')
    .helpCommand('help [command]', 'help for a command')
    .summary('agents that you work with, in a file of yours');
  context
    .command('list')
    .summary('all of them; the current one has a star')
    .action(action(async (session) => (await import('../commands/context.js')).listContexts(session)));
  context
    .command('set')
    .summary('keep --host and --key under a name')
    .argument('<name>')
    .action(
      action(async (session, [name = ''], options) =>
        (await import('../commands/context.js')).setContext(session, name, options),
      ),
    );
  context
    .command('use')
    .summary('work with that one from now on')
    .argument('<name>')
    .action(action(async (session, [name = '']) => (await import('../commands/context.js')).useContext(session, name)));
  context
    .command('rm')
    .summary('forget it')
    .argument('<name>')
    .action(
      action(async (session, [name = '']) => (await import('../commands/context.js')).removeContext(session, name)),
    );

  const compose = program
    .command('compose')
    .helpCommand('help [command]', 'help for a command')
    .summary('Compose files, read on this machine');
  compose
    .command('convert')
    .summary('print the App that a Compose file comes to, with everything written out')
    .option('-f, --filename <path>', 'a Compose file, or its folder; several are merged', collect)
    .option('--profile <name>', 'a profile that is on; may be repeated', collect)
    .action(
      action<ConvertOptions>(async (session, _, options) =>
        (await import('../commands/compose.js')).convert(session, options),
      ),
    );

  program
    .command('version')
    .summary('of the command and of the agent')
    .option('--client', 'only of the command; asks no agent')
    .action(
      action<{ client?: boolean }>(async (session, _, options) =>
        (await import('../commands/version.js')).version(session, options),
      ),
    );

  program
    .command('help')
    .summary('help for a command')
    .argument('[command...]')
    .action((words: readonly string[]) => showHelp(program, words));

  program
    .command('completion')
    .summary('a script that lets your shell complete commands, kinds and names')
    .addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish']))
    .action(
      action(async (session, [shell = '']) => (await import('../commands/completion.js')).completion(session, shell)),
    );
  program
    .command('__complete', { hidden: true })
    .argument('[words...]')
    .allowUnknownOption()
    .action(
      action(async (session, words) => (await import('../commands/completion.js')).complete(session, program, words)),
    );
}

function showHelp(program: Command, words: readonly string[]): void {
  const found = words.reduce<Command>((within, word) => {
    const next = within.commands.find((one) => one.name() === word);
    if (next) return next;
    const hint =
      word === 'agent' ? 'Its flags: supercargo agent --help' : '`supercargo help` lists those that there are.';
    throw usageError(`There is no command "${words.join(' ')}"`, hint);
  }, program);
  found.outputHelp();
}
