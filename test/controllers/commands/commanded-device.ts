import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { AnyDeclared, Key, RequestName, Requests } from '../../../crds/model/kinds.js';
import { acknowledgementsOf } from '../../../crds/model/requests.js';
import { declareApp } from '../../setup/declared.js';
import { type Agent, Device } from '../../simulation/device.js';
import { lockFiles } from '../../simulation/device-view.js';
import { noFaults } from '../../simulation/fault-plan.js';

/** Services of App `hello`: `web`, which depends on `db`, which mounts the volume `data`. */
export const SERVICES = { web: { depends_on: ['db'], environment: { V: '1' } }, db: { volumes: ['data:/data'] } };
export const HELLO = declareApp(SERVICES, { volumes: { data: {} } });
/** Another App with a service `x` and a volume of the same name. */
export const OTHER = declareApp(
  { x: { volumes: ['data:/data'] } },
  { name: 'other', appId: 2, uuid: 'o', volumes: { data: {} } },
);

/** `stop hello` is a request of App `hello`, `stop hello.web` one of Service `hello.web`. */
export type Command = `${RequestName} ${string}`;
/** The lock of App `hello`, taken by its service `db`. */
export const LOCK_FILE = '1/db/updates.lock';

/** What somebody does on a device. Commands with a comma between them are sent at once, in that order. */
export type Act = Command | `${Command}, ${Command}` | 'an application takes the lock' | 'it lets go of the lock';

/** A settled device that is commanded, and what its engine had before that. */
export class CommandedDevice {
  readonly device = new Device();
  #containers: ReadonlyMap<string, { readonly id: string; readonly name: string }> = new Map();
  #volumes: ReadonlyMap<string, object> = new Map();

  async open(target: readonly AnyDeclared[] = [HELLO, OTHER]): Promise<this> {
    this.device.engine.images.add('web:1');
    const agent = await this.device.boot();
    await agent.propose(target);
    await agent.settle();
    this.mark();
    return this;
  }

  /** From now on `changes` tells what is other than it is now. */
  mark(): void {
    const { docker } = this.device.engine;
    this.#containers = new Map(docker.containers.map(({ name, id }) => [serviceOf(name), { id, name }]));
    this.#volumes = new Map(docker.volumes.map((one) => [one.name, one]));
  }

  get agent(): Agent {
    return this.device.agent ?? assert.fail('no agent');
  }

  /** `1_data emptied, db recreated, web exited`: everything else is as it was, and runs. `nothing` when all is. */
  changes(): string {
    const { docker } = this.device.engine;
    const containers = docker.containers.flatMap(({ name, id, state }) => {
      const service = serviceOf(name);
      const before = this.#containers.get(service);
      return [
        ...(before === undefined ? [`${service} created`] : []),
        ...(before !== undefined && before.id !== id ? [`${service} recreated`] : []),
        ...(before !== undefined && before.name !== name ? [`${service} renamed to ${name}`] : []),
        ...(state === 'running' ? [] : [`${service} ${state}`]),
      ];
    });
    const volumes = docker.volumes.flatMap((one) => {
      const before = this.#volumes.get(one.name);
      return before === one ? [] : [`${one.name} ${before === undefined ? 'created' : 'emptied'}`];
    });
    const services = new Set(docker.containers.map(({ name }) => serviceOf(name)));
    const gone = [
      ...[...this.#containers.keys()].filter((service) => !services.has(service)),
      ...[...this.#volumes.keys()].filter((name) => !docker.volume(name)),
    ].map((name) => `${name} removed`);
    return [...containers, ...volumes, ...gone].sort().join(', ') || 'nothing';
  }

  /** Does it, without waiting for what comes of it. Returns the requests that were made. */
  async act(act: Act): Promise<readonly Made[]> {
    if (act === 'an application takes the lock') this.#lock();
    else if (act === 'it lets go of the lock') rmSync(join(this.device.folder, 'locks', LOCK_FILE));
    else return Promise.all(commandsOf(act).map((command) => this.request(command)));
    return [];
  }

  async request(command: Command, force?: boolean): Promise<Made> {
    const { key, name } = parse(command);
    const requests = await this.agent.store.request(key, { [name]: force === undefined ? {} : { force } });
    return { key, name, id: requests[name]?.id ?? '' };
  }

  /** Requests it until that is on disk, and lets agents work until everything rests, however often they die. */
  async carryOut(command: Command): Promise<Made> {
    const { key, kind, document, name } = parse(command);
    let id: string | undefined;
    for (let lives = 0; lives < 6; lives += 1) {
      const agent = this.device.agent?.isDead === false ? this.device.agent : await this.device.boot();
      id = agent.store.get(kind, document)?.requests[name]?.id ?? id;
      if (id === undefined) {
        const requested = agent.store.request(key, { [name]: {} }).then(
          (requests: Requests) => requests[name]?.id,
          () => undefined,
        );
        id = await Promise.race([requested, agent.ended.then(() => undefined)]);
      }
      if (!agent.isDead) await agent.settle();
      if (!agent.isDead && id !== undefined) return { key, name, id };
    }
    assert.fail('six agents died');
  }

  /** What the status acknowledges of the requests of one document. */
  acknowledged(key: Key): ReturnType<typeof acknowledgementsOf> {
    const [kind, name = ''] = key.split('/') as ['App' | 'Service', string];
    return acknowledgementsOf(this.agent.store.get(kind, name)?.status);
  }

  /** The status acknowledges the requests, the last of each name and document; none is refused, none is under way. */
  assertCarriedOut(requests: readonly Made[]): void {
    const last = new Map(requests.map((one) => [`${one.key} ${one.name}`, one]));
    for (const { key, name, id } of last.values()) {
      assert.equal(this.acknowledged(key).handled?.[name], id, `${key} ${name}`);
      assert.equal(this.acknowledged(key).refused, undefined, key);
    }
    assert.equal(this.agent.store.get('App', 'hello')?.status?.begun, undefined);
  }

  /** A second look makes no call and no write, and there are no lock files but those of applications. */
  async assertRests(locks: readonly string[] = []): Promise<void> {
    await this.agent.relist();
    await this.agent.settle();
    const from = this.agent.steps.length;
    for (const loop of this.agent.loops) loop.resync();
    await this.agent.settle();
    assert.deepEqual(this.agent.steps.slice(from), [], 'calls and writes at rest');
    assert.deepEqual(lockFiles(this.device), locks);
  }

  /** Ends the agent and starts another one. */
  async restartAgent(end: 'halt' | 'kill'): Promise<void> {
    await this.device[end]();
    await (await this.device.boot()).settle();
  }

  async close(): Promise<void> {
    this.device.faultPlan = noFaults;
    await this.device.stop();
  }

  #lock(): void {
    const path = join(this.device.folder, 'locks', LOCK_FILE);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, '');
  }
}

/** A request, and whose it is. */
interface Made {
  readonly key: Key;
  readonly name: RequestName;
  readonly id: string;
}

/** `web` of `web_7_1_a`. */
const serviceOf = (container: string): string => container.split('_')[0] ?? container;

const commandsOf = (act: string): readonly Command[] => act.split(', ') as Command[];

function parse(command: Command) {
  const [name, document] = command.split(' ') as [RequestName, string];
  const kind = document.includes('.') ? ('Service' as const) : ('App' as const);
  return { key: `${kind}/${document}` as Key, kind, document, name };
}
