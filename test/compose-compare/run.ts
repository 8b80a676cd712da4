/**
 * `npm run compose-compare [-- PATH]`: makes the containers of real Compose files twice on a real engine, once with
 * Docker Compose 1.29 (Debian's `docker-compose`), once with the agent, and compares what the engine says of them field
 * by field; also networks and volumes. Nothing is started. Files: every fourth of the corpus beside the repository, or
 * those whose path contains PATH (`/` for all). Prints a table of the differences with their reasons; exit code 1 when
 * one of them has none.
 */

import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { errorMessage } from '../../api/platform/errors.js';
import { isMap, type Values } from '../../crds/model/maps.js';
import type { AppSpec } from '../../crds/model/types.js';
import { renderColumns } from '../setup/columns.js';
import {
  CORPUS,
  type ConvertedFile,
  type CorpusFile,
  convertFile,
  hasCorpus,
  loadedFiles,
} from '../setup/compose-corpus.js';
import { needPrograms } from '../setup/programs.js';
import { Scene } from '../setup/scene.js';
import { type Difference, differences, inspectedFields } from './inspected.js';
import { reasonOf } from './reasons.js';

const run = promisify(execFile);
const EVERY = 4;
const [wanted] = process.argv.slice(2);
const print = (text: string): void => console.error(`  ${text}`);

interface Found extends Difference {
  readonly file: string;
  readonly service: string;
}

/** What either side has made: answers of the engine, containers by service. */
interface Made {
  readonly containers: ReadonlyMap<string, Values>;
  readonly networks: ReadonlyMap<string, Values>;
  readonly volumes: ReadonlyMap<string, Values>;
}

if (!hasCorpus()) throw new Error('The files of real projects are not here (../shared/corpus/compose)');
await needPrograms('docker-compose');
const folder = await mkdtemp(join(tmpdir(), 'supercargo-compare-'));
const scene = await Scene.open();
const { docker } = scene;
const found: Found[] = [];
const counts = { files: 0, services: 0, same: 0 };
const skipped: string[] = [];
try {
  const isWanted = ({ file }: CorpusFile, index: number): boolean =>
    wanted === undefined ? index % EVERY === 0 : file.includes(wanted);
  for (const { file } of loadedFiles().filter(isWanted)) await compareFile(file);
} finally {
  await scene.close();
  await rm(folder, { recursive: true, force: true });
}
report();

/** Both sides make the project of a copy of the file's folder. */
async function compareFile(file: string): Promise<void> {
  const root = join(folder, `${counts.files + skipped.length}`);
  await cp(join(CORPUS, dirname(file)), join(root, dirname(file)), { recursive: true });
  const converted = await convertFile({ file }, root);
  const { document, made } = converted;
  if (document === undefined || !isMap(document.spec)) return void skipped.push(`${file}: not taken`);
  for (const [path, text] of made) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  const spec = { ...document.spec, services: asleep(mapOf(document.spec.services)) } as unknown as AppSpec;
  try {
    await provide(spec);
    const theirs = await byCompose(join(root, file), converted);
    if (theirs === undefined) return;
    const ours = await byAgent(converted.name ?? 'project', spec);
    counts.files += 1;
    compare(file, spec, theirs, ours);
    print(`${file}: ${found.filter((one) => one.file === file).length} differences`);
  } catch (error) {
    skipped.push(`${file}: ${errorMessage(error).split('\n')[0]}`);
  } finally {
    await sweep();
  }
}

/** Services that are made and not started. */
function asleep(services: Values): Values {
  const fields = { running: false, pull_policy: 'missing' };
  return Object.fromEntries(
    Object.entries(services).map(([name, service]) => [name, { ...mapOf(service), ...fields }]),
  );
}

/** Gives one image every name that the project wants, and makes the networks and volumes that must be there before. */
async function provide({ services, networks, volumes }: AppSpec): Promise<void> {
  for (const image of new Set(Object.values(services ?? {}).flatMap(({ image }) => image ?? []))) {
    if (image.includes('@')) throw new Error(`image ${image}: a digest cannot be given to another image`);
    await docker.tag(scene.image, image);
  }
  for (const [name, network] of Object.entries(networks ?? {})) {
    if (network?.external === true) await create('networks', { Name: network.name ?? name });
  }
  for (const [name, volume] of Object.entries(volumes ?? {})) {
    if (volume?.external === true) await create('volumes', { Name: volume.name ?? name });
  }
}

function create(what: 'networks' | 'volumes', body: Values): Promise<unknown> {
  return docker.request({ method: 'POST', path: `/${what}/create`, body });
}

async function byCompose(path: string, { name, variables }: ConvertedFile): Promise<Made | undefined> {
  const env = {
    ...{ PATH: process.env.PATH, HOME: '/root', PWD: dirname(path) },
    ...{ DOCKER_HOST: docker.dockerHost, COMPOSE_PROJECT_NAME: name },
    ...Object.fromEntries(variables),
  };
  const compose = (...args: readonly string[]) =>
    run('docker-compose', ['-f', basename(path), ...args], { cwd: dirname(path), env, timeout: 120_000 });
  try {
    await compose('up', '--no-start');
  } catch (error) {
    const { stderr = '' } = error as { stderr?: string };
    const why = stderr.trim().split('\n').slice(-3).join(' ');
    skipped.push(`${path.slice(folder.length + 1)}: docker-compose 1.29: ${why}`);
    return undefined;
  }
  const made = await look('com.docker.compose.service', { label: [`com.docker.compose.project=${name}`] });
  await remove(made);
  return made;
}

async function byAgent(name: string, spec: AppSpec): Promise<Made> {
  const appId = scene.appId(spec.appId);
  await scene.put(name, { ...spec, appId });
  const count = Object.keys(spec.services ?? {}).length;
  await scene.until(
    `${count} containers of ${name}`,
    () => scene.containers(appId),
    (seen) => seen.length === count,
    { withinMs: 60_000 },
  );
  const made = await look('io.balena.service-name', { label: [`io.balena.app-id=${appId}`] });
  await scene.delete(name);
  await scene.untilGone(name);
  return made;
}

async function look(serviceLabel: string, filter: Values): Promise<Made> {
  const filters = JSON.stringify(filter);
  const list = async (path: string): Promise<readonly Values[]> => {
    const answer = await docker.request({ path, query: { all: '1', filters } });
    return (Array.isArray(answer) ? answer : ((mapOf(answer).Volumes ?? []) as unknown[])).map(mapOf);
  };
  const containers = new Map<string, Values>();
  for (const { Id: id } of await list('/containers/json')) {
    const one = mapOf(await docker.request({ path: `/containers/${id}/json` }));
    containers.set(String(mapOf(mapOf(one.Config).Labels)[serviceLabel]), one);
  }
  const named = (all: readonly Values[]) => new Map(all.map((one) => [String(one.Name), one]));
  return { containers, networks: named(await list('/networks')), volumes: named(await list('/volumes')) };
}

async function remove({ containers, networks, volumes }: Made): Promise<void> {
  const gone = (path: string, query: Record<string, string> = {}) => docker.request({ method: 'DELETE', path, query });
  for (const { Id: id } of containers.values()) await gone(`/containers/${id}`, { force: '1', v: '1' });
  for (const { Id: id } of networks.values()) await gone(`/networks/${id}`);
  for (const name of volumes.keys()) await gone(`/volumes/${name}`);
}

/** Whatever a file has left, and what was made for it to find. */
async function sweep(): Promise<void> {
  const all = async (path: string) => ((await docker.request({ path, query: { all: '1' } })) as Values[]).map(mapOf);
  const apps = (await scene.agent.documents('App')).map(({ metadata }) => metadata.name);
  for (const name of apps) {
    await scene.delete(name);
    await scene.untilGone(name);
  }
  for (const { Id: id } of await all('/containers/json'))
    await docker.request({ method: 'DELETE', path: `/containers/${id}`, query: { force: '1', v: '1' } });
  await docker.request({ method: 'POST', path: '/networks/prune' });
  const { Volumes: volumes } = mapOf(await docker.request({ path: '/volumes' }));
  for (const { Name: name } of ((volumes ?? []) as unknown[]).map(mapOf))
    await docker.request({ method: 'DELETE', path: `/volumes/${name}` });
}

function compare(file: string, { services, networks }: AppSpec, theirs: Made, ours: Made): void {
  for (const [service, declared] of Object.entries(services ?? {})) {
    counts.services += 1;
    const hostname = declared.hostname === undefined ? 'of the engine' : 'declared';
    const [one, other] = [theirs.containers.get(service), ours.containers.get(service)];
    const all =
      one === undefined || other === undefined
        ? [{ field: 'container', theirs: text(one?.Name), ours: text(other?.Name) }]
        : differences(inspectedFields(one, hostname), inspectedFields(other, hostname));
    if (all.length === 0) counts.same += 1;
    found.push(...all.map((difference) => ({ file, service, ...difference })));
  }
  // The engine chooses the addresses of a network that declares none.
  const hasPools = Object.values(networks ?? {}).some((network) => network?.ipam !== undefined);
  const fields = {
    networks: ['Driver', 'Internal', 'Attachable', 'EnableIPv6', 'Options', ...(hasPools ? ['IPAM'] : [])],
    volumes: ['Driver', 'Options'],
  };
  for (const kind of ['networks', 'volumes'] as const) {
    for (const name of new Set([...theirs[kind].keys(), ...ours[kind].keys()])) {
      const [one, other] = [theirs[kind].get(name), ours[kind].get(name)];
      for (const field of one && other ? fields[kind] : ['Name']) {
        const [a, b] = [text(output(one?.[field])), text(output(other?.[field]))];
        if (a !== b) found.push({ file, service: name, field: `${kind}.${field}`, theirs: a, ours: b });
      }
    }
  }
}

/** `null` and an empty map say as little as nothing does, also within. */
function output(value: unknown): unknown {
  if (!isMap(value)) return value ?? undefined;
  const inner = Object.entries(value).filter(([, one]) => output(one) !== undefined);
  return inner.length === 0 ? undefined : Object.fromEntries(inner);
}

function text(value: unknown): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value);
}

function mapOf(value: unknown): Values {
  return isMap(value) ? value : {};
}

function report(): void {
  const rows = new Map<string, { count: number; files: Set<string>; first: Found }>();
  for (const one of found) {
    const reason = reasonOf(one);
    const key = JSON.stringify([reason ?? 'NO REASON KNOWN', reason === undefined ? one.field : '']);
    const row = rows.get(key) ?? { count: 0, files: new Set<string>(), first: one };
    row.count += 1;
    row.files.add(one.file);
    rows.set(key, row);
  }
  const short = (value: string | undefined): string => (value ?? '–').slice(0, 60);
  console.log(
    renderColumns(
      ['field', 'times', 'files', 'Docker Compose 1.29', 'supercargo', 'reason'],
      [...rows].map(([key, { count, files, first }]) => {
        const [reason] = JSON.parse(key) as [string];
        return [first.field, `${count}`, `${files.size}`, short(first.theirs), short(first.ours), reason];
      }),
      [1, 2],
    ),
  );
  console.log(`\n${counts.files} files, ${counts.services} services, ${counts.same} the same in every field`);
  for (const one of skipped) console.log(`left out: ${one}`);
  const unexplained = found.filter((one) => reasonOf(one) === undefined);
  for (const { file, service, field, theirs, ours } of unexplained)
    console.log(`no reason: ${file} ${service} ${field}: ${theirs} ≠ ${ours}`);
  process.exitCode = unexplained.length > 0 ? 1 : 0;
}
