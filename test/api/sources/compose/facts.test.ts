import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { readProject } from '../../../../api/sources/compose/project.js';
import { isMap } from '../../../../crds/model/maps.js';

interface Fact {
  readonly area: string;
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly folder?: string;
  readonly profiles?: readonly string[];
  readonly at: string;
  readonly value?: unknown;
  readonly error?: string;
}

const { cases } = JSON.parse(
  readFileSync(new URL('../../../fixtures/compose/facts.json', import.meta.url), 'utf8'),
) as { readonly cases: readonly Fact[] };

/** Facts that are decided differently here, and why. */
const DIFFERENT: Readonly<Record<string, string>> = {
  'interpolation: port: variable is unset': 'a port that nobody chose is no port that somebody wanted',
  'environment: env_file format raw': 'newer loaders take it',
  'dotenv: no value': 'a name without a value is no value without a name',
  'files: looked for in the parents': 'a project is the folder in which it is looked for',
  'limits: ulimits': 'the loader prints a limit of 0 as nothing',
};

describe('reading a Compose file, beside what Docker Compose makes of it', () => {
  for (const fact of cases) {
    const name = `${fact.area}: ${fact.name}`;
    it(name, async () => {
      const outcome = await compare(fact);
      if (DIFFERENT[name] === undefined) assert.equal(outcome, undefined);
      else assert.notEqual(outcome, undefined, 'does not differ any more');
    });
  }
});

/** Returns in what the reader differs from the fact; undefined: in nothing. */
async function compare({
  area,
  files,
  env,
  folder = 'p',
  profiles,
  at,
  value,
  error,
}: Fact): Promise<string | undefined> {
  const project = `/TOP/${folder}`;
  const held = new Map(Object.entries(files).map(([file, text]) => [posix.join(project, file), text]));
  const { model, problems } = await readProject({
    folder: project,
    // Merging was looked at without reading files of variables.
    readFile: async (path) => ({
      text: held.get(path) ?? (area === 'merge' && path.endsWith('.env') ? '' : undefined),
    }),
    ...(files['o.yaml'] === undefined ? {} : { files: ['compose.yaml', 'o.yaml'] }),
    variables: new Map(Object.entries(env ?? {})),
    home: '/root',
    profiles: profiles ?? (area === 'merge' ? ['*'] : []), // the loader merged without looking at profiles
  });
  const output = problems.map(({ message, path }) => `${path ?? ''}: ${message}`).join('; ');
  if (error !== undefined) return problems.length > 0 ? undefined : `accepted, although: ${error}`;
  if (model === undefined || problems.length > 0) return `refused: ${output}`;
  const wanted = plain(JSON.parse(JSON.stringify(value ?? null).replaceAll('/PROJ', project)));
  const found = plain(at.endsWith('env_file') ? pathsOf(valueAt(model, at)) : valueAt(model, at));
  try {
    assert.deepEqual(found, wanted);
    return undefined;
  } catch {
    return `${JSON.stringify(found)} and not ${JSON.stringify(wanted)}`;
  }
}

function valueAt(model: unknown, at: string): unknown {
  let found = model;
  for (const step of at === '' ? [] : at.split('.')) found = isMap(found) ? found[step] : undefined;
  return found ?? null;
}

/** Returns a value without what the loader's JSON has for nothing; numbers as texts, because Go prints sizes so. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = value.map(plain);
    return items.every((one) => typeof one === 'string' && /^[\w-]+=/.test(one)) ? [...items].sort() : items;
  }
  if (typeof value === 'number') return String(value);
  if (!isMap(value)) return value;
  const { command, entrypoint, ...rest } = value;
  const kept = Object.entries({ ...rest, ...(command ? { command } : {}), ...(entrypoint ? { entrypoint } : {}) });
  const isNothing = (name: string, one: unknown): boolean =>
    one === undefined ||
    one === false ||
    (['ipam', 'placement', 'configs', 'secrets', 'volumes', 'volume'].includes(name) &&
      isMap(one) &&
      Object.keys(one).length === 0);
  return Object.fromEntries(
    kept
      .filter(([name, one]) => !isNothing(name, one))
      .map(([name, one]) => [name, plain(name === 'env_file' ? pathsOf(one) : one)]),
  );
}

const pathsOf = (files: unknown): unknown =>
  Array.isArray(files) ? files.map((file: unknown) => (isMap(file) ? file.path : file)) : files;
