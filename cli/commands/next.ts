import { EXIT, faultFile, findSpec, LabError, readJson } from '@handwired/host';
import { chapters, type Progress } from '@handwired/labs';
import { z } from 'zod';
import {
  type Context,
  type LabCommand,
  resolveLabName,
  createNameArgument,
  renderLabFlag,
  renderName,
} from '../command.ts';
import { toPrintable } from '../text.ts';
import { readProgress } from './progress.ts';

/**
 * `lab next`: says what to do now, with the commands to type. It reads files on this machine and never asks the lab
 * host.
 */
export const command: LabCommand = {
  example: 'lab next',
  declare: (command) => command.addArgument(createNameArgument()),
  run: runNext,
};

type Chapter = Progress['chapters'][number];

async function runNext(context: Context, name: string = resolveLabName()): Promise<number> {
  const { current, chapters: each, points, of } = await readProgress(name);
  const now = each.find(({ id }) => id === current);
  const about = now === undefined ? [`every chapter has passed: ${points} of ${of} points`] : describeChapter(now);
  const first = (await suggestLab(name, now)) ?? (await suggestFault(name));
  context.print([...about, ...(first ?? suggestChapter(name, now))].join('\n'));
  return EXIT.ok;
}

const describeChapter = ({ number, id, title, first }: Chapter): string[] => [
  `chapter ${number} ${id}: ${title}`,
  ...(first === null
    ? []
    : [`  not yet: ${toPrintable(first.title)} (${toPrintable(first.id)})`, `  found:   ${toPrintable(first.actual)}`]),
];

/**
 * What to do when there is no lab host to work on: start one, and build what the learner had built. undefined when
 * there is one.
 */
async function suggestLab(name: string, now: Chapter | undefined): Promise<string[] | undefined> {
  try {
    const spec = await findSpec(name);
    if (spec?.phase === 'ready') return undefined;
    const first = chapters.find(({ points }) => points > 0);
    const back = now !== undefined && now.of > 0 && now.id !== first?.id && !spec;
    return [
      spec ? `lab ${name} is ${spec.phase}` : `there is no lab named ${name}`,
      `next: ${spec?.phase === 'destroying' ? 'lab destroy' : 'lab up'}${renderName(name)}`,
      ...(back ? [`then: lab reset${renderName(name)} --to ${now.id}   (builds what comes before that chapter)`] : []),
    ];
  } catch (error) {
    if (error instanceof LabError) return [error.message, `next: ${error.next}`];
    throw error;
  }
}

/**
 * The part of `OpenFault` that is shown here. Importing lab/fault.ts would load the checker and double the time that
 * this takes.
 */
const InPlace = z.object({ phase: z.enum(['injecting', 'open', 'revealed']), injectedAt: z.iso.datetime() });

/** What to do when a fault is in place, which comes before everything else. undefined when there is none. */
async function suggestFault(name: string): Promise<string[] | undefined> {
  const fault = await readJson(faultFile(name), InPlace).catch(() => undefined);
  if (!fault) return undefined;
  if (fault.phase === 'revealed')
    return ['a fault that was revealed is in place', `next: mend it, or lab fault repair${renderLabFlag(name)}`];
  return [
    `a fault is in place since ${fault.injectedAt}`,
    `look: lab check${renderName(name)}`,
    `then: lab fault submit${renderLabFlag(name)}   (once it is mended; gives up: lab fault reveal${renderLabFlag(name)})`,
  ];
}

function suggestChapter(name: string, now: Chapter | undefined): string[] {
  if (now === undefined) return [`next: lab progress${renderName(name)}`];
  const check = `lab check${renderName(name)} --chapter ${now.id}`;
  return [
    `read:  lab guide ${now.id}${renderLabFlag(name)}`,
    ...(now.id === 'troubleshoot' ? [`break: lab fault inject${renderLabFlag(name)}`] : []),
    ...(now.of > 0 ? [`check: ${check}`] : []),
    ...(now.attempts > 0 ? [`stuck: ${check} --hints 3   or   lab reset${renderName(name)} --to ${now.id}`] : []),
  ];
}
