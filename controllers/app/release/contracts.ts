import { coerce, satisfies, valid, validRange } from 'semver';
import type { App } from '../../../crds/model/kinds.js';
import { isMap } from '../../../crds/model/maps.js';
import { labelsOf } from '../../../crds/model/references.js';
import type { AppService } from '../../../crds/model/types.js';
import type { Capability } from '../../host/facts/capabilities.js';

/** A service whose contract this device does not satisfy, and the first unmet requirement, as in `sw.l4t >=32.4`. */
export interface Unsatisfied {
  readonly service: string;
  readonly requirement: string;
}

/** What of an App's release this device can run. */
export interface FilteredApp {
  /** The App without the skipped services. */
  readonly app: App;
  /** Optional services that cannot run here. */
  readonly skipped: readonly Unsatisfied[];
  /** Services that are not optional and cannot run here: the release as a whole is rejected. */
  readonly unsatisfied: readonly Unsatisfied[];
}

const OPTIONAL = 'io.balena.features.optional';

/**
 * Removes the optional services from an App whose contracts this device does not satisfy, and names the others. Pure.
 * (docs/reference/composition.md §8.)
 */
export function filterByContract(app: App, offers: readonly Capability[]): FilteredApp {
  const services = Object.entries(app.spec.services ?? {});
  const found = services.flatMap(([service, { contract, labels }]) => {
    const requirement = firstUnsatisfied(contract, offers);
    if (requirement === undefined) return [];
    return [{ service, requirement, optional: /^(1|true|on)$/i.test(labelsOf(labels)[OPTIONAL] ?? '') }];
  });
  if (found.length === 0) return { app, skipped: [], unsatisfied: [] };
  const skipped = found.filter(({ optional }) => optional);
  const kept = services.filter(([name]) => !skipped.some(({ service }) => service === name));
  return {
    app: { ...app, spec: { ...app.spec, services: Object.fromEntries(kept) } },
    skipped: skipped.map(({ service, requirement }) => ({ service, requirement })),
    unsatisfied: found
      .filter(({ optional }) => !optional)
      .map(({ service, requirement }) => ({ service, requirement })),
  };
}

function firstUnsatisfied(contract: AppService['contract'], offers: readonly Capability[]): string | undefined {
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

/**
 * Tells whether a version is in the range. Versions of operating systems and kernels are not always semantic; their
 * first numbers count then.
 */
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
