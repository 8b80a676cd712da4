import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** Files by path; undefined takes one away. */
export type Tree = Readonly<Record<string, string | undefined>>;

/** A bare repository, and a working copy from which people push to it. */
export class TestRepository {
  private constructor(
    readonly folder: string,
    /** Path of the bare repository. */
    readonly bare: string,
    readonly work: string,
  ) {}

  /** The working copy keeps its objects in the bare repository, so that a commit is there before it is pushed. */
  static make(): TestRepository {
    const folder = mkdtempSync(join(tmpdir(), 'supercargo-git-'));
    const place = new TestRepository(folder, join(folder, 'fleet.git'), join(folder, 'work'));
    cpSync(emptyRepository(), place.bare, { recursive: true });
    const own = join(place.work, '.git');
    cpSync(emptyRepository(), own, { recursive: true });
    rmSync(join(own, 'objects'), { recursive: true });
    symlinkSync(join(place.bare, 'objects'), join(own, 'objects'));
    const config = readFileSync(join(own, 'config'), 'utf8').replace('bare = true', 'bare = false');
    const remote = `[remote "origin"]\n\turl = ${place.bare}\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n`;
    writeFileSync(join(own, 'config'), `${config}${remote}`);
    return place;
  }

  /** Any git command in the working copy; what it prints. */
  git(...args: readonly string[]): string {
    return this.#git(this.work, ...args);
  }

  /** Any git command in the bare repository. */
  inBare(...args: readonly string[]): string {
    return this.#git(this.bare, ...args);
  }

  write(tree: Tree): void {
    for (const [path, text] of Object.entries(tree)) {
      const file = join(this.work, path);
      if (text === undefined) {
        rmSync(file, { recursive: true, force: true });
        continue;
      }
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    }
  }

  /** Commits, and has its branch in the bare repository at that commit, as a push would; the commit. */
  commit(tree: Tree, message = 'a change', ...options: readonly string[]): string {
    this.write(tree);
    this.git('add', '--all');
    this.git('commit', '--quiet', '--allow-empty', '-m', message, ...options);
    const own = join(this.work, '.git');
    const [, branch] = /^ref: (refs\/heads\/\S+)/.exec(readFileSync(join(own, 'HEAD'), 'utf8')) ?? [];
    if (branch === undefined) throw new Error('No branch is checked out');
    const commit = readFileSync(join(own, branch), 'utf8');
    mkdirSync(dirname(join(this.bare, branch)), { recursive: true });
    writeFileSync(join(this.bare, branch), commit);
    return commit.trim();
  }

  push(...options: readonly string[]): void {
    this.git('push', '--quiet', ...options, 'origin', 'HEAD');
  }

  head(revision = 'HEAD'): string {
    return this.git('rev-parse', revision).trim();
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #git(cwd: string, ...args: readonly string[]): string {
    return execFileSync('git', [...args], {
      cwd,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env.PATH ?? '',
        HOME: this.folder,
        GIT_CONFIG_NOSYSTEM: '1',
        GIT_AUTHOR_NAME: 'Ada',
        GIT_AUTHOR_EMAIL: 'ada@example.org',
        GIT_COMMITTER_NAME: 'Ada',
        GIT_COMMITTER_EMAIL: 'ada@example.org',
        GNUPGHOME: join(this.folder, 'gnupg'),
      },
    });
  }
}

/** A bare repository without a commit, made once: starting git is most of what a test costs. */
function emptyRepository(): string {
  if (empty !== undefined) return empty;
  const folder = mkdtempSync(join(tmpdir(), 'supercargo-git-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=main', folder], {
    env: { PATH: process.env.PATH ?? '', HOME: folder, GIT_CONFIG_NOSYSTEM: '1' },
  });
  empty = folder;
  return empty;
}
let empty: string | undefined;

/** An App with one service, as text. */
export const appText = (name: string, command = 'sleep 1', more = ''): string => `apiVersion: supercargo.io/v1
kind: App
metadata: { name: ${name} }
spec:
  services:
    web:
      image: busybox:latest
      command: ${command}
${more}`;
