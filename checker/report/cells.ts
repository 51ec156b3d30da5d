import { stringify } from 'csv-stringify/sync';

/**
 * A table as CSV (RFC 4180, lines ended by LF). A cell that a spreadsheet would run as a formula gets an apostrophe
 * before it, which makes it text.
 */
export const csvOf = (table: readonly (readonly string[])[]): string =>
  stringify(
    table.map((row) => [...row]),
    { escape_formulas: true, record_delimiter: 'unix' },
  );
