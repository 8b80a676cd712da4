import { type AnyResource, descriptorOf, type Kind } from '../../crds/model/kinds.js';
import { isMap } from '../../crds/model/maps.js';
import { frozen } from './frozen.js';

/** Facts inside a status that earlier versions wrote and that no status may contain, by path. */
const RETIRED: Readonly<Partial<Record<Kind, readonly (readonly [string, string])[]>>> = {
  Service: [['container', 'env']], // values of the environment may be secrets
};

/** Returns the status without facts that no status may contain any more; the same object when there are none. Pure. */
export function withoutRetired(kind: Kind, status: object): object {
  const found = (RETIRED[kind] ?? []).filter(([fact, field]) => field in partOf(status, fact));
  if (found.length === 0) return status;
  const parts = found.map(([fact, field]) => {
    const { [field]: _retired, ...rest } = partOf(status, fact);
    return [fact, rest];
  });
  return frozen({ ...status, ...Object.fromEntries(parts) });
}

function partOf(status: object, fact: string): Readonly<Record<string, unknown>> {
  const part = (status as Readonly<Record<string, unknown>>)[fact];
  return isMap(part) ? { ...part } : {};
}

/** Returns the part of a status that is kept on disk. Pure. */
export function durableStatus({ kind, status }: AnyResource): object | undefined {
  const { inMemory } = descriptorOf(kind);
  if (!status || !inMemory.some((name) => name in status)) return status;
  return frozen(Object.fromEntries(Object.entries(status).filter(([name]) => !inMemory.includes(name))));
}
