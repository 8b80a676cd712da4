import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CountingProxy, countingProxy } from '../setup/counting-proxy.js';
import { type AgentProcess, agentFolder, removeFolder, startAgent } from './agent-process.js';
import { type DockerApi, listContainers, listNetworks } from './docker-api.js';
import type { EventWatch } from './event-watch.js';
import { removeAll, removeFloor } from './floor.js';
import type { Row } from './measure.js';
import { AGENT_LABEL, BENCH_LABEL } from './target.js';

/** What every group of rows works with. */
export interface Bench {
  readonly socketPath: string;
  readonly docker: DockerApi;
  readonly events: EventWatch;
  /** Fewer repetitions, shorter waits. */
  readonly quick: boolean;
  print(text: string): void;
}

/** Measures one part of the report, with agents of its own. */
export type RowGroup = (bench: Bench) => Promise<readonly Row[]>;

/** An agent on the engine's own socket, on an empty device; the device is empty again afterwards. */
export async function withAgent<T>(bench: Bench, act: (agent: AgentProcess, folder: string) => Promise<T>): Promise<T> {
  const folder = await agentFolder();
  try {
    return await agentOn(folder, `unix://${bench.socketPath}`, (agent) => act(agent, folder));
  } finally {
    await sweep(bench.docker);
    await removeFolder(folder);
  }
}

/** The same behind a proxy that counts its requests to the engine. */
export async function withCountedAgent<T>(
  bench: Bench,
  act: (agent: AgentProcess, proxy: CountingProxy, folder: string) => Promise<T>,
): Promise<T> {
  const folder = await agentFolder();
  const socketFolder = await mkdtemp(join(tmpdir(), 'supercargo-proxy-'));
  const proxy = await countingProxy(bench.socketPath, join(socketFolder, 'docker.sock'));
  try {
    return await agentOn(folder, proxy.dockerHost, (agent) => act(agent, proxy, folder));
  } finally {
    await proxy.close();
    await sweep(bench.docker);
    await removeFolder(folder);
    await removeFolder(socketFolder);
  }
}

/** One process on a folder that may have been used before. */
export async function agentOn<T>(
  folder: string,
  dockerHost: string,
  act: (agent: AgentProcess) => Promise<T>,
): Promise<T> {
  const agent = await startAgent(folder, dockerHost);
  try {
    return await act(agent);
  } finally {
    await agent.stop();
  }
}

/** Brings that many services up from nothing and lets the agent come to rest. */
export async function settle(agent: AgentProcess, count: number, restMs = 2_000): Promise<void> {
  await agent.post(count);
  await agent.applied(600_000);
  await sleep(restMs);
}

/** Takes everything down again by the agent itself. */
export async function empty({ docker }: Bench, agent: AgentProcess): Promise<void> {
  await agent.post(0);
  await agent.applied();
  const left = [
    ...(await listContainers(docker, { label: [AGENT_LABEL] })),
    ...(await listNetworks(docker, { label: [AGENT_LABEL] })),
  ];
  if (left.length > 0)
    throw new Error(`The agent says applied, but ${left.length} objects of the removed app are left`);
  await sleep(300);
}

/** The floor, while the agent stands still. */
export async function withFrozen<T>(agent: AgentProcess, act: () => Promise<T>): Promise<T> {
  agent.freeze();
  try {
    return await act();
  } finally {
    agent.thaw();
    await sleep(300); // it reads the events that it missed
  }
}

/** Removes what an interrupted run may have left. */
export async function sweep(docker: DockerApi): Promise<void> {
  await removeFloor(docker);
  await removeAll(docker, { label: [AGENT_LABEL] });
  await removeAll(docker, { label: [BENCH_LABEL] });
}
