import { agentOn, type RowGroup, settle, withAgent } from '../bench.js';
import { median, type Row } from '../measure.js';

const LIMIT_S = 0.45;

/** From the spawn of the process until `/ping` answers: on an empty data folder, and on one that knows 20 services. */
export const pingRows: RowGroup = (bench) =>
  withAgent(bench, async (agent, folder) => {
    const dockerHost = `unix://${bench.socketPath}`;
    const times = async (text: string): Promise<number[]> => {
      const seconds: number[] = [];
      for (let round = 0; round < (bench.quick ? 3 : 7); round += 1) {
        bench.print(`start of the process: ${text}, ${round + 1}`);
        seconds.push(await agentOn(folder, dockerHost, async ({ pingMs }) => pingMs / 1000));
      }
      return seconds;
    };
    const row = (what: string, seconds: readonly number[]): Row => ({
      figure: `process start -> /ping (${what})`,
      measured: median(seconds),
      unit: 's',
      target: { atMost: LIMIT_S },
      samples: { seconds },
    });
    await agent.stop();
    const bare = row('empty', await times('empty'));
    await agentOn(folder, dockerHost, (next) => settle(next, 20));
    return [bare, row('20 services', await times('20 services'))];
  });
