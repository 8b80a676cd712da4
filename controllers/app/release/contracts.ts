import { coerce, satisfies, valid, validRange } from 'semver';
import type { App } from '../../../crds/model/kinds.js';
import { isMap } from '../../../crds/model/maps.js';
import { labelsOf } from '../../../crds/model/references.js';
import type { AppService } from '../../../crds/model/types.js';
import type { Capability } from '../../host/facts/capabilities.js';

/** A service whose contract this device does not meet, and what it misses, as in `sw.l4t >=32.4`. */
export interface Unmet {
  readonly service: string;
  readonly requirement: string;
}

/** What of an App's release this device can run. */
export interface Admission {
  /** The App without the optional services that cannot run here. */
  readonly app: App;
  readonly leftOut: readonly Unmet[];
  /** Of services that are not optional: then the release as a whole is rejected. */
  readonly unmet: readonly Unmet[];
}

const OPTIONAL = 'io.balena.features.optional';

/**
 * Holds the contracts of an App's services against what the device offers. Pure. (docs/reference/composition.md §8.)
 */
export function admit(app: App, offers: readonly Capability[]): Admission {
  const services = Object.entries(app.spec.services ?? {});
  const found = services.flatMap(([service, { contract, labels }]) => {
    const requirement = firstUnmet(contract, offers);
    if (requirement === undefined) return [];
    return [{ service, requirement, optional: /^(1|true|on)$/i.test(labelsOf(labels)[OPTIONAL] ?? '') }];
  });
  if (found.length === 0) return { app, leftOut: [], unmet: [] };
  const leftOut = found.filter(({ optional }) => optional);
  const kept = services.filter(([name]) => !leftOut.some(({ service }) => service === name));
  return {
    app: { ...app, spec: { ...app.spec, services: Object.fromEntries(kept) } },
    leftOut: leftOut.map(({ service, requirement }) => ({ service, requirement })),
    unmet: found.filter(({ optional }) => !optional).map(({ service, requirement }) => ({ service, requirement })),
  };
}

function firstUnmet(contract: AppService['contract'], offers: readonly Capability[]): string | undefined {
  const requires: unknown = contract?.requires;
  if (!Array.isArray(requires)) return undefined;
  const failing: unknown = requires.find((one: unknown) => !isMet(one, offers));
  return failing === undefined ? undefined : inWords(failing);
}

function isMet(requirement: unknown, offers: readonly Capability[]): boolean {
  if (!isMap(requirement)) return false;
  if (Array.isArray(requirement.or)) return requirement.or.some((one: unknown) => isMet(one, offers));
  const { type, slug, version } = requirement;
  return offers.some(
    (one) =>
      one.type === type &&
      (!isText(slug) || one.slug === slug) &&
      (!isText(version) || (one.version !== undefined && isWithin(one.version, version))),
  );
}

/** Versions of operating systems and kernels are not always semantic ones: their first numbers count then. */
function isWithin(version: string, range: string): boolean {
  const comparable = valid(version) ?? coerce(version)?.version;
  return (
    comparable !== undefined && validRange(range) !== null && satisfies(comparable, range, { includePrerelease: true })
  );
}

function inWords(requirement: unknown): string {
  if (!isMap(requirement)) return JSON.stringify(requirement);
  if (Array.isArray(requirement.or)) return requirement.or.map(inWords).join(' or ');
  const { type, slug, version } = requirement;
  return [type, slug, version].filter(isText).join(' ');
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
