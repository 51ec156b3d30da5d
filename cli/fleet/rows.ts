import { csvOf } from '@handwired/checker';
import { renderTable } from '../table.ts';

export type Format = 'table' | 'csv' | 'json';

/** What one student's lab is like, or what became of it. */
export interface Row {
  student: string;
  lab: string;
  state: string;
  detail: string;
}

/** One row a student in one of the formats. CSV: cells that a spreadsheet would run as a formula are escaped. */
export function renderRows(rows: readonly Row[], format: Format): string {
  if (format === 'json') return JSON.stringify({ schemaVersion: 1, students: rows }, null, 2);
  const head = ['student', 'lab', 'state', 'detail'];
  const cells = rows.map(({ student, lab, state, detail }) => [student, lab, state, detail]);
  if (format === 'table') return renderTable(head, cells);
  return csvOf([head, ...cells]).trimEnd();
}
