import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { openSecretFiles } from '../../../../api/device-state/secret-files.js';
import { timeoutSignal } from '../../../../api/platform/time-limit.js';
import type { DeviceScope } from '../../../../api/sources/git/device-scope.js';
import { type GitOrigins, gitOrigins } from '../../../../api/sources/git/git-origin.js';
import type { GitOriginDeps } from '../../../../api/sources/git/git-origin-deps.js';
import { openStore } from '../../../../api/store/document-store.js';
import type { Store } from '../../../../api/store/store.js';
import type { SyncReport } from '../../../../api/store/sync-report.js';
import { statusAfter } from '../../../../controllers/git-source/status.js';
import { API_VERSION, type GitSource, KINDS } from '../../../../crds/model/kinds.js';
import type { GitSourceSpec } from '../../../../crds/model/types.js';
import { parseDocument } from '../../../../crds/schema/parse.js';

export const DEVICE: DeviceScope = {
  name: 'kitchen',
  uuid: 'f'.repeat(32),
  type: 'raspberrypi4-64',
  arch: 'aarch64',
  tags: { site: 'north' },
};

/** A device with one source, over a real store and a real git, without controllers. */
export class SourceBench {
  readonly folder = mkdtempSync(join(tmpdir(), 'supercargo-source-'));
  device: DeviceScope = DEVICE;
  readonly lines: string[] = [];
  #change: Partial<GitOriginDeps> = {};

  private constructor(
    public store: Store,
    public origins: GitOrigins,
  ) {}

  static async make(spec: GitSourceSpec, change: Partial<GitOriginDeps> = {}): Promise<SourceBench> {
    const bench = new SourceBench(undefined as never, undefined as never);
    bench.#change = change;
    await bench.restart();
    await bench.declare(spec);
    return bench;
  }

  /** Another process on the same folder. */
  async restart(): Promise<void> {
    await this.store?.close();
    const silent = pino({ level: 'silent' });
    const log = (_fields: object, message: string): void => void this.lines.push(message);
    this.store = await openStore({ folder: this.folder, now: Date.now, log: silent });
    this.origins = gitOrigins({
      store: this.store,
      secrets: openSecretFiles({ dataFolder: this.folder }),
      dataFolder: this.folder,
      parse: parseDocument,
      device: () => this.device,
      env: process.env,
      log: { info: log, warn: log, error: log },
      now: Date.now,
      ...this.#change,
    });
  }

  async declare(spec: GitSourceSpec): Promise<void> {
    const parsed = parseDocument({ apiVersion: API_VERSION, kind: 'GitSource', metadata: { name: 'fleet' }, spec });
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
    await this.store.put('api', { document: parsed.document });
  }

  get source(): GitSource {
    const source = this.store.get('GitSource', 'fleet');
    if (!source) throw new Error('There is no source');
    return source;
  }

  /** One sync, whose facts are in the status afterwards, as the controller does it. */
  async sync(confirmed: readonly string[] = []): Promise<SyncReport> {
    const report = await this.origins.sync(this.source, new Set(confirmed), timeoutSignal(180_000));
    this.store.setStatus(this.source, statusAfter(this.source, report, { nowMs: Date.now(), nextMs: Date.now() }));
    return report;
  }

  secret(name: string, text: string | Buffer): void {
    writeFileSync(join(this.folder, 'secrets', name), text, { mode: 0o600 });
  }

  /** What is in force, as text: `App/a`. */
  get declared(): string {
    return KINDS.flatMap((kind) => this.store.list(kind).map(({ metadata }) => ({ kind, metadata })))
      .filter(({ metadata }) => metadata.origin === 'git/fleet' && metadata.deletionTimestamp === undefined)
      .map(({ kind, metadata }) => `${kind}/${metadata.name}`)
      .sort()
      .join(' ');
  }

  /** The command of the service web of an App: what tells its versions apart. */
  command(app: string): unknown {
    return this.store.get('App', app)?.spec.services?.web?.command;
  }

  async close(): Promise<void> {
    await this.store.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
