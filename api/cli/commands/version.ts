import type { Session } from '../client/session.js';
import { CommandError } from '../failure.js';
import { GROUP_PATH } from '../kind-words.js';
import { COMMAND_VERSION } from '../version.js';

interface Device {
  readonly status: { readonly agentVersion: string; readonly supervisorVersion: string };
}

/** Runs `supercargo version`: shows that of the command, and that of the agent if one answers. */
export async function version(
  session: Session,
  { client: isClientOnly }: { readonly client?: boolean },
): Promise<void> {
  const { io, json } = session;
  if (isClientOnly) {
    io.out(json ? JSON.stringify({ command: COMMAND_VERSION }) : COMMAND_VERSION);
    return;
  }
  const agent = await agentVersions(session);
  if (json) {
    io.out(JSON.stringify({ command: COMMAND_VERSION, ...('agent' in agent ? agent : {}) }));
    return;
  }
  io.out(`command  ${COMMAND_VERSION}`);
  if ('agent' in agent) io.out(`agent    ${agent.agent}, compatible with balena Supervisor ${agent.supervisor}`);
  else io.out(`agent    ${agent.because}`);
}

async function agentVersions(session: Session): Promise<{ agent: string; supervisor: string } | { because: string }> {
  try {
    const { status } = await (await session.client()).ask<Device>('GET', `${GROUP_PATH}/device`);
    return { agent: status.agentVersion, supervisor: status.supervisorVersion };
  } catch (error) {
    if (error instanceof CommandError) return { because: error.message };
    throw error;
  }
}
