import type { Session } from '../client/session.js';
import { readComposeProject } from '../compose-project.js';
import { mistakesError } from '../files.js';
import { problemText } from '../format/places.js';
import { toYaml } from '../format/yaml.js';

export interface ConvertOptions {
  readonly filename?: readonly string[];
  readonly profile?: readonly string[];
}

/**
 * `supercargo compose convert`: prints the App that a Compose project comes to, warnings on standard error. Throws with
 * every problem of all its files. Sends no request.
 */
export async function convert({ io, json }: Session, { filename = ['.'], profile }: ConvertOptions): Promise<void> {
  const { document, problems, warnings } = await readComposeProject(filename, profile ? { profiles: profile } : {});
  io.err(...warnings.map((warning) => `${io.style('yellow', 'warning:')} ${problemText(warning)}`));
  if (document === undefined) throw mistakesError(problems.map(problemText));
  if (json) io.out(JSON.stringify(document));
  else io.out(toYaml(document).trimEnd());
}
