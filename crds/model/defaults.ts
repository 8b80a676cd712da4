import { isComposeProject } from './compose.js';
import { canonical } from './hash.js';
import type { AnyDeclared, AnyResource, Metadata, Origin } from './kinds.js';
import type { Values } from './maps.js';
import { portParts } from './port-text.js';
import { cameAsTargetState } from './target-state.js';
import type { AppService, AppSpec, ServiceFields, ServiceSpec } from './types.js';

/**
 * Whose meaning fields have that a service leaves out: a document means what Compose means, a target state what a Supervisor
 * does. A document of before, when all of them meant what a Supervisor does, says nothing.
 */
export type Defaults = NonNullable<ServiceSpec['defaults']>;

type Port = NonNullable<ServiceFields['ports']>[number];

/** Tells whether what these services leave out means what it means in a Compose file. Pure. */
export const meansCompose = ({ defaults }: Pick<ServiceSpec, 'defaults'>): boolean => defaults === 'compose';

/**
 * Returns a document that was declared with its `defaults` filled in: the meaning of Compose, unless it came as a target state,
 * or is of before (`present`) and its services are the same: what runs is not made anew because of another version of the agent. Pure.
 */
export function withDefaults(
  document: AnyDeclared,
  { origin, source }: { readonly origin: Origin; readonly source?: Metadata['source'] },
  present?: Pick<AnyResource, 'kind' | 'metadata' | 'spec'>,
): AnyDeclared {
  if (document.kind !== 'App' && document.kind !== 'Service') return document;
  if (document.spec.defaults !== undefined || !isOfPeople(origin)) return document;
  if (cameAsTargetState({ origin, ...(source ? { source } : {}) })) return document;
  const isThere = present !== undefined && present.metadata.deletionTimestamp === undefined;
  const kept = isThere ? asItWas(document, present) : undefined;
  return kept ?? ({ ...document, spec: { ...document.spec, defaults: 'compose' } } as AnyDeclared);
}

/** Tells whether documents of that origin are written by somebody, and not made of another document. */
const isOfPeople = (origin: Origin): boolean => origin !== 'agent' && !origin.startsWith('App/');

/** Returns the document with its services as they were, where the present one is of before and they are the same; undefined: they are not. */
function asItWas(document: AnyDeclared, present: Pick<AnyResource, 'kind' | 'spec'>): AnyDeclared | undefined {
  if (document.kind === 'App' && present.kind === 'App') {
    const { defaults, services: before = {} } = present.spec as AppSpec;
    const { services = {} } = document.spec;
    if (defaults !== undefined) return undefined;
    if (isSame(services, before)) return document;
    const isSameFile = isComposeProject(document) && isSame(asBefore(services), before);
    return isSameFile ? { ...document, spec: { ...document.spec, services: before } } : undefined;
  }
  const { defaults } = present.spec as ServiceSpec;
  const isKept = document.kind === present.kind && defaults === undefined && isSame(document.spec, present.spec);
  return isKept ? document : undefined;
}

const isSame = (one: object, other: object): boolean => canonical(one) === canonical(other);

/**
 * Returns the services of a Compose file as the same file came to them before there was a choice of meaning: free ports were only
 * exposed, and letters of SELinux of named volumes were lost. Pure.
 */
function asBefore(services: Readonly<Record<string, AppService>>): Values {
  return Object.fromEntries(
    Object.entries(services).map(([name, { ports: said, expose, volumes, ...fields }]) => {
      const ports = said ?? [];
      const isFree = (port: Port): boolean => typeof port === 'object' && port.published === undefined;
      const exposed = ports.filter(isFree).map((port) => portText(port));
      const published = ports.filter((port) => !isFree(port));
      const all = [...new Set([...(expose ?? []), ...exposed])];
      const mounts = volumes?.map((one) => (typeof one === 'string' ? withoutLetters(one) : one));
      return [
        name,
        {
          ...fields,
          ...(published.length > 0 ? { ports: published } : {}),
          ...(all.length > 0 ? { expose: all } : {}),
          ...(mounts ? { volumes: mounts } : {}),
        },
      ];
    }),
  );
}

/** A named volume in the short form without letters of SELinux; binds had them before. */
function withoutLetters(mount: string): string {
  const [source = '', target, modes] = mount.split(':');
  if (modes === undefined || source.startsWith('/')) return mount;
  const kept = modes.split(',').filter((mode) => !/^z$/i.test(mode));
  return [source, target, ...(kept.length > 0 ? [kept.join()] : [])].join(':');
}

const portText = (port: Port): string =>
  typeof port === 'object' ? `${port.target}/${port.protocol ?? 'tcp'}` : String(port);

/** Fields whose absence Compose and a Supervisor read differently. */
type Meant = Pick<ServiceSpec, 'defaults' | 'tty' | 'ipc' | 'entrypoint' | 'command' | 'ports'>;

/**
 * Returns the fields with all that the two read differently written out, and without `defaults`; an IPC namespace as the engine is
 * configured stays unsaid. Pure.
 */
export function spelledOut<Fields extends Meant>({ defaults, ...fields }: Fields): Omit<Fields, 'defaults'> {
  const isCompose = defaults === 'compose';
  const { tty, ipc, ports } = fields;
  return {
    ...fields,
    tty: tty ?? !isCompose,
    ...(ipc === undefined || ipc === null ? { ipc: isCompose ? undefined : 'shareable' } : {}),
    ...(isCompose && dropsCommand(fields) ? { command: [] } : {}),
    ...(ports ? { ports: ports.map((port) => withHostPort(port, isCompose)) } : {}),
  };
}

/** Tells whether an entrypoint stands alone, and so drops the command of the image for Compose; an empty one keeps it. Pure. */
export const dropsCommand = ({ entrypoint, command }: Pick<ServiceFields, 'entrypoint' | 'command'>): boolean =>
  (command === undefined || command === null) &&
  (Array.isArray(entrypoint) ? entrypoint.length > 0 : Boolean(entrypoint));

/** Returns a port with its port of the host: the same number, or 0 for a free one. */
function withHostPort(port: Port, isFree: boolean): Port {
  if (typeof port === 'object') {
    return port.published === undefined || port.published === null
      ? { ...port, published: isFree ? 0 : port.target }
      : port;
  }
  const { address = '', host, container, protocol } = portParts(String(port)) ?? {};
  if (container === undefined || host) return port;
  const where = address === '' ? '' : `${address}:`;
  return `${where}${isFree ? 0 : container}:${container}${protocol === 'tcp' ? '' : `/${protocol}`}`;
}

/** Names of the fields that mean something else to Compose than to a Supervisor, because the service leaves them out. Pure. */
export function unlikeSupervisor(fields: Meant): readonly string[] {
  const [one, other] = [
    spelledOut({ ...fields, defaults: 'compose' }),
    spelledOut({ ...fields, defaults: 'supervisor' }),
  ];
  return (['tty', 'ipc', 'command', 'ports'] as const).filter(
    (field) => canonical(one[field] ?? null) !== canonical(other[field] ?? null),
  );
}
