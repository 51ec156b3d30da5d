import type { Token, Tokens } from 'marked';
import type { GuideStep, Inline } from './guide.ts';

/** What blocks are made with: the chapter's steps, the diagrams there are, and who is told what is wrong. */
export interface Making {
  steps: readonly GuideStep[];
  isPicture: (name: string) => boolean;
  problem: (line: number, what: string) => void;
}

/** Text inside a line. What a guide does not have is told and left out. */
export function inlinesOf(tokens: readonly Token[], line: number, making: Making): Inline[] {
  return tokens.flatMap((token): Inline[] => {
    const inner = (): Inline[] => inlinesOf((token as { tokens?: Token[] }).tokens ?? [], line, making);
    switch (token.type) {
      case 'text': {
        const { text, tokens: deeper } = token as Tokens.Text;
        if (deeper) return inner();
        if (/&#?\w+;/.test(text)) making.problem(line, `write the character itself: ${firstLine(text)}`);
        return [{ kind: 'text', text }];
      }
      case 'escape':
        return [{ kind: 'text', text: (token as Tokens.Escape).text }];
      case 'codespan':
        return [{ kind: 'code', text: (token as Tokens.Codespan).text }];
      case 'strong':
        return [{ kind: 'strong', inlines: inner() }];
      case 'em':
        return [{ kind: 'emphasis', inlines: inner() }];
      case 'link':
        return [{ kind: 'link', href: (token as Tokens.Link).href, inlines: inner() }];
      case 'br':
        return [{ kind: 'break' }];
      default:
        making.problem(line, `a guide has no ${token.type}: ${firstLine(token.raw)}`);
        return [];
    }
  });
}

/** As much of a text as a problem quotes. */
export const firstLine = (text: string): string => (text.trim().split('\n')[0] ?? '').slice(0, 60);
