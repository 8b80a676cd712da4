import { posix } from 'node:path';
import { COMPOSE } from '../../../crds/model/compose.js';
import { API_VERSION, type Source } from '../../../crds/model/kinds.js';
import type { Values } from '../../../crds/model/maps.js';
import type { Parse } from '../documents.js';
import { notSet } from './interpolate.js';
import { child, type Findings, type Node, sourceOf } from './node.js';
import { applyPolicy } from './policy.js';
import {
  type ComposeModel,
  type ComposeProject,
  type Located,
  type ProjectReport,
  type ReadOptions,
  readProject,
} from './project.js';
import { Translator } from './translate.js';

/** What a Compose project comes to. */
export interface Converted extends ProjectReport {
  /** The App document; undefined: there are problems. */
  readonly document: Values | undefined;
  /** Returns where the value at a path of the document is written, such as `spec.services.web.ports[0]`. */
  readonly locate: (path: string) => Source;
  /** Paths of the host that the project binds relative to its own folder. */
  readonly relativeBinds: readonly Source[];
}

/**
 * Reads a Compose project and translates it to one App, whose meaning is Compose's: what Compose has as a default is
 * written out. All problems are told at once. `parse` checks the App; it may be left out where somebody else does.
 */
export async function convertProject(options: ReadOptions, parse: Parse): Promise<Converted> {
  const project = await readProject(options);
  const { model, root, findings, composeFiles, parsedFiles, files, name } = project;
  const document = model && root && documentOf(project, model, root, options);
  const find = (path: string): Located => project.locate(path.replace(/^spec\.?/, ''));
  const before = findings.problems.length;
  if (document !== undefined) {
    const parsed = parse(document);
    for (const { path, message } of parsed.ok ? [] : parsed.issues) {
      const { source, unset } = find(path);
      const because = unset.map((one) => `: ${notSet(one, project.variables)}`).join('');
      // One mistake is told once: the reader knows more of its cause.
      if (!isToldAt(findings, before, source))
        findings.problem(source, `${message}${because}`, path.replace(/^spec\./, ''));
    }
  }
  return {
    document: findings.problems.length > 0 ? undefined : document,
    ...{ name, problems: findings.problems, warnings: findings.warnings, composeFiles, parsedFiles, files },
    locate: (path) => find(path).source,
    relativeBinds: model === undefined ? [] : relativeBinds(root, model),
  };
}

const isToldAt = ({ problems }: Findings, count: number, { file, line, column }: Source): boolean =>
  problems
    .slice(0, count)
    .some(({ source }) => source?.file === file && source.line === line && source.column === column);

function documentOf(
  { findings, composeFiles }: ComposeProject,
  model: ComposeModel,
  root: Node,
  options: Pick<ReadOptions, 'folder' | 'place'>,
): Values {
  applyPolicy(root, new Set(Object.keys(model.services)), findings);
  const translator = new Translator(model, root, findings, options);
  // Not whole paths: a project comes to the same App wherever it is read.
  const annotations = { [COMPOSE.files]: composeFiles.map((file) => posix.relative(options.folder, file)).join() };
  const metadata = { name: model.name, annotations: { ...annotations, ...translator.annotations() } };
  return { apiVersion: API_VERSION, kind: 'App', metadata, spec: translator.spec() };
}

/** Returns where services bind paths that are written relative to their files. Pure. */
function relativeBinds(root: Node | undefined, { services }: Pick<ComposeModel, 'services'>): readonly Source[] {
  const mounts = Object.keys(services).flatMap((name) => {
    const volumes = child(child(child(root, 'services'), name), 'volumes');
    const items = volumes?.is === 'list' ? volumes.items : [];
    return items.map((item) => (item.is === 'map' ? child(item, 'source') : item));
  });
  const contents = ['secrets', 'configs'].flatMap((section) => {
    const all = child(root, section);
    return all?.is === 'map' ? [...all.entries.values()].map(({ node }) => child(node, 'file')) : [];
  });
  const isRelative = (text: string): boolean => /^[.~]/.test(text);
  return [
    ...mounts.filter((node) => node?.is === 'scalar' && isRelative(node.text)),
    ...contents.filter((node) => node?.is === 'scalar' && !node.text.startsWith('/')),
  ].flatMap((node) => (node === undefined ? [] : [sourceOf(node.at)]));
}
