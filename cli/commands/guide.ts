import { type ChapterId, defaultPlan, EXIT, findSpec, type LabSpec, loadSpec } from '@handwired/host';
import { chapters, guideLines, type GuideLook, guideOf, summaryLines } from '@handwired/labs';
import type { Context } from '../context.ts';
import { remember } from '../lab/history.ts';
import { notesOn } from '../lab/prerequisites.ts';
import { labFlag, labName, named } from '../options.ts';
import { showPage } from '../pager.ts';
import { renderTable } from '../table.ts';
import { progressNow } from './progress.ts';

export type GuideTopic = ChapterId | 'summary';

export interface GuideOptions {
  /** The lab's name, where one was given. */
  lab?: string;
  plain?: boolean;
  /** A folder: the whole course is written there as a site. */
  html?: string;
}

/** `lab guide`: a chapter with the lab's values in it, all of them on one screen, or which there are. */
export async function runGuide(
  context: Context,
  topic: GuideTopic | undefined,
  options: GuideOptions,
): Promise<number> {
  const name = options.lab ?? labName();
  // A lab that was asked for by name has to exist; the default one need not, for who only reads.
  const spec = options.lab === undefined ? await findSpec(name) : await loadSpec(name);
  const plain = options.plain === true;
  const look: GuideLook = { columns: context.columns, color: context.color && !plain, plain };
  if (topic === undefined) context.print((await overview(name, spec, look)).join('\n'));
  else if (topic === 'summary') await showPage(summaryLines({ ...look, plan: planOf(spec) }), look);
  else await showChapter(context, topic, { name, spec, look });
  return EXIT.ok;
}

const planOf = (spec: LabSpec | undefined) => spec?.plan ?? defaultPlan;

interface Reader {
  name: string;
  spec: LabSpec | undefined;
  look: GuideLook;
}

async function showChapter(context: Context, id: ChapterId, { name, spec, look }: Reader): Promise<void> {
  const plan = planOf(spec);
  const guide = await guideOf(id, { plan, lab: name });
  const notes = await notesOn(id, name, spec);
  for (const note of notes) context.progress.note(note);
  const subtitle = subtitleOf(name, spec);
  const lines = guideLines(guide, { ...look, plan, subtitle, next: nextOf(id, name) });
  // A pager covers what is on stderr: the notes are its first lines too.
  await showPage(lines, look, notes);
  if (spec) await remember(name, context, { kind: 'guide', chapter: id });
}

/** Whose values are shown. */
export function subtitleOf(name: string, spec: LabSpec | undefined): string {
  if (!spec) return `with the values of the default plan: there is no lab named ${name} yet (lab up${named(name)})`;
  const first = named(name) === '' ? '' : `; type first on your own machine: export LAB_NAME=${name}`;
  return `with the values of lab ${name}${first}`;
}

function nextOf(id: ChapterId, name: string): string[] {
  const after = chapters[chapters.findIndex((chapter) => chapter.id === id) + 1];
  return after ? [`next: lab guide ${after.id}${labFlag(name)}`] : [`next: lab progress${named(name)}`];
}

/** Columns that the whole table of chapters needs; without its points it is not wider than the narrowest terminal. */
const roomy = 72;

async function overview(name: string, spec: LabSpec | undefined, { columns }: GuideLook): Promise<string[]> {
  const { chapters: each, points, of, current } = await progressNow(name);
  const rows = each.map(({ id, number, title, state, points: got, of: most }) => [
    ...[`${number} ${id}`, title, most === 0 ? '' : `${got?.best ?? 0} of ${most}`],
    id === current ? 'next' : state === 'open' ? '' : state,
  ]);
  const shown = columns < roomy ? 2 : 4;
  return [
    renderTable(
      ['chapter', 'what it is about', 'points', ''].slice(0, shown),
      rows.map((row) => row.slice(0, shown)),
    ),
    '',
    spec ? `lab ${name}: ${points} of ${of} points` : `there is no lab named ${name} yet: lab up${named(name)}`,
    `read: lab guide ${current ?? 'summary'}${labFlag(name)}`,
    `all of it on one screen: lab guide summary${labFlag(name)}`,
  ];
}
