import { createInterface } from 'node:readline/promises';
import { EXIT, LabError } from '@handwired/host';
import { judgeAnswer, type Choice, offerChoices, faults, matchWords } from '@handwired/labs/faults';
import { type Context, type LabCommand, labName, labOption, renderLabFlag, renderName } from '../../command.ts';
import {
  type FaultLab,
  findFailing,
  forgetFault,
  listIds,
  noteOutcome,
  type OpenFault,
  readFaults,
  saveFault,
  withOpenFault,
} from '../../lab/fault.ts';

/** `lab fault submit`: the learner names the root cause, and is told whether it is right and whether it is mended. */
export const command: LabCommand = {
  example: 'lab fault submit 3',
  declare: (command) => command.argument('[cause...]').addOption(labOption()),
  run: runSubmit,
};

async function runSubmit(
  context: Context,
  words: readonly string[],
  { lab: name = labName() }: { lab?: string },
): Promise<number> {
  return withOpenFault(name, 'submit', context, (lab, open) => {
    if (open.phase === 'open') return submit(lab, open, words, context);
    throw new LabError({
      what: 'this fault was revealed, which counts as given up',
      where: name,
      next: `lab fault inject${renderLabFlag(name)}`,
      exit: EXIT.usage,
    });
  });
}

/**
 * Judges an answer on the root cause, and the lab on its repair. Without an answer: asks at a terminal; elsewhere prints
 * the choices and judges nothing. Once the cause is named no more answers are needed.
 */
async function submit(lab: FaultLab, before: OpenFault, words: readonly string[], context: Context): Promise<number> {
  const { name } = lab;
  const some = readFaults(before, name);
  const choices = offerChoices(some, before.seed + before.injectedAt);
  const mayAsk = process.stdin.isTTY && process.stdout.isTTY;
  const isAsked = words.length === 0 && !before.right && mayAsk;
  const answer = isAsked ? await askAnswer(choices, some.length, context) : words;
  if (answer.length === 0 && !before.right) {
    if (!mayAsk) context.print(renderChoices(choices));
    context.print(`next: lab fault submit${renderLabFlag(name)} NUMBER${some.length > 1 ? '...' : ''}`);
    return EXIT.nothing;
  }
  const causes = answer.length === 0 ? some.map(({ cause }) => cause) : parseCauses(answer, choices, some.length, name);
  const failing = await findFailing(lab, before, context);
  const judged = judgeAnswer(some, causes);
  const open = {
    ...before,
    right: judged.right,
    attempts: before.attempts + (answer.length === 0 ? 0 : 1),
  };
  const isOver = judged.right && failing.length === 0;
  await noteOutcome(name, open, { repaired: failing.length === 0, closed: isOver }, context);
  await (isOver ? forgetFault(name) : saveFault(name, open));
  for (const cause of answer.length === 0 ? [] : causes)
    context.print(`your answer: ${describeCause(cause)} (${cause})`);
  const end = isOver ? renderCost(open) : suggestNext(open, failing, name);
  context.print([renderVerdict(judged), renderRepair(failing), end].join('\n'));
  return isOver ? EXIT.ok : EXIT.failed;
}

/** The choices as a numbered list. */
const renderChoices = (choices: readonly Choice[]): string =>
  choices.map(({ title, cause }, i) => `  ${String(i + 1).padStart(2)}  ${title}  (${cause})`).join('\n');

/** Asks at the terminal. An empty line gives no words. */
async function askAnswer(choices: readonly Choice[], count: number, context: Context): Promise<string[]> {
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
 * The causes that an answer names: numbers of choices, ids of causes or faults, or a text. `count`: how many faults are in
 * place; a text for several has commas, semicolons or `and` between its parts. Throws LabError (64) for a text that does
 * not name one cause; it then does not count as an answer.
 */
export function parseCauses(
  answer: readonly string[],
  choices: readonly Choice[],
  count: number,
  name: string,
): string[] {
  const ids = answer.flatMap((word) => word.split(',')).filter(Boolean);
  const known = ids.map((word) => findCause(word, choices));
  if (known.every((cause) => cause !== undefined)) return known;
  const text = answer.join(' ');
  const parts = count > 1 ? text.split(/[,;]| and /).filter((part) => part.trim() !== '') : [text];
  return parts.map((part) => matchCause(part, choices, name));
}

const findCause = (word: string, choices: readonly Choice[]): string | undefined =>
  choices[Number(word) - 1]?.cause ??
  faults.find(({ cause }) => cause === word)?.cause ??
  faults.find(({ id }) => id === word)?.cause;

function matchCause(text: string, choices: readonly Choice[], name: string): string {
  const [first, ...others] = matchWords(text);
  if (first !== undefined && others.length === 0) return first;
  const may = first === undefined ? '' : `: it may be ${[first, ...others].slice(0, 5).join(' or ')}`;
  throw new LabError({
    what: `'${text.trim().slice(0, 80)}' does not say for sure which cause you mean${may}; this was not counted`,
    next: `lab fault submit${renderLabFlag(name)}   (lists ${choices.length} causes to choose from, by number)`,
    exit: EXIT.usage,
  });
}

/** A cause in a sentence. */
const describeCause = (cause: string): string => faults.find((fault) => fault.cause === cause)?.title ?? cause;

function renderVerdict({ right, named: count, of }: ReturnType<typeof judgeAnswer>): string {
  if (right) return of === 1 ? 'right: that is the root cause' : `right: those are the ${of} root causes`;
  if (of === 1) return 'wrong: that is not the root cause';
  return `wrong: ${count} of the ${of} root causes ${count === 1 ? 'is' : 'are'} among your answers`;
}

const renderRepair = (failing: readonly string[]): string =>
  failing.length === 0
    ? 'repaired: every check that passed before passes again'
    : `not repaired: ${listIds(failing)} ${failing.length === 1 ? 'does' : 'do'} not pass yet`;

function renderCost({ injectedAt, attempts, hints }: OpenFault): string {
  const seconds = Math.round((Date.now() - Date.parse(injectedAt)) / 1000);
  const time = seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
  return `found after ${time}, ${renderCount(attempts, 'answer')} and ${renderCount(hints, 'hint')}`;
}

function suggestNext({ right }: OpenFault, failing: readonly string[], name: string): string {
  const submitAgain = `lab fault submit${renderLabFlag(name)}`;
  if (right) return `next: mend it, then ${submitAgain}`;
  const first = failing.length === 0 ? submitAgain : `lab check${renderName(name)}`;
  return `next: ${first}   (lab fault reveal${renderLabFlag(name)} gives up)`;
}

const renderCount = (n: number, one: string): string => `${n} ${one}${n === 1 ? '' : 's'}`;
