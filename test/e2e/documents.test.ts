import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { type CodeBlock, codeBlocks } from '../setup/code-blocks.js';
import { type TestEngine, useEngine } from '../setup/docker.js';
import { needPrograms } from '../setup/programs.js';
import { until } from '../setup/until.js';

const NOT_COPIED = new Set(['.git', 'node_modules', 'dist', '.data', '.bench']);
const PATIENCE = { withinMs: 180_000, everyMs: 100 };
/** What an agent made, on the engine. */
const OF_THE_APP = { filters: JSON.stringify({ label: ['io.balena.supervised'] }) };

/** What a reader does who has just cloned the repository: every block of commands of the README, from its top to its end. */
describe('the commands of README.md', function () {
  this.timeout(400_000);
  const blocks = codeBlocks('README.md');
  const commands = blocks.filter(({ language, notRun }) => language === 'sh' && notRun === undefined);
  let folder: string;
  let docker: TestEngine;
  let terminal: Terminal | undefined;

  before(async () => {
    await needPrograms('curl');
    docker = await useEngine();
    folder = await cleanCopy();
  });
  after(async () => {
    await terminal?.end();
    await clear(docker);
    await rm(folder, { recursive: true, force: true });
    await docker.close();
  });

  /** The first block is what goes on running in one terminal; the others are for another one. */
  const [first, ...others] = commands;
  const shown = blocks.find(({ language }) => language === 'console');

  it(`${first?.text} prints what the page shows`, async () => {
    assert.ok(first && shown);
    terminal = Terminal.open(first.text, folder, docker.dockerHost);
    for (const line of shown.text.split('\n').map((one) => one.trim())) {
      const begin = line.startsWith('engine ') ? 'engine ' : line; // where it listens depends on the machine
      await until(
        line,
        () => terminal?.text ?? '',
        (text) => text.includes(begin),
        PATIENCE,
      );
    }
  });

  for (const block of others) {
    for (const line of block.text.split('\n')) {
      it(`${line.replace(/ +#.*/, '')} answers`, async () => {
        const { code, output } = await shell(line, folder);
        assert.equal(code, 0, `${where(block)}: ${output}`);
        assert.match(output, line.includes(':8080') ? /Hello from supercargo/ : /"hello"/);
      });
    }
  }

  it('Ctrl-C ends the agent, and the container keeps running', async () => {
    assert.ok(terminal);
    await terminal.end();
    const running = (await docker.request({ method: 'GET', path: '/containers/json', query: OF_THE_APP })) as unknown[];
    assert.equal(running.length, 1, terminal.text);
  });
});

const where = ({ file, line }: CodeBlock): string => `${file}:${line}`;

/** The checkout without what was made in it; the packages are linked, and count as those of its lock file. */
async function cleanCopy(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'supercargo-reader-'));
  const root = resolve('.');
  const filter = (path: string): boolean => !NOT_COPIED.has(relative(root, path).split('/')[0] ?? '');
  await cp(root, folder, { recursive: true, filter });
  await symlink(resolve('node_modules'), join(folder, 'node_modules'));
  await utimes(join(folder, 'package-lock.json'), 0, 0);
  await writeFile(join(folder, '.curlrc'), 'fail\nsilent\nshow-error\n');
  return folder;
}

async function shell(line: string, cwd: string): Promise<{ code: number | null; output: string }> {
  const child = spawn('sh', ['-c', line], { cwd, env: { ...process.env, CURL_HOME: cwd } });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output };
}

/** A terminal in which one command runs. */
class Terminal {
  #text = '';

  private constructor(private readonly child: ChildProcess) {
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#text += text;
    });
  }

  static open(command: string, cwd: string, dockerHost: string): Terminal {
    const env = { ...process.env, DOCKER_HOST: dockerHost, SUPERCARGO_POWER: 'off', NO_COLOR: '1' };
    return new Terminal(spawn('script', ['-qefc', command, '/dev/null'], { cwd, env, stdio: 'pipe' }));
  }

  get text(): string {
    return this.#text;
  }

  /** Presses Ctrl-C and waits for the end. */
  async end(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.stdin?.write('\u0003');
    await ended;
  }
}

/** Takes away what the agent has left running. */
async function clear({ request }: TestEngine): Promise<void> {
  const query = { ...OF_THE_APP, all: 'true' };
  const containers = (await request({ method: 'GET', path: '/containers/json', query })) as { Id: string }[];
  for (const { Id } of containers) {
    await request({ method: 'DELETE', path: `/containers/${Id}`, query: { force: 'true' } });
  }
  await request({ method: 'POST', path: '/networks/prune', query: OF_THE_APP });
  const listed = await request({ method: 'GET', path: '/volumes', query: OF_THE_APP });
  for (const { Name } of (listed as { Volumes: { Name: string }[] | null }).Volumes ?? []) {
    await request({ method: 'DELETE', path: `/volumes/${Name}` });
  }
}
