import { parseJsonWithin } from '../../../api/platform/json-text.js';
import { timeoutSignal } from '../../../api/platform/time-limit.js';
import { HUB, registryName } from '../../../crds/model/image-reference.js';
import { isMap } from '../../../crds/model/maps.js';
import type { RegistryAuth, SeenImage } from '../engine.js';

/** What a registry says of the size of an image. */
export interface RemoteImage {
  /** Bytes of each layer as it is downloaded, from the lowest. */
  readonly layers: readonly number[];
  /** Digests of the unpacked layers, as engines know them; empty when the registry does not tell. */
  readonly diffIds: readonly string[];
  /** As engines call it, `sha256:…`, where the registry tells. */
  readonly id?: string;
  /** What it brings into a container's definition, where the registry tells. */
  readonly config?: SeenImage['config'];
}

interface Manifest {
  readonly manifests?: readonly { readonly digest: string; readonly platform?: { readonly architecture?: string } }[];
  readonly config?: { readonly digest: string };
  readonly layers?: readonly { readonly size?: number }[];
}

const ACCEPTED = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');

/** Longest time for a registry to answer, and to finish its answer, ms. */
const LONGEST_TALK_MS = 30_000;
/** Largest answer, bytes: the distribution specification asks registries to accept manifests of 4 MiB; configurations have some kB. */
const LARGEST_ANSWER_BYTES = 4 * 1024 * 1024;

/**
 * Asks a registry (HTTP API v2) for the layers of an image. Undefined when it does not answer, for whatever reason: the
 * engine may reach what we do not, through a mirror or with a certificate of its own.
 */
export async function remoteImage(
  reference: string,
  auth: RegistryAuth | undefined,
  architecture: string,
  signal: AbortSignal,
  limitMs = LONGEST_TALK_MS,
): Promise<RemoteImage | undefined> {
  try {
    const { repository, version } = registryName(reference);
    const get = getter(reference, auth, timeoutSignal(limitMs, signal));
    const first = await get(`${repository}/manifests/${version}`);
    const offered = first?.manifests;
    const chosen = offered?.find(({ platform }) => platform?.architecture === architecture) ?? offered?.[0];
    const manifest = chosen ? await get(`${repository}/manifests/${chosen.digest}`) : first;
    if (!manifest?.layers) return undefined;
    const config = manifest.config && (await get(`${repository}/blobs/${manifest.config.digest}`));
    const { rootfs, config: brought } = (config ?? {}) as {
      readonly rootfs?: { readonly diff_ids?: readonly string[] };
      readonly config?: SeenImage['config'];
    };
    return {
      layers: manifest.layers.map(({ size = 0 }) => size),
      diffIds: rootfs?.diff_ids ?? [],
      ...(manifest.config ? { id: manifest.config.digest } : {}),
      ...(isMap(brought) ? { config: brought } : {}),
    };
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

/** Returns a function that sends GETs to one image's repository, with credentials when the registry asks for them. */
function getter(
  reference: string,
  auth: RegistryAuth | undefined,
  signal: AbortSignal,
): (path: string) => Promise<Manifest | undefined> {
  const { registry, repository } = registryName(reference);
  const host = registry === HUB ? 'registry-1.docker.io' : registry;
  // As the engine does: only this machine is reached without encryption.
  const isHere = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/.test(host);
  const base = `${isHere ? 'http' : 'https'}://${host}/v2/`;
  let authorization: string | undefined;
  const ask = (path: string) =>
    fetch(base + path, { signal, headers: { accept: ACCEPTED, ...(authorization ? { authorization } : {}) } });
  return async (path) => {
    let answer = await ask(path);
    if (answer.status === 401 && authorization === undefined) {
      authorization = await authorize(
        answer.headers.get('www-authenticate') ?? '',
        { repository, auth, isPlain: isHere },
        signal,
      );
      if (authorization !== undefined) answer = await ask(path);
    }
    return answer.ok ? ((await jsonOf(answer)) as Manifest) : undefined;
  };
}

/** Returns the answer to a challenge: the login itself, or a token from the named address. (RFC 6750, distribution's token scheme.) */
async function authorize(
  challenge: string,
  {
    repository,
    auth,
    isPlain,
  }: {
    readonly repository: string;
    readonly auth: RegistryAuth | undefined;
    /** The registry itself is reached without encryption. */
    readonly isPlain: boolean;
  },
  signal: AbortSignal,
): Promise<string | undefined> {
  const basic = auth && 'username' in auth ? `Basic ${base64(`${auth.username}:${auth.password}`)}` : undefined;
  if (/^basic/i.test(challenge)) return basic;
  if (auth && 'registrytoken' in auth) return `Bearer ${auth.registrytoken}`;
  const params = Object.fromEntries(
    [...challenge.matchAll(/\b(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]),
  );
  if (!/^bearer/i.test(challenge) || !params.realm || !URL.canParse(params.realm)) return undefined;
  const realm = new URL(params.realm);
  // Tokens may come from another host (Docker Hub's do), but a login is never sent to it without encryption.
  if (realm.protocol !== 'https:' && !isPlain) return undefined;
  if (params.service) realm.searchParams.set('service', params.service);
  realm.searchParams.set('scope', `repository:${repository}:pull`);
  const answer = await fetch(realm, { signal, headers: basic ? { authorization: basic } : {} });
  const { token, access_token } = (await jsonOf(answer)) as { readonly token?: string; readonly access_token?: string };
  const given = token ?? access_token;
  return given === undefined ? undefined : `Bearer ${given}`;
}

/** Reads an answer as JSON. Throws when it is larger, or contains more, than a device should take; the rest of it is not awaited. */
async function jsonOf(answer: Response): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of answer.body ?? []) {
    bytes += chunk.length;
    if (bytes > LARGEST_ANSWER_BYTES) throw new Error('The registry answers more than is read');
    chunks.push(chunk);
  }
  return parseJsonWithin(Buffer.concat(chunks).toString());
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');
