import { readFile } from 'node:fs/promises';
import { errorCode } from '../../platform/errors.js';
import { keyFile, keyIn, type Session } from '../client/session.js';
import { CommandError, EXIT } from '../failure.js';

/** Runs `supercargo key`: prints the global key of the agent on this machine, for users who may read its data folder. */
export async function key({ io, env, json }: Session, { data }: { readonly data?: string }): Promise<void> {
  const path = keyFile(env, data);
  const found = keyIn(await readFile(path, 'utf8').catch((error: unknown) => unreadable(path, error)));
  if (found === undefined)
    throw new CommandError(`${path} holds no key`, { hint: 'The agent makes one at its next start.' });
  io.out(json ? JSON.stringify({ key: found }) : found);
}

function unreadable(path: string, cause: unknown): never {
  const code = errorCode(cause);
  if (code === 'EACCES') {
    throw new CommandError(`${path} is not for you to read`, {
      cause,
      exit: EXIT.denied,
      hint: 'Try sudo supercargo key.',
    });
  }
  const hint =
    'It is on the device itself, made at the first start of the agent. Another data folder: --data or SUPERCARGO_DATA.';
  throw new CommandError(code === 'ENOENT' ? `There is no key file ${path}` : `Cannot read ${path}: ${code}`, {
    cause,
    hint,
  });
}
