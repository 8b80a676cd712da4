import { readdirSync } from 'node:fs';

/** A kind's folder of controllers is named like its CRD. */
const KINDS = readdirSync(new URL('crds/', import.meta.url)).flatMap((file) => /^(.+)\.yaml$/.exec(file)?.[1] ?? []);

/**
 * What may import what: the one table. `npm run lint` checks it, docs/design/overview.md prints it, and a test holds both
 * equal. A folder may import itself and what stands beside it here; the first row that fits a file counts. `<kind>` stands for
 * each kind: none imports another.
 */
export const LAYERS = [
  ['crds/model', []],
  ['crds/schema', ['crds/model']],
  ['crds/yaml', ['crds/model', 'crds/schema']],
  ['api/platform', ['crds']],
  ['api/store', ['crds', 'api/platform']],
  ['api/device-state', ['crds', 'api/platform', 'api/store']],
  ['api/sources', ['crds', 'api/platform', 'api/store', 'api/device-state']],
  ['api/http', ['crds', 'api/platform', 'api/store', 'api/device-state']],
  ['api/cli', ['crds', 'api/platform', 'api/sources/compose']],
  ['controllers/runtime', ['crds', 'api/platform', 'api/store', 'api/device-state']],
  ['controllers/engine', ['crds', 'api/platform', 'api/store', 'api/device-state', 'controllers/runtime']],
  ['controllers/host', ['crds', 'api/platform', 'api/store', 'api/device-state', 'controllers/runtime']],
  [
    'controllers/<kind>',
    ['crds', 'api/platform', 'api/store', 'api/device-state', 'controllers/runtime', 'controllers/engine', 'controllers/host'],
  ],
  ['controllers/agent', ['crds', 'api', 'controllers']],
];

const FOLDERS = LAYERS.flatMap(([folder, may]) =>
  folder.includes('<kind>') ? KINDS.map((kind) => [folder.replace('<kind>', kind), may]) : [[folder, may]],
);

const OURS = '^(?:api|controllers|crds)/';
const below = (folders) => folders.map((folder) => `^${folder}/`);

export default {
  forbidden: [
    ...FOLDERS.map(([folder, may]) => ({
      name: `${folder}-imports`,
      comment: `${folder} may import itself${may.length > 0 ? `, ${may.join(', ')}` : ''} and packages.`,
      severity: 'error',
      from: { path: below([folder]) },
      to: { path: OURS, pathNot: below([folder, ...may]) },
    })),
    {
      name: 'every-file-has-a-place',
      comment: 'A file outside the table has no rule: put it into one of its folders.',
      severity: 'error',
      from: { path: OURS, pathNot: below(FOLDERS.map(([folder]) => folder)) },
      to: {},
    },
    {
      name: 'dockerode-in-one-folder',
      comment: 'Only controllers/engine speaks to Docker.',
      severity: 'error',
      from: { path: OURS, pathNot: below(['controllers/engine']) },
      to: { path: '^node_modules/dockerode' },
    },
    {
      name: 'no-cycle',
      comment: 'Files that import each other can only be understood together: put what both need in a third.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-cycle-of-folders',
      comment: 'Folders beside each other are layers as well: one of two imports the other.',
      severity: 'error',
      scope: 'folder',
      from: {},
      to: { circular: true },
    },
  ],
  options: {
    // TypeScript 7 has no compiler API for tools to parse with.
    parser: 'swc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.json'] },
  },
};
