/**
 * Text from a lab host, made harmless for a terminal: control characters (C0, DEL, C1, so every ANSI sequence too),
 * line separators, the characters that reorder or hide text (Unicode Bidi_Control, zero width, tags), and those that
 * are none (surrogates, noncharacters), which XML forbids.
 */
export const escapeText = (text: string): string =>
  text.replaceAll(
    /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Cs}\p{Noncharacter_Code_Point}\u200B-\u200D\u2060\uFEFF\u{E0000}-\u{E007F}]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
