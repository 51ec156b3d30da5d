import { renderCsv } from './csv.ts';
import { renderHtml } from './html.ts';
import { renderJson } from './json.ts';
import { renderJunit } from './junit.ts';
import type { Report } from './report.ts';
import { renderTap } from './tap.ts';
import { renderText, type TextOptions } from './text.ts';

/** Every output format of a report; the first is the default. */
export const formats = {
  text: renderText,
  json: renderJson,
  junit: renderJunit,
  tap: renderTap,
  csv: renderCsv,
  html: renderHtml,
} satisfies Record<string, (report: Report, options: TextOptions) => string>;

export type FormatName = keyof typeof formats;

export const renderReport = (report: Report, format: FormatName, options: TextOptions): string =>
  formats[format](report, options);
