import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { RowGroup } from '../bench.js';
import { median } from '../measure.js';

const SCRIPT = fileURLToPath(new URL('../compose-reading.ts', import.meta.url));

/** A project of 57 services to an App, beside what its YAML alone takes: as the first one of a process, and as a watched folder reads it again. */
export const composeRows: RowGroup = async (bench) => {
  bench.print('compose: 57 services');
  const [convert, yaml] = [await measured('convert'), await measured('yaml')];
  return (
    [
      ['the first of a process', (all: readonly number[]) => all[0] ?? Number.NaN, undefined],
      ['again', (all: readonly number[]) => median(all.slice(all.length / 2)), { atMost: 150 }],
    ] as const
  ).map(([which, of, target]) => ({
    figure: `57 Compose services, ${which}`,
    measured: of(convert),
    floor: of(yaml),
    unit: 'ms',
    ...(target ? { target } : {}),
    note: 'processor time; the floor is yaml alone',
    samples: { convert, yaml },
  }));
};

async function measured(what: 'convert' | 'yaml'): Promise<readonly number[]> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--import=tsx', SCRIPT, what]);
  return JSON.parse(stdout) as readonly number[];
}
