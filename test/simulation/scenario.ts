import assert from 'node:assert/strict';
import { conditionOf } from '../../crds/model/conditions.js';
import type { AnyDeclared, Kind } from '../../crds/model/kinds.js';
import { type Agent, Device, type DeviceSettings } from './device.js';
import { type DeviceView, viewOf } from './device-view.js';
import { Downtime } from './downtime.js';
import { type Fault, noFaults } from './fault-plan.js';
import { InvariantChecker } from './invariant-checker.js';
import { readyViolation } from './ready-invariant.js';

/** From one settled state of a device to another. */
export interface Scenario {
  readonly it: string;
  /** Makes the images that there are. `web:1` is local in any case. */
  readonly images?: (device: Device) => void;
  /** What the device is like. */
  readonly settings?: DeviceSettings;
  /** Declared and settled before that. */
  readonly earlier?: readonly AnyDeclared[];
  /** Declared and settled before it begins. */
  readonly before?: readonly AnyDeclared[];
  /** What somebody does by hand at the beginning. */
  readonly byHand?: (device: Device) => void;
  /** The agent has seen that before the target is declared. */
  readonly noticed?: true;
  readonly target: readonly AnyDeclared[];
  /** What stands in the way at first: looked at after a while, then put right. */
  readonly obstacle?: { readonly seen: (agent: Agent) => void; readonly cleared: (device: Device) => void };
  /** What somebody asks for after that, with every agent that comes; true when there is nothing more to ask for. */
  readonly asks?: (agent: Agent) => Promise<boolean>;
  /** Services of which a container runs at all times, from the beginning of the scenario. */
  readonly alwaysRunning?: readonly string[];
  /** Keys of documents that still wait in the end. */
  readonly waiting?: readonly string[];
  /** How its containers fare, and what the agent does then, no plan can foresee, nor which of two Apps is faster. */
  readonly unforeseen?: true;
  /** What another agent does of its own accord when it starts, besides looking. */
  readonly asksAgain?: readonly string[];
  /** What is asked of the engine again and again in the end, because no event tells of it. */
  readonly looksAgain?: readonly string[];
  /** Images that may stay where something befell it: that the agent pulled them was not on disk yet. */
  readonly mayStay?: readonly string[];
  /** In the end; what is left out does not exist. */
  readonly end: Partial<DeviceView>;
  /** What else has to hold in the end. */
  readonly also?: (device: Device) => void;
}

/** One thing that befalls the step of that number, counted from the beginning of the scenario. */
export interface InjectedFault {
  readonly at: number;
  readonly fault: Fault;
}

const NOTHING: DeviceView = { containers: [], networks: [], volumes: [], images: [], locks: [], failures: [] };
/** What an agent may do when it starts on a settled device: look. And make sure that no earlier one left its lock. */
export const AT_START = [
  'events',
  'listContainers',
  'listNetworks',
  'listVolumes',
  'listImages',
  'inspectImage',
  'lock.release',
];
/** Longer than any look is put off after a failure. */
const A_WHILE_MS = 60_000;

/** One run of a scenario on a device of its own. */
export class ScenarioRun {
  readonly device: Device;
  readonly checker: InvariantChecker;
  /** What a restart of the agent took, if there was one: until another one had looked at everything. */
  restartMs = 0;
  #downtime: Downtime | undefined;
  #steps = 0;

  constructor(
    private readonly scenario: Scenario,
    private readonly injected?: InjectedFault,
  ) {
    this.device = new Device(scenario.settings);
    this.checker = new InvariantChecker(this.device);
  }

  /** The longest that a service which was up at the beginning has been down, until it was up again. */
  get downMs(): number {
    return this.#downtime?.longestMs ?? 0;
  }

  /** To the end, and checks it. Returns how many steps there were. */
  async complete(): Promise<number> {
    await this.prepare();
    await this.apply();
    this.#check();
    return this.#steps;
  }

  /** Up to the moment before the target is declared. Returns the agent that ran before somebody acted by hand, and may have been stopped for that. */
  async prepare({ halted = false } = {}): Promise<Agent> {
    const { earlier, before, byHand, noticed, images } = this.scenario;
    this.device.engine.images.add('web:1');
    images?.(this.device);
    for (const { tags } of this.device.engine.images.list())
      for (const tag of tags) this.checker.protectedImages.add(tag);
    if (earlier) await this.#drive(earlier, (agent) => agent.settle());
    if (before) await this.#drive(before, (agent) => agent.settle());
    else await this.device.boot();
    const agent = this.device.agent ?? assert.fail('no agent');
    this.#downtime = new Downtime(this.device);
    if (halted) await this.device.halt();
    byHand?.(this.device);
    if (noticed) await agent.settle();
    return agent;
  }

  /** Declares the target, and goes on until it is true. */
  async apply(): Promise<void> {
    const { target, obstacle } = this.scenario;
    this.checker.alwaysRunning = this.scenario.alwaysRunning ?? [];

    const { at, fault = 'none' } = this.injected ?? {};
    this.device.faultPlan = () => (this.#steps++ === at ? fault : 'none');
    if (obstacle) {
      await this.#drive(target, passTime);
      if (!this.injected && this.device.agent) obstacle.seen(this.device.agent);
      obstacle.cleared(this.device);
    }
    await this.#drive(target, async (agent) => {
      await this.#ask(agent);
      await this.#settle(agent);
    });
    await this.#drive(target, async (agent) => {
      this.device.clock.advance(A_WHILE_MS);
      await this.#settle(agent);
    });
    this.device.faultPlan = noFaults;
  }

  /** Looks at everything again, and proposes the same again: nothing may happen. */
  async rest(): Promise<void> {
    const agent = this.device.agent ?? assert.fail('no agent');
    const from = agent.steps.length;
    const changes: string[] = [];
    const stop = agent.store.watch(({ key, parts }) => parts.length > 0 && changes.push(`${key} ${parts}`));
    for (const loop of agent.loops) loop.resync();
    await this.#settle(agent);
    await agent.propose(this.scenario.target);
    await this.#settle(agent);
    stop();
    const did = agent.steps.slice(from).filter((step) => !this.scenario.looksAgain?.includes(step));
    assert.deepEqual(did, [], 'calls and writes at rest');
    assert.deepEqual(changes, [], 'changes at rest');
  }

  /** Starts another agent: it looks, and finds nothing to do. */
  async restart(how: 'halt' | 'kill'): Promise<void> {
    await this.device[how]();
    await this.#drive(this.scenario.target, (agent) => this.#settle(agent));
    const { asksAgain = [], looksAgain = [] } = this.scenario;
    const expected = [...AT_START, ...asksAgain, ...looksAgain];
    const did = (this.device.agent?.steps ?? []).filter((step) => !expected.includes(step));
    assert.deepEqual(did, [], `what a new agent did after a ${how}`);
    this.#check();
  }

  async end(): Promise<void> {
    this.device.faultPlan = noFaults;
    await this.device.stop();
  }

  #settle(agent: Agent): Promise<void> {
    return agent.settle({ waiting: this.scenario.waiting ?? [] });
  }

  /** Asks until it is heard: the disk may refuse to keep it, and nobody may have looked at the target. */
  async #ask(agent: Agent): Promise<void> {
    const { asks } = this.scenario;
    for (let step = 0; asks && step < 50 && !agent.isDead; step += 1) {
      await agent.quiet();
      if (agent.isDead || (await asked(asks, agent))) return;
      this.device.clock.step();
    }
  }

  /** Has an agent work on the target, another one when it is killed meanwhile. */
  async #drive(target: readonly AnyDeclared[], work: (agent: Agent) => Promise<void>): Promise<void> {
    for (let lives = 0; lives < 5; lives += 1) {
      const active = this.device.agent?.isDead === false ? this.device.agent : undefined;
      const agent = active ?? (await this.#boot());
      const refused = await agent.propose(target).then(
        () => false,
        () => true,
      );
      if (refused) continue;
      await work(agent);
      if (!agent.isDead) return;
    }
    assert.fail('five agents died');
  }

  async #boot(): Promise<Agent> {
    const from = this.device.clock.now();
    const agent = await this.device.boot();
    this.restartMs += this.device.clock.now() - from;
    return agent;
  }

  #check(): void {
    const { agent } = this.device;
    const end = { ...NOTHING, ...this.scenario.end };
    const { images, ...view } = viewOf(this.device);
    const stayed = this.injected ? (this.scenario.mayStay ?? []) : [];
    assert.deepEqual({ ...view, images: images.filter((one) => !stayed.includes(one)) }, end);
    assert.deepEqual(this.checker.violations, []);
    this.scenario.also?.(this.device);
    for (const one of agent?.documents() ?? []) {
      const says = one.status?.conditions?.find(({ type }) => type === 'Ready')?.status;
      if (agent && says === 'True') assert.equal(readyViolation(this.device, agent, one), undefined, one.metadata.name);
    }
  }
}

/** Asks; false when the agent is killed over it, or its disk refuses. */
const asked = (asks: NonNullable<Scenario['asks']>, agent: Agent): Promise<boolean> =>
  Promise.race([asks(agent).catch(() => false), agent.ended.then(() => false)]);

/** Some time, in which what can be done is done. */
async function passTime(agent: Agent): Promise<void> {
  for (let step = 0; step < 8 && !agent.isDead; step += 1) {
    await agent.quiet();
    agent.device.clock.step();
  }
  await agent.quiet();
}

/** Has registries offer these images. */
export const serve =
  (...references: readonly string[]) =>
  ({ engine }: Device): void => {
    for (const reference of references) engine.images.serve(reference);
  };

/** Why a document is not Ready; undefined when it is not there, or nobody has looked at it. */
export function reasonOf(agent: Agent, kind: Kind, name: string): string | undefined {
  const document = agent.store.get(kind, name);
  return document && conditionOf(document, 'Ready')?.reason;
}
