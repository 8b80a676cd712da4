import { NAME, NAME_RULE } from '../../crds/model/names.js';
import { usageError } from './failure.js';

/** Reads `APP` or `APP/SERVICE`. Pure. */
export function partOf(word: string): { readonly app: string; readonly service?: string } {
  const [app = '', service, ...more] = word.split('/');
  if (app === '' || service === '' || more.length > 0)
    throw usageError(`"${word}" names nothing`, 'Expected APP or APP/SERVICE');
  const odd = [app, service ?? app].find((name) => !NAME.test(name));
  if (odd !== undefined) throw usageError(`${JSON.stringify(odd)} is not a name`, `In names, ${NAME_RULE}`);
  return { app, ...(service === undefined ? {} : { service }) };
}
