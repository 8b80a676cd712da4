import { Command } from 'commander';
import { defineChanging } from './definitions/changing.js';
import { defineOwn } from './definitions/own.js';
import { defineReading } from './definitions/reading.js';
import { EXIT } from './failure.js';
import { COMMAND_VERSION } from './version.js';

const AFTER_HELP = `
The agent itself is started by \`supercargo agent [flags]\`; see \`supercargo agent --help\`.

Which agent: --host, else SUPERCARGO_HOST, else the current context, else http://127.0.0.1:48484.
Which key: --key, else SUPERCARGO_API_KEY, else that of the context, else that of this machine where you may read it; its owner needs none.

Exits with ${EXIT.done} done, ${EXIT.failed} refused or failed, ${EXIT.differs} diff found something, ${EXIT.late} not true in time, ${EXIT.unreachable} no agent answers,
${EXIT.denied} key missing or wrong, ${EXIT.usage} a command line that makes no sense, ${EXIT.interrupted} interrupted.`;

/** Defines every command and option. Their code is loaded when one is called. */
export function defineProgram(): Command {
  const program = new Command('supercargo')
    .description('Tells a supercargo agent what should run, and shows what does.')
    .version(COMMAND_VERSION, '-V, --version', 'version of the command')
    .option('--host <address>', 'the agent: host:port, http(s)://…, unix:/path')
    .option('--key <key>', 'its API key')
    .option('--context <name>', 'a context of the config file')
    .option('--json', 'JSON for programs, a value a line')
    .option('--no-color', 'no colours, also on a terminal')
    .helpOption('-h, --help', 'help for a command')
    .configureHelp({ commandDescription: (command) => command.description() || command.summary() })
    .helpCommand(false) // ours knows the commands of commands too
    .addHelpText('after', AFTER_HELP)
    .showSuggestionAfterError()
    .exitOverride();
  defineReading(program);
  defineChanging(program);
  defineOwn(program);
  return program;
}
