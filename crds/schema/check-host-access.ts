import { accessOfService, accessOfVolume, type HostAccess, missingPermission } from '../model/host-access.js';
import { type Issue, pathText } from '../model/issue.js';
import type { App, Declared } from '../model/kinds.js';
import { referencesOf } from '../model/references.js';
import type { AppSpec, ServiceFields } from '../model/types.js';
import type { Found } from './check-service.js';

/** Returns the ways into the host that an App lacks permission for; paths under `volumes` of a service are not among them. Pure. */
export function accessFound({ allowHostBinds, services, volumes }: AppSpec): Found[] {
  if (allowHostBinds === true) return [];
  const found = (base: readonly string[], all: readonly HostAccess[]): Found[] =>
    all.map((one) => [[...base, ...one.path], missingPermission(one)]);
  return [
    ...Object.entries(services ?? {}).flatMap(([name, one]) => found(['services', name], accessOfService(one))),
    ...Object.entries(volumes ?? {}).flatMap(([name, one]) => found(['volumes', name], accessOfVolume(one ?? {}))),
  ];
}

/** Returns the same as issues with their paths in the document, for one that was accepted before. Pure. */
export const accessIssues = (spec: AppSpec): readonly Issue[] =>
  accessFound(spec).map(([path, message]) => ({ path: pathText(['spec', ...path]), message }));

/** Returns the ways into the host for which a standalone document lacks its App's permission. Pure. */
export function standaloneAccess(
  { kind, spec }: Pick<Declared<'Service'>, 'kind' | 'spec'> | Pick<Declared<'Volume'>, 'kind' | 'spec'>,
  app: App | undefined,
): readonly Issue[] {
  if (app?.spec.allowHostBinds === true) return [];
  const access = kind === 'Volume' ? accessOfVolume(spec) : [...bindsOf(spec), ...accessOfService(spec)];
  return access.map((one) => ({ path: pathText(['spec', ...one.path]), message: missingPermission(one, spec.app) }));
}

const bindsOf = (fields: ServiceFields): readonly HostAccess[] =>
  referencesOf(fields).hostPaths.map((source) => ({
    path: ['volumes'],
    does: `${source} of the host is mounted`,
    instead: 'use a volume',
  }));
