import { renderColumns } from '../setup/columns.js';
import { isMet, type Row, type Target } from './measure.js';

const number = (value: number): string => {
  const digits = Number.isInteger(value) || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return value.toFixed(digits);
};

function targetText(target: Target | undefined): string {
  if (target === undefined) return '';
  if ('timesFloor' in target) return `<= ${target.timesFloor} x`;
  return 'atMost' in target ? `<= ${target.atMost}` : `>= ${target.atLeast}`;
}

function verdict(row: Row): string {
  const met = isMet(row);
  return met === undefined ? '' : met ? 'met' : 'MISSED';
}

/** The rows as a table of text. Pure. */
export function renderTable(rows: readonly Row[]): string {
  const head = ['figure', 'agent', 'unit', 'floor', 'ratio', 'target', '', 'note'];
  const cells = rows.map((row) => [
    row.figure,
    number(row.measured),
    row.unit,
    row.floor === undefined ? '' : number(row.floor),
    row.floor === undefined ? '' : `${(row.measured / row.floor).toFixed(2)} x`,
    targetText(row.target),
    verdict(row),
    row.note ?? '',
  ]);
  return renderColumns(head, cells, [1, 3, 4]);
}

/** How many targets were met, in one sentence. Pure. */
export function summary(rows: readonly Row[]): string {
  const judged = rows.filter((row) => row.target !== undefined);
  const missed = judged.filter((row) => !isMet(row));
  const misses = missed.length === 0 ? '' : `; missed: ${missed.map(({ figure }) => figure).join(', ')}`;
  return `${judged.length - missed.length} of ${judged.length} targets met${misses}`;
}
