import type { Problem } from '../../crds/model/kinds.js';
import { type Log, problemLine } from './documents.js';

/** Logs a problem when it appears and when it is solved, and nothing in between. */
export class ProblemLog {
  /** By area, then by the document or file, not by line number, which moves with every edit. */
  readonly #reported = new Map<string, Map<string, string>>();
  readonly #warned = new Set<string>();

  constructor(private readonly log: Log) {}

  /** Takes in all present problems of that area. */
  report(area: string, problems: readonly Problem[]): void {
    const before = this.#reported.get(area) ?? new Map<string, string>();
    const now = new Map(problems.map((problem) => [identity(problem), problemLine(problem)]));
    for (const problem of problems) {
      const { source, kind, name } = problem;
      if (!before.has(identity(problem))) this.log.warn({ ...source, kind, name }, problemLine(problem));
    }
    for (const [key, line] of before) if (!now.has(key)) this.log.info({}, `Solved: ${line}`);
    this.#reported.set(area, now);
  }

  /** Logs things that were left out on purpose, each once. */
  warn(warnings: readonly Problem[]): void {
    for (const warning of warnings) {
      if (this.#warned.has(identity(warning))) continue;
      this.#warned.add(identity(warning));
      this.log.warn({ ...warning.source }, problemLine(warning));
    }
  }
}

const identity = ({ source, path, kind, name, message }: Problem): string =>
  JSON.stringify([source?.file, path, kind, name, message]);
