/** Where supercargo means to differ from `balena-supervisor` 19.0.5 in what a service document means, and why. */
export interface Deviation {
  /** Vectors of `vectors.ts` that come out differently; none where the vectors do not reach. */
  readonly vectors: readonly string[];
  readonly field: string;
  readonly supervisor: string;
  readonly here: string;
  readonly because: string;
}

export const deviations: readonly Deviation[] = [
  {
    vectors: ['E06'],
    field: 'cpus',
    supervisor: 'a changed value is never compared: the running container keeps the old limit',
    here: 'a changed value recreates the container',
    because: 'a document that says another limit has to get it',
  },
  {
    vectors: ['E08'],
    field: 'networks',
    supervisor: 'a network that is no longer listed stays connected',
    here: 'the container is recreated without it',
    because: 'otherwise it can be reached from a network that the document took away',
  },
  {
    vectors: ['E11'],
    field: 'networks.*.aliases',
    supervisor: 'an alias that is no longer listed stays',
    here: 'the container is recreated without it',
    because: 'a name that moves to another service would answer twice',
  },
  {
    vectors: ['E12'],
    field: 'networks.*.ipv4_address',
    supervisor: 'an address that is no longer asked for stays',
    here: 'the container is recreated with an address from the pool',
    because: 'the address may be given to another service in the same release',
  },
  {
    vectors: ['E20'],
    field: 'storage_opt',
    supervisor: 'accepted, never sent, and recreates the container for ever',
    here: 'left out of a target state with a warning; sent for our own documents',
    because: 'a field without effect must not cause restarts',
  },
  {
    vectors: ['E21'],
    field: 'stop_grace_period',
    supervisor: 'less than a second is read back as ten and recreates the container for ever',
    here: 'sent once, compared by what the document says',
    because: 'comparing documents instead of what Docker reads back cannot loop',
  },
  {
    vectors: [],
    field: 'command, entrypoint',
    supervisor:
      '`$` in single quotes becomes `\\$`, an unquoted `#` ends the line; operators split words (`a;b` is three)',
    here: 'all of them are text; only white space separates; a quote that is not closed refuses the service',
    because: 'no shell is involved, so nothing but quoting has a meaning',
  },
  {
    vectors: [],
    field: 'ports',
    supervisor: 'numbers and the long form publish nothing; neighbouring ranges can lose a port, doubles fail to start',
    here: 'numbers and the long form publish; everything is expanded to single ports and doubles are dropped',
    because: 'that is what the document says',
  },
  {
    vectors: [],
    field: 'healthcheck',
    supervisor: '`start_period` is ignored; without `test` the container is recreated for ever',
    here: 'both spellings count; without `test` the image’s test stays',
    because: 'Compose files are written that way',
  },
  {
    vectors: [],
    field: 'volumes',
    supervisor: '`read_only` of a long entry is ignored; `./x:/y` becomes a volume that Docker refuses',
    here: '`read_only` and `readOnly` count; `./x:/y` is a path of the host like any other, and left out with a warning',
    because: 'one rule for all paths of the host, and Compose’s own spelling',
  },
  {
    vectors: [],
    field: 'paths of the host',
    supervisor: 'never mounted',
    here: 'never mounted for a target state; in other documents when the App says `allowHostBinds: true`, otherwise refused. A missing path becomes a folder, unless `bind.create_host_path` is false',
    because: 'who writes the files of a device owns it; who may post to it need not',
  },
  {
    vectors: [],
    field:
      'driver_opts of volumes, feature labels that mount, `pid:` and `ipc:` of a container, sockets and files of the host in `logging.options`',
    supervisor: 'passed on',
    here: 'passed on from a target state, also from one in a file; in other documents when the App says `allowHostBinds: true`, otherwise refused, and what runs stays',
    because: 'what reaches into the host is not to get into a document, or into an image, unnoticed',
  },
  {
    vectors: [],
    field:
      'logging, on-failure:N, runtime, platform, gpus, device_cgroup_rules, stdin_open, expose, uts, cgroup, cpu_period, cpu_rt_*, memswap_limit, mem_swappiness, blkio_config',
    supervisor: 'dropped with a warning',
    here: 'dropped from a target state with a warning; taken in our own documents. What Compose has beyond that is refused with what to write instead',
    because: 'Docker can do it',
  },
  {
    vectors: [],
    field: 'logs of which a document says nothing',
    supervisor: 'kept as the engine is configured, without a bound if need be',
    here: 'the same for a target state; other containers get `json-file` with three files of 10 MB where the engine’s default is `json-file`. Existing containers keep what they have until something else recreates them',
    because: 'a full disk stops everything',
  },
  {
    vectors: [],
    field: 'an image for another architecture',
    supervisor: 'started, again and again',
    here: 'its release is not promoted, unless the document names the platform or the device emulates it',
    because: 'what runs is not stopped for what cannot run',
  },
  {
    vectors: [],
    field: 'tmpfs',
    supervisor: 'options after a colon become part of the path',
    here: 'they are options',
    because: 'Compose files are written that way',
  },
  {
    vectors: [],
    field: 'environment, labels',
    supervisor: 'maps of texts only; `null` becomes the text undefined, other values fail or loop',
    here: 'maps or lists; numbers and booleans become texts; a variable that is `null` is not set, a label that is `null` is empty',
    because: 'Compose files are written that way',
  },
  {
    vectors: [],
    field: 'network_mode',
    supervisor:
      '`container:x` becomes a network called undefined; networks beside `host` make Docker refuse the container',
    here: '`container:x` refuses the service with a sentence; networks beside `host`, `bridge`, `none`, `service:x` are left out with a warning',
    because: 'one clear answer instead of an endless retry',
  },
  {
    vectors: [],
    field: 'depends_on',
    supervisor: 'a list only; a map fails the whole target',
    here: 'lists and maps with service_started, service_healthy, service_completed_successfully, required',
    because: 'Compose files are written that way',
  },
  {
    vectors: [],
    field: 'hand-over',
    supervisor: 'the wait for the file ends at the first look; no lock is taken, also not to stop the old container',
    here: 'waits for the file or the timeout, as documented; an old container is stopped only under the lock, and never for a new one that does not run; where ports or fixed addresses leave no room for two, `download-then-kill` is followed and a condition says why',
    because: 'what runs is not killed for what might not',
  },
  {
    vectors: [],
    field: 'download-then-kill',
    supervisor: 'removes the old container, then creates the new one: what the engine refuses leaves the service down',
    here: 'creates the new container, then removes the old one: what the engine refuses leaves that one running. Lines of the log keep their order',
    because: 'what runs is not killed for what might not',
  },
  {
    vectors: [],
    field: 'kill-then-download, delete-then-download',
    supervisor: 'stops the service at once, while other images of the release are still downloaded',
    here: 'downloads everything else first, then stops the service',
    because: 'it is down no longer than its own download takes',
  },
  {
    vectors: [],
    field: 'a stopped container',
    supervisor: 'never started again',
    here: 'started again, unless its restart policy says that it is finished',
    because: 'documents are kept true; a one-shot that finished stays finished',
  },
  {
    vectors: [],
    field: 'host OS version, device name and other facts of the device',
    supervisor: 'a changed version of the host OS recreates every container',
    here: 'existing containers keep what they were told',
    because: 'an update of the host is not a reason to restart an application',
  },
  {
    vectors: [],
    field: 'tty, ipc, entrypoint alone, ports without one of the host',
    supervisor: 'a terminal, shareable, the command of the image stays, the same port of the host',
    here: 'the same for a target state, and for a document with `defaults: supervisor`; in other documents what Compose means: no terminal, as the engine is configured, no command, a free port. A document of before keeps its meaning until its services change',
    because: 'who reads a document knows Compose',
  },
];
