import type { Command } from 'commander';
import type { Kind } from '../../../crds/model/kinds.js';
import { KINDS } from '../../../crds/model/kinds.js';
import { configPath, readConfig } from '../client/contexts.js';
import type { Session } from '../client/session.js';
import { collectionPath, kindsOf } from '../kind-words.js';

/** Completion scripts. Each asks the command itself for candidates, so that it knows the names on the device. */
const SCRIPTS: Readonly<Record<string, string>> = {
  bash: `# supercargo completion for bash: source <(supercargo completion bash)
_supercargo() {
  local IFS=$'\\n'
  COMPREPLY=($(compgen -W "$(supercargo __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null | cut -f1)" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _supercargo supercargo`,
  zsh: `#compdef supercargo
# supercargo completion for zsh: source <(supercargo completion zsh)
_supercargo() {
  local -a found
  local line
  while IFS= read -r line; do
    found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done < <(supercargo __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( $#found )); then _describe supercargo found; else _files; fi
}
compdef _supercargo supercargo`,
  fish: `# supercargo completion for fish: supercargo completion fish | source
complete -c supercargo -a '(supercargo __complete -- (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)'`,
};

export async function completion({ io }: Session, shell: string): Promise<void> {
  io.out(SCRIPTS[shell] ?? '');
}

/** Prints the candidates for the last word, one a line, with a description behind a tab. */
export async function complete(session: Session, program: Command, words: readonly string[]): Promise<void> {
  const candidates = await candidatesFor(session, program, words);
  const last = words.at(-1) ?? '';
  session.io.out(...candidates.filter(([word]) => word.startsWith(last)).map(([word, what]) => `${word}\t${what}`));
}

type Candidate = readonly [word: string, what: string];

async function candidatesFor(
  session: Session,
  program: Command,
  words: readonly string[],
): Promise<readonly Candidate[]> {
  const before = words.slice(0, -1);
  const last = words.at(-1) ?? '';
  const { command, args } = place(program, before);
  const pending = optionOf(command, before.at(-1));
  if (pending) return (pending.argChoices ?? []).map((choice) => [choice, pending.description]);
  if (last.startsWith('-')) {
    return optionsOf(command).flatMap(({ long, description, hidden }): Candidate[] =>
      long && !hidden ? [[long, description]] : [],
    );
  }
  const visible = command.createHelp().visibleCommands(command);
  if (args.length === 0 && visible.length > 0)
    return visible.map((one) => [one.name(), one.summary() || one.description()]);
  return argumentsFor(session, command, args, last);
}

/** Finds the command that the words lead to, and its arguments. */
function place(
  program: Command,
  words: readonly string[],
): { readonly command: Command; readonly args: readonly string[] } {
  let command = program;
  const args: string[] = [];
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? '';
    if (word.startsWith('-')) {
      if (optionOf(command, word)) index += 1; // its value
      continue;
    }
    const next = args.length === 0 ? command.commands.find((one) => one.name() === word) : undefined;
    if (next) command = next;
    else args.push(word);
  }
  return { command, args };
}

const optionsOf = (command: Command): Command['options'] => [
  ...command.options,
  ...(command.parent ? optionsOf(command.parent) : []),
];

/** Returns the option of that name that takes a value; undefined for a flag. */
const optionOf = (command: Command, word: string | undefined) =>
  word === undefined
    ? undefined
    : optionsOf(command).find((one) => (one.long === word || one.short === word) && (one.required || one.optional));

const OF_KINDS = ['get', 'describe', 'delete'];
const OF_APPS = [
  'logs',
  'restart',
  'stop',
  'start',
  'purge',
  'history',
  'export',
  'rollback',
  'retry',
  'approve',
  'adopt',
];

async function argumentsFor(
  session: Session,
  command: Command,
  args: readonly string[],
  last: string,
): Promise<readonly Candidate[]> {
  const name = command.name();
  const parent = command.parent?.name();
  if (name === 'completion') return ['bash', 'zsh', 'fish'].map((shell) => [shell, 'shell']);
  if (parent === 'context') {
    const { contexts } = await readConfig(configPath(session.env));
    return Object.entries(contexts).map(([one, { host }]) => [one, host]);
  }
  if (parent === 'source' || name === 'confirm') return name === 'add' ? [] : names(session, 'GitSource');
  if (name === 'explain') return args.length > 0 ? [] : KINDS.map((kind) => [kind.toLowerCase(), 'kind']);
  if (OF_APPS.includes(name)) return last.includes('/') ? services(session) : names(session, 'App');
  if (!OF_KINDS.includes(name)) return [];
  const [first] = args;
  if (first === undefined)
    return [
      ...KINDS.map((kind): Candidate => [kind.toLowerCase(), 'kind']),
      ...(name === 'get' ? [['all', 'every kind of an app'] as const] : []),
    ];
  const [kind] = kindsOf(first);
  return kind === undefined ? [] : names(session, kind);
}

interface Named {
  readonly metadata: { readonly name: string; readonly origin?: string };
  readonly spec: { readonly app?: string; readonly serviceName?: string };
}

async function names(session: Session, kind: Kind): Promise<readonly Candidate[]> {
  return (await listed(session, kind)).map(({ metadata }) => [metadata.name, metadata.origin ?? '']);
}

async function services(session: Session): Promise<readonly Candidate[]> {
  return (await listed(session, 'Service')).map(({ spec }) => [`${spec.app}/${spec.serviceName}`, 'service']);
}

/** Lists documents; without an agent there are no candidates, which is not an error. */
async function listed(session: Session, kind: Kind): Promise<readonly Named[]> {
  try {
    const client = await session.client();
    return (await client.ask<{ items: readonly Named[] }>('GET', collectionPath(kind))).items;
  } catch {
    return [];
  }
}
