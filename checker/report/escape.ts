import { stringify } from 'csv-stringify/sync';

/**
 * Text from a lab host, made harmless for a terminal: control characters (C0, DEL, C1, so every ANSI sequence too),
 * line separators, the characters that reorder or hide text (Unicode Bidi_Control, zero width, tags), and code points
 * that XML forbids because they are no characters (surrogates, noncharacters).
 */
export const escapeText = (text: string): string =>
  text.replaceAll(
    /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Cs}\p{Noncharacter_Code_Point}\u200B-\u200D\u2060\uFEFF\u{E0000}-\u{E007F}]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );

/** JSON in ASCII: whatever a lab host said can't act on the terminal that shows it. */
export const asciiJson = (value: unknown): string =>
  `${JSON.stringify(value, null, 2).replaceAll(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)}\n`;

/** Breaks a text between words into lines of at most this many columns. All lines but the first are indented. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + word.length + 1 > width) {
      lines.push(line);
      line = `  ${word}`;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Escapes text for XML and HTML, for elements and quoted attributes. The text must have passed escapeText. */
export const markup = (text: string): string => text.replaceAll(/[&<>"']/g, (found) => entities[found] ?? '');

/**
 * A table as CSV (RFC 4180, lines ended by LF). A cell that a spreadsheet would run as a formula gets an apostrophe
 * before it, which makes it text.
 */
export const renderCsvTable = (table: readonly (readonly string[])[]): string =>
  stringify(
    table.map((row) => [...row]),
    { escape_formulas: true, record_delimiter: 'unix' },
  );
