/* Generated from crds/*.yaml by `npm run generate`; do not edit. */
import type { Descriptor } from './descriptor.js';
import type { AppSpec, AppStatus, ImageSpec, ImageStatus, NetworkSpec, NetworkStatus, VolumeSpec, VolumeStatus, ServiceSpec, ServiceStatus, HostConfigSpec, HostConfigStatus, GitSourceSpec, GitSourceStatus } from './types.js';

/** Spec and status of every kind, by its name. */
export interface Kinds {
  App: { spec: AppSpec; status: AppStatus };
  Image: { spec: ImageSpec; status: ImageStatus };
  Network: { spec: NetworkSpec; status: NetworkStatus };
  Volume: { spec: VolumeSpec; status: VolumeStatus };
  Service: { spec: ServiceSpec; status: ServiceStatus };
  HostConfig: { spec: HostConfigSpec; status: HostConfigStatus };
  GitSource: { spec: GitSourceSpec; status: GitSourceStatus };
}

/** What each kind's CRD says of it, in the order in which kinds are listed. */
export const DESCRIPTORS = {
  App: {
    plural: "apps",
    singular: "app",
    shortNames: ["scapp"],
    categories: ["supercargo","all"],
    description: "A whole application and its release: services, networks and volumes.",
    requests: ["restart","purge","stop","start","cleanup","force","suspend","resume"],
    finalizers: ["supercargo.io/controller"],
    names: [],
    inMemory: [],
    columns: [
      {"name":"Phase","type":"string","jsonPath":".status.phase"},
      {"name":"Release","type":"string","jsonPath":".status.release.commit"},
      {"name":"Ready","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].status"},
      {"name":"Reason","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].reason"},
      {"name":"AppId","type":"integer","jsonPath":".status.appId","priority":1},
      {"name":"Lock","type":"string","jsonPath":".status.lock.state","priority":1},
      {"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"},
    ],
  },
  Image: {
    plural: "images",
    singular: "image",
    shortNames: ["scimg"],
    categories: ["supercargo","all"],
    description: "An image that services of an app need.",
    requests: [],
    finalizers: ["supercargo.io/controller"],
    names: [],
    inMemory: ["downloadProgress","nextAttemptAt"],
    columns: [
      {"name":"App","type":"string","jsonPath":".spec.app"},
      {"name":"State","type":"string","jsonPath":".status.state"},
      {"name":"Progress","type":"integer","jsonPath":".status.downloadProgress"},
      {"name":"Ready","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].status"},
      {"name":"Reason","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].reason"},
      {"name":"Image","type":"string","jsonPath":".spec.image","priority":1},
      {"name":"Id","type":"string","jsonPath":".status.dockerImageId","priority":1},
      {"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"},
    ],
  },
  Network: {
    plural: "networks",
    singular: "network",
    shortNames: ["scnet"],
    categories: ["supercargo","all"],
    description: "A network over which the services of an app talk.",
    requests: [],
    finalizers: ["supercargo.io/controller"],
    names: [],
    inMemory: [],
    columns: [
      {"name":"App","type":"string","jsonPath":".spec.app"},
      {"name":"Ready","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].status"},
      {"name":"Reason","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].reason"},
      {"name":"Network","type":"string","jsonPath":".spec.networkName","priority":1},
      {"name":"Gateway","type":"string","jsonPath":".status.gateway","priority":1},
      {"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"},
    ],
  },
  Volume: {
    plural: "volumes",
    singular: "volume",
    shortNames: ["scvol"],
    categories: ["supercargo","all"],
    description: "Data of an app that outlives its containers.",
    requests: [],
    finalizers: ["supercargo.io/controller"],
    names: [],
    inMemory: [],
    columns: [
      {"name":"App","type":"string","jsonPath":".spec.app"},
      {"name":"Reclaim","type":"string","jsonPath":".spec.reclaim"},
      {"name":"Present","type":"boolean","jsonPath":".status.present"},
      {"name":"Ready","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].status"},
      {"name":"Reason","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].reason"},
      {"name":"Volume","type":"string","jsonPath":".spec.volumeName","priority":1},
      {"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"},
    ],
  },
  Service: {
    plural: "services",
    singular: "service",
    shortNames: ["scsvc"],
    categories: ["supercargo","all"],
    description: "One container of an app.",
    requests: ["restart","stop","start"],
    finalizers: ["supercargo.io/controller"],
    names: [],
    inMemory: [],
    columns: [
      {"name":"App","type":"string","jsonPath":".spec.app"},
      {"name":"State","type":"string","jsonPath":".status.state"},
      {"name":"Health","type":"string","jsonPath":".status.health"},
      {"name":"Ready","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].status"},
      {"name":"Reason","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].reason"},
      {"name":"Restarts","type":"integer","jsonPath":".status.restarts"},
      {"name":"Image","type":"string","jsonPath":".spec.image","priority":1},
      {"name":"Container","type":"string","jsonPath":".status.container.name","priority":1},
      {"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"},
    ],
  },
  HostConfig: {
    plural: "hostconfigs",
    singular: "hostconfig",
    shortNames: ["schost"],
    categories: ["supercargo"],
    description: "Settings of the device itself. Two documents: device (name, configuration variables) and network (hostname, proxy).",
    requests: ["confirm"],
    finalizers: ["supercargo.io/controller"],
    names: ["device","network"],
    inMemory: [],
    columns: [
      {"name":"Ready","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].status"},
      {"name":"Reason","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].reason"},
      {"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"},
    ],
  },
  GitSource: {
    plural: "gitsources",
    singular: "gitsource",
    shortNames: ["scgit"],
    categories: ["supercargo"],
    description: "A git repository whose documents are declared on this device, with the origin git/<name>.",
    requests: ["sync","confirm","suspend","resume"],
    finalizers: ["supercargo.io/controller"],
    names: [],
    inMemory: ["checkedAt","nextSyncAt"],
    columns: [
      {"name":"Url","type":"string","jsonPath":".spec.url"},
      {"name":"Ready","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].status"},
      {"name":"Reason","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].reason"},
      {"name":"Commit","type":"string","jsonPath":".status.applied.commit"},
      {"name":"Subject","type":"string","jsonPath":".status.applied.subject","priority":1},
      {"name":"Failure","type":"string","jsonPath":".status.failure.reason","priority":1},
      {"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"},
    ],
  },
} as const satisfies Readonly<Record<keyof Kinds, Descriptor>>;
