// `npm run build`: agent and command as one file each with V8's compiled code beside it, because reading and compiling some hundred
// package files takes longer than running them. Writes dist/supercargo.js (what is run), and for the agent and the command
// a bundle (.cjs) and its compiled code (.cache); beside them the licences of the packages in them.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { bundles } from './bundles.ts';
import { packageFolders, thirdPartyLicenses } from './third-party-licenses.ts';

const { agent, command } = await bundles();

// V8 itself compares only the length of the source with a cache: so the cache's name holds the bundle's hash.
mkdirSync('dist', { recursive: true });
const caches = [agent, command].map(({ cache }) => cache);
for (const file of readdirSync('dist')) if (file.endsWith('.cache') && !caches.includes(file)) rmSync(join('dist', file));
for (const { name, code } of [agent, command]) replace(`dist/${name}.cjs`, code);
const files = [agent, command].flatMap(({ inputs }) => Object.keys(inputs));
// Whoever hands the bundle on hands these on with it.
replace('dist/THIRD-PARTY-LICENSES.txt', thirdPartyLicenses(packageFolders(files)), 0o644);
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

// A word, or an option that only the command has, means the command; "agent", flags of the agent and nothing the agent.
const [first = 'agent'] = process.argv.slice(2);
const isCommand = first !== 'agent' && /^(?:[^-]|--(?:host|key|context|json|no-color|help|version)(?:=|$)|-[hV]$)/.test(first);
if (!isCommand) {
  // An agent rests most of its life: a young generation that stays at its first size, and code for size. 10 MiB less.
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--optimize-for-size');
}
const [name, kept] = isCommand ? ['${command.name}', '${command.cache}'] : ['${agent.name}', '${agent.cache}'];
const bundle = fileURLToPath(new URL(name + '.cjs', import.meta.url));
const cache = fileURLToPath(new URL(kept, import.meta.url));
const source = '(function (exports, require, module, __filename, __dirname) {' + readFileSync(bundle, 'utf8') + '\\n})';
const script = new Script(source, {
  filename: bundle,
  cachedData: existsSync(cache) ? readFileSync(cache) : undefined,
});
if (process.env.SUPERCARGO_CODE_CACHE === 'write') {
  process.on('exit', () => writeFileSync(cache, script.createCachedData()));
}
const module = { exports: {} };
script.runInThisContext()(module.exports, createRequire(bundle), module, bundle, dirname(bundle));
`,
);
if (!existsSync(join('dist', agent.cache))) await writeCache();
if (!existsSync(join('dist', command.cache))) await run(['explain', 'app'], { SUPERCARGO_CODE_CACHE: 'write' });

async function run(args, env) {
  const child = spawn(process.execPath, ['dist/supercargo.js', ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`The bundle does not run: ${args.join(' ')} ended with ${code}`);
}

/** In one step: somebody may be starting it right now. */
function replace(file, contents, mode = 0o755) {
  writeFileSync(`${file}.new`, contents, { mode });
  renameSync(`${file}.new`, file);
}

/** Lets the agent start once on empty folders without an engine, so that the cache holds what a start runs through. */
async function writeCache() {
  const folder = mkdtempSync(join(tmpdir(), 'supercargo-build-'));
  const socket = join(folder, 'api.sock');
  const child = spawn(
    process.execPath,
    ['dist/supercargo.js', '--data', join(folder, 'data'), '--manifests', folder, '--listen', `unix:${socket}`],
    {
      env: { ...process.env, SUPERCARGO_CODE_CACHE: 'write', DOCKER_HOST: `unix://${join(folder, 'no.sock')}` },
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  const ended = once(child, 'exit');
  const answers = () =>
    new Promise((resolve) => {
      request({ socketPath: socket, path: '/v2/applications/state' }, (answer) => resolve(answer.resume().statusCode === 200))
        .on('error', () => resolve(false))
        .end();
    });
  for (let tries = 0; tries < 200 && child.exitCode === null && !(await answers()); tries += 1) await delay(50);
  child.kill('SIGTERM');
  const [code] = await ended;
  if (code !== 0) throw new Error(`The bundle does not run: it ended with ${code}`);
  rmSync(folder, { recursive: true, force: true });
}

if (process.argv.includes('--sizes')) {
  const sizes = new Map();
  for (const [file, { bytesInOutput }] of [agent, command].flatMap(({ inputs }) => Object.entries(inputs))) {
    const name = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? 'supercargo';
    sizes.set(name, (sizes.get(name) ?? 0) + bytesInOutput);
  }
  console.table([...sizes].sort(([, a], [, b]) => b - a).slice(0, 25));
}
