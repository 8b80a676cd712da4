import { networkNames, volumeNames } from './engine-names.js';
import type { App } from './kinds.js';
import { allottedId } from './names.js';

/**
 * Annotations of an App that came from a Compose file. They are no part of what should run: a project that is read in
 * another folder, or whose labels are turned off, is no new release, and no container is recreated for it.
 */
export const COMPOSE = {
  /** Its Compose files, separated by commas, relative to the project's folder. */
  files: 'supercargo.io/compose-files',
  /** `off`: its containers do not have the labels of Docker Compose. */
  labels: 'supercargo.io/compose-labels',
} as const;

/**
 * Label that differs once files have other contents that a service of a Compose project mounts: a container has what was
 * there when it was made.
 */
export const CONTENTS_LABEL = 'io.supercargo.contents';

/** Labels of Docker Compose, by which its commands, and programs that show containers, find what belongs together. */
export const COMPOSE_PROJECT = 'com.docker.compose.project';
export const COMPOSE_SERVICE = 'com.docker.compose.service';
export const COMPOSE_NETWORK = 'com.docker.compose.network';
export const COMPOSE_CONFIG_FILES = 'com.docker.compose.project.config_files';
/** `True`: of `docker compose run`. */
export const COMPOSE_ONE_OFF = 'com.docker.compose.oneoff';
/** What programs that compare it with the versions of Docker Compose's labels have to find there. */
const LABELS_VERSION = '2.0.0';

type Labels = Readonly<Record<string, string>>;
type Declared = Pick<App, 'spec'> & { readonly metadata: Pick<App['metadata'], 'name' | 'annotations' | 'source'> };

/** Tells whether the App came from a Compose file. Pure. */
export const isComposeProject = (app: Declared | undefined): app is Declared =>
  app?.metadata.annotations?.[COMPOSE.files] !== undefined;

/** Tells whether what the App makes has the labels of Docker Compose. Pure. */
const isLabelled = (app: Declared | undefined): app is Declared =>
  isComposeProject(app) && app.metadata.annotations?.[COMPOSE.labels] !== 'off';

/** Returns the labels of Docker Compose for the container of a service; none for an App from elsewhere. Pure. */
export function composeContainerLabels(app: Declared | undefined, service: string, specHash: string): Labels {
  if (!isLabelled(app)) return {};
  const { annotations, source } = app.metadata;
  const { composeFiles = [annotations?.[COMPOSE.files] ?? ''] } = source ?? {}; // whole paths of files on the device
  const [, folder] = /^(\/.*)\/[^/]*$/.exec(composeFiles[0] ?? '') ?? [];
  return {
    [COMPOSE_PROJECT]: app.metadata.name,
    [COMPOSE_SERVICE]: service,
    'com.docker.compose.container-number': '1',
    [COMPOSE_ONE_OFF]: 'False',
    'com.docker.compose.config-hash': specHash,
    [COMPOSE_CONFIG_FILES]: composeFiles.join(),
    ...(folder === undefined ? {} : { 'com.docker.compose.project.working_dir': folder }),
    'com.docker.compose.version': LABELS_VERSION,
  };
}

/** Returns the labels of Docker Compose for a network of the App, by its name on the engine. Pure. */
export function composeNetworkLabels(app: Declared | undefined, engineName: string): Labels {
  if (!isLabelled(app)) return {};
  return labelsOf(app.metadata.name, COMPOSE_NETWORK, networkKeyOf(app, engineName));
}

/** Returns the name that a network has in the App, by its name on the engine. Pure. */
export function networkKeyOf(app: Declared, engineName: string): string | undefined {
  const { metadata, spec } = app;
  const uuid = spec.uuid ?? String(appIdOf(app));
  const all = Object.entries({ default: null, ...spec.networks });
  return all.find(([name, declared]) => networkNames(metadata.name, uuid, name, declared).engine === engineName)?.[0];
}

/** Returns the labels of Docker Compose for a volume of the App, by its name on the engine. Pure. */
export function composeVolumeLabels(app: Declared | undefined, engineName: string): Labels {
  if (!isLabelled(app)) return {};
  const { metadata, spec } = app;
  const all = Object.entries(spec.volumes ?? {});
  const key = all.find(
    ([name, declared]) => volumeNames(metadata.name, appIdOf(app), name, declared).engine === engineName,
  )?.[0];
  return labelsOf(metadata.name, 'com.docker.compose.volume', key);
}

const appIdOf = ({ metadata, spec }: Declared): number => spec.appId ?? allottedId(metadata.name);

const labelsOf = (project: string, label: string, key: string | undefined): Labels =>
  key === undefined ? {} : { [COMPOSE_PROJECT]: project, [label]: key };
