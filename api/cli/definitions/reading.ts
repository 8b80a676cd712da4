import { type Command, Option } from 'commander';
import type { GetOptions } from '../commands/get.js';
import type { LogOptions } from '../commands/logs.js';
import type { TopOptions } from '../commands/top.js';
import { action } from './run.js';

const OUTPUTS: readonly GetOptions['output'][] = ['table', 'wide', 'yaml', 'json', 'name'];

/** Defines commands that change nothing. */
export function defineReading(program: Command): void {
  program
    .command('get')
    .summary('list documents, or show some')
    .argument('<kind>', 'app, service, …, several with commas, all; or kind/name')
    .argument('[names...]')
    .addOption(new Option('-o, --output <form>', 'how they are shown').choices(OUTPUTS).default('table'))
    .option('-w, --watch', 'go on with every change')
    .option('--orphaned', 'of volumes: those of apps that are gone')
    .option('-l, --selector <labels>', 'only those with such labels, as in a=b,c!=d')
    .action(
      action<GetOptions>(async (session, args, options) =>
        (await import('../commands/get.js')).get(session, args, options),
      ),
    );

  program
    .command('describe')
    .summary('all about a document: spec, status, parts, events')
    .argument('<kind>', 'a kind; or kind/name')
    .argument('[names...]')
    .action(action(async (session, args) => (await import('../commands/describe.js')).describe(session, args)));

  program
    .command('explain')
    .summary('what a kind or a field means')
    .argument('[field]', 'such as app, app.services.ports, service.status.state')
    .action(action(async (session, [word]) => (await import('../commands/explain.js')).explain(session, word)));

  program
    .command('history')
    .summary('what was promoted of an app, and what came of it')
    .argument('<app>', 'APP')
    .action(action(async (session, [app = '']) => (await import('../commands/history.js')).history(session, app)));

  program
    .command('why')
    .summary('why what runs of an app is as it is, and what it waits for')
    .argument('<app>', 'APP or APP/SERVICE')
    .action(action(async (session, [word = '']) => (await import('../commands/why.js')).why(session, word)));

  program
    .command('export')
    .summary('print an app as a Compose file that means the same')
    .argument('<app>', 'APP')
    .action(action(async (session, [app = '']) => (await import('../commands/export.js')).exportCompose(session, app)));

  program
    .command('logs')
    .summary('what containers printed')
    .argument('<app>', 'APP or APP/SERVICE')
    .option('-f, --follow', 'go on with what they print, also new ones')
    .option('--since <time>', 'such as 10m or 2026-01-02T03:04:05Z')
    .option('--tail <lines>', 'only the last lines of each service')
    .option('-t, --timestamps', 'with the time of each line')
    .option('--run <id>', 'of a service with a schedule: those of this run')
    .option('--raw', 'control characters as they were printed, instead of visible')
    .action(
      action<LogOptions>(async (session, [word = ''], options) =>
        (await import('../commands/logs.js')).logs(session, word, options),
      ),
    );

  program
    .command('events')
    .summary('what happened, and why')
    .argument('[document]', 'only about this one: KIND/NAME, or the name of an app')
    .option('-f, --follow', 'go on with what happens')
    .action(
      action<{ follow?: boolean }>(async (session, [word], options) =>
        (await import('../commands/events.js')).events(session, word, options),
      ),
    );

  program
    .command('status')
    .summary('one screen: device, apps, what waits for what')
    .action(action(async (session) => (await import('../commands/status.js')).status(session)));

  program
    .command('top')
    .summary('what each service uses')
    .option('-w, --watch', 'go on until interrupted')
    .option('--interval <duration>', 'between two looks', '1s')
    .action(
      action<TopOptions>(async (session, _, options) => (await import('../commands/top.js')).top(session, options)),
    );
}
