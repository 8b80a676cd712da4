import type { Env } from '../../../api/platform/programs.js';
import { parseDockerHost } from '../client/docker-address.js';
import { type DockerHttp, dockerHttp, parseBody, readAll, refusal } from '../client/docker-http.js';
import { connectEngine } from '../client/dockerode-engine.js';
import { splitReference } from '../client/engine-streams.js';
import { pullProgress } from '../images/pull-progress.js';
import { busyboxFiles, staticBusybox } from './busybox.js';
import { type TarEntry, tarOf } from './tar.js';

export interface Seed {
  readonly dockerHost: string;
  readonly reference: string;
  readonly print: (text: string) => void;
  readonly env?: Env;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Makes a small image available even where no registry can be reached: when the reference is not local, it is built
 * from Debian's static busybox. `unavailable`: it could not be built here (another machine's engine, no such program),
 * and has to be pulled like any image.
 */
export async function seedImage(seed: Seed): Promise<'present' | 'made' | 'unavailable'> {
  const { dockerHost, reference, print, env = process.env, signal = new AbortController().signal } = seed;
  const address = parseDockerHost(dockerHost);
  if ((await connectEngine({ dockerHost }).inspectImage(reference, signal)) !== undefined) return 'present';
  if (!('socketPath' in address)) return 'unavailable'; // its processor may be another one
  const binary = await staticBusybox(env, print);
  if (binary === undefined) return 'unavailable';
  print(`Making the image ${reference} from busybox`);
  const changes = ['CMD ["sh"]', 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'];
  await importImage(dockerHttp(address), reference, await busyboxFiles(binary, env), changes, signal);
  return 'made';
}

/** Creates an image of one layer from files. `changes`: Dockerfile lines (CMD, ENV, LABEL, …). */
export async function importImage(
  http: DockerHttp,
  reference: string,
  files: readonly TarEntry[],
  changes: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const { fromImage: repo, tag } = splitReference(reference);
  try {
    const { status, stream } = await http.open({
      method: 'POST',
      path: '/images/create',
      query: { fromSrc: '-', repo, tag, changes },
      file: tarOf(files),
      signal,
    });
    const text = await readAll(stream);
    if (status !== 200) throw refusal(status, parseBody(text));
    const progress = pullProgress(); // throws errors of the stream
    for (const line of text.split('\n').filter((one) => one.trim() !== '')) progress.take(JSON.parse(line));
  } catch (error) {
    throw http.broken(error, signal);
  }
}
