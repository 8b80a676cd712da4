import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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

  static make(): TestRepository {
    const folder = mkdtempSync(join(tmpdir(), 'supercargo-git-'));
    const place = new TestRepository(folder, join(folder, 'fleet.git'), join(folder, 'work'));
    place.#git(folder, 'init', '--quiet', '--bare', '--initial-branch=main', place.bare);
    place.#git(folder, 'init', '--quiet', '--initial-branch=main', place.work);
    place.git('remote', 'add', 'origin', place.bare);
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

  /** Commits and pushes; the commit. */
  commit(tree: Tree, message = 'a change', ...options: readonly string[]): string {
    this.write(tree);
    this.git('add', '--all');
    this.git('commit', '--quiet', '--allow-empty', '-m', message, ...options);
    this.push();
    return this.head();
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
