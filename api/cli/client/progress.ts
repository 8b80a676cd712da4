import type { MultiBar, SingleBar } from 'cli-progress';
import type { Io } from '../format/io.js';
import type { Session } from './session.js';

/** Shows how far something is: on a terminal bars and states at the bottom, in a pipe a line for each change. */
export interface Progress {
  /** Prints a result, which stays. */
  print(text: string): void;
  /** Prints what happens now: on a terminal the next note replaces it, in a pipe it is a line. */
  note(text: string): void;
  /** Shows a bar; 100 and undefined remove it. */
  percent(name: string, percent: number | undefined): void;
  /** Shows a state beside the bars; undefined removes it. */
  state(name: string, state: string | undefined): void;
  close(): void;
}

/** Opens a progress display. A pipe gets only results and notes; bars need a terminal, and the package for them is loaded only then. */
export async function openProgress(session: Session): Promise<Progress> {
  const { io, json } = session;
  if (json || !io.hasProgress) {
    return {
      print: (text) => io.out(text),
      note: (text) => void (json || io.out(text)),
      percent: () => undefined,
      state: () => undefined,
      close: () => undefined,
    };
  }
  const { default: progress } = await import('cli-progress');
  const bars = new progress.MultiBar(
    {
      format: '  {bar} {percentage}%  {name}',
      barsize: 20,
      hideCursor: true,
      clearOnComplete: true,
      stream: process.stderr,
      gracefulExit: true,
      forceRedraw: true,
      emptyOnZero: true,
    },
    progress.Presets.shades_grey,
  );
  return new Bars(bars, io);
}

class Bars implements Progress {
  readonly #open = new Map<string, SingleBar>();

  constructor(
    private readonly bars: MultiBar,
    private readonly io: Pick<Io, 'out' | 'shown'>,
  ) {}

  print(text: string): void {
    this.#log(text);
  }

  note(text: string): void {
    this.#log(text);
  }

  percent(name: string, percent: number | undefined): void {
    if (percent === undefined || percent >= 100) {
      this.#end(name);
      return;
    }
    const bar = this.#open.get(name) ?? this.bars.create(100, 0, { name: this.io.shown(name) });
    this.#open.set(name, bar);
    bar.update(percent, { name: this.io.shown(name) });
  }

  state(name: string, state: string | undefined): void {
    if (state === undefined) {
      this.#end(name);
      return;
    }
    const bar = this.#open.get(name) ?? this.bars.create(100, 0, {}, { format: '  {name}: {state}' });
    this.#open.set(name, bar);
    bar.update(0, { name: this.io.shown(name), state: this.io.shown(state) });
  }

  close(): void {
    for (const name of [...this.#open.keys()]) this.#end(name);
    this.bars.stop();
  }

  #log(text: string): void {
    if (this.#open.size > 0) this.bars.log(`${this.io.shown(text)}\n`);
    else this.io.out(text);
  }

  #end(name: string): void {
    const bar = this.#open.get(name);
    if (bar) this.bars.remove(bar);
    this.#open.delete(name);
  }
}
