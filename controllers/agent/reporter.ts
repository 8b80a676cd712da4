import { Writable } from 'node:stream';
import type { MultiBar, SingleBar } from 'cli-progress';
import { type Logger, pino } from 'pino';
import { visible } from '../../api/platform/visible.js';
import type { Reader } from '../../api/store/store.js';
import { isReady, isStalled, readinessOf } from '../../crds/model/conditions.js';
import type { App, Image } from '../../crds/model/kinds.js';
import { isFailing, waitsForItsTime } from '../../crds/model/readiness.js';
import type { ReasonOf } from '../../crds/model/reasons.js';
import type { LogLevel } from './settings.js';

/** Where the agent prints: JSON lines, or short lines and progress bars for a person at a terminal. */
export interface Reporter {
  readonly log: Logger;
  /** Prints one line for people; a JSON line when nobody watches. */
  print(text: string): void;
  /** Reports each app's progress from the store. */
  follow(store: Reader): Following;
}

export interface Following {
  /** Reports the state of every app, unless that was reported last. Apps without a status are left out. */
  look(): void;
  stop(): void;
}

/** Prints JSON lines (pino) on standard output: one for each event of a document and each change of an app. */
export function jsonReporter(level: LogLevel): Reporter {
  const log = pino({ level, base: undefined }, pino.destination({ dest: 1, sync: true }));
  return {
    log,
    print: (text) => log.info(text),
    follow: (store) => {
      const deaf = store.watchEvents(({ key, type, reason, message }) => {
        log[type === 'Normal' ? 'info' : 'warn']({ key, reason }, message);
      });
      const apps = followApps(store, (app, text) => log.info({ key: `App/${app.metadata.name}` }, text));
      return {
        look: apps.look,
        stop: () => {
          deaf();
          apps.stop();
        },
      };
    },
  };
}

/** Prints short lines, and a bar for each image that downloads. The packages for it are loaded only here. */
export async function terminalReporter(level: LogLevel, output: Writable & { columns?: number }): Promise<Reporter> {
  const [{ default: pretty }, { default: progress }] = await Promise.all([
    import('pino-pretty'),
    import('cli-progress'),
  ]);
  const bars = new progress.MultiBar(
    {
      format: '  {bar} {percentage}%  {image}',
      hideCursor: true,
      clearOnComplete: true,
      noTTYOutput: false,
      stream: process.stdout,
    },
    progress.Presets.shades_grey,
  );
  const printLine = (line: string): void => {
    if (bars.isActive) bars.log(`${line}\n`);
    else output.write(`${line}\n`);
  };
  const stream = pretty({
    colorize: true,
    translateTime: 'SYS:HH:MM:ss',
    hideObject: !isTalkative(level),
    destination: new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        printLine(chunk.toString().trimEnd());
        done();
      },
    }),
  });
  // What `info` would print is printed in short lines below.
  const hooks = { streamWrite: visibleRecord };
  const log = pino({ level: level === 'info' ? 'warn' : level, base: undefined, hooks }, stream);
  return {
    log,
    print: (text) => printLine(visible(text, false)),
    follow: (store) => {
      const stops = [
        store.watchEvents(({ key, type, message }) => {
          if (type === 'Warning') log.warn(`${key}: ${message}`);
        }),
        followDownloads(store, bars),
      ];
      const apps = followApps(store, (app, text) => printLine(visible(`  ${app.metadata.name}: ${text}`, false)));
      return {
        look: apps.look,
        stop: () => {
          for (const stop of [...stops, apps.stop]) stop();
          bars.stop();
        },
      };
    },
  };
}

/** Makes a log record safe for a terminal, before it gets colours: names and messages in it come from others. Pure. */
export const visibleRecord = (line: string): string =>
  `${JSON.stringify(JSON.parse(line, (_, value) => (typeof value === 'string' ? visible(value, false) : value)))}\n`;

const isTalkative = (level: LogLevel): boolean => level === 'debug' || level === 'trace';

/** Calls back with one line each time there is something new to say about an app. */
export function followApps(store: Pick<Reader, 'list' | 'watch'>, emit: (app: App, text: string) => void): Following {
  const lastTexts = new Map<string, string>();
  const emitChange = (app: App, text: string | undefined): void => {
    const { name } = app.metadata;
    if (text === undefined || lastTexts.get(name) === text) return;
    lastTexts.set(name, text);
    emit(app, text);
  };
  const stop = store.watch(({ object, type }) => {
    if (object.kind !== 'App') return;
    emitChange(object, type === 'DELETED' ? 'removed' : sentence(object));
    if (type === 'DELETED') lastTexts.delete(object.metadata.name);
  });
  return {
    look: () => {
      for (const app of store.list('App')) emitChange(app, sentence(app));
    },
    stop,
  };
}

const VERIFYING = 'Verifying' satisfies ReasonOf<'App'>;
/** The words for phases of an app while all is well; else the whole sentence is printed. */
const PHASES = {
  Staging: 'getting its images',
  Waiting: 'waiting for its time',
  Locking: 'taking the update lock',
  Promoting: 'rolling out',
  Verifying: 'waiting until everything runs',
  Settled: 'ready',
  Suspended: 'suspended',
  Removing: 'being removed',
} as const;

/** Returns the line about an app's present state; undefined while nothing is known. Pure. */
export function sentence(app: App): string | undefined {
  if (isReady(app)) return 'ready';
  const ready = readinessOf(app);
  if (!ready) return undefined;
  if (isStalled(app) || isFailing(app) || waitsForItsTime(app)) return `${ready.reason}: ${ready.message}`;
  if (ready.reason === VERIFYING) return 'watching whether it stays well';
  const phase = app.status?.phase;
  return phase && phase !== 'Settled' ? PHASES[phase] : undefined;
}

function followDownloads(store: Reader, bars: MultiBar): () => void {
  const running = new Map<string, SingleBar>();
  const end = (name: string): void => {
    const bar = running.get(name);
    if (bar) bars.remove(bar);
    running.delete(name);
  };
  const show = ({ metadata, spec, status }: Image): void => {
    const percent = status?.state === 'Downloading' ? status.downloadProgress : undefined;
    if (percent === undefined) {
      end(metadata.name);
      return;
    }
    const bar = running.get(metadata.name) ?? bars.create(100, 0, { image: visible(spec.image, false) });
    running.set(metadata.name, bar);
    bar.update(percent);
  };
  return store.watch(({ object, type }) => {
    if (object.kind !== 'Image') return;
    if (type === 'DELETED') end(object.metadata.name);
    else show(object);
  });
}
