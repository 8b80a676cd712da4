// `npm run build`: one file, dist/supercargo.js, because importing some hundred package files costs more than running them.
import { build } from 'esbuild';

const absent = './controllers/docker/absent-transport.ts';
const result = await build({
  entryPoints: ['controllers/start.ts'],
  outfile: 'dist/supercargo.js',
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  minify: true,
  keepNames: true,
  legalComments: 'none',
  logLevel: 'warning',
  metafile: true,
  // Packages that are still CommonJS call require().
  banner: { js: "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);" },
  alias: { ssh2: absent, '@grpc/grpc-js': absent, '@grpc/proto-loader': absent, protobufjs: absent },
});

if (process.argv.includes('--sizes')) {
  const sizes = new Map();
  for (const [file, { bytesInOutput }] of Object.entries(Object.values(result.metafile.outputs)[0].inputs)) {
    const name = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? 'supercargo';
    sizes.set(name, (sizes.get(name) ?? 0) + bytesInOutput);
  }
  console.table([...sizes].sort(([, a], [, b]) => b - a).slice(0, 25));
}
