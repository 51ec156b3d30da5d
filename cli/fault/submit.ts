import { EXIT, type ExitCode } from '@handwired/host';
import { answered, choicesOf } from '@handwired/labs/faults';
import type { Context } from '../context.ts';
import { labFlag, named } from '../options.ts';
import { askFor, causesIn, renderChoices, titleOf } from './answer.ts';
import { type BothWays, listed, stillFailing } from './grade.ts';
import { faultsOf, forgetFault, noteOutcome, type OpenFault, saveFault } from './state.ts';

/**
 * Judges an answer on the root cause, and the lab on its repair. Without words: asks at a terminal; elsewhere lists the
 * choices, and nothing is judged. Once the cause is named, words are no longer needed.
 */
export async function submit(
  lab: BothWays,
  before: OpenFault,
  words: readonly string[],
  context: Context,
): Promise<ExitCode> {
  const some = faultsOf(before, lab.name);
  const choices = choicesOf(some, before.seed + before.injectedAt);
  const isAsked = words.length === 0 && !before.right;
  const mayAsk = process.stdin.isTTY && process.stdout.isTTY;
  const given = isAsked && mayAsk ? await askFor(choices, some.length, context) : words;
  if (given.length === 0 && !before.right) {
    if (!mayAsk) context.print(renderChoices(choices));
    context.print(`next: lab fault submit${labFlag(lab.name)} NUMBER${some.length > 1 ? '...' : ''}`);
    return EXIT.nothing;
  }
  const causes = given.length === 0 ? some.map(({ cause }) => cause) : causesIn(given, choices, some.length, lab.name);
  const failing = await stillFailing(lab, before, context);
  const judged = answered(some, causes);
  const open = {
    ...before,
    right: judged.right,
    attempts: before.attempts + (given.length === 0 ? 0 : 1),
  };
  const isOver = judged.right && failing.length === 0;
  await noteOutcome(lab.spec, open, { repaired: failing.length === 0, closed: isOver }, context);
  await (isOver ? forgetFault(lab.name) : saveFault(lab.name, open));
  for (const cause of given.length === 0 ? [] : causes) context.print(`your answer: ${titleOf(cause)} (${cause})`);
  context.print(
    [...verdictOf(judged), ...repairOf(failing), ...(isOver ? cost(open) : nextOf(open, failing, lab.name))].join('\n'),
  );
  return isOver ? EXIT.ok : EXIT.failed;
}

function verdictOf({ right, named: count, of }: ReturnType<typeof answered>): string[] {
  if (right) return [of === 1 ? 'right: that is the root cause' : `right: those are the ${of} root causes`];
  if (of === 1) return ['wrong: that is not the root cause'];
  return [`wrong: ${count} of the ${of} root causes ${count === 1 ? 'is' : 'are'} among your answers`];
}

const repairOf = (failing: readonly string[]): string[] =>
  failing.length === 0
    ? ['repaired: every check that passed before passes again']
    : [`not repaired: ${listed(failing)} ${failing.length === 1 ? 'does' : 'do'} not pass yet`];

function cost({ injectedAt, attempts, hints }: OpenFault): string[] {
  const seconds = Math.round((Date.now() - Date.parse(injectedAt)) / 1000);
  const time = seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
  return [`found after ${time}, ${counted(attempts, 'answer')} and ${counted(hints, 'hint')}`];
}

function nextOf({ right }: OpenFault, failing: readonly string[], name: string): string[] {
  const submitAgain = `lab fault submit${labFlag(name)}`;
  if (right) return [`next: mend it, then ${submitAgain}`];
  const look = failing.length === 0 ? submitAgain : `lab check${named(name)}`;
  return [`next: ${look}   (lab fault reveal${labFlag(name)} gives up)`];
}

const counted = (n: number, one: string): string => `${n} ${one}${n === 1 ? '' : 's'}`;
