import type { ValidateFunction } from 'ajv';
import { BOOLEAN_TEXT } from './coercion.js';
import { ResourceError } from './kubernetes-status.js';

/** Schema of a boolean parameter, which comes as text. */
export const BOOLEAN = { type: 'string', pattern: BOOLEAN_TEXT, nullable: true } as const;

/**
 * Turns an ajv validator into one that returns the value (with what ajv filled in or coerced) or throws a 400 Status.
 * The validator is compiled at the first request, so that no start waits for it.
 */
export const check = <T>(compile: () => ValidateFunction<T>) => {
  const compiled: { validate?: ValidateFunction<T> } = {};
  return (value: unknown): T => {
    compiled.validate ??= compile();
    const { validate } = compiled;
    if (validate(value)) return value;
    const [first] = validate.errors ?? [];
    const isBoolean = first?.keyword === 'pattern' && first.params.pattern === BOOLEAN_TEXT;
    const message = isBoolean ? 'must be true or false (or 1, t, 0, f)' : (first?.message ?? 'is not valid');
    throw ResourceError.badRequest(`${first?.instancePath.slice(1) ?? ''} ${message}`.trim());
  };
};
