/* Generated from crds/*.yaml by `npm run generate`; do not edit. */
import type { Condition } from './conditions.js';

/** Which release this is; part of the container names. null: an app without a release, nothing runs. Default: {commit: local, id: 1}. */
export interface Release {
  /** Uuid of the release. */
  commit: string;
  /** Number of the release. Default: made from the commit. */
  id?: number;
}

/** How to find out whether it works. Fields that are left out come from the image. Default: that of the image, else none. */
export interface Healthcheck {
  /** Command: a string for the shell of the container, or a list that begins with CMD, CMD-SHELL or NONE. Default: that of the image. */
  test?: string | string[] | null;
  /** Time between two checks: a string such as 30s; a bare number is MILLISECONDS. Default: that of the image, else 30s. */
  interval?: string | number | null;
  /** Time after which a check has failed: a string such as 5s; a bare number is MILLISECONDS. Default: that of the image, else 30s. */
  timeout?: string | number | null;
  /** Time at the start during which failures do not count: a string such as 1m; a bare number is MILLISECONDS. Default: that of the image, else 0s. */
  start_period?: string | number | null;
  /** Another spelling of start_period, as the Supervisor has it. */
  startPeriod?: string | number | null;
  /** Time between two checks during start_period: a string such as 2s; a bare number is MILLISECONDS. Engines with an API before 1.44 (Docker 25.0) do not know it: it is left out there, with a warning. Default: 5s, by those engines that know it. */
  start_interval?: string | number | null;
  /** Consecutive failures after which it is unhealthy. Default: that of the image, else 3. */
  retries?: number | null;
  /** true: no check, not even that of the image. Default: false. */
  disable?: boolean | null;
}

/** Makes the service a job: a container of its own for each run, at the times of a cron expression, instead of one that keeps running. The words are those of a CronJob of Kubernetes. `restart` may be `no`, the default, or `on-failure:N`. Default: none; the service keeps running. */
export interface Schedule {
  /** When a run begins: a cron expression of five fields, such as `0 3 * * *` for every night at three, or @daily. Of a time that a change of the clocks leaves out, the run begins when they have been put forward; of one that comes twice, with the first. Only where the hour is `*` the runs follow one another as hours pass. */
  cron: string;
  /** Time zone of `cron`, such as Europe/Berlin. Default: that of the agent. */
  timeZone?: string;
  /** What becomes of a run whose time comes while another one is going on. Forbid: it is left out, and counted as missed. Replace: the other one is stopped first, under the update lock of the app. Allow: both run. Default: Forbid. */
  concurrencyPolicy?: 'Allow' | 'Forbid' | 'Replace';
  /** How late a run may begin, s, because the device was off or something that it needs was not there: later than that it is missed. Of several times that have passed only the last is made up for. Default: it may begin as late as it likes, until the next one is due. */
  startingDeadlineSeconds?: number;
  /** How long a run may take, s: then it is stopped and has failed. The update lock does not keep it from that. Default: as long as it likes. */
  activeDeadlineSeconds?: number;
  /** How many runs that succeeded keep their container, and with it their output. Default: 3. */
  successfulRunsHistoryLimit?: number;
  /** How many runs that failed keep their container, and with it their output. Default: 1. */
  failedRunsHistoryLimit?: number;
}

export interface Ulimit {
  /** Limit that applies. */
  soft: number;
  /** Up to where the process may raise it. */
  hard: number;
}

/** Where its output is kept. A driver without options is taken as the engine is configured. Default: json-file with three files of at most 10 MB, where the engine would keep them without a bound. */
export interface Logging {
  /** Log driver, such as json-file, local, journald or none. Default: that of the engine. */
  driver?: string | null;
  /** Options of the driver, such as max-size. Those that name a socket or a file of the host (unix:///run/x.sock, a path) need allowHostBinds: true in the App. Default: those of the engine. */
  options?: {
    [k: string]: string | number | boolean;
  } | null;
}

export interface LongDevice {
  /** Path of the device on the host. */
  source: string;
  /** Path in the container. Default: source. */
  target?: string | null;
  /** Any of r, w and m (mknod). Default: rwm. */
  permissions?: string | null;
}

export interface GpuRequest {
  /** Driver that provides them. Default: chosen by the engine. */
  driver?: string | null;
  /** How many, or all; -1 is all as well. Default: all, unless device_ids names some. */
  count?: string | number | null;
  /** Which ones, instead of a count. Default: any. */
  device_ids?: string[] | null;
  /** What they must be able to do, such as compute; gpu is always among it. Default: gpu. */
  capabilities?: string[] | null;
  /** Options of the driver. Default: none. */
  options?: {
    [k: string]: string;
  } | null;
}

/** Limits of block devices. Default: none. */
export interface BlkioConfig {
  /** Share against other containers, from 10 to 1000. Default: that of the kernel. */
  weight?: number | null;
  /** Shares for single devices. Default: none. */
  weight_device?:
    | {
        /** Device on the host, such as /dev/sda. */
        path: string;
        /** From 10 to 1000. */
        weight: number;
      }[]
    | null;
  /** Bytes a second that are read from devices, at most. Default: no limit. */
  device_read_bps?:
    | {
        /** Device on the host, such as /dev/sda. */
        path: string;
        /** Bytes a second, as a number or with a unit of 1024 (b k m g). */
        rate: string | number;
      }[]
    | null;
  /** Bytes a second that are written to devices, at most. Default: no limit. */
  device_write_bps?:
    | {
        /** Device on the host, such as /dev/sda. */
        path: string;
        /** Bytes a second, as a number or with a unit of 1024 (b k m g). */
        rate: string | number;
      }[]
    | null;
  /** Reads a second from devices, at most. Default: no limit. */
  device_read_iops?:
    | {
        /** Device on the host, such as /dev/sda. */
        path: string;
        /** How many a second. */
        rate: number;
      }[]
    | null;
  /** Writes a second to devices, at most. Default: no limit. */
  device_write_iops?:
    | {
        /** Device on the host, such as /dev/sda. */
        path: string;
        /** How many a second. */
        rate: number;
      }[]
    | null;
}

export interface LongVolume {
  /** volume, tmpfs, or bind for a path of the host (only where the App says allowHostBinds: true). */
  type: 'volume' | 'tmpfs' | 'bind';
  /** Name of the volume, or path of the host; absent for an anonymous volume and for tmpfs. */
  source?: string | null;
  /** Path inside the container. */
  target: string;
  /** It cannot be written. Default: false. */
  read_only?: boolean | null;
  /** Another spelling of read_only, as the Supervisor has it. */
  readOnly?: boolean | null;
  /** Options of type volume. */
  volume?: {
    /** Do not fill a new volume from the image. Default: false. */
    nocopy?: boolean | null;
  } | null;
  /** Options of type bind. */
  bind?: {
    /** How mounts travel between host and container: private, rprivate, shared, rshared, slave or rslave. Default: rprivate. */
    propagation?: ('private' | 'rprivate' | 'shared' | 'rshared' | 'slave' | 'rslave') | null;
    /** false: the path must be there, or the service waits for it. Otherwise a missing one is made as a folder. Default: true. */
    create_host_path?: boolean | null;
  } | null;
  /** Options of type tmpfs. */
  tmpfs?: {
    /** Limit in bytes, or with a unit of 1024 (b k m g). Default: none. */
    size?: string | number | null;
    /** Permissions of its root, as a number or as octal digits in a string such as "1770". Default: 1777. */
    mode?: string | number | null;
  } | null;
}

export interface LongPort {
  /** Port inside the container, or a range of ports as a string. */
  target: string | number;
  /** Port of the host, or a range as long as that of target; 0 for a free one. Default: 0 (with defaults: supervisor target). */
  published?: string | number | null;
  /** Address of the host. Default: all of them. */
  host_ip?: string | null;
  /** tcp or udp. Default: tcp. */
  protocol?: string | null;
  /** Accepted for files written for Compose; has no effect here. */
  mode?: string | null;
}

export interface Endpoint {
  /** Names by which others on the network find it, besides the service name. Default: none. */
  aliases?: string[] | null;
  /** Fixed IPv4 address. Default: chosen by the engine. */
  ipv4_address?: string | null;
  /** Fixed IPv6 address. Default: chosen by the engine. */
  ipv6_address?: string | null;
  /** Link-local addresses. Default: none. */
  link_local_ips?: string[] | null;
  /** Options of the network driver for this endpoint. Default: none. */
  driver_opts?: {
    [k: string]: string;
  } | null;
}

export interface Dependency {
  /** service_started, service_healthy or service_completed_successfully. Default: service_started. */
  condition?: ('service_started' | 'service_healthy' | 'service_completed_successfully') | null;
  /** false: do not wait for it if it cannot run. Default: true. */
  required?: boolean | null;
  /** Accepted for files written for Compose; a service is not restarted with its dependency. Default: false. */
  restart?: boolean | null;
}

export interface ServiceFields {
  /** Name of its container on the engine, as people and scripts use it. No other service of the device can have it. Update strategies that run two containers at once give way to the default one. Default: made from the names and numbers of service, image and release. */
  containerName?: string;
  /** In which order a new container takes the place of the old one: download-then-kill; kill-then-download and delete-then-download stop the old one before the new image is downloaded; hand-over runs both until the new one says so; rolling runs both until the new one is healthy. Before the labels io.balena.update.strategy and io.supercargo.update.strategy. Default: download-then-kill. */
  updateStrategy?: 'download-then-kill' | 'kill-then-download' | 'delete-then-download' | 'hand-over' | 'rolling';
  /** Whether a container that is unhealthy is restarted, under the update lock; Docker itself does not. true: five times within five minutes. A budget such as 5/300s (at most so many restarts within that time; ms s m h d): when it is used up, the container stays unhealthy until it is healthy by itself, restarted by somebody or replaced. Default: false. */
  restart_unhealthy?: boolean | string;
  /** Makes the service a job: a container of its own for each run, at the times of a cron expression, instead of one that keeps running. The words are those of a CronJob of Kubernetes. `restart` may be `no`, the default, or `on-failure:N`. Default: none; the service keeps running. */
  schedule?: Schedule;
  /** Arguments. A string is split as a shell would, without expanding variables and without running a shell; a list is taken as it is. Default: the Cmd of the image. */
  command?: string | string[] | null;
  /** What is run, with command as its arguments; written like command. Setting it alone drops the Cmd of the image, as in Compose (with defaults: supervisor it stays). Default: the Entrypoint of the image. */
  entrypoint?: string | string[] | null;
  /** Variables, as a map or as a list of NAME=value. Numbers, true and false become text; one that is null is not set, not even from the image. Default: none besides the injected ones and those of the image. */
  environment?:
    | {
        [k: string]: string | number | boolean | null;
      }
    | string[]
    | null;
  /** Labels of the container, as a map or as a list of name=value. Some are instructions: io.balena.features.*, io.balena.update.*; features that mount what the host has need allowHostBinds: true in the App. Default: none besides those of the image. */
  labels?:
    | {
        [k: string]: string | number | boolean | null;
      }
    | string[]
    | null;
  /** Host name inside the container. Default: the short container id; with network_mode host, that of the device. */
  hostname?: string | null;
  /** Domain name inside the container. Default: none. */
  domainname?: string | null;
  /** MAC address on the main network. Default: chosen by the engine. */
  mac_address?: string | null;
  /** User, or user:group, by name or number. Default: the User of the image, else root. */
  user?: string | number | null;
  /** Folder in which the command starts. Default: the WorkingDir of the image, else /. */
  working_dir?: string | null;
  /** Give it a terminal. Default: false (with defaults: supervisor true). */
  tty?: boolean | null;
  /** Keep its standard input open. Default: false. */
  stdin_open?: boolean | null;
  /** Signal that asks it to stop, by name or number. Default: the StopSignal of the image, else SIGTERM. */
  stop_signal?: string | number | null;
  /** Time between the stop signal and SIGKILL, in whole seconds, rounded down. A string such as 1m30s (ns us ms s m h d w); a bare number is MILLISECONDS. Default: 10s. */
  stop_grace_period?: string | number | null;
  /** How to find out whether it works. Fields that are left out come from the image. Default: that of the image, else none. */
  healthcheck?: Healthcheck | null;
  /** Where its output is kept. A driver without options is taken as the engine is configured. Default: json-file with three files of at most 10 MB, where the engine would keep them without a bound. */
  logging?: Logging | null;
  /** What the engine does when it exits: no, always, on-failure, on-failure:3 (three times at most) or unless-stopped. Default: always. */
  restart?: string | null;
  /** Run a small init as process 1 that reaps children. Default: as the engine is configured. */
  init?: boolean | null;
  /** Its root file system cannot be written. Default: false. */
  read_only?: boolean | null;
  /** All capabilities and devices. Default: false. */
  privileged?: boolean | null;
  /** Capabilities that it gets, such as NET_ADMIN. Default: none. */
  cap_add?: string[] | null;
  /** Capabilities that it loses. Default: none. */
  cap_drop?: string[] | null;
  /** Security options such as no-new-privileges; label=… is left out with a warning. Default: none. */
  security_opt?: string[] | null;
  /** Further groups of its user, by name or number. Default: none. */
  group_add?: (string | number)[] | null;
  /** Devices of the host, each host[:container[:permissions]] or the long form; the container path is that of the host and the permissions are rwm when left out. Default: none. */
  devices?: (string | LongDevice)[] | null;
  /** Further devices that it may use, by type, major and minor number, such as c 188:* rmw. Default: none. */
  device_cgroup_rules?: string[] | null;
  /** all, or a list of requests for GPUs. The runtime of their maker must be installed. Default: none besides the label io.balena.features.gpu. */
  gpus?: string | GpuRequest[] | null;
  /** OCI runtime of the engine that runs it, such as nvidia. Default: that of the engine. */
  runtime?: string | null;
  /** Platform of its image, as os/architecture[/variant]: an image for another one is refused. Said explicitly it may be another one than that of the device, which then has to emulate it. Default: that of the device. */
  platform?: string | null;
  /** Resource limits by name, such as nofile; a number is both soft and hard. -1 means unlimited. Default: those of the engine. */
  ulimits?: {
    [k: string]: number | Ulimit;
  } | null;
  /** Kernel settings of its namespaces, as a map or as a list of name=value. Default: none. */
  sysctls?:
    | {
        [k: string]: string | number;
      }
    | string[]
    | null;
  /** Paths that are kept in memory. Default: none. */
  tmpfs?: string | string[] | null;
  /** What is mounted: name:/path[:mode] for a volume of the app, /path for an anonymous one, /host:/path[:mode] for a path of the host where the App says allowHostBinds: true, or the long form. Default: none besides the folder of the update lock. */
  volumes?: (string | LongVolume)[] | null;
  /** Published ports: [ip:][host[-end]:]container[-end][/tcp|/udp], a number, or the long form. Without a host port, or with 0, the engine picks a free one whenever the container starts, and `status.ports` says which (with defaults: supervisor the same number is used). Ranges must be equally long. Default: none. */
  ports?: (string | number | LongPort)[] | null;
  /** Ports that it listens on, without publishing them: a note for people and tools, since services of an app reach every port of each other. Default: those of the image. */
  expose?: (string | number)[] | null;
  /** host, none or bridge; service:<name> to share the network of another service of the app; or a network of the app. Default: the first of networks, else the network default. */
  network_mode?: string | null;
  /** Networks of the app that it joins, as a list of names or as a map of name to options; the first one is its main network. Default: the network default. */
  networks?:
    | string[]
    | {
        [k: string]: Endpoint | null;
      }
    | null;
  /** Name servers, in order. Default: those of the engine. */
  dns?: string | string[] | null;
  /** Search domains, in order. Default: those of the engine. */
  dns_search?: string | string[] | null;
  /** Resolver options such as ndots:2. Default: none. */
  dns_opt?: string[] | null;
  /** Lines for /etc/hosts, as a list of host:address or host=address, or as a map of host to address. Default: none. */
  extra_hosts?:
    | string[]
    | {
        [k: string]: string;
      }
    | null;
  /** PID namespace: host, service:<name> to share that of another service of the app, container:<name> for one outside the app (only where the App says allowHostBinds: true), or empty for its own. Default: its own. */
  pid?: string | null;
  /** IPC namespace: shareable, private, host, none, service:<name> to share that of another service of the app, or container:<name> for one outside the app (only where the App says allowHostBinds: true). A service whose namespace another one shares says shareable. Default: as the engine is configured, which is private (with defaults: supervisor shareable). */
  ipc?: string | null;
  /** UTS namespace: host, which shares the host name of the device, or empty for its own. Default: its own. */
  uts?: string | null;
  /** Cgroup namespace: host or private. Default: as the engine is configured. */
  cgroup?: ('host' | 'private') | null;
  /** User namespace: host, or empty as the engine is configured. Default: empty. */
  userns_mode?: string | null;
  /** Control group under which it runs. Default: chosen by the engine. */
  cgroup_parent?: string | null;
  /** Number of processes it may have; 0 or less means no limit. Default: 0. */
  pids_limit?: number | null;
  /** Number of CPUs it may use, fractions allowed, as a number or a string. 0 means no limit. Default: 0. */
  cpus?: string | number | null;
  /** Weight against other containers when CPUs are busy; 0 means the default of the engine, 1024. Default: 0. */
  cpu_shares?: string | number | null;
  /** Microseconds of CPU time in each cpu_period; 0 means no limit. Not together with cpus. Default: 0. */
  cpu_quota?: string | number | null;
  /** Length of the period of cpu_quota in microseconds, 1000 to 1000000; 0 means the default of the engine, 100000. Not together with cpus. Default: 0. */
  cpu_period?: string | number | null;
  /** Real-time CPU time in each cpu_rt_period: a duration such as 400ms; a bare number is MICROSECONDS. Needs a kernel with real-time group scheduling. Default: none. */
  cpu_rt_runtime?: string | number | null;
  /** Period of cpu_rt_runtime: a duration such as 1s; a bare number is MICROSECONDS. Default: that of the kernel. */
  cpu_rt_period?: string | number | null;
  /** CPUs it may run on, such as 0-2,4. Default: all. */
  cpuset?: string | number | null;
  /** Memory it may use, in bytes or with a unit of 1024 (b k m g). 0 means no limit. Default: 0. */
  mem_limit?: string | number | null;
  /** Memory it is held to when the device runs short, in bytes or with a unit of 1024 (b k m g). 0 means none. Default: 0. */
  mem_reservation?: string | number | null;
  /** Memory and swap together that it may use, in bytes or with a unit of 1024 (b k m g); -1 means unlimited swap. Needs mem_limit. Default: twice mem_limit. */
  memswap_limit?: string | number | null;
  /** How readily the kernel swaps its memory out, from 0 to 100. Default: that of the host. */
  mem_swappiness?: string | number | null;
  /** Limits of block devices. Default: none. */
  blkio_config?: BlkioConfig | null;
  /** Size of /dev/shm, in bytes or with a unit of 1024 (b k m g). Default: 64m. */
  shm_size?: string | number | null;
  /** The kernel does not kill it when memory runs out. Default: false. */
  oom_kill_disable?: boolean | null;
  /** How readily the kernel kills it when memory runs out, from -1000 (never) to 1000. Default: 0. */
  oom_score_adj?: string | number | null;
  /** Services of the app that are started first, as a list of names or as a map of name to condition. Default: none. */
  depends_on?:
    | string[]
    | {
        [k: string]: Dependency | null;
      }
    | null;
  /** Options of the storage of its root file system, such as size; the storage driver of the engine must know them. Default: none. */
  storage_opt?: {
    [k: string]: string | number | boolean | null;
  } | null;
  /** missing or if_not_present: an image that is not on the device is pulled, once for a release. always: the same, with a warning, because a release does not change. never: it is not pulled; it has to be built or loaded on the device. Default: missing. */
  pull_policy?: ('missing' | 'if_not_present' | 'always' | 'never') | null;
}

export interface AppService extends ServiceFields {
  /** Image reference. Without tag and digest the tag is latest; with a digest a tag has no meaning. */
  image: string;
  /** Number of the service in the compatible API. Default: made from the names of app and service. */
  serviceId?: number;
  /** Number of the image; part of the container name. Default: the serviceId. */
  imageId?: number;
  /** false: the container is made but not started, and stopped if it runs. Default: true. */
  running?: boolean;
  /** What the service requires of the device, as {type, slug, requires: […]}. */
  contract?: {
    [k: string]: unknown;
  };
}

export interface NetworkDefinition {
  /** true: somebody else makes it, perhaps another App with the same `name`. It is waited for, and never made, changed or removed. Only a name can be set beside it. Default: false. */
  external?: boolean;
  /** Network driver. Default: bridge. */
  driver?: string;
  /** Options of the driver. Default: none. */
  driver_opts?: {
    [k: string]: string;
  };
  /** How addresses are given. Default: chosen by the engine. */
  ipam?: {
    /** Address driver. Default: default. */
    driver?: string;
    /** Options of the address driver. Default: none. */
    options?: {
      [k: string]: string;
    };
    /** Address pools. Default: one, chosen by the engine. */
    config?: {
      /** Addresses of the network, such as 172.28.0.0/16. */
      subnet?: string;
      /** Address of the gateway, such as 172.28.0.1. */
      gateway?: string;
      /** Part of the subnet from which containers get addresses, such as 172.28.5.0/24. */
      ip_range?: string;
      /** Addresses of other hosts that containers do not get, by host name. */
      aux_addresses?: {
        [k: string]: string;
      };
    }[];
  };
  /** Give out IPv6 addresses as well. Default: false. */
  enable_ipv6?: boolean;
  /** No way out of the network. Default: false. */
  internal?: boolean;
  /** Containers of others may join it manually (for drivers that know the difference, such as overlay). Default: false. */
  attachable?: boolean;
  /** Labels of the network on the engine. Default: none besides those of the agent. */
  labels?: {
    [k: string]: string;
  };
  /** Holds a configuration only and makes no bridge. Default: false. */
  config_only?: boolean;
}

export interface VolumeDefinition {
  /** true: somebody else makes it, perhaps another App with the same `name`. It is waited for, and never made or removed, not by a purge either. Only a name can be set beside it. Default: false. */
  external?: boolean;
  /** Volume driver. Default: local. */
  driver?: string;
  /** Options of the driver. Those that bind a path, a disk or a file system of the kernel need allowHostBinds: true in the App; those of a target state are passed on as they are. Default: none. */
  driver_opts?: {
    [k: string]: string;
  };
  /** Labels of the volume on the engine. Default: none besides those of the agent. */
  labels?: {
    [k: string]: string;
  };
}

export interface AppNetwork extends NetworkDefinition {
  /** Its name on the engine. No two Apps can make one of the same name: the others say external as well. Default: its uuid, _ and the key; the key alone where it is external. */
  name?: string;
}

export interface AppVolume extends VolumeDefinition {
  /** Its name on the engine. No two Apps can make one of the same name: the others say external as well. The data of a volume that had another name before stay in that one. Default: its appId, _ and the key; the key alone where it is external. */
  name?: string;
}

/** What should run. */
export interface AppSpec {
  /** Number in object names and in the compatible API. Default: made from metadata.name. */
  appId?: number;
  /** Prefix of the names of its networks. Default: the appId as text. */
  uuid?: string;
  /** Shown to people and clients, and to containers as BALENA_APP_NAME. Default: metadata.name. */
  name?: string;
  /** Which release this is; part of the container names. null: an app without a release, nothing runs. Default: {commit: local, id: 1}. */
  release?: Release | null;
  /** Whose meaning fields have that a service leaves out. compose: no terminal, an entrypoint alone drops the command of the image, a port without one of the host gets a free one, the IPC namespace is as the engine is configured. supervisor: a terminal, the command of the image stays, the same port of the host, an IPC namespace that others may share. `restart` is always with both. Default: compose, which is filled in; supervisor for a target state, and for an App of before until its services change. */
  defaults?: 'compose' | 'supervisor';
  /** Its containers, by name. Default: none. */
  services?: {
    [k: string]: AppService;
  };
  /** Its volumes, by name; empty for one with nothing special. Default: none. */
  volumes?: {
    [k: string]: AppVolume | null;
  };
  /** Its networks, by name; empty for one with nothing special. A network default is there in any case. Default: none. */
  networks?: {
    [k: string]: AppNetwork | null;
  };
  /** true: its services may reach into the host: paths of the host under volumes; volumes whose driver_opts bind a path, a disk or a file system of the kernel; the features that mount (balena-socket, dbus, kernel-modules, firmware, journal-logs, sysfs, procfs), also by labels of the image; pid and ipc of containers outside the app; options of a log driver that name a socket or a file of the host. Without it they are refused, and what runs stays. It guards against what gets in unnoticed, not against whoever writes documents: that one owns the device in any case (privileged, devices, cap_add, and the word host in network_mode, pid, ipc and uts need no permission). A target state keeps the rules of the Supervisor instead: no paths under volumes, all else passed on. Default: false. */
  allowHostBinds?: boolean;
  /** Access to registries, by host (with its port; docker.io for the hub). Default: what docker login left for the agent. */
  registries?: {
    [k: string]: {
      /** Name of a file in the folder secrets of the data folder, mode 0600: JSON with username and password, or one line username:password. */
      secret: string;
    };
  };
  /** How many Revisions are kept beside the present one; one that is needed to go back stays in any case. Default: 5. */
  revisionHistoryLimit?: number;
  /** When a release counts as good, and what happens when it is bad. */
  rollout?: {
    /** How long after its promotion every service has to be well, s. Downloads, waits for the update lock and times without engine or agent do not count. Default: 600, and besides as long as the services ask for themselves to stop, to hand over and to start (stop_grace_period, io.balena.update.handover-timeout, start_period). */
    progressDeadlineSeconds?: number;
    /** How long every service has to be well without a break, s. Default: 10, or as the agent was told (SUPERCARGO_MIN_READY). */
    minReadySeconds?: number;
    /** How often the container of a service may be restarted meanwhile. Default: 3. */
    maxRestarts?: number;
    /** When what is new is promoted, once its images are on the device. now: at once. window: while a window of rollout.window is open. reboot: with the first boot of the device that finds all its images. approval: when somebody has approved this very content (supercargo approve). An approval lets it go ahead in every case. Only new content waits: repairs, requests, a release that is gone back to, and what is begun do not, nor does a release where nothing runs, except for its approval. Default: window where there is one, else now. */
    apply?: 'now' | 'window' | 'reboot' | 'approval';
    /** When new content may be promoted. What was begun in it goes on to its end. */
    window?: {
      /** When a window opens: a cron expression of five fields, such as 0 2 * * 1-5. */
      cron: string;
      /** How long it stays open, 1m at least and 31d at most. Windows may overlap. */
      duration: string;
      /** Time zone of the cron expression, such as Europe/Berlin or UTC. An hour that a change of the clocks leaves out opens no window; one that comes twice opens it twice. Default: that of the agent. */
      timeZone?: string;
    };
    /** rollback: the last release that was good runs again, and the bad one is not tried again. hold: it stays as it is. Before the label io.supercargo.rollout.on-failure of a service. Default: rollback; hold for a target state of the Supervisor, in whatever way it came. */
    onFailure?: 'rollback' | 'hold';
  };
  /** true: the containers that docker compose keeps in the project of the name of the App are taken over, one service at a time, with their volumes and networks: theirs is stopped, and removed once ours is well; else theirs runs again. Once that is done it means nothing. Default: false; `supercargo adopt NAME` does it once. */
  adopt?: boolean;
  /** true: nothing of it is downloaded, repaired, rolled out or stopped, and requests are refused, until it is taken back. Default: false. */
  suspend?: boolean;
  /** What happens to the data of its volumes when the App is deleted: Retain keeps it, Delete destroys it. Default: Retain. */
  volumeReclaim?: 'Retain' | 'Delete';
}

/** What was observed; written by the App controller. */
export interface AppStatus {
  /** Generation of the spec that this status speaks of. */
  observedGeneration?: number;
  /** Ready, Reconciling and Stalled. */
  conditions?: Condition[];
  /** Number that it has in object names and in the compatible API. */
  appId?: number;
  /** How far the release has come. */
  phase?: 'Staging' | 'Waiting' | 'Locking' | 'Promoting' | 'Verifying' | 'Settled' | 'Suspended' | 'Removing';
  /** The release last completed: what a commit in the compatible API means. */
  release?: Release;
  /** That another revision runs than the one that is declared, and why; absent otherwise. It ends with a retry, and is quarantine when something else is declared. Cannot be rebuilt. */
  rollback?: {
    /** Name of the Revision that is refused: what is declared, or what was promoted before that while it waits for its time. */
    from: string;
    /** Name of the Revision that runs instead. */
    to: string;
    /** Why, as one word for programs: ByHand, or the reason of the Revision that is refused. */
    reason: string;
    /** The same as one sentence for people. */
    message: string;
    /** When that was decided, RFC 3339. */
    at: string;
    /**
     * What the container that failed printed last.
     *
     * Items: One line.
     */
    lastLines?: string[];
  };
  /** The last rollback, while something else is declared that has not been promoted: when its Revision is declared again, that is not tried, nor is another one that was bad. It ends with that promotion. Cannot be rebuilt. */
  quarantine?: {
    /** Name of the Revision that was refused. */
    from: string;
    /** Name of the Revision that was promoted instead. */
    to: string;
    /** Why, as one word for programs: ByHand, or the reason of the Revision that is refused. */
    reason: string;
    /** The same as one sentence for people. */
    message: string;
    /** When that was decided, RFC 3339. */
    at: string;
    /**
     * What the container that failed printed last.
     *
     * Items: One line.
     */
    lastLines?: string[];
  };
  /** What is to be promoted next and waits for its time (spec.rollout.apply); absent once it is begun. Cannot be rebuilt. */
  next?: {
    /** Name of the Revision that it will be. An approval is for this content and no other. */
    revision: string;
    /** Since when it is declared, as far as this agent has seen, RFC 3339. */
    since: string;
    /** Boot of the device that cannot promote it: rollout.apply is reboot. */
    bootId?: string;
    /** What it waits for now that its images are there: OutsideWindow, AwaitingReboot or AwaitingApproval; absent while they are not, and when it goes ahead. */
    reason?: string;
    /** When the window opens for which it waits, RFC 3339. */
    until?: string;
    /** Who has let it go ahead, and when. */
    approved?: {
      /** As the request said, and where it came from. */
      by: string;
      /** RFC 3339. */
      at: string;
    };
  };
  /** Name of the Revision that services have begun to make room for, before it was promoted; it goes on whatever it would wait for. Cannot be rebuilt. */
  promoting?: string;
  /** How far the take-over of containers has come that docker compose or somebody else has made; absent where none was begun. Cannot be rebuilt. */
  adoption?: {
    /** Of the request that asks for it; document-N where the document of generation N does. */
    id: string;
    /** TakingOver; TakenOver: it is over; Failed: theirs of a service runs again. */
    phase: 'TakingOver' | 'TakenOver' | 'Failed';
    /** Generation of the spec with which it was begun. */
    generation: number;
    /** When it was begun, RFC 3339. */
    at: string;
    /** Who asked for it. */
    by: string;
    /** The service that takes over containers that were named; absent for a whole project. */
    service?: string;
    /**
     * Those containers.
     *
     * Items: Name on the engine.
     */
    containers?: string[];
    /** Why it has failed. */
    message?: string;
  };
  /**
   * Optional services of the release whose contract this device does not meet; they do not run.
   *
   * Items: Name of the service.
   */
  leftOut?: string[];
  /** What the images of the services are, by service: name@sha256:… for one from a registry, else the id. */
  images?: {
    [k: string]: string;
  };
  /** The update lock: held by the agent, or blocked by the application. */
  lock?: {
    /** Held or Blocked. */
    state: 'Held' | 'Blocked';
    /** File of the application that blocks it. */
    blockedBy?: string;
  };
  /** Ids of requests that are being carried out, by request (restart, purge, stop): the lock was given for them. */
  begun?: {
    [k: string]: string;
  };
  /** Ids of requests that are acknowledged, by request (restart, purge, stop, start, cleanup, force, approve, adopt). Cannot be rebuilt. */
  handled?: {
    [k: string]: string;
  };
  /** Why the last request was acknowledged but not carried out, by request. */
  refused?: {
    [k: string]: {
      /** Locked: the application holds the update lock. Failed: anything else. */
      reason: 'Locked' | 'Failed';
      /** One sentence for people. */
      message: string;
    };
  };
}

/** What should be there. */
export interface ImageSpec {
  /** Name of the App document that it belongs to. */
  app: string;
  /** Image reference with its tag or digest. */
  image: string;
  /** Names of the services of the app that use it. */
  services: string[];
  /** false: it is not downloaded; it has to be built or loaded on the device (pull_policy: never). Default: true. */
  pull?: boolean;
  /** Since when no release wants it any more, RFC 3339; absent while one does. It is kept for a while, and not downloaded again should it go. */
  spareSince?: string;
}

/** What was observed; written by the Image controller. */
export interface ImageStatus {
  /** Generation of the spec that this status speaks of. */
  observedGeneration?: number;
  /** Ready, Reconciling and Stalled. */
  conditions?: Condition[];
  /** Where it is; absent while there is nothing of it. */
  state?: 'Downloading' | 'Downloaded' | 'Deleting';
  /** Percent, whole; only while downloading. In memory only. */
  downloadProgress?: number;
  /** Id on the engine, sha256:…, when it is local. */
  dockerImageId?: string;
  /** Digest of the manifest that the reference stood for when the image came from its registry, sha256:…; absent for one that was built or loaded here. */
  digest?: string;
  /** Release of the App for which it was resolved: as long as it is the same, a pull brings this very digest. Cannot be rebuilt. */
  resolvedFor?: string;
  /** The agent pulled it, so the agent may remove it. Cannot be rebuilt. */
  pulled?: boolean;
  /** Consecutive failed pulls. */
  failures?: number;
  /** How the last of them failed. */
  lastError?: string;
  /** When the next pull begins, RFC 3339; absent while one is under way. In memory only. */
  nextAttemptAt?: string;
}

/** What should be there. */
export interface NetworkSpec extends NetworkDefinition {
  /** Name of the App document that it belongs to; absent for the shared supervisor0. */
  app?: string;
  /** Number of the app. */
  appId?: number;
  /** Name of the network on the engine. */
  networkName: string;
}

/** What was observed; written by the Network controller. */
export interface NetworkStatus {
  /** Generation of the spec that this status speaks of. */
  observedGeneration?: number;
  /** Ready, Reconciling and Stalled. */
  conditions?: Condition[];
  /** Id on the engine; absent while there is none. */
  id?: string;
  /** Its definition changed: services step aside until it is gone and made again. */
  rebuilding?: boolean;
  /** Names of containers that are still attached while it waits. */
  attached?: string[];
  /** First gateway of its pools. */
  gateway?: string;
}

/** What should be there. */
export interface VolumeSpec extends VolumeDefinition {
  /** Name of the App document that it belongs to. */
  app: string;
  /** Number of the app, the prefix of the volume names. */
  appId: number;
  /** Uuid of the app, for the label of the volume. Default: none. */
  appUuid?: string;
  /** Name of the volume on the engine. */
  volumeName: string;
  /** What happens to the data when this document goes: Retain keeps it, Delete destroys it. */
  reclaim: 'Retain' | 'Delete';
}

/** What was observed; written by the Volume controller. */
export interface VolumeStatus {
  /** Generation of the spec that this status speaks of. */
  observedGeneration?: number;
  /** Ready, Reconciling and Stalled. */
  conditions?: Condition[];
  /** The volume exists on the engine. */
  present?: boolean;
  /** Path on the host at which its data is. */
  mountpoint?: string;
  /** Ids of its App's requests that are acknowledged (app.purge). Cannot be rebuilt. */
  handled?: {
    [k: string]: string;
  };
  /** Why the last request was acknowledged but not carried out, by request. */
  refused?: {
    [k: string]: {
      /** Locked: the application holds the update lock. Failed: anything else. */
      reason: 'Locked' | 'Failed';
      /** One sentence for people. */
      message: string;
    };
  };
}

/** What should run. */
export interface ServiceSpec extends ServiceFields {
  /** Name of the App document that it belongs to. */
  app: string;
  /** Name inside the app: first part of the container name and its alias on networks. Within an app, each service has its own, whether the App or a hand-written Service declares it. */
  serviceName: string;
  /** Number of the app. Default: taken from the App document. */
  appId?: number;
  /** Uuid of the app, the prefix of its network names. Default: taken from the App document. */
  appUuid?: string;
  /** Name of the app as its containers see it (BALENA_APP_NAME). Default: taken from the App document. */
  appName?: string;
  /** The release that it belongs to; part of the container name. Default: taken from the App document. */
  release?: Release;
  /** Names on the engine of those of its networks that have no usual one, by their names in the app. Default: taken from the App document. */
  networkNames?: {
    [k: string]: string;
  };
  /** Names on the engine of those of its volumes that have no usual one, by their names in the app. Default: taken from the App document. */
  volumeNames?: {
    [k: string]: string;
  };
  /** Whose meaning fields have that are left out, as in its App. Default: compose, which is filled in; supervisor for a Service of before that nobody has changed since. */
  defaults?: 'compose' | 'supervisor';
  /** Image reference. Without tag and digest the tag is latest; with a digest a tag has no meaning. */
  image: string;
  /** Number of the service in the compatible API. Default: made from the names of app and service. */
  serviceId?: number;
  /** Number of the image; part of the container name. Default: the serviceId. */
  imageId?: number;
  /** false: the container is made but not started, and stopped if it runs. Default: true. */
  running?: boolean;
  /** What the service requires of the device, as {type, slug, requires: […]}. */
  contract?: {
    [k: string]: unknown;
  };
}

/** What was observed; written by the Service controller. */
export interface ServiceStatus {
  /** Generation of the spec that this status speaks of. */
  observedGeneration?: number;
  /** Ready, Reconciling and Stalled. */
  conditions?: Condition[];
  /** State of the container on the engine (running, exited, created, restarting, paused, dead, removing), or Installing, Starting, Stopping while a step runs; absent without a container. */
  state?: string;
  /** Result of its healthcheck; absent without one. */
  health?: 'healthy' | 'unhealthy' | 'starting';
  /** Ports that it publishes now, written as in `ports`, with the port of the host that it really has, as in `49153:80`; absent while it publishes none. */
  ports?: string[];
  /** Exit code of its last run; absent while it runs. */
  exitCode?: number;
  /** How the last run of its container ended; absent before the first end. */
  lastExit?: {
    /** Exit code; absent when the engine had started it again before it was seen. */
    exitCode?: number;
    /** When it ended, by the clock of the engine; RFC 3339. */
    finishedAt: string;
    /** true: the agent stopped it. */
    requested?: boolean;
  };
  /** How often its container has been started again after an end that nobody had asked for; from 0 with every new container, absent while it is 0. Cannot be rebuilt. */
  restarts?: number;
  /**
   * When its restart policy last started it again, three times at most. Cannot be rebuilt.
   *
   * Items: RFC 3339.
   */
  recentRestarts?: string[];
  /** The longest of its runs that its restart policy began and that ended by themselves, s, since it was last started manually or ran for ten minutes; absent before the first. A crash loop is over when it has run for twice as long, in whole minutes, ten at most; a healthy container needs no whole minutes. Cannot be rebuilt. */
  longestRunSeconds?: number;
  /** Since when its container has been running without a break, by the clock of the engine; absent while it does not run. */
  runningSince?: string;
  /** Since when its healthcheck has been failing; absent while it is not unhealthy. Cannot be rebuilt. */
  unhealthySince?: string;
  /** How often the container was restarted because it was unhealthy; absent when it never was. Cannot be rebuilt. */
  unhealthyRestarts?: {
    /** Its id. Another container starts again at 0. */
    container: string;
    /** Number of these restarts of this container. */
    count: number;
    /** When the latest of them began, as many as the budget allows. */
    recent: string[];
    /** true: the budget is used up, and it is not restarted for this any more until it is healthy, was restarted for something else or by somebody, or has another budget. */
    exhausted?: boolean;
    /** When the run began in which the budget was used up, by the clock of the engine. Cannot be rebuilt. */
    run?: string;
    /** The budget that was used up, such as 5/300s. Cannot be rebuilt. */
    budget?: string;
  };
  /** Since when it has been restarting after failures, or three times within five minutes; absent again when it has run for 60 s or is healthy, or for longer where `longestRunSeconds` asks for it. Cannot be rebuilt. */
  crashLoopSince?: string;
  /** Its container, as last seen. */
  container?: {
    /** Id on the engine, 64 hex digits. */
    id: string;
    /** Name on the engine. */
    name: string;
    /** When it was made, RFC 3339 with milliseconds. */
    createdAt: string;
    /** When it was last started, RFC 3339. */
    startedAt?: string;
    /** How often its restart policy has started it again since it was last started manually, as the engine counts. */
    restartCount?: number;
    /** Image that it was made from, sha256:…. */
    image: string;
    /** Number of the image in its name. */
    imageId?: number;
    /** Number of the release in its name. */
    releaseId?: number;
    /** Uuid of the release in its name. */
    commit?: string;
  };
  /** The container that is still there while a new one takes its place; only during hand-over and rolling. */
  outgoing?: {
    /** Id on the engine, 64 hex digits. */
    id: string;
    /** Name on the engine. */
    name: string;
    /** When it was made, RFC 3339 with milliseconds. */
    createdAt: string;
    /** Image that it was made from, sha256:…. */
    image: string;
    /** Number of the image in its name. */
    imageId?: number;
    /** Number of the release in its name. */
    releaseId?: number;
    /** Uuid of the release in its name. */
    commit?: string;
    /** When it was last started, RFC 3339. */
    startedAt?: string;
    /** How often its restart policy has started it again since it was last started manually, as the engine counts. */
    restartCount?: number;
    /** How the last run of its container ended; absent before the first end. */
    lastExit?: {
      /** Exit code; absent when the engine had started it again before it was seen. */
      exitCode?: number;
      /** When it ended, by the clock of the engine; RFC 3339. */
      finishedAt: string;
      /** true: the agent stopped it. */
      requested?: boolean;
    };
    /** How often its container has been started again after an end that nobody had asked for; from 0 with every new container, absent while it is 0. Cannot be rebuilt. */
    restarts?: number;
    /**
     * When its restart policy last started it again, three times at most. Cannot be rebuilt.
     *
     * Items: RFC 3339.
     */
    recentRestarts?: string[];
    /** The longest of its runs that its restart policy began and that ended by themselves, s, since it was last started manually or ran for ten minutes; absent before the first. A crash loop is over when it has run for twice as long, in whole minutes, ten at most; a healthy container needs no whole minutes. Cannot be rebuilt. */
    longestRunSeconds?: number;
    /** Since when its container has been running without a break, by the clock of the engine; absent while it does not run. */
    runningSince?: string;
    /** Since when its healthcheck has been failing; absent while it is not unhealthy. Cannot be rebuilt. */
    unhealthySince?: string;
    /** Since when it has been restarting after failures, or three times within five minutes; absent again when it has run for 60 s or is healthy, or for longer where `longestRunSeconds` asks for it. Cannot be rebuilt. */
    crashLoopSince?: string;
  };
  /** The last replacement of its container by one of another definition or image. Cannot be rebuilt: what an agent did not see to the end has no downtime. */
  update?: {
    /** Strategy that was followed. */
    strategy: 'download-then-kill' | 'kill-then-download' | 'delete-then-download' | 'hand-over' | 'rolling';
    /** What differed. */
    because: string;
    /** What was done and seen, in order. */
    steps: {
      /** Stopping, Stopped, Removed, Created, Started, Signalled, TimedOut, Healthy, Steady, Introduced or Complete. */
      step: string;
      /** When, RFC 3339 with milliseconds. */
      at: string;
    }[];
    /** Milliseconds between the end of the old container and the start of the new one; 0 when both ran at once. Absent while it is not over, or not known. */
    downtimeMs?: number;
  };
  /** In which runs of other containers it lives, where it shares their network, PID or IPC namespace. When such a container is started again, this one is restarted. */
  joined?: {
    /** Id of the other container. */
    container: string;
    /** When that run of it began, RFC 3339. */
    startedAt: string;
    /** When this container was started, RFC 3339. */
    since: string;
    /** How often in a row it has been restarted because the other one was: until the end of a run of the other one that lasted a minute. */
    restarts?: number;
    /** When that run ended, where it did not last a minute; RFC 3339. */
    endedAt?: string;
  }[];
  /** Why its container was last made in the place of another one. Written once, when it has been made. Cannot be rebuilt: an agent that dies at that moment does not write it. */
  replaced?: {
    /** Name on the engine that it was made with. */
    container: string;
    /** Name of the one before; absent where that had been removed before. */
    previous?: string;
    /** What differed, or who asked for it. */
    because: string;
    /** When, RFC 3339 with milliseconds. */
    at: string;
    /** The Revision of its App that it was made of; absent for a service without one. */
    revision?: string;
    /** The fields in which that differs from what the one before was made of, as in `services.web.environment.MODE: "slow" → "fast"`, 20 at most. Secrets are masked. Absent when there is none, or when the revision before is not kept any more. */
    fields?: string[];
    /** Where it was declared, as far as that is known. */
    from: {
      /** Who declared it: files, api, local (a posted target state), git/NAME. */
      origin: string;
      /** The file in which it stood. */
      file?: string;
      /** Its line, from 1. */
      line?: number;
      /** Hash of the commit in git that brought it. */
      commit?: string;
      /** Name of the author of the commit. */
      author?: string;
      /** First line of the message of the commit. */
      subject?: string;
      /** Who sent it to the API: what the caller says of itself, and where it called from. */
      by?: string;
      /** true: it ran already when the agent began to keep revisions. */
      adopted?: boolean;
    };
  };
  /** The containers that docker compose or somebody else had made for it, as far as they are taken over. Cannot be rebuilt: it is the way back. */
  adoption?: {
    /** Of the adoption that its App says. */
    id: string;
    /** TakingOver: theirs is stopped, or about to be. TakenOver: theirs is gone. GoingBack: ours is to go. GivenBack: theirs is as it was. */
    phase: 'TakingOver' | 'TakenOver' | 'GoingBack' | 'GivenBack';
    /** When that began, RFC 3339. */
    at: string;
    /** Theirs, as they were. */
    containers?: {
      /** Id on the engine. */
      id: string;
      /** Name on the engine. */
      name: string;
      /** Whether it ran. */
      running: boolean;
      /** Its restart policy: no, always, unless-stopped, on-failure or on-failure:N. */
      restart: string;
    }[];
    /** Why theirs runs again. */
    message?: string;
  };
  /** The latest run of a service with a schedule: it goes on, or is over. Absent before the first. */
  lastRun?: {
    /** The second part of the name of its container. */
    runId: string;
    /** When it was due; absent for a run that somebody asked for. RFC 3339. */
    scheduledAt?: string;
    /** When it began, by the clock of the engine; absent when it did not. RFC 3339. */
    startedAt?: string;
    /** When it ended; absent while it goes on. RFC 3339. */
    finishedAt?: string;
    /** Its exit code; absent while it goes on, and when it did not begin. */
    exitCode?: number;
    /** true: it did not succeed: its exit code is not 0, it was stopped, or it could not begin. */
    failed?: boolean;
    /** Why the agent stopped it, or why it could not begin. Cannot be rebuilt. */
    because?: string;
    /** What it printed last, where it failed; values of its variables are left out. Cannot be rebuilt. */
    lastLines?: string[];
  };
  /** The runs whose containers are there, the latest first: what goes on, and the history. */
  runs?: {
    /** The second part of the name of its container. */
    runId: string;
    /** When it was due; absent for a run that somebody asked for. RFC 3339. */
    scheduledAt?: string;
    /** When it began, by the clock of the engine; absent when it did not. RFC 3339. */
    startedAt?: string;
    /** When it ended; absent while it goes on. RFC 3339. */
    finishedAt?: string;
    /** Its exit code; absent while it goes on, and when it did not begin. */
    exitCode?: number;
    /** true: it did not succeed: its exit code is not 0, it was stopped, or it could not begin. */
    failed?: boolean;
    /** Why the agent stopped it, or why it could not begin. Cannot be rebuilt. */
    because?: string;
    /** What it printed last, where it failed; values of its variables are left out. Cannot be rebuilt. */
    lastLines?: string[];
  }[];
  /** When its next run is due; RFC 3339. Absent for a service without a schedule, and while none is due. */
  nextRunAt?: string;
  /** How many runs were left out since it has its schedule: the device was off or asleep or its clock set forward, the App suspended, or another run was going on. Of a longer gap at most 100 are counted. Absent while it is 0. Cannot be rebuilt. */
  missed?: number;
  /** Which times of the schedule are dealt with, so that none runs twice when somebody sets the clock back. Cannot be rebuilt. */
  followed?: {
    /** The schedule that it speaks of, with its time zone. Another one is followed from when it is first seen. */
    schedule: string;
    /** Spans of time, their ends included; the one that was worked on last is the last. Eight at most. */
    spans: {
      /** Since when, RFC 3339. */
      from: string;
      /** Until when, RFC 3339. */
      to: string;
    }[];
  };
  /** Why the last step was taken. */
  lastAction?: {
    /** One CamelCase word for what was done. */
    reason: string;
    /** What differed. */
    because: string;
    /** When, RFC 3339. */
    at: string;
  };
  /** Ids of requests that are acknowledged, by request: its own (restart, stop, start, run) and its App's (app.restart, app.purge, app.stop, app.start). Cannot be rebuilt. */
  handled?: {
    [k: string]: string;
  };
  /** Why the last request was acknowledged but not carried out, by request. */
  refused?: {
    [k: string]: {
      /** Locked: the application holds the update lock. Failed: anything else. */
      reason: 'Locked' | 'Failed';
      /** One sentence for people. */
      message: string;
    };
  };
}

/** What should be set. */
export interface HostConfigSpec {
  /** device only: name of the device. Default: left as it is. */
  name?: string;
  /** device only: configuration variables such as BALENA_SUPERVISOR_DELTA or BALENA_HOST_CONFIG_gpu_mem, values as text. Default: none. */
  config?: {
    [k: string]: string;
  };
  /** device only: when the device may be restarted for settings that need it. never; auto: as soon as everything else has settled; window(CRON): like auto, in minutes that a cron expression matches, in the time zone of the agent, as in window(* 3 * * *). Default: auto. */
  reboot?: string;
  /** How a change of boot files or of the network has to prove itself. Unless it does within the deadline, what was there before comes back and the document is Stalled RolledBack. A document that is deleted before that takes the change with it. */
  confirm?: {
    /** Seconds, counted from the change or, where it needs one, from the start of the device after it. 0: no proof is asked for. Default: 600; 0 for documents of a posted target state. */
    deadlineSeconds?: number;
    /** Names of Apps that have to be Ready. Default: none. */
    apps?: string[];
    /** true: only the request confirm confirms. false: so do the API answering where it listened before, a default route when there was one before, and the apps being Ready, all at once. Default: false. */
    manual?: boolean;
  };
  /** network only: host name of the device (RFC 1123): letters, digits and hyphens, in parts of at most 63 between dots, at most 64 together. Empty or null: made from its uuid. Default: left as it is. */
  hostname?: string | null;
  /** network only: the transparent proxy. Empty or null: none. Default: left as it is. */
  proxy?: {
    /** socks4, socks5, http-connect or http-relay. */
    type?: string;
    /** Address or host name of the proxy. */
    ip?: string;
    /** Port of the proxy, from 1 to 65535. */
    port?: string | number;
    /** User name at the proxy. */
    login?: string;
    /** Password at the proxy. Secret: never shown. */
    password?: string;
    /** Name server reached through the proxy, as address:port; true is 8.8.8.8:53, false is none. */
    dns?: string | boolean;
    /** Addresses, subnets and host names that are reached directly. */
    noProxy?: string[];
    [k: string]: unknown;
  } | null;
}

/** What was observed; written by the HostConfig controller. */
export interface HostConfigStatus {
  /** Generation of the spec that this status speaks of. */
  observedGeneration?: number;
  /** Ready, Reconciling and Stalled. */
  conditions?: Condition[];
  /** network only: host name in the host's /etc/hostname. */
  hostname?: string;
  /** network only: the proxy in redsocks.conf, without its credentials; absent when there is none that is valid. */
  proxy?: {
    /** socks4, socks5, http-connect or http-relay. */
    type?: string;
    /** Address or host name of the proxy. */
    ip?: string;
    /** Port of the proxy. */
    port?: number;
    /** Name server behind the proxy, address:port. */
    dns?: string;
  };
  /** network only: entries of the no_proxy file. */
  noProxy?: string[];
  /** network only: files of the proxy were changed, and the services that read them have not been restarted since. Cannot be rebuilt. */
  restartDue?: boolean;
  /** network only: what does not take effect now, and when it will. */
  note?: string;
  /** device only: settings of the boot files. */
  boot?: {
    /** Applied: the files say what the document says. Differs: not yet, or they cannot. NotApplicable: this host has no boot partition of balenaOS. */
    state: 'Applied' | 'Differs' | 'NotApplicable';
    /** Boot files that this device has. */
    files?: string[];
    /** Variables of boot files that this device does not have. */
    notApplicable?: string[];
  };
  /** device only: what changed and takes effect at the next start of the device. */
  rebootRequired?: string[];
  /** A change that has to prove itself and has not yet. */
  trial?: {
    /** How long it may take, in seconds. */
    deadlineSeconds: number;
    /** What is missing. */
    waitsFor?: string[];
  };
  /** device only: names of variables that nobody here knows; they have no effect. */
  unknown?: string[];
  /** device only: names of variables whose value cannot be understood; their default counts. */
  invalid?: string[];
  /** device only: settings that this host cannot carry out, and why. */
  notes?: string[];
  /** Ids of requests that are acknowledged, by request (confirm). Cannot be rebuilt. */
  handled?: {
    [k: string]: string;
  };
  /** device only: what the device is. */
  system?: {
    /** Slug, such as raspberrypi4-64 or generic-amd64. */
    deviceType?: string;
    /** amd64, aarch64, armv7hf, rpi or i386. */
    arch?: string;
    /** PRETTY_NAME of the os-release. */
    osVersion?: string;
    /** VARIANT_ID of the os-release; without one, on balenaOS, dev or prod. */
    osVariant?: string;
    /** Release of the kernel. */
    kernel?: string;
    /** When the device was started, RFC 3339, as the clock then said. */
    bootedAt?: string;
    /** Addresses by which it is found in its networks. */
    addresses?: string[];
    /** Of its Ethernet interfaces. */
    macAddresses?: string[];
    /** Number of processors. */
    cpus?: number;
    /** As the kernel names it. */
    cpuModel?: string;
    /** Serial number of the board. */
    cpuId?: string;
    /** Memory. */
    memoryTotalMiB?: number;
    /** Block device of the data. */
    storageDevice?: string;
    /** Size of the file system of the data. */
    storageTotalMiB?: number;
  };
  /** device only: what changes all the time, in coarse steps. In memory only; absent with SUPERVISOR_HARDWARE_METRICS off. */
  metrics?: {
    /** Load of all processors; changes in steps of 20. */
    cpuUsagePercent?: number;
    /** Changes in steps of 5. */
    cpuTemperatureCelsius?: number;
    /** Changes in steps of 10. */
    memoryUsageMiB?: number;
    /** Of the file system of the data. */
    storageUsageMiB?: number;
    /** The kernel has complained of too little voltage. */
    isUndervolted?: boolean;
  };
}

/** Where the documents are, and how they are taken. */
export interface GitSourceSpec {
  /** Address of the repository: https://, ssh:// or user@host:path, file:// or the path of a bare repository on this device; http:// and git:// are not encrypted. It holds no credentials, and over https:// and http:// nothing behind ? or #. */
  url: string;
  /** Branch whose newest commit counts. At most one of branch, tag, commit and semver. Default: the one that the repository calls HEAD. */
  branch?: string;
  /** Tag that counts. */
  tag?: string;
  /** Commit that counts, by its whole hash. */
  commit?: string;
  /** Range of versions such as ^1.4 or >=2 <3: of the tags that are versions (v1.4.2, 1.4.2), the highest one in the range counts. */
  semver?: string;
  /** Folder or file in the repository; everything below it is read: documents, and folders that are Compose projects. Default: the whole repository. */
  path?: string;
  /** The same for several of them, instead of path. */
  paths?: string[];
  /** Files that are read, as globs against the path in the repository; a glob without / is matched against the name. Default: all of .yaml, .yml and .json. */
  include?: string[];
  /** Files that are left out, as globs like those of include; they win. */
  exclude?: string[];
  /** Time between two looks at the repository, at least 1s. Default: 5m, or none when there is a cron. */
  interval?: string;
  /** When to look, as a cron expression of five or six fields in the device's time zone; together with interval, or instead of it. */
  cron?: string;
  /** Longest time for one talk with the repository. Default: 5m. */
  timeout?: string;
  /** true: the repository is not looked at, and what it declared stays. Default: false. */
  suspend?: boolean;
  /** true: one bad document holds the whole commit back. false: bad documents keep their last version, the others are taken. Default: true. */
  atomic?: boolean;
  /** true: a branch or tag may be moved to a commit that does not contain the applied one. Default: false. */
  allowRewind?: boolean;
  /** true: documents in submodules below the path are read too; only over https and ssh. Default: false. */
  submodules?: boolean;
  /** How to log in: names of files in the folder secrets of the data folder. A file with a secret has mode 0600 and is no link. */
  credentials?: {
    /** File with a token or password for https. */
    token?: string;
    /** User name for https. Default: git. */
    username?: string;
    /** File with a private key for ssh, without a passphrase. */
    sshKey?: string;
    /** File with the host keys for ssh, in the format of known_hosts. Needed for ssh. */
    knownHosts?: string;
    /** File with the certificates (PEM) that sign the server's, instead of the system's. */
    ca?: string;
  };
  /** Whose signature the commit or tag must bear; without a good one nothing is taken. Default: none is needed. */
  verify?: {
    /** What must be signed: commit, or tag (an annotated one). Default: commit. */
    object?: 'commit' | 'tag';
    /** File in the folder secrets with the ssh keys that count, in the format of ssh-keygen's allowed signers. */
    allowedSigners?: string;
    /** File in the folder secrets with the GPG public keys that count. */
    keyring?: string;
  };
  /** What happens to documents that the repository no longer declares. */
  prune?: {
    /** false: they stay. Default: true, they are removed. */
    enabled?: boolean;
    /** A commit that would remove more than this part of what the source declares is held until it is confirmed. An empty or vanished path is always held. Default: 50. */
    maxPercent?: number;
    /** What happens when the source itself is removed: Delete removes what it declared, Keep leaves it. Default: Delete. */
    onRemoval?: 'Delete' | 'Keep';
  };
  /** Who may call /hooks/<name> without a key of the API. */
  webhook?: {
    /** File in the folder secrets with the secret that signs a call (GitHub, Gitea) or comes along as a token (GitLab, others). */
    secret: string;
  };
  /** Values for ${NAME} in the documents, and in Compose files where .env has none. */
  vars?: {
    [k: string]: string | number | boolean;
  };
  /** Secret values for ${NAME}, also in Compose files, from files in the folder secrets; only for the environment of services. */
  varsFrom?: {
    /** Name of the file: lines of NAME=value as in an env_file of Compose, unless name is given. Quoted values may go over several lines; a line that cannot be read is a failure. */
    file: string;
    /** Name of the one variable whose value is the whole file. */
    name?: string;
  }[];
  /** How documents that are encrypted with SOPS are read. */
  decryption?: {
    /** File in the folder secrets with the private key of age. */
    ageKey: string;
  };
  /** Branch to which this device pushes a file with its status. Default: none, nothing is pushed. */
  statusBranch?: string;
}

/** What was observed; written by the GitSource controller. */
export interface GitSourceStatus {
  /** Generation of the spec that this status speaks of. */
  observedGeneration?: number;
  /** Ready, Reconciling and Stalled. */
  conditions?: Condition[];
  /** The commit that the repository had last. */
  seen?: {
    /** Hash of the commit. */
    commit: string;
    /** Name of its author. */
    author?: string;
    /** First line of its message. */
    subject?: string;
    /** When it was committed, RFC 3339. */
    time?: string;
  };
  /** The commit whose signature was last found good. */
  verified?: {
    /** Hash of the commit. */
    commit: string;
    /** Name of its author. */
    author?: string;
    /** First line of its message. */
    subject?: string;
    /** When it was committed, RFC 3339. */
    time?: string;
    /** Who signed it. */
    by?: string;
  };
  /** The commit whose documents are in force. Cannot be rebuilt. */
  applied?: {
    /** Hash of the commit. */
    commit: string;
    /** Name of its author. */
    author?: string;
    /** First line of its message. */
    subject?: string;
    /** When it was committed, RFC 3339. */
    time?: string;
    /** What it was found by, such as branch main. */
    ref?: string;
    /** When its documents were taken, RFC 3339. */
    at?: string;
  };
  /** The documents in force, as Kind/name. */
  declares?: string[];
  /** Why the last try did not end well; absent when it did. */
  failure?: {
    /** One CamelCase word for programs. */
    reason: string;
    /** One sentence for people. */
    message: string;
    /** When it was first found, RFC 3339. */
    at: string;
    /** The commit that it is about. */
    commit?: string;
  };
  /** The commit that waits to be confirmed, because it removes much. */
  held?: {
    /** Hash of the commit. */
    commit: string;
    /** What it removes, as Kind/name. */
    removes: string[];
  };
  /** When the repository was last looked at, RFC 3339. In memory only. */
  checkedAt?: string;
  /** When it will be looked at next, RFC 3339. In memory only. */
  nextSyncAt?: string;
  /** The commit with this device's status on the status branch. */
  pushed?: string;
  /** Ids of requests that are acknowledged, by request (sync, confirm). Cannot be rebuilt. */
  handled?: {
    [k: string]: string;
  };
  /** Why the last request was acknowledged but not carried out, by request. */
  refused?: {
    [k: string]: {
      /** Failed. */
      reason: 'Locked' | 'Failed';
      /** One sentence for people. */
      message: string;
    };
  };
}

/** What was promoted. */
export interface RevisionSpec {
  /** Name of the App document that it belongs to. */
  app: string;
  /** Counts the promotions of the app, from 1. What is promoted again gets the next number. */
  number: number;
  /** When it was promoted last, RFC 3339. */
  promotedAt: string;
  /** Which release it is; null for an app without a release. */
  release?: {
    /** Uuid of the release. */
    commit: string;
    /** Number of the release. */
    id: number;
  } | null;
  /** Where it came from, as far as that is known. */
  from: {
    /** Who declared the App: files, api, local (a posted target state), git/NAME. */
    origin: string;
    /** The file in which it stood. */
    file?: string;
    /** Its line, from 1. */
    line?: number;
    /** Hash of the commit in git that brought the App as it was promoted. */
    commit?: string;
    /** Name of the author of the commit. */
    author?: string;
    /** First line of the message of the commit. */
    subject?: string;
    /** Who sent it to the API: what the caller says of itself, and where it called from. */
    by?: string;
    /** true: it ran already when the agent began to keep revisions. */
    adopted?: boolean;
  };
  /** What the image references stood for, by reference; those that were not on the device yet are left out. */
  images?: {
    [k: string]: {
      /** Id on the engine, sha256:…. */
      id: string;
      /** Digest in its registry, sha256:…; absent for one that was built or loaded here. */
      digest?: string;
    };
  };
  /** The networks, volumes and services, as they were declared. */
  documents: {
    /** Network, Volume or Service. */
    kind: 'Network' | 'Volume' | 'Service';
    /** Name of the document. */
    name: string;
    /** Its spec. */
    spec: {
      [k: string]: unknown;
    };
  }[];
  /** How the services of the app were when it was promoted, by name; one that was not there yet is left out. */
  servicesBefore?: {
    [k: string]: {
      /** Id of its container. */
      container?: string;
      /** How often that had been restarted by then; absent for never. */
      restarts?: number;
      /** true: it was not well, and is declared as in the last revision that was good, so that going back would not mend it. It does not count until it was well once. */
      ill?: boolean;
    };
  };
}

/** What came of it; written by the Revision controller. */
export interface RevisionStatus {
  /** Generation of the spec that this status speaks of. */
  observedGeneration?: number;
  /** Ready, Reconciling and Stalled. */
  conditions?: Condition[];
  /** Candidate: it is being looked at. Good: every service was well for the minimum time. Bad: it was not. Superseded: something else was promoted before that was known, or since. */
  phase?: 'Candidate' | 'Good' | 'Bad' | 'Superseded';
  /** Why, as one word for programs: Verifying, Verified, Replaced, ProgressDeadlineExceeded, or what the service says that is not well (CrashLoop, Unhealthy, Failed, …). */
  reason?: string;
  /** The same as one sentence for people. */
  message?: string;
  /** Number of the promotion that this status speaks of. Cannot be rebuilt. */
  attempt?: number;
  /**
   * What the container printed last that made it bad.
   *
   * Items: One line.
   */
  lastLines?: string[];
  /** When it was found good or bad, RFC 3339. */
  decidedAt?: string;
  /** When it was first found good, RFC 3339; absent for one that never was, or that was found bad since. Cannot be rebuilt. */
  goodSince?: string;
  /** Since when every service has been well while it is being looked at, RFC 3339. */
  readySince?: string;
  /** How much of the time until the deadline was used up, s. Downloads, waits for the update lock and times without an engine or an agent do not count. Cannot be rebuilt. */
  watchedSeconds?: number;
  /** When that was noted, RFC 3339. */
  watchedAt?: string;
  /**
   * Services that were not well before this promotion and have not been well since. Cannot be rebuilt.
   *
   * Items: Name of a service.
   */
  illBefore?: string[];
  /** Id of the image that each service ran when it was found good, by service: sha256:…. */
  images?: {
    [k: string]: string;
  };
  /** How long each service was down for it, ms, by service; services that went on are left out. */
  downtimeMs?: {
    [k: string]: number;
  };
}
