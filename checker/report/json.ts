import type { Recording } from '../recording.ts';
import type { Report } from './report.ts';

/** JSON in ASCII: whatever a lab host said can't act on the terminal that shows it. */
export const asciiJson = (value: unknown): string =>
  `${JSON.stringify(value, null, 2).replaceAll(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)}\n`;

export const renderJson = (report: Report): string => asciiJson(report);

export const renderRecording = (recording: Recording): string => asciiJson(recording);
