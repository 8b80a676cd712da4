import { isMap } from '../../../crds/model/maps.js';

/** The facts that documents may require of the device, and that `${device.…}` stands for. */
export interface DeviceScope {
  readonly name: string;
  readonly uuid: string;
  readonly type: string;
  readonly arch: string;
  readonly tags: Readonly<Record<string, string>>;
}

const FACTS = { name: 'name', uuid: 'uuid', deviceType: 'type', arch: 'arch' } as const;
const KNOWN = [...Object.keys(FACTS), 'tags'];

/** Whether a document is for this device, and how many facts it requires: more facts make it more special. */
export type Match = { readonly ok: true; readonly facts: number } | { readonly ok: false } | { readonly wrong: string };

/** Reads a `when`: facts with the text they must equal, or a list of texts of which one must; all facts must match. Pure. */
export function matchWhen(when: unknown, device: DeviceScope): Match {
  if (when === undefined || when === null) return { ok: true, facts: 0 };
  if (!isMap(when)) return { wrong: 'Expected a map of name, uuid, deviceType, arch or tags' };
  const { tags, ...facts } = when;
  if (tags !== undefined && !isMap(tags)) return { wrong: 'Expected tags to be a map of tag to text' };
  const unknown = Object.keys(when).find((one) => !KNOWN.includes(one));
  if (unknown !== undefined) return { wrong: `Unknown fact "${unknown}"; known are ${KNOWN.join(', ')}` };

  const asked: [wanted: unknown, is: string | undefined][] = [
    ...Object.entries(FACTS).flatMap(([name, field]): [unknown, string][] =>
      name in facts ? [[facts[name], device[field]]] : [],
    ),
    ...Object.entries(tags ?? {}).map(([tag, wanted]): [unknown, string | undefined] => [wanted, device.tags[tag]]),
  ];
  if (asked.length === 0) return { wrong: `It asks for nothing; leave it out, or ask for ${KNOWN.join(', ')}` };
  const lists = asked.map(([wanted, is]) => ({ texts: textsOf(wanted), is }));
  if (lists.some(({ texts }) => texts === undefined))
    return { wrong: 'Expected a text or a list of texts for each fact' };
  const ok = lists.every(({ texts, is }) => is !== undefined && texts?.includes(is));
  return ok ? { ok, facts: asked.length } : { ok };
}

function textsOf(value: unknown): readonly string[] | undefined {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  const texts = list.filter((one) => ['string', 'number', 'boolean'].includes(typeof one)).map(String);
  return texts.length === list.length && texts.length > 0 ? texts : undefined;
}

/** The devices that a file is for, by the folders `devices/<name or uuid>/` below the paths of the source. */
export type Folder = 'all' | 'name' | 'uuid' | 'another device';

/** Pure. */
export function folderOf(path: string, roots: readonly string[], device: Pick<DeviceScope, 'name' | 'uuid'>): Folder {
  for (const root of roots.length === 0 ? [''] : roots) {
    const below = root === '' ? path : path.startsWith(`${root}/`) ? path.slice(root.length + 1) : undefined;
    const [first, whose, ...rest] = below?.split('/') ?? [];
    if (first !== 'devices' || rest.length === 0) continue;
    if (whose === device.uuid) return 'uuid';
    return whose === device.name ? 'name' : 'another device';
  }
  return 'all';
}
