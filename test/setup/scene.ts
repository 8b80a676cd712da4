import { randomBytes, randomInt } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { timeoutSignal } from '../../api/platform/time-limit.js';
import { readAll } from '../../controllers/engine/client/docker-http.js';
import { APP_ID, SERVICE_NAME } from '../../controllers/engine/labels.js';
import { conditionOf, isReady } from '../../crds/model/conditions.js';
import type { Kind, Resource } from '../../crds/model/kinds.js';
import type { AppService, AppSpec } from '../../crds/model/types.js';
import { type AgentOptions, AgentProcess } from './agent.js';
import { type TestEngine, useEngine } from './docker.js';
import { type Patience, until } from './until.js';

/** A container as `docker inspect` tells it, no matter what the agent says. */
export interface Container {
  readonly id: string;
  readonly name: string;
  readonly service: string;
  readonly state: string;
  readonly startedAt: string;
  readonly health: string | undefined;
  readonly image: string;
  readonly env: readonly string[];
  readonly networkMode: string;
  /** Ids by name. */
  readonly networks: Readonly<Record<string, string>>;
}

interface Inspected {
  readonly Id: string;
  readonly Name: string;
  readonly Image: string;
  readonly State: {
    readonly Status: string;
    readonly Pid: number;
    readonly StartedAt: string;
    readonly Health?: { readonly Status: string };
  };
  readonly Config: { readonly Env?: readonly string[]; readonly Labels: Readonly<Record<string, string>> };
  readonly HostConfig: { readonly NetworkMode: string };
  readonly NetworkSettings: { readonly Networks: Readonly<Record<string, { readonly NetworkID: string }>> };
}

export interface SceneOptions extends Partial<AgentOptions> {
  /** An engine of the test's own; otherwise the one that all tests share. */
  readonly docker?: TestEngine;
  /** False: the test starts the agent itself. */
  readonly started?: boolean;
}

/**
 * A real engine, an agent, a local image, and names that nobody else uses. `close` stops the agent and removes from the
 * engine exactly what was made for the scene's apps, so scenes may share an engine.
 */
export class Scene {
  readonly #apps = new Set<number>();
  readonly #closing: (() => Promise<unknown>)[] = [];

  private constructor(
    readonly docker: TestEngine,
    readonly agent: AgentProcess,
    /** Begins every name of the scene. */
    readonly prefix: string,
  ) {}

  static async open({ docker: given, started = true, ...options }: SceneOptions = {}): Promise<Scene> {
    const docker = given ?? (await useEngine());
    const agent = await AgentProcess.prepare({ dockerHost: docker.dockerHost, ...options }).catch(async (error) => {
      if (!given) await docker.close();
      throw error;
    });
    const scene = new Scene(docker, agent, `e2e-${randomBytes(4).toString('hex')}`);
    if (!given) scene.onClose(() => docker.close());
    try {
      await scene.makeImage(scene.image);
      if (started) await agent.start();
    } catch (error) {
      await scene.close();
      throw error;
    }
    return scene;
  }

  /** A local image: busybox. */
  get image(): string {
    return `${this.prefix}:base`;
  }

  async makeImage(reference: string, image?: Parameters<TestEngine['makeImage']>[1]): Promise<void> {
    await this.docker.makeImage(reference, image);
    this.onClose(() => this.docker.engine.removeImage(reference, this.#signal));
  }

  /** Done at the end, last first. */
  onClose(action: () => Promise<unknown>): void {
    this.#closing.unshift(action);
  }

  /** An appId of the scene's own, or one that the agent allots: what carries it is removed at the end. */
  appId(appId = randomInt(100_000_000, 999_999_999)): number {
    this.#apps.add(appId);
    return appId;
  }

  /** Fields of a service that runs until it is killed, at once. */
  service(fields: Partial<AppService> = {}): AppService {
    return { image: this.image, command: ['sleep', '1000000'], stop_signal: 'SIGKILL', ...fields };
  }

  get #signal(): AbortSignal {
    return timeoutSignal(30_000);
  }

  /** Looks until it holds; a failure shows what the agent said last. */
  until<T>(what: string, look: () => T | Promise<T>, holds: (seen: T) => boolean, patience: Patience = {}): Promise<T> {
    return until(what, look, holds, { hint: () => this.agent.tail(), ...patience });
  }

  /** Declares an App over the resource API. */
  async put(
    name: string,
    spec: AppSpec,
    metadata: { readonly annotations?: Readonly<Record<string, string>> } = {},
  ): Promise<void> {
    if (spec.appId !== undefined) this.appId(spec.appId);
    const body = { metadata: { name, ...metadata }, spec };
    const reply = await this.agent.ask(`/apis/supercargo.io/v1/apps/${name}`, { method: 'PUT', body });
    if (reply.status > 201) throw new Error(`PUT ${name}: ${reply.status} ${reply.text}`);
  }

  async delete(name: string): Promise<void> {
    const reply = await this.agent.ask(`/apis/supercargo.io/v1/apps/${name}`, { method: 'DELETE' });
    if (reply.status !== 200) throw new Error(`DELETE ${name}: ${reply.status} ${reply.text}`);
  }

  /** Waits until the App is Ready at its present generation. */
  async untilReady(name: string, patience?: Patience): Promise<Resource<'App'>> {
    const app = await this.until(
      `App ${name} is Ready`,
      () => this.agent.document('App', name),
      (seen) => seen !== undefined && isReady(seen),
      patience,
    );
    if (!app) throw new Error('unreachable');
    return app;
  }

  /** Waits until a document is not Ready for that reason; returns the sentence for people. */
  async untilReason(
    kind: Kind,
    name: string,
    reason: string,
    about: RegExp = /./,
    patience?: Patience,
  ): Promise<string> {
    const seen = await this.until(
      `${kind} ${name} says ${reason} ${about}`,
      async () => {
        const document = await this.agent.document(kind, name);
        const current = document && document.status?.observedGeneration === document.metadata.generation;
        return current ? conditionOf(document, 'Ready') : undefined;
      },
      (ready) => ready?.status === 'False' && ready.reason === reason && about.test(ready.message),
      patience,
    );
    return seen?.message ?? '';
  }

  /** Waits until the App's document has gone. */
  async untilGone(name: string): Promise<void> {
    await this.until(
      `App ${name} is gone`,
      () => this.agent.document('App', name),
      (seen) => seen === undefined,
    );
  }

  /** Containers of an app in any state, by service name. */
  async containers(appId: number): Promise<readonly Container[]> {
    const filters = JSON.stringify({ label: [`${APP_ID}=${appId}`] });
    const list = await this.docker.request({ path: '/containers/json', query: { all: '1', filters } });
    const ids = (list as { Id: string }[]).map(({ Id }) => Id);
    const containers = await Promise.all(ids.map((id) => this.container(id)));
    return containers.filter((one) => one !== undefined).sort((a, b) => (a.service < b.service ? -1 : 1));
  }

  /** One container by id or name. */
  async container(id: string): Promise<Container | undefined> {
    const { status, body } = await this.docker.http.ask({ path: `/containers/${id}/json`, signal: this.#signal });
    if (status === 404) return undefined;
    const { Id, Name, Image, State, Config, HostConfig, NetworkSettings } = body as Inspected;
    return {
      id: Id,
      name: Name.slice(1),
      service: Config.Labels[SERVICE_NAME] ?? '',
      state: State.Status,
      startedAt: State.StartedAt,
      health: State.Health?.Status,
      image: Image,
      env: Config.Env ?? [],
      networkMode: HostConfig.NetworkMode,
      networks: Object.fromEntries(
        Object.entries(NetworkSettings.Networks).map(([name, { NetworkID }]) => [name, NetworkID]),
      ),
    };
  }

  /** Waits until exactly these services run, one container each. */
  untilRunning(appId: number, services: readonly string[], patience?: Patience): Promise<readonly Container[]> {
    const wanted = [...services].sort().join();
    return this.until(
      `${wanted || 'nothing'} of app ${appId} runs`,
      () => this.containers(appId),
      (seen) => seen.map(({ service }) => service).join() === wanted && seen.every(({ state }) => state === 'running'),
      patience,
    );
  }

  /** Names of networks and volumes of an app on the engine. */
  async networks(appId: number): Promise<readonly { readonly id: string; readonly name: string }[]> {
    const list = (await this.docker.request({ path: '/networks' })) as { Id: string; Name: string }[];
    return list.filter(({ Name }) => Name.startsWith(`${appId}_`)).map(({ Id, Name }) => ({ id: Id, name: Name }));
  }

  async volumes(appId: number): Promise<readonly string[]> {
    const { Volumes } = (await this.docker.request({ path: '/volumes' })) as { Volumes: { Name: string }[] | null };
    return (Volumes ?? []).map(({ Name }) => Name).filter((name) => name.startsWith(`${appId}_`));
  }

  /** The first process of a container that runs, as this machine numbers it: its engine is on it. 0 of one that does not. */
  async pid(container: string): Promise<number> {
    const { State } = (await this.docker.request({ path: `/containers/${container}/json` })) as Inspected;
    return State.Pid;
  }

  /** Runs a command in a container, as `docker exec`. */
  async exec(
    container: string,
    command: readonly string[],
  ): Promise<{ readonly code: number; readonly output: string }> {
    const created = await this.docker.request({
      method: 'POST',
      path: `/containers/${container}/exec`,
      body: { Cmd: [...command], AttachStdout: true, AttachStderr: true, Tty: true },
    });
    const { Id } = created as { Id: string };
    const { stream } = await this.docker.http.open({
      method: 'POST',
      path: `/exec/${Id}/start`,
      body: { Detach: false, Tty: true },
      signal: this.#signal,
    });
    const output = await readAll(stream);
    const { ExitCode } = (await this.docker.request({ path: `/exec/${Id}/json` })) as { ExitCode: number };
    return { code: ExitCode, output };
  }

  /** Writes down what happens to an app's objects on the engine, as `container create`; resolves when it listens. */
  async record(appId: number): Promise<{ readonly seen: readonly string[]; stop(): void }> {
    const stopping = new AbortController();
    const seen: string[] = [];
    const ownNetwork = `${appId}_`;
    await new Promise<void>((open, fail) => {
      const follow = async (): Promise<void> => {
        for await (const event of this.docker.engine.events(undefined, open, stopping.signal)) {
          const { type, action, attributes } = event;
          const isOurs = attributes[APP_ID] === String(appId) || attributes.name?.startsWith(ownNetwork) === true;
          if (isOurs && !/^(exec_|health_status|top|resize)/.test(action)) seen.push(`${type} ${action}`);
        }
      };
      follow().catch((error: unknown) => {
        if (!stopping.signal.aborted) fail(error);
      });
    });
    return { seen, stop: () => stopping.abort() };
  }

  /** Lock files of an app that are there now. */
  async lockFiles(appId: number): Promise<readonly string[]> {
    const found = await readdir(join(this.agent.lockRoot, String(appId)), { recursive: true }).catch(() => []);
    return found.filter((name) => name.endsWith('.lock'));
  }

  /** Takes everything away; what cannot be taken away does not keep the rest. */
  async close(): Promise<void> {
    const failures: unknown[] = [];
    const steps = [
      () => this.agent.remove(),
      ...[...this.#apps].map((appId) => () => this.#sweep(appId)),
      ...this.#closing,
    ];
    for (const step of steps) await step().catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw new AggregateError(failures, `Could not clean up: ${failures.join('; ')}`);
  }

  async #sweep(appId: number): Promise<void> {
    const { engine } = this.docker;
    for (const { id } of await this.containers(appId)) await engine.removeContainer(id, this.#signal);
    for (const { id } of await this.networks(appId)) await engine.removeNetwork(id, this.#signal);
    for (const name of await this.volumes(appId)) await engine.removeVolume(name, this.#signal);
  }
}

/** What decides whether a container was touched. */
export const unchanged = (containers: readonly Container[]): readonly object[] =>
  containers.map(({ id, name, state, startedAt }) => ({ id, name, state, startedAt }));
