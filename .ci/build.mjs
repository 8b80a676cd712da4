// `npm run build`: the agent as one file with V8's compiled code beside it, because reading and compiling some hundred
// package files takes longer than running them. Writes dist/supercargo.js (what is run), .cjs (the bundle), .cache.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { build } from 'esbuild';

const absent = './controllers/docker/absent-transport.ts';
const result = await build({
  entryPoints: ['controllers/start.ts'],
  outfile: 'dist/supercargo.cjs',
  write: false,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  minify: true,
  keepNames: true,
  legalComments: 'none',
  logLevel: 'warning',
  metafile: true,
  // Packages that are ESM only ask where they are.
  define: { 'import.meta.url': 'bundleUrl' },
  banner: { js: "const bundleUrl = require('node:url').pathToFileURL(__filename).href;" },
  alias: { ssh2: absent, '@grpc/grpc-js': absent, '@grpc/proto-loader': absent, protobufjs: absent },
});

// V8 itself compares only the length of the source with a cache: so the cache's name holds the bundle's hash.
const bundle = result.outputFiles[0].contents;
const cache = `supercargo-${createHash('sha256').update(bundle).digest('hex').slice(0, 16)}.cache`;
mkdirSync('dist', { recursive: true });
for (const file of readdirSync('dist')) if (file.endsWith('.cache') && file !== cache) rmSync(join('dist', file));
replace('dist/supercargo.cjs', bundle);
// A cache of another Node is refused by V8 and costs nothing but the time that it would have saved.
replace(
  'dist/supercargo.js',
  `#!/usr/bin/env node
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { Script } from 'node:vm';

// An agent rests most of its life: a young generation that stays at its first size, and code for size. 10 MiB less.
setFlagsFromString('--semi-space-growth-factor=1');
setFlagsFromString('--optimize-for-size');
const bundle = fileURLToPath(new URL('supercargo.cjs', import.meta.url));
const cache = fileURLToPath(new URL('${cache}', import.meta.url));
const source = '(function (exports, require, module, __filename, __dirname) {' + readFileSync(bundle, 'utf8') + '\\n})';
const script = new Script(source, { filename: bundle, cachedData: existsSync(cache) ? readFileSync(cache) : undefined });
if (process.env.SUPERCARGO_CODE_CACHE === 'write') {
  process.on('exit', () => writeFileSync(cache, script.createCachedData()));
}
const module = { exports: {} };
script.runInThisContext()(module.exports, createRequire(bundle), module, bundle, dirname(bundle));
`,
);
if (!existsSync(join('dist', cache))) await writeCache();

/** In one step: somebody may be starting it right now. */
function replace(file, contents) {
  writeFileSync(`${file}.new`, contents, { mode: 0o755 });
  renameSync(`${file}.new`, file);
}

/** Lets the agent start once on empty folders without an engine, so that the cache holds what a start runs through. */
async function writeCache() {
  const folder = mkdtempSync(join(tmpdir(), 'supercargo-build-'));
  const socket = join(folder, 'api.sock');
  const agent = spawn(
    process.execPath,
    ['dist/supercargo.js', '--data', join(folder, 'data'), '--manifests', folder, '--listen', `unix:${socket}`],
    {
      env: { ...process.env, SUPERCARGO_CODE_CACHE: 'write', DOCKER_HOST: `unix://${join(folder, 'no.sock')}` },
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  const ended = once(agent, 'exit');
  const answers = () =>
    new Promise((resolve) => {
      request({ socketPath: socket, path: '/v2/applications/state' }, (answer) => resolve(answer.resume().statusCode === 200))
        .on('error', () => resolve(false))
        .end();
    });
  for (let tries = 0; tries < 200 && agent.exitCode === null && !(await answers()); tries += 1) await delay(50);
  agent.kill('SIGTERM');
  const [code] = await ended;
  if (code !== 0) throw new Error(`The bundle does not run: it ended with ${code}`);
  rmSync(folder, { recursive: true, force: true });
}

if (process.argv.includes('--sizes')) {
  const sizes = new Map();
  for (const [file, { bytesInOutput }] of Object.entries(Object.values(result.metafile.outputs)[0].inputs)) {
    const name = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? 'supercargo';
    sizes.set(name, (sizes.get(name) ?? 0) + bytesInOutput);
  }
  console.table([...sizes].sort(([, a], [, b]) => b - a).slice(0, 25));
}
