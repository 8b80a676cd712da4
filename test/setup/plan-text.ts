import type { Plan } from '../../controllers/runtime/outcome.js';
import { TerminalError } from '../../controllers/runtime/outcome.js';

/** A plan as one line, for tables: `remove (spec changed); progressing: Removing`. What it throws is part of it. */
export function planText<Step extends { readonly do: string }>(plan: () => Plan<Step>): string {
  try {
    const { steps, outcome, failure } = plan();
    const end = failure ? textOf(failure) : outcome.is === 'settled' ? 'settled' : `${outcome.is}: ${outcome.reason}`;
    return [...steps.map(stepText), end].join('; ');
  } catch (error) {
    if (error instanceof TerminalError) return textOf(error);
    throw error;
  }
}

const textOf = (error: Error): string => (error instanceof TerminalError ? `stalled: ${error.reason}` : 'retry');

function stepText(step: { readonly do: string }): string {
  const because = 'because' in step ? ` (${String(step.because)})` : '';
  const kind = 'kind' in step ? ` ${String(step.kind)}` : '';
  return `${step.do}${kind}${because}`;
}
