import { startMemoryAgent } from '../simulation/memory-agent.js';

/** An agent that prints where it listens and where its host's files are, until standard input ends. */
const agent = await startMemoryAgent();
process.stdout.write(`${JSON.stringify({ host: agent.host, hostRoot: agent.hostRoot })}\n`);
process.stdin.resume().once('end', () => void agent.close());
