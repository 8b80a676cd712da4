import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readBounded } from '../../../api/platform/read-file.js';
import { timeoutSignal } from '../../../api/platform/time-limit.js';
import type { Run } from '../units.js';

export interface AcpiOptions {
  readonly hostRoot: string;
  readonly run: Run;
  readonly log: { readonly warn: (details: object, message: string) => void };
}

/**
 * Loads ACPI tables (SSDT) into the running kernel through configfs, which is necessary once after each start of the
 * device. A loaded table stays. One that is missing is logged and does not keep the others from being loaded.
 */
export async function loadAcpiTables(names: readonly string[], { hostRoot, run, log }: AcpiOptions): Promise<void> {
  if (names.length === 0) return;
  const folder = join(hostRoot, 'sys/kernel/config/acpi/table');
  if (!existsSync(folder)) await run('modprobe', ['acpi_configfs'], { signal: timeoutSignal(20_000) });
  for (const name of names) {
    const table = join(folder, name);
    if (existsSync(table)) continue;
    try {
      const bytes = await readBounded(join(hostRoot, 'boot/acpi-tables', `${name}.aml`));
      await mkdir(table);
      await writeFile(join(table, 'aml'), bytes);
    } catch (error) {
      log.warn({ err: error }, `Could not load the ACPI table ${name}`);
    }
  }
}
