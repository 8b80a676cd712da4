import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';

/** A command that hangs is killed, ms; a busy machine takes seconds to start one. */
const LIMIT_MS = 120_000;

export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface Run {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly input?: string;
  /** On a terminal of 100 columns; standard error comes with standard output then. */
  readonly onTerminal?: boolean;
}

/** A command that runs. */
export interface Running {
  readonly child: ChildProcess;
  readonly out: () => string;
  /** Resolves when it has printed something that fits; rejects when it ends before. */
  printed(what: RegExp): Promise<void>;
  readonly ended: Promise<Ended>;
}

/** `supercargo`, bundled from the sources as they are, as processes of its own. */
export class CommandProcess {
  private constructor(
    private readonly folder: string,
    private readonly program: string,
  ) {}

  /** The one that `npm run build` has made, agent and all. */
  static built(): CommandProcess {
    return new CommandProcess(mkdtempSync(join(tmpdir(), 'supercargo-command-')), resolve('dist/supercargo.js'));
  }

  /** `sources`: where they are; this repository when not said. */
  static async make(sources = process.cwd()): Promise<CommandProcess> {
    const folder = mkdtempSync(join(tmpdir(), 'supercargo-command-'));
    await build({
      absWorkingDir: sources,
      entryPoints: ['api/cli/main.ts'],
      outfile: join(folder, 'supercargo.cjs'),
      bundle: true,
      platform: 'node',
      target: 'node20',
      format: 'cjs',
      logLevel: 'error',
      supported: { 'dynamic-import': false },
      define: { 'import.meta.url': 'bundleUrl' },
      banner: { js: "const bundleUrl = require('node:url').pathToFileURL(__filename).href;" },
    });
    return new CommandProcess(folder, join(folder, 'supercargo.cjs'));
  }

  /** Its config file, which no test shares with whoever runs it. */
  get config(): string {
    return join(this.folder, 'config.json');
  }

  /** How a shell would call it. */
  get line(): string {
    return `'${process.execPath}' '${this.program}'`;
  }

  start(args: readonly string[], { env = {}, cwd, input, onTerminal = false }: Run = {}): Running {
    const words = [process.execPath, this.program, ...args];
    const quoted = words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
    const [program = '', ...rest] = onTerminal
      ? ['script', '-qefc', `stty cols 100 rows 40; exec ${quoted}`, '/dev/null']
      : words;
    const {
      NO_COLOR: _noColor,
      FORCE_COLOR: _color,
      SUPERCARGO_HOST: _host,
      SUPERCARGO_API_KEY: _key,
      ...inherited
    } = process.env;
    const own = { TERM: 'xterm', SUPERCARGO_CONFIG: this.config, SUPERCARGO_DATA: this.folder };
    const child = spawn(program, rest, { cwd, env: { ...inherited, ...own, ...env }, stdio: 'pipe' });
    const timer = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS);
    const seen = { out: '', err: '' };
    let look = (): void => undefined;
    child.stdout?.on('data', (chunk: Buffer) => {
      seen.out += chunk.toString();
      look();
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      seen.err += chunk.toString();
    });
    child.stdin?.on('error', () => undefined); // it may have ended before it read anything
    if (input !== undefined || !onTerminal) child.stdin?.end(input ?? '');
    const ended = once(child, 'close').then(([code]): Ended => {
      clearTimeout(timer);
      return { code: typeof code === 'number' ? code : -1, ...seen };
    });
    return {
      child,
      out: () => seen.out,
      ended,
      printed: (what) =>
        new Promise((resolve, reject) => {
          look = () => {
            if (what.test(seen.out)) resolve();
          };
          look();
          void ended.then(() => reject(new Error(`It ended without ${what}: ${seen.out}${seen.err}`)));
        }),
    };
  }

  run(args: readonly string[], run: Run = {}): Promise<Ended> {
    return this.start(args, run).ended;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
