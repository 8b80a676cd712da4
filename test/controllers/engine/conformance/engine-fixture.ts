import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import {
  type ContainerOptions,
  type Engine,
  EngineError,
  type EngineEvent,
  type SeenContainer,
} from '../../../../controllers/engine/engine.js';
import { SPEC_HASH, SUPERVISED } from '../../../../controllers/engine/labels.js';

/** An engine and what a person at the device can do to it. */
export interface EngineUnderTest {
  readonly engine: Engine;
  /** A local image with `sh` and `sleep`, and no `VOLUME`. */
  readonly image: string;
  /** A tag of a registry that the engine can reach; not local. */
  pullable(): Promise<string>;
  /** `docker tag` */
  tag(image: string, as: string): Promise<void>;
  /** `docker kill` */
  kill(container: string): Promise<void>;
  /** The container's command fails with 3, again and again; resolves when its restart policy has given up. */
  gaveUp(container: string): Promise<void>;
  /** `docker pause` */
  pause(container: string): Promise<void>;
  /** The container has `echo one; echo two >&2` behind it. */
  printed(container: string): Promise<void>;
  close(): Promise<void>;
}

/** An engine under test, names for one test, and what nearly every test begins with. */
export class EngineFixture {
  readonly signal = new AbortController().signal;
  under!: EngineUnderTest;
  names = new Names();

  get engine(): Engine {
    return this.under.engine;
  }

  readonly options = (more: Partial<ContainerOptions> = {}): ContainerOptions => ({
    Image: this.under.image,
    Cmd: ['sleep', '1000'],
    StopTimeout: 0,
    ...more,
    Labels: { [SUPERVISED]: '1', ...more.Labels },
  });
  readonly create = async (more: Partial<ContainerOptions> = {}, name = this.names.container()): Promise<string> => {
    const created = await this.engine.createContainer(name, this.options(more), this.signal);
    assert.equal(created.is, 'created');
    return created.is === 'created' ? created.id : '';
  };
  readonly start = async (more: Partial<ContainerOptions> = {}): Promise<string> => {
    const id = await this.create(more);
    assert.equal(await this.engine.startContainer(id, this.signal), 'started');
    return id;
  };
  readonly network = async (name = this.names.network()): Promise<{ name: string; id: string }> => {
    const created = await this.engine.createNetwork(name, { Labels: { [SPEC_HASH]: 'n1' } }, this.signal);
    assert.equal(created.is, 'created');
    return { name, id: created.is === 'created' ? created.id : '' };
  };
  readonly inspect = async (id: string): Promise<SeenContainer> => {
    const seen = await this.engine.inspectContainer(id, this.signal);
    assert.ok(seen, `container ${id} exists`);
    return seen;
  };
}

/** Events from the moment the stream is open, `act` done, up to and including the one that `isLast`. */
export async function received(
  engine: Engine,
  isLast: (event: EngineEvent) => boolean,
  act: () => Promise<unknown>,
  since?: string,
): Promise<EngineEvent[]> {
  const stop = new AbortController();
  const events: EngineEvent[] = [];
  let acting: Promise<unknown> = Promise.resolve();
  // The engine answers before it subscribes: a verb's worth of time passes before anything is done.
  const onOpen = (): void => {
    acting = engine.info(stop.signal).then(act);
    acting.catch((error: unknown) => stop.abort(error));
  };
  for await (const event of engine.events(since, onOpen, stop.signal)) {
    events.push(event);
    if (isLast(event)) break;
  }
  await acting;
  return events;
}

/** Whether an error is an EngineError with that status and such words. */
export const refused =
  (statusCode: number, words: RegExp) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof EngineError, `an EngineError, not ${error}`);
    assert.equal(error.statusCode, statusCode, error.message);
    assert.match(error.message, words);
    return true;
  };

/** Names that nobody else uses, remembered for removal. */
export class Names {
  readonly prefix = `conformance-${randomBytes(4).toString('hex')}`;
  readonly #containers: string[] = [];
  readonly #networks: string[] = [];
  readonly #volumes: string[] = [];
  readonly #images: string[] = [];

  container = (): string => this.#next(this.#containers, 'c');
  network = (): string => this.#next(this.#networks, 'n');
  volume = (): string => this.#next(this.#volumes, 'v');
  image = (): string => this.#next(this.#images, 'i:');
  /** Of the range that neither services nor outgoing connections use. */
  port = (): number => 20_000 + (randomBytes(2).readUInt16BE() % 10_000);

  #next(kind: string[], letter: string): string {
    const name = `${this.prefix}-${letter}${kind.length + 1}`;
    kind.push(name);
    return name;
  }

  async removeAll(engine: Engine, signal: AbortSignal): Promise<void> {
    const containers = await Promise.all(this.#containers.map((name) => engine.inspectContainer(name, signal)));
    for (const container of containers) if (container) await engine.removeContainer(container.id, signal);
    for (const name of this.#networks) {
      const network = await engine.inspectNetwork(name, signal);
      if (network) await engine.removeNetwork(network.id, signal);
    }
    for (const name of this.#volumes) await engine.removeVolume(name, signal);
    for (const name of this.#images) await engine.removeImage(name, signal);
  }
}
