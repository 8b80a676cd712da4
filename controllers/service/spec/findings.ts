/** Collects the results of reading a document: an issue rejects it, a warning leaves out the thing that it names. */
export class Findings {
  readonly issues: { path: string; message: string }[] = [];
  readonly warnings: string[] = [];

  /** Returns undefined, so that a reader can say `return findings.issue(…)`. */
  issue(path: string, message: string): undefined {
    this.issues.push({ path, message });
    return undefined;
  }

  warn(path: string, message: string): undefined {
    this.warnings.push(`${path}: ${message}`);
    return undefined;
  }
}
