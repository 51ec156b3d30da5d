import { createInterface } from 'node:readline/promises';
import { EXIT, LabError } from '@handwired/host';
import { judgeAnswer, type Choice, offerChoices, faults } from '@handwired/labs/faults';
import {
  type Context,
  type LabCommand,
  resolveLabName,
  createLabOption,
  renderLabFlag,
  renderName,
  suggestWord,
} from '../../command.ts';
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

/**
 * `lab fault submit`: the learner names the root cause. The command says whether that is right and whether it is
 * repaired.
 */
export const command: LabCommand = {
  example:
    'lab fault submit                      (lists the choices)\n  lab fault submit 3\n  lab fault submit masquerade-missing ip-forward-off',
  declare: (command) =>
    command
      .argument('[cause...]', 'the number of a choice, or the id of a cause or a fault')
      .addOption(createLabOption()),
  run: runSubmit,
};

async function runSubmit(
  context: Context,
  given: readonly string[],
  { lab: name = resolveLabName() }: { lab?: string },
): Promise<number> {
  return withOpenFault(name, 'submit', context, (lab, open) => {
    if (open.phase === 'open') return submit(lab, open, splitWords(given), context);
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
  const causes = answer.length === 0 ? some.map(({ cause }) => cause) : parseCauses(answer, choices, name);
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
    const question =
      count > 1
        ? `What are the ${count} root causes? (their numbers or ids, with blanks between them) `
        : 'What is the root cause? (its number or its id) ';
    return splitWords([await lines.question(question, { signal: context.signal })]);
  } finally {
    lines.close();
  }
}

/** The words of an answer. Blanks and commas separate them. */
export const splitWords = (given: readonly string[]): string[] =>
  given
    .join(' ')
    .split(/[\s,]+/)
    .filter(Boolean);

/**
 * The causes that the words of an answer name, each once. A word is the number of a choice, the id of a cause or the id of
 * a fault. Throws LabError (64) for any other word. `name`: the lab's, for the command in the error.
 */
export function parseCauses(words: readonly string[], choices: readonly Choice[], name: string): string[] {
  return [...new Set(words.map((word) => findCause(word, choices) ?? refuseWord(word, choices, name)))];
}

function findCause(word: string, choices: readonly Choice[]): string | undefined {
  if (/^\d+$/.test(word)) return choices[Number(word) - 1]?.cause;
  return faults.find(({ cause, id }) => word === cause || word === id)?.cause;
}

function refuseWord(word: string, choices: readonly Choice[], name: string): never {
  const hint = suggestWord(
    word,
    faults.flatMap(({ cause, id }) => [cause, id]),
  );
  throw new LabError({
    what: `'${word.slice(0, 80)}' is neither a number from 1 to ${choices.length} nor the id of a cause${hint}; this answer was not counted`,
    next: `lab fault submit${renderLabFlag(name)}   (lists ${choices.length} causes by number)`,
    exit: EXIT.usage,
  });
}

/** A cause as a sentence. */
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
