import { stripVTControlCharacters } from 'node:util';

/**
 * Text from anywhere as one line that can't drive a terminal: escape sequences go, other control and format
 * characters (bidirectional overrides) become a space.
 */
export const printable = (text: string): string => stripVTControlCharacters(text).replace(/[\p{Cc}\p{Cf}]+/gu, ' ');
