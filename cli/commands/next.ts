import { EXIT, faultFile, findSpec, LabError, readJson } from '@handwired/host';
import { chapters, type Progress } from '@handwired/labs';
import { z } from 'zod';
import type { Context } from '../context.ts';
import { labFlag, named } from '../options.ts';
import { printable } from '../printable.ts';
import { progressNow } from './progress.ts';

type Chapter = Progress['chapters'][number];

/** `lab next`: the one thing to do now, with the commands to type. Looks at what is kept here, never at the lab host. */
export async function runNext(context: Context, name: string): Promise<number> {
  const { current, chapters: each, points, of } = await progressNow(name);
  const now = each.find(({ id }) => id === current);
  const about = now === undefined ? [`every chapter has passed: ${points} of ${of} points`] : chapterLines(now);
  const first = (await withoutLab(name, now)) ?? (await withFault(name));
  context.print([...about, ...(first ?? commands(name, now))].join('\n'));
  return EXIT.ok;
}

const chapterLines = ({ number, id, title, first }: Chapter): string[] => [
  `chapter ${number} ${id}: ${title}`,
  ...(first === null
    ? []
    : [`  not yet: ${printable(first.title)} (${printable(first.id)})`, `  found:   ${printable(first.actual)}`]),
];

/** No lab host to work on: what brings one, and what brings back how far the learner was. Undefined: there is one. */
async function withoutLab(name: string, now: Chapter | undefined): Promise<string[] | undefined> {
  try {
    const spec = await findSpec(name);
    if (spec?.phase === 'ready') return undefined;
    const first = chapters.find(({ points }) => points > 0);
    const back = now !== undefined && now.of > 0 && now.id !== first?.id && !spec;
    return [
      spec ? `lab ${name} is ${spec.phase}` : `there is no lab named ${name}`,
      `next: ${spec?.phase === 'destroying' ? 'lab destroy' : 'lab up'}${named(name)}`,
      ...(back ? [`then: lab reset${named(name)} --to ${now.id}   (builds what comes before that chapter)`] : []),
    ];
  } catch (error) {
    if (error instanceof LabError) return [error.message, `next: ${error.next}`];
    throw error;
  }
}

/** As much of cli/fault/state.ts's file as is told here: that module loads the checker, which takes as long as all else. */
const InPlace = z.object({ phase: z.enum(['injecting', 'open', 'revealed']), injectedAt: z.iso.datetime() });

/** Something is broken on purpose, and goes first. Undefined: nothing is. */
async function withFault(name: string): Promise<string[] | undefined> {
  const fault = await readJson(faultFile(name), InPlace).catch(() => undefined);
  if (!fault) return undefined;
  if (fault.phase === 'revealed')
    return ['a fault that was revealed is in place', `next: mend it, or lab fault repair${labFlag(name)}`];
  return [
    `a fault is in place since ${fault.injectedAt}`,
    `look: lab check${named(name)}`,
    `then: lab fault submit${labFlag(name)}   (once it is mended; gives up: lab fault reveal${labFlag(name)})`,
  ];
}

function commands(name: string, now: Chapter | undefined): string[] {
  if (now === undefined) return [`next: lab progress${named(name)}`];
  const check = `lab check${named(name)} --chapter ${now.id}`;
  return [
    `read:  lab guide ${now.id}${labFlag(name)}`,
    ...(now.id === 'troubleshoot' ? [`break: lab fault inject${labFlag(name)}`] : []),
    ...(now.of > 0 ? [`check: ${check}`] : []),
    ...(now.attempts > 0 ? [`stuck: ${check} --hints 3   or   lab reset${named(name)} --to ${now.id}`] : []),
  ];
}
