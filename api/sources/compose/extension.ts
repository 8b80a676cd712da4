/**
 * Fields of `x-supercargo`: what an App can say and Compose cannot, by where they stand. They have the names that they have
 * in an App, and are read and written by this table.
 */
export const EXTENSION = {
  app: [
    ...['appId', 'uuid', 'name', 'release', 'registries', 'suspend', 'volumeReclaim', 'rollout'],
    ...['revisionHistoryLimit', 'allowHostBinds', 'adopt', 'defaults'],
  ],
  service: ['updateStrategy', 'running', 'restart_unhealthy', 'schedule', 'contract', 'serviceId', 'imageId'],
  network: ['config_only'],
  volume: [],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** Words that stand beside them and change how the rest is read; an App has no field of that name. */
export const WORDS = {
  app: ['profiles', 'composeLabels'],
  service: ['keepCommand', 'unset'],
  network: ['keep'],
  volume: ['keep'],
} as const satisfies Readonly<Record<keyof typeof EXTENSION, readonly string[]>>;

/** Where `x-supercargo` may stand. */
export type Level = keyof typeof EXTENSION;
