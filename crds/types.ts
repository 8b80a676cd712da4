/* Generated from crds/*.yaml by `npm run generate`; do not edit. */
import type { Condition } from './conditions.js';

/** The compose fields of a service, in snake_case (composition reference §1.2), with friendlier inputs where it is harmless. */
export interface ServiceFields {
  command?: string | string[] | null;
  entrypoint?: string | string[] | null;
  environment?: Record<string, string | number | boolean | null> | string[] | null;
  labels?: Record<string, string | number | boolean | null> | string[] | null;
  [field: string]: unknown; // provisional: the generator writes each field out
}

export interface Release {
  commit: string;
  id: number;
}

export interface AppService extends ServiceFields {
  image: string;
  /** Supervisor's numbers; allotted from the name when absent. */
  serviceId?: number;
  imageId?: number;
  running?: boolean;
}

export interface NetworkDefinition {
  driver?: string;
  driver_opts?: Record<string, string>;
  ipam?: { driver?: string; options?: Record<string, string>; config?: { subnet?: string; gateway?: string; ip_range?: string; aux_addresses?: Record<string, string> }[] };
  enable_ipv6?: boolean;
  internal?: boolean;
  labels?: Record<string, string>;
  config_only?: boolean;
}

export interface VolumeDefinition {
  driver?: string;
  driver_opts?: Record<string, string>;
  labels?: Record<string, string>;
}

export interface AppSpec {
  /** Number in object names and in the compatible API; allotted from metadata.name when absent. */
  appId?: number;
  /** Prefix of network names; the appId as text when absent. */
  uuid?: string;
  /** Shown to people and clients; metadata.name when absent. */
  name?: string;
  /** `{commit: local, id: 1}` when absent. `null`: an app without a release, nothing runs. */
  release?: Release | null;
  services?: Record<string, AppService>;
  volumes?: Record<string, VolumeDefinition | null>;
  networks?: Record<string, NetworkDefinition | null>;
  volumeReclaim?: 'Retain' | 'Delete';
}

export interface AppStatus {
  observedGeneration?: number;
  conditions?: Condition[];
  appId?: number;
  phase?: 'Staging' | 'Locking' | 'Promoting' | 'Verifying' | 'Settled' | 'Removing';
  /** The release last completed: what a `commit` in the compatible API means. */
  release?: Release;
  /** The update lock: held by us, or the file of the application that blocks it. */
  lock?: { state: 'Held' | 'Blocked'; blockedBy?: string };
  /** Ids of requests that were carried out; cannot be rebuilt. */
  handled?: Record<string, string>;
}

export interface ImageSpec {
  app: string;
  /** Normalised reference. */
  image: string;
  /** Names of the app's services that use it. */
  services: string[];
}

export interface ImageStatus {
  observedGeneration?: number;
  conditions?: Condition[];
  state?: 'Downloading' | 'Downloaded' | 'Deleting';
  /** Percent, whole; only while downloading; in memory only. */
  downloadProgress?: number;
  /** Engine's id, `sha256:…`, when local. */
  dockerImageId?: string;
  /** We pulled it, so we may collect it; cannot be rebuilt. */
  pulled?: boolean;
  /** Consecutive failed pulls. */
  failures?: number;
}

export interface NetworkSpec extends NetworkDefinition {
  /** Name of the App document; absent for the shared `supervisor0`. */
  app?: string;
  appId?: number;
  /** Name of the network on the engine. */
  networkName: string;
}

export interface NetworkStatus {
  observedGeneration?: number;
  conditions?: Condition[];
  id?: string;
  /** Changed: services must step aside until it is gone and made again. */
  rebuilding?: boolean;
  /** Names of containers that are still attached while it waits. */
  attached?: string[];
  /** First gateway of its pools. */
  gateway?: string;
}

export interface VolumeSpec extends VolumeDefinition {
  app: string;
  appId: number;
  appUuid?: string;
  /** Name of the volume on the engine. */
  volumeName: string;
  /** What happens to the data when the document goes. */
  reclaim: 'Retain' | 'Delete';
}

export interface VolumeStatus {
  observedGeneration?: number;
  conditions?: Condition[];
  present?: boolean;
  mountpoint?: string;
}

export interface ServiceSpec extends ServiceFields {
  app: string;
  /** Name inside the app. */
  serviceName: string;
  image: string;
  /** Filled in by the App; from the App document when a Service is written by hand. */
  appId?: number;
  appUuid?: string;
  appName?: string;
  serviceId?: number;
  imageId?: number;
  release?: Release;
  running?: boolean;
}

export interface ServiceStatus {
  observedGeneration?: number;
  conditions?: Condition[];
  /** Docker's state (`running`, `exited`, `created`, `restarting`, `paused`, `dead`, `removing`) or `Installing`, `Starting`, `Stopping` while a step runs; absent without a container. */
  state?: string;
  health?: 'healthy' | 'unhealthy' | 'starting';
  exitCode?: number;
  container?: {
    id: string;
    name: string;
    /** RFC 3339 with milliseconds. */
    createdAt: string;
    startedAt?: string;
    /** Engine's image reference of the container, `sha256:…`. */
    image: string;
    /** Parsed from its name: the release that it belongs to. */
    imageId?: number;
    releaseId?: number;
    commit?: string;
  };
  /** Why the last step was taken. */
  lastAction?: { reason: string; because: string; at: string };
  handled?: Record<string, string>;
}

export interface HostConfigSpec {
  /** `device`: the device's name. */
  name?: string;
  /** `device`: configuration variables. */
  config?: Record<string, string>;
  /** `network` */
  hostname?: string | null;
  proxy?: Record<string, unknown> | null;
}

export interface HostConfigStatus {
  observedGeneration?: number;
  conditions?: Condition[];
}
