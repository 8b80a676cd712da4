import { createHash } from 'node:crypto';
import { build } from 'esbuild';

const absent = './controllers/engine/client/absent-transport.ts';

export interface Bundle {
  readonly name: string;
  readonly code: Uint8Array;
  /** File of its compiled code. */
  readonly cache: string;
  /** Files that are in it, with how much of it comes from each. */
  readonly inputs: Readonly<Record<string, { readonly bytesInOutput: number }>>;
}

/** Two programs in one: the agent, and the command that talks to one. Neither loads the other. Writes nothing. */
export const bundles = async () => ({
  agent: await bundled('controllers/agent/start.ts', 'supercargo', {
    ssh2: absent,
    '@grpc/grpc-js': absent,
    '@grpc/proto-loader': absent,
    protobufjs: absent,
  }),
  command: await bundled('api/cli/main.ts', 'supercargo-command', {}),
});

async function bundled(entry: string, name: string, alias: Readonly<Record<string, string>>): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    entryPoints: [entry],
    outfile: `dist/${name}.cjs`,
    write: false,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    minify: true,
    keepNames: true,
    legalComments: 'none',
    supported: { 'dynamic-import': false }, // a script that was compiled from a text cannot import
    logLevel: 'warning',
    metafile: true,
    // Packages that are ESM only ask where they are.
    define: { 'import.meta.url': 'bundleUrl' },
    banner: { js: "const bundleUrl = require('node:url').pathToFileURL(__filename).href;" },
    alias: { ...alias },
  });
  const [output] = outputFiles;
  const [{ inputs } = { inputs: {} }] = Object.values(metafile.outputs);
  if (!output) throw new Error(`There is no bundle of ${entry}`);
  const code = output.contents;
  const hash = createHash('sha256').update(code).digest('hex').slice(0, 16);
  return { name, code, cache: `${name}-${hash}.cache`, inputs };
}
