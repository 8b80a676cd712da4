import { readFile } from 'node:fs/promises';

/** What Linux knows of a process. */
export interface ProcessFigures {
  readonly residentMiB: number;
  /** The most it ever was. */
  readonly peakMiB: number;
  /** User and system. */
  readonly cpuSeconds: number;
  /** Bytes it caused to be written to a disk. */
  readonly writtenBytes: number;
}

/** proc(5): USER_HZ is 100 on every architecture that Node runs on. */
const TICKS_PER_SECOND = 100;

export async function processFigures(pid: number): Promise<ProcessFigures> {
  const [status, stat, io] = await Promise.all(
    ['status', 'stat', 'io'].map((file) => readFile(`/proc/${pid}/${file}`, 'utf8')),
  );
  const after = (text: string | undefined, word: string): number =>
    Number(new RegExp(`^${word}:\\s+(\\d+)`, 'm').exec(text ?? '')?.[1]);
  // The second field is the command in parentheses and may hold spaces; utime and stime are the 14th and 15th.
  const fields = (stat ?? '').slice((stat ?? '').lastIndexOf(')') + 2).split(' ');
  return {
    residentMiB: after(status, 'VmRSS') / 1024,
    peakMiB: after(status, 'VmHWM') / 1024,
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
    writtenBytes: after(io, 'write_bytes'),
  };
}
