import { type Command, Option } from 'commander';
import type { WaitOptions } from '../client/wait.js';
import type { ActionOptions, AdoptOptions, ApproveOptions, RollbackOptions } from '../commands/actions.js';
import type { ApplyOptions } from '../commands/apply.js';
import type { DeleteOptions } from '../commands/delete.js';
import type { PlanOptions } from '../commands/plan.js';
import { action, collect, waiting } from './run.js';
import { defineSources } from './sources.js';

/** Loaded when one of its commands runs. */
const actions = () => import('../commands/actions.js');

/** Defines commands that change documents, or request something. */
export function defineChanging(program: Command): void {
  waiting(program.command('apply'))
    .summary('declare documents and wait until they are true')
    .requiredOption('-f, --filename <path>', 'a file, a folder, or - for standard input; may be repeated', collect)
    .option('--dry-run', 'check everything, change nothing')
    .option('--now', 'what waits for its window, a boot or an approval goes ahead (spec.rollout.apply)')
    .action(
      action<ApplyOptions>(async (session, _, options) =>
        (await import('../commands/apply.js')).apply(session, options),
      ),
    );

  program
    .command('diff')
    .summary('what apply would change, field by field; exits with 2 when something')
    .requiredOption('-f, --filename <path>', 'a file, a folder, or - for standard input; may be repeated', collect)
    .action(
      action<{ filename: readonly string[] }>(async (session, _, options) =>
        (await import('../commands/diff.js')).diff(session, options),
      ),
    );

  program
    .command('plan')
    .summary('what would be done on the device, and why; exits with 2 when something')
    .option('-f, --filename <path>', 'a file, a folder, or - for standard input; may be repeated', collect)
    .addOption(new Option('-o, --output <form>', 'how it is shown').choices(['table', 'json']).default('table'))
    .action(
      action<PlanOptions>(async (session, _, options) => (await import('../commands/plan.js')).plan(session, options)),
    );

  waiting(program.command('delete'))
    .summary('take documents back; volumes stay, but for one that is named and whose app is gone')
    .argument('[kind]', 'a kind; or kind/name')
    .argument('[names...]')
    .option('-f, --filename <path>', 'those in a file, a folder, or - for standard input; may be repeated', collect)
    .option('--ignore-not-found', 'one that is not there is no mistake')
    .action(
      action<DeleteOptions>(async (session, args, options) =>
        (await import('../commands/delete.js')).remove(session, args, options),
      ),
    );

  for (const [name, summary] of [
    ['restart', 'recreate containers'],
    ['stop', 'stop containers until they are started again'],
    ['start', 'start containers that were stopped'],
    ['purge', 'EMPTY THE VOLUMES of an app and recreate its containers'],
  ] as const) {
    waiting(program.command(name))
      .summary(summary)
      .argument('<apps...>', name === 'purge' ? 'APP' : 'APP or APP/SERVICE')
      .option('--force', "override the application's update lock")
      .action(
        action<ActionOptions>(async (session, args, options) => (await actions()).act(session, name, args, options)),
      );
  }

  waiting(program.command('run'))
    .summary('begin a run of a service with a schedule now; follows its output, ends with its exit code')
    .argument('<service>', 'APP/SERVICE')
    .action(
      action<WaitOptions>(async (session, [word = ''], options) =>
        (await import('../commands/run.js')).run(session, word, options),
      ),
    );

  waiting(program.command('confirm'))
    .summary('let go on what is held back until somebody says so')
    .argument('<documents...>', 'the name of a git source; or KIND/NAME')
    .action(
      action<ActionOptions>(async (session, args, options) =>
        (await actions()).send(session, 'confirm', args, options),
      ),
    );

  for (const [name, summary] of [
    ['suspend', 'leave an app as it is: nothing is downloaded, repaired or rolled out'],
    ['resume', 'end that'],
  ] as const) {
    waiting(program.command(name))
      .summary(summary)
      .argument('<documents...>', 'the name of an app; or KIND/NAME, such as gitsource/fleet')
      .action(
        action<ActionOptions>(async (session, args, options) => (await actions()).send(session, name, args, options)),
      );
  }

  waiting(program.command('rollback'))
    .summary('let an earlier release of an app run that was good')
    .argument('<app>', 'APP')
    .option('--to <revision>', 'this one, of `supercargo history APP`')
    .action(
      action<RollbackOptions>(async (session, [app = ''], options) =>
        (await actions()).rollback(session, app, options),
      ),
    );

  waiting(program.command('retry'))
    .summary('let what an app declares be tried again after it was refused')
    .argument('<apps...>', 'APP')
    .action(action<ActionOptions>(async (session, args, options) => (await actions()).retry(session, args, options)));

  waiting(program.command('approve'))
    .summary('let what an app declares go ahead that waits for its window, a boot or an approval')
    .argument('<app>', 'APP')
    .option('--revision <revision>', 'only if it is this one, as `supercargo plan` and the App name it')
    .action(
      action<ApproveOptions>(async (session, [app = ''], options) => (await actions()).approve(session, app, options)),
    );

  waiting(program.command('adopt'))
    .summary('take over what docker compose runs in the project of an app, or containers that are named')
    .argument('<app>', 'APP, or APP/SERVICE with --container')
    .option('--container <names...>', 'these, whoever has made them, for that service')
    .option('--force', 'leave behind data that theirs mount and the app does not; it stays where it is')
    .action(
      action<AdoptOptions>(async (session, [app = ''], options) =>
        (await import('../commands/actions.js')).adopt(session, app, options),
      ),
    );

  defineSources(
    program
      .command('source')
      .helpCommand('help [command]', 'help for a command')
      .summary('git repositories whose documents this device takes'),
  );
}
