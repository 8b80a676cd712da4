import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ODMDATA_OFFSETS, odmdataByte, odmdataMode } from './odmdata.js';
import { BootFileError } from './values.js';

/** The raw eMMC boot partition of a Jetson TX2, in which three bytes hold a mode. */
export class OdmdataDevice {
  readonly #device: string;
  readonly #lock: string;

  constructor(hostRoot: string) {
    this.#device = join(hostRoot, 'dev/mmcblk0boot0');
    this.#lock = join(hostRoot, 'sys/block/mmcblk0boot0/force_ro');
  }

  /** Throws `BootFileError` when the device does not exist, or its bytes mean no mode. */
  async read(): Promise<string> {
    const device = await open(this.#device, 'r').catch((cause: unknown) => {
      throw new BootFileError(`${this.#device} cannot be read`, { cause });
    });
    try {
      const bytes: number[] = [];
      for (const offset of ODMDATA_OFFSETS) {
        const { buffer, bytesRead } = await device.read(Buffer.alloc(1), 0, 1, offset);
        if (bytesRead === 1) bytes.push(buffer[0] ?? 0);
      }
      return odmdataMode(bytes.length === ODMDATA_OFFSETS.length ? bytes : []);
    } finally {
      await device.close();
    }
  }

  /** Writes all three bytes and reads them again; the write lock of the partition is restored in any case. */
  async write(mode: string): Promise<void> {
    const byte = odmdataByte(mode);
    if (byte === undefined) throw new Error(`${mode} is no mode of ODMDATA`);
    await writeFile(this.#lock, '0');
    try {
      const device = await open(this.#device, 'r+');
      try {
        for (const offset of ODMDATA_OFFSETS) await device.write(Uint8Array.of(byte), 0, 1, offset);
        await device.sync();
      } finally {
        await device.close();
      }
    } finally {
      await writeFile(this.#lock, '1');
    }
    if ((await this.read()) !== mode) throw new Error('ODMDATA reads differently from what was written');
  }
}
