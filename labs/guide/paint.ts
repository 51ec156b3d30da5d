import { styleText } from 'node:util';
import type { Inline } from './guide.ts';

/** How a guide is to come out in a terminal. */
export interface GuideLook {
  /** Characters a line. */
  columns: number;
  color: boolean;
  /** For a screen reader: nothing drawn, no colour, everything said in words. */
  plain: boolean;
}

type Style = 'bold' | 'dim' | 'italic' | 'cyan' | 'underline';

export const paint = (styles: Style | Style[], text: string, { color, plain }: GuideLook): string =>
  color && !plain ? styleText(styles, text, { validateStream: false }) : text;

/** Text inside a line. Without colour code is known by its backquotes. */
export function paintInlines(inlines: readonly Inline[], look: GuideLook): string {
  return inlines
    .map((inline) => {
      switch (inline.kind) {
        case 'text':
          return inline.text.replaceAll(/\s+/g, ' ');
        case 'code':
          return look.color && !look.plain ? paint('cyan', inline.text, look) : `\`${inline.text}\``;
        case 'strong':
          return paint('bold', paintInlines(inline.inlines, look), look);
        case 'emphasis':
          return paint('italic', paintInlines(inline.inlines, look), look);
        case 'link':
          return `${paint('underline', paintInlines(inline.inlines, look), look)} (${inline.href})`;
        case 'break':
          return '\n';
      }
    })
    .join('');
}
