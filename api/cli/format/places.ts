import type { Problem, Source } from '../../../crds/model/kinds.js';

/** Returns `file:line:column`, as far as they are known. Pure. */
export const placeText = ({ file, line, column }: Source): string =>
  [file, line, column].filter((part) => part !== undefined).join(':');

/** One line for people: place, field, message. Pure. */
export const problemText = ({ message, path, source }: Problem): string =>
  [source && placeText(source), path, message].filter((part) => part !== undefined && part !== '').join(': ');
