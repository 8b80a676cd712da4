/* Generated from crds/*.yaml by `npm run generate`; do not edit. */
import type { Kind } from './kinds.js';
import type { KindSchemas } from './render-schemas.js';
import type { Schema } from './validation.js';

type Fields = Readonly<Record<string, Schema>>;

const serviceFields: Fields = {
  image: { type: "string", title: "string (image reference such as registry.example.com/team/web:1.2)", description: "Image reference. Without tag and digest the tag is latest; beside a digest a tag says nothing.", pattern: "^((\\[[0-9A-Fa-f:]+\\]|[A-Za-z0-9.-]+)(:[0-9]+)?/)?[a-z0-9._-]+(/[a-z0-9._-]+)*(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@[A-Za-z0-9+._-]+:[0-9A-Fa-f]{32,128})?$", minLength: 1, maxLength: 255 },
  serviceId: { type: "integer", description: "Number of the service in the compatible API. Default: made from the names of app and service.", minimum: 0, maximum: 9007199254740991 },
  imageId: { type: "integer", description: "Number of the image; part of the container name. Default: the serviceId.", minimum: 0, maximum: 9007199254740991 },
  running: { type: "boolean", description: "false: the container is made but not started, and stopped if it runs. Default: true." },
  contract: { type: "object", description: "What the service requires of the device, as {type, slug, requires: […]}." },
  command: { type: ["string","array","null"], title: "string or list", description: "Arguments. A string is split as a shell would, without expanding variables and without running a shell; a list is taken as it is. Default: the Cmd of the image.", items: { type: "string" } },
  entrypoint: { type: ["string","array","null"], title: "string or list", description: "What is run, with command as its arguments; written like command. Setting it alone keeps the Cmd of the image. Default: the Entrypoint of the image.", items: { type: "string" } },
  environment: { type: ["object","array","null"], title: "map or list", description: "Variables, as a map or as a list of NAME=value. Numbers, true and false become text, null becomes empty. Default: none beside the injected ones and those of the image.", items: { type: "string", title: "string (NAME=value)", pattern: "^[^=]+(=|$)" }, additionalProperties: { type: ["string","number","boolean","null"], title: "string, number or boolean" } },
  labels: { type: ["object","array","null"], title: "map or list", description: "Labels of the container, as a map or as a list of name=value. Some are instructions: io.balena.features.*, io.balena.update.*. Default: none beside those of the image.", items: { type: "string", title: "string (name=value)", pattern: "^[^=]+(=|$)" }, additionalProperties: { type: ["string","number","boolean","null"], title: "string, number or boolean" } },
  hostname: { type: ["string","null"], description: "Host name inside the container. Default: the short container id; with network_mode host, that of the device.", maxLength: 255 },
  domainname: { type: ["string","null"], description: "Domain name inside the container. Default: none.", maxLength: 255 },
  mac_address: { type: ["string","null"], title: "string (MAC address such as 02:42:ac:11:00:02)", description: "MAC address on the main network. Default: chosen by the engine.", pattern: "^([0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5})?$" },
  user: { type: ["string","integer","null"], title: "string or integer", description: "User, or user:group, by name or number. Default: the User of the image, else root." },
  working_dir: { type: ["string","null"], description: "Folder in which the command starts. Default: the WorkingDir of the image, else /." },
  tty: { type: ["boolean","null"], description: "Give it a terminal. Default: true (unlike Compose)." },
  stop_signal: { type: ["string","integer","null"], title: "string or integer", description: "Signal that asks it to stop, by name or number. Default: the StopSignal of the image, else SIGTERM." },
  stop_grace_period: { type: ["string","number","null"], title: "string (duration such as 1m30s) or number", description: "Time between the stop signal and SIGKILL, in whole seconds, rounded down. A string such as 1m30s (ns us ms s m h d w); a bare number is MILLISECONDS. Default: 10s.", pattern: "^ *(0|( *([0-9]+(\\.[0-9]*)?|\\.[0-9]+) *(ns|us|µs|ms|s|m|h|d|w))+) *$", maxLength: 100, minimum: 0 },
  healthcheck: { type: ["object","null"], description: "How to find out whether it works. Fields that are left out come from the image. Default: that of the image, else none.", properties: {
    test: { type: ["string","array","null"], title: "string or list", description: "Command: a string for the shell of the container, or a list that begins with CMD, CMD-SHELL or NONE. Default: that of the image.", items: { type: "string" } },
    interval: { type: ["string","number","null"], title: "string (duration such as 1m30s) or number", description: "Time between two checks: a string such as 30s; a bare number is MILLISECONDS. Default: that of the image, else 30s.", pattern: "^ *(0|( *([0-9]+(\\.[0-9]*)?|\\.[0-9]+) *(ns|us|µs|ms|s|m|h|d|w))+) *$", maxLength: 100, minimum: 0 },
    timeout: { type: ["string","number","null"], title: "string (duration such as 1m30s) or number", description: "Time after which a check has failed: a string such as 5s; a bare number is MILLISECONDS. Default: that of the image, else 30s.", pattern: "^ *(0|( *([0-9]+(\\.[0-9]*)?|\\.[0-9]+) *(ns|us|µs|ms|s|m|h|d|w))+) *$", maxLength: 100, minimum: 0 },
    start_period: { type: ["string","number","null"], title: "string (duration such as 1m30s) or number", description: "Time at the start during which failures do not count: a string such as 1m; a bare number is MILLISECONDS. Default: that of the image, else 0s.", pattern: "^ *(0|( *([0-9]+(\\.[0-9]*)?|\\.[0-9]+) *(ns|us|µs|ms|s|m|h|d|w))+) *$", maxLength: 100, minimum: 0 },
    startPeriod: { type: ["string","number","null"], title: "string (duration such as 1m30s) or number", description: "Another spelling of start_period, as the Supervisor has it.", pattern: "^ *(0|( *([0-9]+(\\.[0-9]*)?|\\.[0-9]+) *(ns|us|µs|ms|s|m|h|d|w))+) *$", maxLength: 100, minimum: 0 },
    retries: { type: ["integer","null"], description: "Consecutive failures after which it is unhealthy. Default: that of the image, else 3.", minimum: 0 },
    disable: { type: ["boolean","null"], description: "true: no check, not even that of the image. Default: false." },
  }, additionalProperties: false },
  restart: { type: ["string","null"], title: "string (no, always, on-failure or unless-stopped)", description: "What the engine does when it exits: no, always, on-failure or unless-stopped. Retry counts (on-failure:3) are not supported. Default: always.", pattern: "^(no|always|on-failure|unless-stopped)$" },
  init: { type: ["boolean","null"], description: "Run a small init as process 1 that reaps children. Default: as the engine is configured." },
  read_only: { type: ["boolean","null"], description: "Its root file system cannot be written. Default: false." },
  privileged: { type: ["boolean","null"], description: "All capabilities and devices. Default: false." },
  cap_add: { type: ["array","null"], description: "Capabilities that it gets, such as NET_ADMIN. Default: none.", items: { type: "string" } },
  cap_drop: { type: ["array","null"], description: "Capabilities that it loses. Default: none.", items: { type: "string" } },
  security_opt: { type: ["array","null"], description: "Security options such as no-new-privileges; label=… is left out with a warning. Default: none.", items: { type: "string" } },
  group_add: { type: ["array","null"], description: "Further groups of its user, by name or number. Default: none.", items: { type: ["string","integer"], title: "string or integer" } },
  devices: { type: ["array","null"], description: "Devices of the host, each host[:container[:permissions]]; the container path is that of the host and the permissions are rwm when left out. Default: none.", items: { type: "string", title: "string (device such as /dev/ttyUSB0:/dev/modem:rw)", pattern: "^[^:]+(:[^:]+(:[rwm]+)?)?$", maxLength: 4096 } },
  ulimits: { type: ["object","null"], description: "Resource limits by name, such as nofile; a number is both soft and hard. -1 means unlimited. Default: those of the engine.", additionalProperties: { type: ["integer","object"], title: "integer or map", required: ["soft","hard"], properties: {
    soft: { type: "integer", description: "Limit that applies." },
    hard: { type: "integer", description: "Up to where the process may raise it." },
  }, additionalProperties: false } },
  sysctls: { type: ["object","array","null"], title: "map or list", description: "Kernel settings of its namespaces, as a map or as a list of name=value. Default: none.", items: { type: "string", title: "string (name=value)", pattern: "^[^=]+=" }, additionalProperties: { type: ["string","number"], title: "string or number" } },
  tmpfs: { type: ["string","array","null"], title: "string or list", description: "Paths that are kept in memory. Default: none.", items: { type: "string", minLength: 1 } },
  volumes: { type: ["array","null"], description: "What is mounted: name:/path[:mode] for a volume of the app, /path for an anonymous one, or the long form. Paths of the host cannot be mounted; such entries are left out with a warning. Default: none beside the folder of the update lock.", items: { type: ["string","object"], title: "string (volume such as data:/var/lib/data) or map", required: ["type","target"], minLength: 1, properties: {
    type: { type: "string", description: "volume, tmpfs or bind. A bind of a host path is left out with a warning.", enum: ["volume","tmpfs","bind"] },
    source: { type: ["string","null"], description: "Name of the volume; absent for an anonymous one and for tmpfs." },
    target: { type: "string", description: "Path inside the container.", minLength: 1 },
    read_only: { type: ["boolean","null"], description: "It cannot be written. Default: false." },
    readOnly: { type: ["boolean","null"], description: "Another spelling of read_only, as the Supervisor has it." },
    volume: { type: ["object","null"], description: "Options of type volume.", properties: {
      nocopy: { type: ["boolean","null"], description: "Do not fill a new volume from the image. Default: false." },
    }, additionalProperties: false },
    bind: { type: ["object","null"], description: "Options of type bind.", properties: {
      propagation: { type: ["string","null"], description: "How mounts travel between host and container, such as rprivate." },
    }, additionalProperties: false },
    tmpfs: { type: ["object","null"], description: "Options of type tmpfs.", properties: {
      size: { type: ["integer","null"], description: "Limit in bytes. Default: none.", minimum: 0 },
    }, additionalProperties: false },
  }, additionalProperties: false } },
  ports: { type: ["array","null"], description: "Published ports: [ip:][host[-end]:]container[-end][/tcp|/udp], a number, or the long form. Without a host port the same number is used. Ranges must be equally long. Default: none.", items: { type: ["string","integer","object"], title: "string (port such as 8080:80 or 127.0.0.1:5353:53/udp), integer or map", required: ["target"], pattern: "^([0-9A-Fa-f.:]+:)?([0-9]+(-[0-9]+)?:)?[0-9]+(-[0-9]+)?(/(tcp|udp))?$", maxLength: 100, minimum: 1, maximum: 65535, properties: {
    target: { type: ["string","integer"], title: "string (port such as 80 or 8000-8010) or integer", description: "Port inside the container, or a range of ports as a string.", pattern: "^[0-9]+(-[0-9]+)?$", minimum: 1, maximum: 65535 },
    published: { type: ["string","integer","null"], title: "string (port such as 80 or 8000-8010) or integer", description: "Port of the host, or a range as long as that of target. Default: target.", pattern: "^[0-9]+(-[0-9]+)?$", minimum: 1, maximum: 65535 },
    host_ip: { type: ["string","null"], title: "string (IP address)", description: "Address of the host. Default: all of them.", pattern: "^[0-9A-Fa-f.:]*$" },
    protocol: { type: ["string","null"], title: "string (tcp or udp)", description: "tcp or udp. Default: tcp.", pattern: "^(tcp|udp)$" },
    mode: { type: ["string","null"], description: "Accepted for files written for Compose; has no effect here." },
  }, additionalProperties: false } },
  network_mode: { type: ["string","null"], title: "string (network mode)", description: "host, none or bridge; service:<name> to share the network of another service of the app; or a network of the app. Default: the first of networks, else the network default.", maxLength: 300 },
  networks: { type: ["array","object","null"], title: "list or map", description: "Networks of the app that it joins, as a list of names or as a map of name to options; the first one is its main network. Default: the network default.", items: { type: "string", title: "string (name)", pattern: "^[A-Za-z0-9][A-Za-z0-9_.-]*$", maxLength: 255 }, additionalProperties: { type: ["object","null"], properties: {
    aliases: { type: ["array","null"], description: "Names by which others on the network find it, beside the service name. Default: none.", items: { type: "string" } },
    ipv4_address: { type: ["string","null"], description: "Fixed IPv4 address. Default: chosen by the engine." },
    ipv6_address: { type: ["string","null"], description: "Fixed IPv6 address. Default: chosen by the engine." },
    link_local_ips: { type: ["array","null"], description: "Link-local addresses. Default: none.", items: { type: "string" } },
  }, additionalProperties: false } },
  dns: { type: ["string","array","null"], title: "string or list", description: "Name servers, in order. Default: those of the engine.", items: { type: "string" } },
  dns_search: { type: ["string","array","null"], title: "string or list", description: "Search domains, in order. Default: those of the engine.", items: { type: "string" } },
  dns_opt: { type: ["array","null"], description: "Resolver options such as ndots:2. Default: none.", items: { type: "string" } },
  extra_hosts: { type: ["array","object","null"], title: "list or map", description: "Lines for /etc/hosts, as a list of host:address or host=address, or as a map of host to address. Default: none.", items: { type: "string", title: "string (host:address)", pattern: "^[^:=]+[:=]" }, additionalProperties: { type: "string" } },
  pid: { type: ["string","null"], description: "PID namespace: host, or empty for its own. Default: its own." },
  ipc: { type: ["string","null"], description: "IPC namespace: shareable, private, host or none. Default: shareable." },
  userns_mode: { type: ["string","null"], description: "User namespace: host, or empty as the engine is configured. Default: empty." },
  cgroup_parent: { type: ["string","null"], description: "Control group under which it runs. Default: chosen by the engine." },
  pids_limit: { type: ["integer","null"], description: "Number of processes it may have; 0 or less means no limit. Default: 0." },
  cpus: { type: ["string","number","null"], title: "string (number such as 0.5) or number", description: "Number of CPUs it may use, fractions allowed, as a number or a string. 0 means no limit. Default: 0.", pattern: "^([0-9]+(\\.[0-9]*)?|\\.[0-9]+)$", minimum: 0 },
  cpu_shares: { type: ["string","integer","null"], title: "string (integer) or integer", description: "Weight against other containers when CPUs are busy; 0 means the default of the engine, 1024. Default: 0.", pattern: "^[0-9]+$", minimum: 0 },
  cpu_quota: { type: ["string","integer","null"], title: "string (integer) or integer", description: "Microseconds of CPU time in each period of 100 ms; 0 means no limit. Not together with cpus. Default: 0.", pattern: "^-?[0-9]+$" },
  cpuset: { type: ["string","integer","null"], title: "string or integer", description: "CPUs it may run on, such as 0-2,4. Default: all." },
  mem_limit: { type: ["string","integer","null"], title: "string (size such as 512m) or integer", description: "Memory it may use, in bytes or with a unit of 1024 (b k m g). 0 means no limit. Default: 0.", pattern: "^[0-9]+([bBkKmMgG][bB]?)?$", minimum: 0 },
  mem_reservation: { type: ["string","integer","null"], title: "string (size such as 512m) or integer", description: "Memory it is held to when the device runs short, in bytes or with a unit of 1024 (b k m g). 0 means none. Default: 0.", pattern: "^[0-9]+([bBkKmMgG][bB]?)?$", minimum: 0 },
  shm_size: { type: ["string","integer","null"], title: "string (size such as 512m) or integer", description: "Size of /dev/shm, in bytes or with a unit of 1024 (b k m g). Default: 64m.", pattern: "^[0-9]+([bBkKmMgG][bB]?)?$", minimum: 0 },
  oom_kill_disable: { type: ["boolean","null"], description: "The kernel does not kill it when memory runs out. Default: false." },
  oom_score_adj: { type: ["string","integer","null"], title: "string (integer) or integer", description: "How readily the kernel kills it when memory runs out, from -1000 (never) to 1000. Default: 0.", pattern: "^-?[0-9]+$", minimum: -1000, maximum: 1000 },
  depends_on: { type: ["array","object","null"], title: "list or map", description: "Services of the app that are started first, as a list of names or as a map of name to condition. Default: none.", items: { type: "string", title: "string (name)", pattern: "^[A-Za-z0-9][A-Za-z0-9_.-]*$", maxLength: 255 }, additionalProperties: { type: ["object","null"], properties: {
    condition: { type: ["string","null"], description: "service_started, service_healthy or service_completed_successfully. Default: service_started.", enum: ["service_started","service_healthy","service_completed_successfully",null] },
    required: { type: ["boolean","null"], description: "false: do not wait for it if it cannot run. Default: true." },
    restart: { type: ["boolean","null"], description: "Accepted for files written for Compose; a service is not restarted with its dependency. Default: false." },
  }, additionalProperties: false } },
  storage_opt: { type: ["object","null"], description: "Accepted because the Supervisor accepts it; never sent to the engine. Default: none.", additionalProperties: { type: ["string","number","boolean","null"], title: "string, number or boolean" } },
};

const networkDefinition: Fields = {
  driver: { type: "string", description: "Network driver. Default: bridge." },
  driver_opts: { type: "object", description: "Options of the driver. Default: none.", additionalProperties: { type: "string" } },
  ipam: { type: "object", description: "How addresses are given. Default: chosen by the engine.", properties: {
    driver: { type: "string", description: "Address driver. Default: default." },
    options: { type: "object", description: "Options of the address driver. Default: none.", additionalProperties: { type: "string" } },
    config: { type: "array", description: "Address pools. Default: one, chosen by the engine.", items: { type: "object", properties: {
      subnet: { type: "string", title: "string (subnet such as 172.28.0.0/16)", description: "Addresses of the network, such as 172.28.0.0/16.", pattern: "^[0-9A-Fa-f.:]+/[0-9]{1,3}$" },
      gateway: { type: "string", title: "string (IP address)", description: "Address of the gateway, such as 172.28.0.1.", pattern: "^[0-9A-Fa-f.:]+$" },
      ip_range: { type: "string", title: "string (subnet such as 172.28.5.0/24)", description: "Part of the subnet from which containers get addresses, such as 172.28.5.0/24.", pattern: "^[0-9A-Fa-f.:]+/[0-9]{1,3}$" },
      aux_addresses: { type: "object", description: "Addresses of other hosts that containers do not get, by host name.", additionalProperties: { type: "string" } },
    }, additionalProperties: false } },
  }, additionalProperties: false },
  enable_ipv6: { type: "boolean", description: "Give out IPv6 addresses as well. Default: false." },
  internal: { type: "boolean", description: "No way out of the network. Default: false." },
  labels: { type: "object", description: "Labels of the network on the engine. Default: none beside those of the agent.", additionalProperties: { type: "string" } },
  config_only: { type: "boolean", description: "Holds a configuration only and makes no bridge. Default: false." },
};

const volumeDefinition: Fields = {
  driver: { type: "string", description: "Volume driver. Default: local." },
  driver_opts: { type: "object", description: "Options of the driver. Default: none.", additionalProperties: { type: "string" } },
  labels: { type: "object", description: "Labels of the volume on the engine. Default: none beside those of the agent.", additionalProperties: { type: "string" } },
};

const runtimeStatus: Fields = {
  observedGeneration: { type: "integer", description: "Generation of the spec that this status speaks of." },
  conditions: { type: "array", description: "Ready, Reconciling and Stalled.", items: { type: "object", required: ["type","status","reason","message","lastTransitionTime","observedGeneration"], properties: {
    type: { type: "string", description: "Ready, Reconciling or Stalled." },
    status: { type: "string", description: "Whether it holds.", enum: ["True","False","Unknown"] },
    reason: { type: "string", description: "One CamelCase word for programs." },
    message: { type: "string", description: "One sentence for people." },
    lastTransitionTime: { type: "string", description: "When status last changed, RFC 3339." },
    observedGeneration: { type: "integer", description: "Generation of the spec that it speaks of." },
  }, additionalProperties: false } },
};

/** What each kind's CRD says: schemas of spec and status, descriptions, columns. */
export const SCHEMAS: Readonly<Record<Kind, Omit<KindSchemas, 'kind'>>> = {
  App: {
    description: "A whole application and its release: services, networks and volumes.",
    shortNames: ["scapp"],
    columns: [
      {"name":"Phase","type":"string","jsonPath":".status.phase"},
      {"name":"Release","type":"string","jsonPath":".status.release.commit"},
      {"name":"Ready","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].status"},
      {"name":"Reason","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].reason"},
      {"name":"AppId","type":"integer","jsonPath":".status.appId","priority":1},
      {"name":"Lock","type":"string","jsonPath":".status.lock.state","priority":1},
      {"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"},
    ],
    spec: { type: "object", description: "What should run.", properties: {
      appId: { type: "integer", description: "Number in object names and in the compatible API. Default: made from metadata.name.", minimum: 1, maximum: 9007199254740991 },
      uuid: { type: "string", title: "string (name)", description: "Prefix of the names of its networks. Default: the appId as text.", pattern: "^[A-Za-z0-9][A-Za-z0-9_.-]*$", maxLength: 255 },
      name: { type: "string", title: "string (one line)", description: "Shown to people and clients, and to containers as BALENA_APP_NAME. Default: metadata.name.", pattern: "^[^\\r\\n]*$", minLength: 1, maxLength: 255 },
      release: { type: ["object","null"], description: "Which release this is; part of the container names. null: an app without a release, nothing runs. Default: {commit: local, id: 1}.", required: ["commit","id"], properties: {
        commit: { type: "string", title: "string (letters, digits, _ . -)", description: "Uuid of the release.", pattern: "^[A-Za-z0-9_.-]+$", minLength: 1, maxLength: 255 },
        id: { type: "integer", description: "Number of the release.", minimum: 0, maximum: 9007199254740991 },
      }, additionalProperties: false },
      services: { type: "object", description: "Its containers, by name. Default: none.", additionalProperties: { type: "object", required: ["image"], properties: {
        ...serviceFields,
      }, additionalProperties: false } },
      volumes: { type: "object", description: "Its volumes, by name; empty for one with nothing special. Default: none.", additionalProperties: { type: ["object","null"], properties: {
        ...volumeDefinition,
      }, additionalProperties: false } },
      networks: { type: "object", description: "Its networks, by name; empty for one with nothing special. A network default is there in any case. Default: none.", additionalProperties: { type: ["object","null"], properties: {
        ...networkDefinition,
      }, additionalProperties: false } },
      volumeReclaim: { type: "string", description: "What happens to the data of its volumes when the App is deleted: Retain keeps it, Delete destroys it. Default: Retain.", enum: ["Retain","Delete"] },
    }, additionalProperties: false },
    status: { type: "object", description: "What was observed; written by the App controller.", properties: {
      ...runtimeStatus,
      appId: { type: "integer", description: "Number that it has in object names and in the compatible API." },
      phase: { type: "string", description: "How far the release has come.", enum: ["Staging","Locking","Promoting","Verifying","Settled","Removing"] },
      release: { type: "object", description: "The release last completed: what a commit in the compatible API means.", required: ["commit","id"], properties: {
        commit: { type: "string", description: "Uuid of the release." },
        id: { type: "integer", description: "Number of the release." },
      }, additionalProperties: false },
      lock: { type: "object", description: "The update lock: held by the agent, or blocked by the application.", required: ["state"], properties: {
        state: { type: "string", description: "Held or Blocked.", enum: ["Held","Blocked"] },
        blockedBy: { type: "string", description: "File of the application that blocks it." },
      }, additionalProperties: false },
      handled: { type: "object", description: "Ids of requests that were carried out, by request (restart, purge, force, …). Cannot be rebuilt.", additionalProperties: { type: "string" } },
    }, additionalProperties: false },
  },
  Image: {
    description: "An image that services of an app need.",
    shortNames: ["scimg"],
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
    spec: { type: "object", description: "What should be there.", required: ["app","image","services"], properties: {
      app: { type: "string", title: "string (name)", description: "Name of the App document that it belongs to.", pattern: "^[A-Za-z0-9][A-Za-z0-9_.-]*$", maxLength: 253 },
      image: { type: "string", title: "string (image reference such as registry.example.com/team/web:1.2)", description: "Image reference with its tag or digest.", pattern: "^((\\[[0-9A-Fa-f:]+\\]|[A-Za-z0-9.-]+)(:[0-9]+)?/)?[a-z0-9._-]+(/[a-z0-9._-]+)*(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@[A-Za-z0-9+._-]+:[0-9A-Fa-f]{32,128})?$", minLength: 1, maxLength: 255 },
      services: { type: "array", description: "Names of the services of the app that use it.", items: { type: "string" } },
    }, additionalProperties: false },
    status: { type: "object", description: "What was observed; written by the Image controller.", properties: {
      ...runtimeStatus,
      state: { type: "string", description: "Where it is; absent while there is nothing of it.", enum: ["Downloading","Downloaded","Deleting"] },
      downloadProgress: { type: "integer", description: "Percent, whole; only while downloading. In memory only.", minimum: 0, maximum: 100 },
      dockerImageId: { type: "string", description: "Id on the engine, sha256:…, when it is local." },
      pulled: { type: "boolean", description: "The agent pulled it, so the agent may remove it. Cannot be rebuilt." },
      failures: { type: "integer", description: "Consecutive failed pulls.", minimum: 0 },
    }, additionalProperties: false },
  },
  Network: {
    description: "A network over which the services of an app talk.",
    shortNames: ["scnet"],
    columns: [
      {"name":"App","type":"string","jsonPath":".spec.app"},
      {"name":"Ready","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].status"},
      {"name":"Reason","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].reason"},
      {"name":"Network","type":"string","jsonPath":".spec.networkName","priority":1},
      {"name":"Gateway","type":"string","jsonPath":".status.gateway","priority":1},
      {"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"},
    ],
    spec: { type: "object", description: "What should be there.", required: ["networkName"], properties: {
      app: { type: "string", title: "string (name)", description: "Name of the App document that it belongs to; absent for the shared supervisor0.", pattern: "^[A-Za-z0-9][A-Za-z0-9_.-]*$", maxLength: 253 },
      appId: { type: "integer", description: "Number of the app.", minimum: 1, maximum: 9007199254740991 },
      networkName: { type: "string", title: "string (name)", description: "Name of the network on the engine.", pattern: "^[A-Za-z0-9][A-Za-z0-9_.-]*$", maxLength: 512 },
      ...networkDefinition,
    }, additionalProperties: false },
    status: { type: "object", description: "What was observed; written by the Network controller.", properties: {
      ...runtimeStatus,
      id: { type: "string", description: "Id on the engine; absent while there is none." },
      rebuilding: { type: "boolean", description: "Its definition changed: services step aside until it is gone and made again." },
      attached: { type: "array", description: "Names of containers that are still attached while it waits.", items: { type: "string" } },
      gateway: { type: "string", description: "First gateway of its pools." },
    }, additionalProperties: false },
  },
  Volume: {
    description: "Data of an app that outlives its containers.",
    shortNames: ["scvol"],
    columns: [
      {"name":"App","type":"string","jsonPath":".spec.app"},
      {"name":"Reclaim","type":"string","jsonPath":".spec.reclaim"},
      {"name":"Present","type":"boolean","jsonPath":".status.present"},
      {"name":"Ready","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].status"},
      {"name":"Reason","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].reason"},
      {"name":"Volume","type":"string","jsonPath":".spec.volumeName","priority":1},
      {"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"},
    ],
    spec: { type: "object", description: "What should be there.", required: ["app","appId","volumeName","reclaim"], properties: {
      app: { type: "string", title: "string (name)", description: "Name of the App document that it belongs to.", pattern: "^[A-Za-z0-9][A-Za-z0-9_.-]*$", maxLength: 253 },
      appId: { type: "integer", description: "Number of the app, the prefix of the volume names.", minimum: 1, maximum: 9007199254740991 },
      appUuid: { type: "string", title: "string (name)", description: "Uuid of the app, for the label of the volume. Default: none.", pattern: "^[A-Za-z0-9][A-Za-z0-9_.-]*$", maxLength: 255 },
      volumeName: { type: "string", title: "string (name)", description: "Name of the volume on the engine.", pattern: "^[A-Za-z0-9][A-Za-z0-9_.-]*$", maxLength: 512 },
      reclaim: { type: "string", description: "What happens to the data when this document goes: Retain keeps it, Delete destroys it.", enum: ["Retain","Delete"] },
      ...volumeDefinition,
    }, additionalProperties: false },
    status: { type: "object", description: "What was observed; written by the Volume controller.", properties: {
      ...runtimeStatus,
      present: { type: "boolean", description: "The volume exists on the engine." },
      mountpoint: { type: "string", description: "Path on the host at which its data is." },
    }, additionalProperties: false },
  },
  Service: {
    description: "One container of an app.",
    shortNames: ["scsvc"],
    columns: [
      {"name":"App","type":"string","jsonPath":".spec.app"},
      {"name":"State","type":"string","jsonPath":".status.state"},
      {"name":"Health","type":"string","jsonPath":".status.health"},
      {"name":"Ready","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].status"},
      {"name":"Reason","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].reason"},
      {"name":"Image","type":"string","jsonPath":".spec.image","priority":1},
      {"name":"Container","type":"string","jsonPath":".status.container.name","priority":1},
      {"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"},
    ],
    spec: { type: "object", description: "What should run.", required: ["app","serviceName","image"], properties: {
      app: { type: "string", title: "string (name)", description: "Name of the App document that it belongs to.", pattern: "^[A-Za-z0-9][A-Za-z0-9_.-]*$", maxLength: 253 },
      serviceName: { type: "string", title: "string (name)", description: "Name inside the app: first part of the container name and its alias on networks.", pattern: "^[A-Za-z0-9][A-Za-z0-9_.-]*$", maxLength: 255 },
      appId: { type: "integer", description: "Number of the app. Default: taken from the App document.", minimum: 1, maximum: 9007199254740991 },
      appUuid: { type: "string", title: "string (name)", description: "Uuid of the app, the prefix of its network names. Default: taken from the App document.", pattern: "^[A-Za-z0-9][A-Za-z0-9_.-]*$", maxLength: 255 },
      appName: { type: "string", title: "string (one line)", description: "Name of the app as its containers see it (BALENA_APP_NAME). Default: taken from the App document.", pattern: "^[^\\r\\n]*$", minLength: 1, maxLength: 255 },
      release: { type: "object", description: "The release that it belongs to; part of the container name. Default: taken from the App document.", required: ["commit","id"], properties: {
        commit: { type: "string", title: "string (letters, digits, _ . -)", description: "Uuid of the release.", pattern: "^[A-Za-z0-9_.-]+$", minLength: 1, maxLength: 255 },
        id: { type: "integer", description: "Number of the release.", minimum: 0, maximum: 9007199254740991 },
      }, additionalProperties: false },
      ...serviceFields,
    }, additionalProperties: false },
    status: { type: "object", description: "What was observed; written by the Service controller.", properties: {
      ...runtimeStatus,
      state: { type: "string", description: "State of the container on the engine (running, exited, created, restarting, paused, dead, removing), or Installing, Starting, Stopping while a step runs; absent without a container." },
      health: { type: "string", description: "Result of its healthcheck; absent without one.", enum: ["healthy","unhealthy","starting"] },
      exitCode: { type: "integer", description: "Exit code of its last run; absent while it runs." },
      container: { type: "object", description: "Its container, as last seen.", required: ["id","name","createdAt","image"], properties: {
        id: { type: "string", description: "Id on the engine, 64 hex digits." },
        name: { type: "string", description: "Name on the engine." },
        createdAt: { type: "string", description: "When it was made, RFC 3339 with milliseconds." },
        startedAt: { type: "string", description: "When it was last started, RFC 3339." },
        image: { type: "string", description: "Image that it was made from, sha256:…." },
        imageId: { type: "integer", description: "Number of the image in its name." },
        releaseId: { type: "integer", description: "Number of the release in its name." },
        commit: { type: "string", description: "Uuid of the release in its name." },
      }, additionalProperties: false },
      lastAction: { type: "object", description: "Why the last step was taken.", required: ["reason","because","at"], properties: {
        reason: { type: "string", description: "One CamelCase word for what was done." },
        because: { type: "string", description: "What differed." },
        at: { type: "string", description: "When, RFC 3339." },
      }, additionalProperties: false },
      handled: { type: "object", description: "Ids of requests that were carried out, by request (restart, stop, start, …). Cannot be rebuilt.", additionalProperties: { type: "string" } },
    }, additionalProperties: false },
  },
  HostConfig: {
    description: "Settings of the device itself. Two documents: device (name, configuration variables) and network (hostname, proxy).",
    shortNames: ["schost"],
    columns: [
      {"name":"Ready","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].status"},
      {"name":"Reason","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].reason"},
      {"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"},
    ],
    spec: { type: "object", description: "What should be set.", properties: {
      name: { type: "string", title: "string (one line)", description: "device only: name of the device. Default: left as it is.", pattern: "^[^\\r\\n]*$", minLength: 1, maxLength: 255 },
      config: { type: "object", description: "device only: configuration variables such as BALENA_SUPERVISOR_DELTA or BALENA_HOST_CONFIG_gpu_mem, values as text. Default: none.", additionalProperties: { type: "string" } },
      hostname: { type: ["string","null"], description: "network only: host name of the device. Empty or null: made from its uuid. Default: left as it is.", maxLength: 255 },
      proxy: { type: ["object","null"], description: "network only: the transparent proxy. Empty or null: none. Default: left as it is.", properties: {
        type: { type: "string", description: "socks4, socks5, http-connect or http-relay." },
        ip: { type: "string", description: "Address or host name of the proxy." },
        port: { type: ["string","integer"], title: "string (integer) or integer", description: "Port of the proxy." },
        login: { type: "string", description: "User name at the proxy." },
        password: { type: "string", description: "Password at the proxy. Secret: never shown." },
        dns: { type: ["string","boolean"], title: "string (address such as 8.8.8.8:53) or boolean", description: "Name server reached through the proxy, as address:port; true is 8.8.8.8:53, false is none.", pattern: "^.+:[0-9]+$", maxLength: 255 },
        noProxy: { type: "array", description: "Addresses and subnets that are reached directly.", items: { type: "string" } },
      } },
    }, additionalProperties: false },
    status: { type: "object", description: "What was observed; written by the HostConfig controller.", properties: {
      ...runtimeStatus,
    }, additionalProperties: false },
  },
};
