import type { Difference } from './inspected.js';

/** A difference that is meant: in which field, for which values, and why. */
interface Reason {
  readonly field: RegExp;
  readonly theirs?: RegExp;
  readonly ours?: RegExp;
  /** What else has to hold; both values as JSON. */
  readonly when?: (theirs: string, ours: string) => boolean;
  readonly why: string;
}

/** What that side says nothing of is the text `nothing`. */
const REASONS: readonly Reason[] = [
  {
    field: /^Config\.Env\.(?:(?:BALENA|RESIN)(?:_.*)?|USER)$/,
    theirs: /^nothing$/,
    why: 'variables that tell an application about its device, as the Supervisor has them',
  },
  {
    field: /^Mounts\.\/tmp\/(?:balena|resin)$/,
    theirs: /^nothing$/,
    why: 'the folder of the update lock',
  },
  {
    field: /^HostConfig\.LogConfig$/,
    theirs: /^\{"Config":\{\},"Type":"json-file"\}$/,
    ours: /"max-size":"10m"/,
    why: 'where no logging is declared, logs are rotated: the disk of a device is small',
  },
  { field: /^Config\.StopSignal$/, theirs: /^nothing$/, ours: /^"SIGTERM"$/, why: 'the same, said' },
  { field: /^Config\.StopTimeout$/, theirs: /^nothing$/, ours: /^10$/, why: 'the same, said' },
  { field: /^HostConfig\.RestartPolicy$/, theirs: /"Name":""/, ours: /"Name":"no"/, why: 'the same, said' },
  {
    field: /^Config\.Healthcheck$/,
    theirs: /^nothing$/,
    ours: /^\{"Test":\["NONE"\]\}$/,
    why: 'the same, said: neither the file nor the image has one',
  },
  {
    field: /^Networks\..*$/,
    theirs: /^nothing$/,
    why: 'Docker Compose connects a container to its further networks when it starts it',
  },
  {
    field: /^Networks\..*\.Aliases$/,
    when: (theirs, ours) => namesOf(theirs).every((name) => namesOf(ours).includes(name)),
    why: 'links: are names that everybody on the network reaches the other service by',
  },
  {
    field: /^HostConfig\.NetworkMode$/,
    ours: /_default"$/,
    why: 'of several networks the first that the service names; 1.29 takes another one',
  },
  {
    field: /^volumes\.Name$/,
    ours: /^nothing$/,
    why: 'a volume that no service mounts is not made, as in Compose v2',
  },
  {
    field: /^networks\.Attachable$/,
    theirs: /^true$/,
    ours: /^false$/,
    why: 'says nothing outside a swarm; Compose v2 does not set it either',
  },
];

function namesOf(aliases: string): readonly string[] {
  return aliases === 'nothing' ? [] : (JSON.parse(aliases) as readonly string[]);
}

/** Why a field differs; undefined where nobody has said so. Pure. */
export function reasonOf({ field, theirs = 'nothing', ours = 'nothing' }: Difference): string | undefined {
  const holds = (one: Reason): boolean =>
    one.field.test(field) && (one.theirs?.test(theirs) ?? true) && (one.ours?.test(ours) ?? true);
  return REASONS.find((one) => holds(one) && (one.when?.(theirs, ours) ?? true))?.why;
}
