/**
 * Reads a Compose file of 57 services again and again in a process of its own, `yaml`: only as YAML, `convert`: to an App. Prints
 * the processor time of each in ms, as JSON.
 */
import { LineCounter, parseAllDocuments } from 'yaml';
import { convertProject } from '../../api/sources/compose/convert.js';
import { parseDocument } from '../../crds/schema/parse.js';
import { composeText } from '../setup/compose-text.js';

const ROUNDS = 30;
const [, , what] = process.argv;
const text = composeText(57);

async function read(): Promise<void> {
  if (what === 'yaml') {
    parseAllDocuments(text, { lineCounter: new LineCounter() });
    return;
  }
  const readFile = async (path: string) => ({ text: path === '/p/compose.yaml' ? text : undefined });
  const { problems } = await convertProject({ folder: '/p', readFile }, parseDocument);
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
}

const tookMs: number[] = [];
for (let round = 0; round < ROUNDS; round += 1) {
  const begin = process.cpuUsage();
  await read();
  const { user, system } = process.cpuUsage(begin);
  tookMs.push((user + system) / 1_000);
}
console.log(JSON.stringify(tookMs));
