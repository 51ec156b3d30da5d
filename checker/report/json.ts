import type { Report } from './report.ts';

/** The report as JSON, in ASCII: whatever a lab host said can't act on the terminal that shows it. */
export const renderJson = (report: Report): string =>
  `${JSON.stringify(report, null, 2).replaceAll(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)}\n`;
