import { createInterface } from 'node:readline/promises';
import { EXIT, LabError } from '@handwired/host';
import { type Choice, faults, understand } from '@handwired/labs/faults';
import type { Context } from '../context.ts';
import { labFlag } from '../options.ts';

/** The choices as a numbered list. */
export const renderChoices = (choices: readonly Choice[]): string =>
  choices.map(({ title, cause }, i) => `  ${String(i + 1).padStart(2)}  ${title}  (${cause})`).join('\n');

/** Asks at the terminal until something is typed; an empty line gives up asking. */
export async function askFor(choices: readonly Choice[], count: number, context: Context): Promise<string[]> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    context.print(renderChoices(choices));
    const what =
      count > 1 ? `${count} numbers, or words for each with a comma between them` : 'a number, or your own words';
    return (await lines.question(`What is the root cause? (${what}) `, { signal: context.signal }))
      .trim()
      .split(/\s+/)
      .filter(Boolean);
  } finally {
    lines.close();
  }
}

/**
 * The causes that an answer names: numbers of choices, ids of causes or faults, or a text, several with a comma or `and`
 * between them where several are looked for. Throws LabError (64) when a text can't be told: it is no answer then.
 */
export function causesIn(answer: readonly string[], choices: readonly Choice[], count: number, name: string): string[] {
  const ids = answer.flatMap((word) => word.split(',')).filter(Boolean);
  const known = ids.map((word) => causeOf(word, choices));
  if (known.every((cause) => cause !== undefined)) return known;
  const text = answer.join(' ');
  const parts = count > 1 ? text.split(/[,;]| and /).filter((part) => part.trim() !== '') : [text];
  return parts.map((part) => understood(part, choices, name));
}

const causeOf = (word: string, choices: readonly Choice[]): string | undefined =>
  choices[Number(word) - 1]?.cause ??
  faults.find(({ cause }) => cause === word)?.cause ??
  faults.find(({ id }) => id === word)?.cause;

function understood(text: string, choices: readonly Choice[], name: string): string {
  const [first, ...others] = understand(text);
  if (first !== undefined && others.length === 0) return first;
  const may = first === undefined ? '' : `: it may be ${[first, ...others].slice(0, 5).join(' or ')}`;
  throw new LabError({
    what: `'${text.trim().slice(0, 80)}' does not say for sure which cause you mean${may}; this was not counted`,
    next: `lab fault submit${labFlag(name)}   (lists ${choices.length} causes to choose from, by number)`,
    exit: EXIT.usage,
  });
}

/** A cause in a sentence. */
export const titleOf = (cause: string): string => faults.find((fault) => fault.cause === cause)?.title ?? cause;
