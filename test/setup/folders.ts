import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';

/**
 * Where tests make their folders that come by the hundred, and of which what is durable is not asked: in memory where the
 * machine offers that, otherwise with all temporary files.
 */
export const FOLDERS = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
