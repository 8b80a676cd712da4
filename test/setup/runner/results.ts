/** What one test came to. */
export interface TestResult {
  /** Path of the test file, from the root of the checkout. */
  readonly file: string;
  /** Titles from the outermost `describe` to the test itself. */
  readonly path: readonly string[];
  readonly state: 'passed' | 'failed' | 'skipped';
  readonly ms: number;
  /** Why it failed: message, causes and where. */
  readonly error?: string;
  /** Why it failed the first time, where it was run again and passed. */
  readonly failedBefore?: string;
}

/** What one test file came to. */
export interface FileResult {
  readonly file: string;
  /** From before the file was loaded until its last hook had ended. */
  readonly ms: number;
  readonly tests: readonly TestResult[];
  /** What it printed. */
  readonly output: string;
}

/** What one suite of the whole run came to. */
export interface SuiteResult {
  readonly name: string;
  readonly ms: number;
  readonly files: readonly FileResult[];
}

/** What the parent asks a lane for. */
export interface LaneRequest {
  readonly file: string;
  /** Limit of each test and hook, ms. */
  readonly timeoutMs: number;
}

/** What a lane tells its parent. */
export type LaneMessage =
  | { readonly is: 'ready' }
  | { readonly is: 'begun'; readonly title: string }
  | { readonly is: 'done'; readonly ms: number; readonly tests: readonly TestResult[] };

const OURS = /^\s+at .*(?:\/|\()(?:api|controllers|crds|test|scripts)\//;

/** Message, causes and the frames of our own code. Never throws, whatever was thrown. */
export function errorText(error: unknown, depth = 0): string {
  if (!(error instanceof Error)) return `thrown: ${String(error)}`;
  const frames = (error.stack ?? '').split('\n').filter((line) => OURS.test(line) && !line.includes('node_modules'));
  const lines = [`${error.name}: ${error.message}`, ...frames.slice(0, depth === 0 ? 6 : 2)];
  if (error.cause !== undefined && depth < 3) lines.push(`caused by ${errorText(error.cause, depth + 1)}`);
  return lines.join('\n');
}
