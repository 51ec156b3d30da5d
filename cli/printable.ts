/**
 * Text from anywhere as one line that can't drive a terminal: control and format characters (escape sequences,
 * bidirectional overrides) become a space.
 */
export const printable = (text: string): string => text.replace(/[\p{Cc}\p{Cf}]+/gu, ' ');
