import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Change } from '../../api/store/store.js';
import { APP_ID, SERVICE_NAME, SUPERVISED } from '../../controllers/engine/labels.js';
import type { MemoryContainer } from '../../controllers/engine/simulated/memory-container.js';
import { isAlive } from '../../controllers/engine/simulated/memory-container.js';
import { COMPOSE_NETWORK, COMPOSE_PROJECT, COMPOSE_SERVICE } from '../../crds/model/compose.js';
import { isReady } from '../../crds/model/conditions.js';
import type { AnyResource, App } from '../../crds/model/kinds.js';
import { askedStrategy, killsFirst, overlaps, type UpdateStrategy } from '../../crds/model/update-strategy.js';
import type { StepObserver } from './crashable-process.js';
import type { Agent, Device } from './device.js';
import { serviceText } from './device-view.js';
import { readyViolation } from './ready-invariant.js';

const keyOf = ({ metadata }: AnyResource): string => `${metadata.uid}/${metadata.generation}`;

/**
 * Watches a device while it is at work, and writes down every broken promise: what is not ours is touched, data or a
 * running container goes too early, a lock was not held, `Ready` said of what is not.
 */
export class InvariantChecker implements StepObserver {
  readonly violations: string[] = [];
  /** Something happened that an agent cannot know yet: what it says of the engine may be out of date. */
  mayBeOutdated = false;
  /** Services of which a container has to run after every step. */
  alwaysRunning: readonly string[] = [];
  /** References that nobody pulled: never to be removed. */
  readonly protectedImages = new Set<string>();
  /** Uid and generation of whoever is Ready. */
  readonly #ready = new Set<string>();
  #agent: Agent | undefined;

  constructor(private readonly device: Device) {
    device.observer = this;
    device.onBoot = (agent) => this.#meet(agent);
  }

  beforeStep(what: string, args: readonly unknown[]): void {
    const first = String(args[0]);
    const { docker } = this.device.engine;
    switch (what) {
      case 'updateContainer': {
        const container = docker.findContainer(first);
        if (container) this.#mustBeOurs(what, container.name, container.options.Labels);
        break;
      }
      case 'startContainer':
      case 'stopContainer':
      case 'removeContainer':
      case 'renameContainer': {
        const container = docker.findContainer(first);
        if (container) this.#touches(what, container);
        break;
      }
      case 'connectNetwork':
      case 'disconnectNetwork': {
        const container = docker.findContainer(String(args[1]));
        if (container) this.#mustBeOurs(what, container.name, container.options.Labels);
        break;
      }
      case 'removeNetwork': {
        const network = docker.findNetwork(first);
        if (network) this.#mustBeOurs(what, network.name, network.labels);
        break;
      }
      case 'removeVolume':
        this.#removesVolume(first);
        break;
      case 'removeImage':
        if (this.protectedImages.has(first)) this.#say(`${what} ${first}, which it did not bring`);
        break;
    }
  }

  afterStep(what: string): void {
    for (const service of this.alwaysRunning) {
      const up = this.device.engine.docker.containers.some(
        (one) => one.options.Labels?.[SERVICE_NAME] === service && one.state === 'running',
      );
      if (!up) this.#say(`${service} is down after ${what}`);
    }
    if (what !== 'startContainer') return;
    const running = new Map<string, MemoryContainer>();
    // Ours come last: several of theirs may be of one service.
    const isForeign = ({ options }: MemoryContainer): boolean => options.Labels?.[SUPERVISED] === undefined;
    const alive = this.device.engine.docker.containers.filter(isAlive);
    for (const one of [...alive.filter(isForeign), ...alive.filter((each) => !isForeign(each))]) {
      const { [APP_ID]: app, [SERVICE_NAME]: service = '', [COMPOSE_PROJECT]: project } = one.options.Labels ?? {};
      if (app === undefined && project === undefined) continue;
      const other = running.get(serviceText(one.options.Labels));
      if (other && !isForeign(one) && !this.#asks(Number(app), service, overlaps))
        this.#say(`${one.name} and ${other.name} of one service run at the same time`);
      running.set(serviceText(one.options.Labels), one);
    }
  }

  /** What an agent finds on its disk is not its own word yet. */
  #meet(agent: Agent): void {
    this.#agent = agent;
    this.#ready.clear();
    for (const one of agent.documents().filter(isReady)) this.#ready.add(keyOf(one));
    agent.store.watch((change) => this.#hear(agent, change));
  }

  #say(what: string): void {
    this.violations.push(what);
  }

  #mustBeOurs(what: string, name: string, labels: Readonly<Record<string, string>> | undefined): void {
    if (labels?.[SUPERVISED] === undefined && !this.#adopter(labels)) this.#say(`${what} ${name}, which is not ours`);
  }

  /** The App that takes over what docker compose has made in the project of its name. */
  #adopter(labels: Readonly<Record<string, string>> | undefined): App | undefined {
    const app = this.#agent?.store.get('App', labels?.[COMPOSE_PROJECT] ?? '');
    const isOurs = labels?.[COMPOSE_NETWORK] !== undefined || app?.status?.adoption !== undefined;
    return isOurs ? app : undefined;
  }

  #touches(what: string, container: MemoryContainer): void {
    const { name, options } = container;
    this.#mustBeOurs(what, name, options.Labels);
    if (what === 'startContainer' || !isAlive(container)) return;
    const adopter = options.Labels?.[SUPERVISED] === undefined ? this.#adopter(options.Labels) : undefined;
    const appId = adopter?.spec.appId ?? Number(options.Labels?.[APP_ID]);
    const service = options.Labels?.[adopter ? COMPOSE_SERVICE : SERVICE_NAME] ?? '';
    const lock = join(this.device.folder, 'locks', String(appId), service, 'updates.lock');
    if (!existsSync(lock)) this.#say(`${what} ${name} without the update lock`);
    if (what === 'renameContainer' || this.#asks(appId, service, killsFirst)) return;
    const missing = this.#missingImages(appId);
    if (missing.length > 0) this.#say(`${what} ${name} while ${missing.join(', ')} is not local`);
  }

  /** The document of the service asks for a strategy of that kind. */
  #asks(appId: number, service: string, isOfKind: (strategy: UpdateStrategy) => boolean): boolean {
    const documents = this.#agent?.store.list('Service') ?? [];
    const found = documents.find(({ spec }) => spec.appId === appId && spec.serviceName === service);
    const labels = { ...(found?.spec.labels as Readonly<Record<string, string>> | undefined) };
    const asked = askedStrategy(found?.spec.updateStrategy, labels);
    return asked.is === 'known' && isOfKind(asked.strategy);
  }

  /** Images of the release that is being brought about. */
  #missingImages(appId: number): readonly string[] {
    const { engine } = this.device;
    const children = this.#agent?.store.list('Service').filter(({ spec }) => spec.appId === appId) ?? [];
    return children
      .filter(({ metadata, spec }) => metadata.deletionTimestamp === undefined && !engine.images.find(spec.image))
      .map(({ spec }) => spec.image);
  }

  #removesVolume(name: string): void {
    const volume = this.device.engine.docker.volume(name);
    const agent = this.#agent;
    if (volume) this.#mustBeOurs('removeVolume', name, volume.labels);
    const documents = agent?.store.list('Volume').filter(({ spec }) => spec.volumeName === name) ?? [];
    const app = agent?.store.get('App', documents[0]?.spec.app ?? '');
    const mayGo =
      documents.length > 0 &&
      documents.every(({ metadata, spec }) => metadata.deletionTimestamp && spec.reclaim === 'Delete') &&
      (!app || (app.metadata.deletionTimestamp !== undefined && app.spec.volumeReclaim === 'Delete'));
    if (mayGo) return;
    const said = [app, ...documents].flatMap((one) =>
      one ? `${one.kind} ${JSON.stringify(one.metadata)} ${JSON.stringify(one.spec)}` : [],
    );
    this.#say(`removeVolume ${name}, which nobody gave up: ${said.join('; ')}`);
  }

  /** Whoever turns Ready, or Ready at another generation, has to be so. */
  #hear(agent: Agent, { object, type }: Change): void {
    if (agent.isDead || agent !== this.#agent) return;
    const was = this.#ready.has(keyOf(object));
    if (type === 'DELETED' || !isReady(object)) {
      this.#ready.delete(keyOf(object));
      return;
    }
    this.#ready.add(keyOf(object));
    const { generation, name } = object.metadata;
    if (was || this.mayBeOutdated) return;
    const violation = readyViolation(this.device, agent, object);
    if (violation) this.#say(`${object.kind}/${name} turns Ready at generation ${generation}: ${violation}`);
  }
}
