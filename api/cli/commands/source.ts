import type { GitSource } from '../../../crds/model/kinds.js';
import { ApiError } from '../client/client.js';
import type { Session } from '../client/session.js';
import { secondsOf, type WaitOptions, waitReady } from '../client/wait.js';
import { CommandError } from '../failure.js';
import { collectionPath, type Subject, subjectText } from '../kind-words.js';
import { type ActionOptions, request } from './actions.js';
import { remove } from './delete.js';
import { get } from './get.js';

export interface AddOptions extends WaitOptions {
  readonly branch?: string;
  readonly tag?: string;
  readonly commit?: string;
  readonly semver?: string;
  readonly path?: readonly string[];
  readonly interval?: string;
  readonly cron?: string;
  readonly token?: string;
  readonly sshKey?: string;
  readonly knownHosts?: string;
  readonly allowedSigners?: string;
  readonly keyring?: string;
}

const sourceOf = (name: string): Subject => ({ kind: 'GitSource', name });

/** Runs `supercargo source add`: declares a git repository, and waits until its documents are accepted. */
export async function addSource(session: Session, name: string, url: string, options: AddOptions): Promise<void> {
  if (options.wait) secondsOf(options);
  const client = await session.client();
  const body = { apiVersion: 'supercargo.io/v1', kind: 'GitSource', metadata: { name }, spec: specOf(url, options) };
  const added = await client.ask<GitSource>('POST', collectionPath('GitSource'), body).catch((error: unknown) => {
    if (!(error instanceof ApiError) || error.reason !== 'AlreadyExists') throw error;
    throw new CommandError(`There is a source ${name} already`, {
      cause: error,
      hint: `Change it with supercargo apply, or take it away first: supercargo source rm ${name}`,
    });
  });
  if (session.json) session.io.out(JSON.stringify({ type: 'created', kind: 'GitSource', name }));
  else session.io.out(`${subjectText(sourceOf(name))} created`);
  if (!options.wait) return;
  await waitReady(session, client, [{ ...sourceOf(name), generation: added.metadata.generation }], {
    ...options,
    before: [],
  });
}

/** Returns the spec that the flags describe. Pure. */
export function specOf(url: string, options: AddOptions): object {
  const { branch, tag, commit, semver, path = [], interval, cron } = options;
  const { token, sshKey, knownHosts, allowedSigners, keyring } = options;
  const credentials = defined({ token, sshKey, knownHosts });
  const verify = defined({ allowedSigners, keyring });
  return defined({
    url,
    ...defined({ branch, tag, commit, semver, interval, cron }),
    ...(path.length === 1 ? { path: path[0] } : path.length > 1 ? { paths: path } : {}),
    ...(Object.keys(credentials).length > 0 ? { credentials } : {}),
    ...(Object.keys(verify).length > 0 ? { verify } : {}),
  });
}

const defined = (fields: Readonly<Record<string, unknown>>): object =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

export const listSources = (session: Session): Promise<void> => get(session, ['gitsources'], { output: 'wide' });

export async function syncSources(session: Session, names: readonly string[], options: ActionOptions): Promise<void> {
  await request(session, await session.client(), names.map(sourceOf), 'sync', options);
}

export const removeSources = (session: Session, names: readonly string[], options: WaitOptions): Promise<void> =>
  remove(
    session,
    names.map((name) => subjectText(sourceOf(name))),
    options,
  );
