import { usageError } from './failure.js';

/** `APP` or `APP/SERVICE`. Pure. */
export function partOf(word: string): { readonly app: string; readonly service?: string } {
  const [app = '', service, ...more] = word.split('/');
  if (app === '' || service === '' || more.length > 0)
    throw usageError(`"${word}" names nothing`, 'Expected APP or APP/SERVICE');
  return { app, ...(service === undefined ? {} : { service }) };
}
