import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { codeBlocks } from '../setup/code-blocks.js';
import { CommandProcess } from '../setup/command.js';
import { until } from '../setup/until.js';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const PAGE = join(root, 'docs/design/adding-a-kind.md');
const LIST = 'controllers/agent/controllers.ts';
/** What is copied: the sources, and what an agent in memory is made of. */
const COPIED = ['api', 'controllers', 'crds', 'test/setup', 'test/simulation', 'test/api/http', 'test/adding-a-kind'];
const FILES = ['package.json', 'tsconfig.json', 'biome.json'];
const MOTDS = '/apis/supercargo.io/v1/motds';

/** What answers hold that is looked at here. */
interface Answer {
  readonly kind: string;
  readonly message: string;
  readonly items: readonly { readonly spec: object }[];
  readonly status?: {
    readonly observedGeneration: number;
    readonly bytes?: number;
    readonly conditions: readonly { readonly type: string; readonly status: string }[];
  };
  readonly resources: readonly { readonly name: string }[];
  readonly paths: Readonly<Record<string, object>>;
}

/** The blocks of the page by the file that their first line names. */
const blocks = codeBlocks(PAGE).flatMap(({ text }) => {
  const [, file] = /^(?:\/\/|#) (\S+)\n/.exec(text) ?? [];
  return file === undefined ? [] : [{ file, text: `${text.slice(text.indexOf('\n') + 1)}\n` }];
});

/** A copy of the sources with the kind of the page, its types generated. Returns the folder. */
async function sourcesWithKind(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'adding-a-kind-'));
  for (const path of COPIED) cpSync(join(root, path), join(folder, path), { recursive: true });
  for (const file of FILES) cpSync(join(root, file), join(folder, file));
  mkdirSync(join(folder, 'docs/reference/kinds'), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  for (const { file, text } of blocks) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), file === LIST ? withLine(readFileSync(join(folder, file), 'utf8'), text) : text);
  }
  await run(process.execPath, ['--import', 'tsx', 'crds/schema/generate.ts'], { cwd: folder });
  return folder;
}

/** The list of controllers with what the page adds to it: an import, and a line of the table. */
function withLine(list: string, added: string): string {
  const lines = added.trimEnd().split('\n');
  assert.equal(lines.length, 2, 'one line, and its import');
  const [imported = '', line = ''] = lines;
  return list.replace('import ', `${imported}\nimport `).replace('export const CONTROLLERS = {\n', `$&${line}\n`);
}

/** What a tool of this repository finds wrong with the copy; '' when nothing. */
const complaintsOf = (folder: string, tool: string, ...args: readonly string[]): Promise<string> =>
  run(join(root, 'node_modules/.bin', tool), args, { cwd: folder }).then(
    () => '',
    ({ stdout, stderr }: { stdout: string; stderr: string }) => stdout + stderr,
  );

/** Has only the sources checked for their types: the tests in the copy are not whole. */
function narrowTypes(folder: string): void {
  const path = join(folder, 'tsconfig.json');
  writeFileSync(
    path,
    JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), include: ['api', 'controllers', 'crds'] }),
  );
}

describe('the kind that docs/design/adding-a-kind.md adds', () => {
  let folder: string;
  /** Of the linter and of the compiler, which run while the agent is built. */
  let complaints: Promise<readonly string[]>;
  let command: CommandProcess;
  let agent: ChildProcess;
  let at: { readonly host: string; readonly hostRoot: string };

  before(async () => {
    folder = await sourcesWithKind();
    narrowTypes(folder);
    complaints = Promise.all([
      complaintsOf(folder, 'biome', 'check', '--vcs-enabled=false', 'controllers/motd'),
      complaintsOf(folder, 'tsc', '--noEmit'),
    ]);
    const outfile = join(folder, 'agent.mjs');
    const banner = {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    };
    await build({
      ...{ absWorkingDir: folder, entryPoints: ['test/adding-a-kind/agent.ts'], outfile, bundle: true, banner },
      ...{ platform: 'node', target: 'node20', format: 'esm', logLevel: 'error', packages: 'external' },
    });
    command = await CommandProcess.make(folder);
    agent = spawn(process.execPath, [outfile], { stdio: ['pipe', 'pipe', 'inherit'] });
    assert.ok(agent.stdout);
    const [line] = await once(createInterface(agent.stdout), 'line');
    at = JSON.parse(line);
  });
  after(async () => {
    agent.stdin?.end();
    await once(agent, 'close');
    command.remove();
    rmSync(folder, { recursive: true });
  });

  const call = async (method: string, path: string, body?: object) => {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${at.host}${path}`, {
      method,
      headers,
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    return { status: answer.status, body: (await answer.json()) as Answer };
  };
  const motd = (text: string) => ({
    apiVersion: 'supercargo.io/v1',
    kind: 'Motd',
    metadata: { name: 'hello' },
    spec: { text },
  });
  /** The document, once it is Ready at that generation. */
  const ready = (generation: number) =>
    until(
      'it is Ready',
      async () => (await call('GET', `${MOTDS}/hello`)).body,
      ({ status }) =>
        status?.observedGeneration === generation &&
        status.conditions.some((one) => one.type === 'Ready' && one.status === 'True'),
    );
  const runCommand = async (...args: string[]): Promise<string> => {
    const { out, err, code } = await command.run(args, { env: { SUPERCARGO_HOST: at.host } });
    assert.equal(code, 0, err);
    return out;
  };

  it('is one CRD, one folder of five files with fewer than 80 lines of code, and one line', () => {
    assert.deepEqual(
      blocks.map(({ file }) => file),
      [
        'crds/motd.yaml',
        ...['observe', 'plan', 'execute', 'status', 'controller'].map((part) => `controllers/motd/${part}.ts`),
        LIST,
      ],
    );
    const code = blocks
      .filter(({ file }) => file.startsWith('controllers/motd/'))
      .flatMap(({ text }) => text.split('\n'))
      .filter((line) => line.trim() !== '' && !/^\s*(?:\/\/|\/\*\*|\*)/.test(line));
    assert.ok(code.length < 80, `${code.length} lines`);
  });

  it('fits the types and the style of the other sources', async () => assert.deepEqual(await complaints, ['', '']));

  it('is written, shown, changed and released', async () => {
    const file = join(at.hostRoot, 'etc/motd.d/hello');
    assert.equal((await call('POST', MOTDS, motd('Welcome'))).status, 201);
    assert.equal((await ready(1)).status?.bytes, 7);
    assert.equal(readFileSync(file, 'utf8'), 'Welcome');
    const { body: list } = await call('GET', MOTDS);
    assert.deepEqual([list.kind, list.items.length, list.items[0]?.spec], ['MotdList', 1, { text: 'Welcome' }]);

    assert.equal((await call('PUT', `${MOTDS}/hello`, motd('Good morning'))).status, 200);
    assert.equal((await ready(2)).status?.bytes, 12);
    assert.equal(readFileSync(file, 'utf8'), 'Good morning');

    assert.match(await runCommand('get', 'motds'), /^NAME +READY +BYTES +AGE\nhello +True +12 +\S+\n$/);
    assert.match(await runCommand('describe', 'motd/hello'), /Writing +Wrote the message: it says something else/);
    assert.match(await runCommand('explain', 'motd.text'), /The message\./);

    await runCommand('delete', 'motd/hello');
    await until(
      'it is released',
      async () => (await call('GET', `${MOTDS}/hello`)).status,
      (status) => status === 404,
    );
    assert.ok(!existsSync(file));
  });

  it('is refused when it does not fit its schema', async () => {
    const { status, body } = await call('POST', MOTDS, { ...motd(''), spec: { words: 'no' } });
    assert.equal(status, 422);
    assert.match(body.message, /spec\.words/);
  });

  it('is discovered, and told of by the OpenAPI document', async () => {
    const { body } = await call('GET', '/apis/supercargo.io/v1');
    assert.ok(body.resources.some(({ name }) => name === 'motds'));
    const { body: openapi } = await call('GET', '/openapi.json');
    assert.ok(openapi.paths[`${MOTDS}/{name}`]);
  });
});
