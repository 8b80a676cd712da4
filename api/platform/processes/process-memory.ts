import { readFile } from 'node:fs/promises';

/** More processes than this one program does not start; it ends on any mistake. */
const MOST_PROCESSES = 50;

/**
 * Memory of a process and of all that it has started, without the files that are mapped, bytes. 0 where the system has no
 * /proc, and for what has ended.
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
