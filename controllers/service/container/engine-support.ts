import type { EngineTraits } from '../../engine/engine-traits.js';
import type { Definition } from './definition.js';

/** API from which an engine knows `StartInterval` of a healthcheck: Docker 25.0. */
const START_INTERVAL_API = [1, 44] as const;

/** A definition as an engine can follow it. */
export interface Fitted {
  readonly definition: Definition;
  /** What was left out, a line each. */
  readonly warnings: readonly string[];
}

/**
 * Returns the definition without what the engine does not know, so that it is no part of the hash there. `isPresent`
 * tells whether a container was made of a definition: what is there stays while nobody knows which engine it is. Pure.
 */
export function fitToEngine(
  definition: Definition,
  { apiVersion }: Pick<EngineTraits, 'apiVersion'>,
  isPresent: (definition: Definition) => boolean,
): Fitted {
  if (definition.healthcheck?.StartInterval === undefined) return { definition, warnings: [] };
  const { StartInterval: _, ...healthcheck } = definition.healthcheck;
  const without = { ...definition, healthcheck };
  const knows = apiVersion ? isAtLeast(apiVersion, START_INTERVAL_API) : isPresent(definition);
  if (knows) return { definition, warnings: [] };
  const message = `healthcheck.start_interval: left out, because the engine (API ${apiVersion || 'unknown'}) does not know it; Docker 25.0 and later do`;
  return { definition: without, warnings: [message] };
}

function isAtLeast(version: string, [major, minor]: readonly [number, number]): boolean {
  const [is = 0, at = 0] = version.split('.').map(Number);
  return is > major || (is === major && at >= minor);
}
