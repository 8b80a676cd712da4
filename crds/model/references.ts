import { isMap } from './maps.js';
import { onceForFrozen } from './once.js';
import type { ServiceFields } from './types.js';

const SUPERVISOR_API = 'io.balena.features.supervisor-api';

/** The names of its app that a service uses, with their places in the document. Read leniently: the schema checks shapes. */
export interface References {
  readonly dependsOn: readonly { readonly service: string; readonly required: boolean }[];
  /** Named in `networks`; undefined when the field is absent. */
  readonly networks: readonly string[] | undefined;
  readonly mode:
    | { readonly is: 'default' }
    | { readonly is: 'engine'; readonly mode: string }
    | { readonly is: 'service'; readonly service: string }
    | { readonly is: 'container'; readonly container: string }
    | { readonly is: 'network'; readonly network: string };
  /** Services whose PID or IPC namespace it shares, with the field. */
  readonly namespaces: readonly { readonly field: 'pid' | 'ipc'; readonly service: string }[];
  /** Containers whose PID or IPC namespace it shares, by their name on the engine. */
  readonly foreign: readonly { readonly field: 'pid' | 'ipc'; readonly container: string }[];
  /** Sources of named volumes. */
  readonly volumes: readonly string[];
  /** Paths of the host that it mounts. */
  readonly hostPaths: readonly string[];
}

type Fields = Pick<ServiceFields, 'labels'> & {
  readonly depends_on?: unknown;
  readonly networks?: unknown;
  readonly network_mode?: unknown;
  readonly pid?: unknown;
  readonly ipc?: unknown;
  readonly volumes?: unknown;
};

/** Returns the references of a service; those of frozen fields are found once. Pure. (docs/reference/composition.md §1.8, §1.9, §5.4.) */
export const referencesOf: (fields: Fields) => References = onceForFrozen(findReferences);

function findReferences(fields: Fields): References {
  const { depends_on: dependsOn, networks } = fields;
  const entries = (value: unknown): readonly (readonly [string, unknown])[] =>
    Array.isArray(value)
      ? value.map((name) => [String(name), undefined] as const)
      : isMap(value)
        ? Object.entries(value)
        : [];
  return {
    dependsOn: entries(dependsOn).map(([service, how]) => ({
      service,
      required: !(isMap(how) && how.required === false),
    })),
    networks: networks === undefined || networks === null ? undefined : entries(networks).map(([name]) => name),
    mode: modeOf(fields.network_mode),
    namespaces: (['pid', 'ipc'] as const).flatMap((field) => {
      const mode = modeOf(fields[field]);
      return mode.is === 'service' ? [{ field, service: mode.service }] : [];
    }),
    foreign: (['pid', 'ipc'] as const).flatMap((field) => {
      const mode = modeOf(fields[field]);
      return mode.is === 'container' ? [{ field, container: mode.container }] : [];
    }),
    volumes: listOf(fields.volumes).flatMap(namedVolume),
    hostPaths: listOf(fields.volumes).flatMap(hostPath),
  };
}

function modeOf(value: unknown): References['mode'] {
  const mode = typeof value === 'string' ? value.trim() : '';
  if (mode === '') return { is: 'default' };
  if (mode === 'host' || mode === 'bridge' || mode === 'none') return { is: 'engine', mode };
  const [, kind, name = ''] = /^(service|container):\s*(.*)$/.exec(mode) ?? [];
  if (kind === 'service') return { is: 'service', service: name };
  return kind === 'container' ? { is: 'container', container: name } : { is: 'network', network: mode };
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

function hostPath(entry: unknown): readonly string[] {
  if (isMap(entry)) return entry.type === 'bind' ? [String(entry.source)] : [];
  const [source = '', target] = typeof entry === 'string' ? entry.trim().split(':') : [];
  return target !== undefined && /^[/.~]/.test(source) ? [source] : [];
}

/** Returns the named volume of an entry. Paths are not names: those of the host are dropped here, relative ones refused by the Service. */
function namedVolume(entry: unknown): readonly string[] {
  if (typeof entry === 'string') {
    const [source = '', target] = entry.trim().split(':');
    return target === undefined || /^[/.~]/.test(source) || source === '' ? [] : [source];
  }
  if (!isMap(entry) || entry.type !== 'volume' || typeof entry.source !== 'string') return [];
  return entry.source === '' || entry.source.startsWith('/') ? [] : [entry.source];
}

/**
 * Returns labels in balena's spelling, from a map or a list of `name=value`; `true` and `1` become texts. Pure.
 * (docs/reference/composition.md §3.1.)
 */
export function labelsOf(labels: Fields['labels']): Readonly<Record<string, string>> {
  const given: readonly (readonly [string, string])[] = Array.isArray(labels)
    ? labels.map((line) => {
        const [name = '', ...value] = line.split('=');
        return [name, value.join('=')];
      })
    : Object.entries(labels ?? {}).map(([key, value]) => [key, String(value ?? '')]);
  const isOld = ([key]: readonly [string, string]): boolean => key.startsWith('io.resin.');
  return {
    ...Object.fromEntries(given.filter(isOld).map(([key, value]) => [key.replaceAll('resin', 'balena'), value])),
    ...Object.fromEntries(given.filter((label) => !isOld(label))),
  };
}

/** Returns one label, as `labelsOf` does; separate because an App needs one of every service at every pass. Pure. */
function labelOf(labels: Fields['labels'], name: string): string | undefined {
  if (!labels || Array.isArray(labels)) return labelsOf(labels)[name];
  const spelling = [name, name.replace('balena', 'resin')].find((one) => Object.hasOwn(labels, one));
  return spelling === undefined ? undefined : String(labels[spelling] ?? '');
}

/**
 * Tells whether a service reaches our API over the shared network. Labels of the image count where the document does
 * not set the same ones; with host networking the API is on the loopback. Pure.
 */
export function wantsApiNetwork(fields: Fields, imageLabels: Fields['labels']): boolean {
  const value = labelOf(fields.labels, SUPERVISOR_API) ?? labelOf(imageLabels, SUPERVISOR_API);
  const mode = modeOf(fields.network_mode);
  return /^(1|true|on)$/i.test(value ?? '') && !(mode.is === 'engine' && mode.mode === 'host');
}
