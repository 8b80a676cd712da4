import { readFile } from 'node:fs/promises';

/** Number of processes after which counting ends: one program does not start more. */
const MOST_PROCESSES = 50;

/**
 * Returns the memory of a process and of all that it has started, without mapped files, bytes. 0 where the system has
 * no /proc, and for processes that have ended.
 */
export async function memoryOf(pid: number): Promise<number> {
  let bytes = 0;
  const todo = [pid];
  for (let seen = 0; todo.length > 0 && seen < MOST_PROCESSES; seen += 1) {
    const one = todo.pop();
    const status = await readFile(`/proc/${one}/status`, 'utf8').catch(() => '');
    bytes += Number(/^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
    // proc(5): the processes that this one has started, separated by blanks.
    const children = await readFile(`/proc/${one}/task/${one}/children`, 'utf8').catch(() => '');
    todo.push(...children.split(' ').filter(Boolean).map(Number));
  }
  return bytes;
}
