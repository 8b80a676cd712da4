import type { ValidateFunction } from 'ajv';
import { ResourceError } from './resources/failure.js';

/** Makes an ajv validator a hapi one: the value passes (with what ajv filled in or coerced) or the request fails with 400. */
export const check =
  <T>(validate: ValidateFunction<T>) =>
  (value: unknown): T => {
    if (validate(value)) return value;
    const [first] = validate.errors ?? [];
    throw ResourceError.badRequest(`${first?.instancePath.slice(1) ?? ''} ${first?.message ?? 'is not valid'}`.trim());
  };
