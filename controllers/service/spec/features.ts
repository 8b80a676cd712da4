import { type HostFeature, isOn } from '../../../crds/model/host-access.js';
import { API_NETWORK } from '../../../crds/model/names.js';
import type { EndpointSettings, Mount } from '../../engine/engine.js';
import type { DeviceFacts } from '../../host/facts/facts.js';
import { bothPrefixes, type Environment } from './environment.js';
import type { Labels } from './labels.js';
import type { NetworkUse } from './networks.js';

/** Address and key with which a container reaches our API. */
export interface ApiAccess {
  readonly key: string;
  readonly host: string;
  readonly port: number;
}

/** URL and key with which a container reaches the cloud's API as this device. */
export interface CloudAccess {
  readonly key: string;
  readonly url: string;
}

/** The additions of feature labels to a container. */
export interface Added {
  readonly binds: readonly string[];
  readonly mounts: readonly Mount[];
  readonly environment: Environment;
  /** Set only when neither the document nor the image sets them. */
  readonly environmentDefaults: Environment;
  readonly deviceRequests: readonly object[];
  readonly joins: Readonly<Record<string, EndpointSettings>>;
}

type Feature = 'supervisor-api' | 'balena-api' | (string & {});

/** Tells whether the labels, including the image's, request that feature. Pure. */
export const hasFeature = (labels: Labels, feature: Feature): boolean => isOn(labels[`io.balena.features.${feature}`]);

/** Tells whether the container joins the API's shared network. It needs a network of its own for that. Pure. */
export const joinsApiNetwork = (labels: Labels, network: NetworkUse): boolean =>
  hasFeature(labels, 'supervisor-api') &&
  (network.is === 'joined' || (network.is === 'engine' && network.mode === 'bridge'));

const ENGINE_SOCKET_INSIDE = '/host/run/balena-engine.sock';
const OLD_ENGINE_SOCKET = '/var/run/balena.sock';
/** Binds of features that reach into the host, for which a document needs permission. */
const BINDS: readonly (readonly [feature: HostFeature, exists: (facts: DeviceFacts) => boolean, ...binds: string[]])[] =
  [
    ['dbus', () => true, '/run/dbus:/host/run/dbus'],
    ['kernel-modules', (facts) => facts.hasModules, '/lib/modules:/lib/modules'],
    ['firmware', (facts) => facts.hasFirmware, '/lib/firmware:/lib/firmware'],
    [
      'journal-logs',
      () => true,
      '/var/log/journal:/var/log/journal:ro',
      '/run/log/journal:/run/log/journal:ro',
      '/etc/machine-id:/etc/machine-id:ro',
    ],
    ['sysfs', () => true, '/sys:/sys'],
    ['procfs', () => true, '/proc:/proc'],
  ];

/** Returns what the labels `io.balena.features.*` add. Pure. (docs/reference/composition.md §3.2.) */
export function addedByFeatures(
  labels: Labels,
  network: NetworkUse,
  facts: DeviceFacts,
  { api, cloud }: { readonly api: ApiAccess | undefined; readonly cloud: CloudAccess | undefined },
): Added {
  const has = (feature: Feature): boolean => hasFeature(labels, feature);
  return {
    binds: BINDS.flatMap(([feature, exists, ...binds]) => (has(feature) && exists(facts) ? binds : [])),
    mounts: [
      ...(has('balena-socket') ? socketMounts(facts.engineSocket) : []),
      ...(has('extra-firmware')
        ? [{ Type: 'volume', Source: 'extra-firmware', Target: '/extra-firmware' } satisfies Mount]
        : []),
    ],
    environment: {
      ...(has('balena-api') && cloud ? bothPrefixes({ API_KEY: cloud.key, API_URL: cloud.url }) : {}),
      ...(has('supervisor-api') && api ? bothPrefixes(apiVariables(api)) : {}),
      ...(has('host-os.board-rev') && facts.boardRevision
        ? bothPrefixes({ HOST_OS_BOARD_REV: facts.boardRevision, HOST_OS_BUILD: facts.boardRevision })
        : {}),
    },
    environmentDefaults: has('balena-socket') ? { DOCKER_HOST: `unix://${ENGINE_SOCKET_INSIDE}` } : {},
    deviceRequests: has('gpu') ? [{ Driver: '', Count: 1, DeviceIDs: [], Capabilities: [['gpu']], Options: {} }] : [],
    joins: joinsApiNetwork(labels, network) ? { [API_NETWORK]: { IPAMConfig: {}, Aliases: [] } } : {},
  };
}

const apiVariables = ({ key, host, port }: ApiAccess): Record<string, string> => ({
  SUPERVISOR_API_KEY: key,
  SUPERVISOR_PORT: String(port),
  SUPERVISOR_HOST: host,
  SUPERVISOR_ADDRESS: `http://${host}:${port}`,
});

const socketMounts = (socket: string): Mount[] =>
  [ENGINE_SOCKET_INSIDE, socket, ...(socket === OLD_ENGINE_SOCKET ? [] : [OLD_ENGINE_SOCKET])].map((Target) => ({
    Type: 'bind',
    Source: socket,
    Target,
  }));
