import type { ValidateFunction } from 'ajv';
import { ResourceError } from './kubernetes-status.js';

/**
 * Makes an ajv validator a hapi one: the value passes (with what ajv filled in or coerced) or the request fails with 400.
 * The validator is compiled at the first request: no start has to wait for it.
 */
export const check = <T>(compile: () => ValidateFunction<T>) => {
  const compiled: { validate?: ValidateFunction<T> } = {};
  return (value: unknown): T => {
    compiled.validate ??= compile();
    const { validate } = compiled;
    if (validate(value)) return value;
    const [first] = validate.errors ?? [];
    throw ResourceError.badRequest(`${first?.instancePath.slice(1) ?? ''} ${first?.message ?? 'is not valid'}`.trim());
  };
};
