/** Names of Compose files, in the order in which they are taken: one of them makes a folder a project. */
export const COMPOSE_FILES: readonly string[] = [
  'compose.yaml',
  'compose.yml',
  'docker-compose.yml',
  'docker-compose.yaml',
];

/** Names of files that are laid over it, whichever name that has. */
export const OVERRIDE_FILES: readonly string[] = [
  'compose.override.yml',
  'compose.override.yaml',
  'docker-compose.override.yml',
  'docker-compose.override.yaml',
];

/**
 * Tells whether a text is a Compose file and no document of ours: it has `services` or `include` at the top, and neither
 * `kind` nor `apiVersion`. Looks at the beginnings of lines only, so that it costs nothing and a mistake further down
 * changes nothing. Pure.
 */
export const isComposeText = (text: string): boolean =>
  /^(?:services|include)[ \t]*:/m.test(text) && !/^(?:kind|apiVersion)[ \t]*:/m.test(text);
