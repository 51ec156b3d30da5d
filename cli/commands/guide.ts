import { resolve } from 'node:path';
import {
  type ChapterId,
  chapterIds,
  defaultPlan,
  EXIT,
  findSpec,
  LabError,
  type LabSpec,
  loadSpec,
  quoteAll,
  recordFile,
} from '@handwired/host';
import { chapters, guideLines, type GuideStyle, loadGuide, makeSite, summaryLines, writeSite } from '@handwired/labs';
import { Argument, Option } from 'commander';
import {
  type Context,
  type LabCommand,
  resolveLabName,
  createLabOption,
  createWordParser,
  renderLabFlag,
  renderName,
} from '../command.ts';
import { rememberEvents } from '../lab/open.ts';
import { renderTable, showPage } from '../text.ts';
import { readProgress } from './progress.ts';

type GuideTopic = ChapterId | 'summary';

const topics: readonly GuideTopic[] = [...chapterIds, 'summary'];

/**
 * `lab guide`: a chapter with the lab's values in it, all of them on one screen, or a list of them. `--html`: the whole
 * course as a static site in a folder.
 */
export const command: LabCommand = {
  example: 'lab guide tour\n  lab guide summary --plain\n  lab guide --html handwired-guide',
  declare: (command) =>
    command
      .addArgument(new Argument('[chapter]', `${topics.join(', ')}, or a chapter's number`).argParser(parseTopic))
      .addOption(createLabOption('show the values of this lab (default: $LAB_NAME, else lab)'))
      .option('--plain', 'print for a screen reader: no drawings, no colour, no pager')
      .addOption(
        new Option('--html <folder>', 'write the whole course into this folder, as pages for a browser').conflicts(
          'plain',
        ),
      ),
  run: runGuide,
  // A pager gets Ctrl-C itself.
  passesSignals: (_topic: GuideTopic | undefined, { html }: GuideOptions) => html === undefined,
};

interface GuideOptions {
  /** The lab's name, where one was given. */
  lab?: string;
  plain?: boolean;
  /** The folder of the site. */
  html?: string;
}

/** A topic by its name, or a chapter by its number: `06`, `6`. */
function parseTopic(word: string): GuideTopic {
  const byNumber = /^\d{1,2}$/.test(word) ? chapterIds[Number(word)] : undefined;
  return byNumber ?? createWordParser('chapter', topics, 'lab guide')(word);
}

async function runGuide(context: Context, topic: GuideTopic | undefined, options: GuideOptions): Promise<number> {
  const { lab, html, plain = false } = options;
  const name = lab ?? resolveLabName();
  if (html !== undefined && topic !== undefined) {
    const what = `--html writes all chapters, not ${topic} alone`;
    throw new LabError({ what, next: `lab guide --html ${quoteAll([html])}`, exit: EXIT.usage });
  }
  if (html !== undefined) context.resume = `lab guide --html ${html}   (writes it anew)`;
  // A lab that was asked for by name has to exist. The default one need not: people may only want to read.
  const spec = lab === undefined ? await findSpec(name) : await loadSpec(name);
  const look: GuideStyle = { columns: context.columns, color: context.color && !plain, plain };
  if (html !== undefined) await writeCourse(context, html, name, spec);
  else if (topic === undefined) context.print((await renderOverview(name, spec, look)).join('\n'));
  else if (topic === 'summary') await showPage(context.stdout, summaryLines({ ...look, plan: findPlan(spec) }), look);
  else await showChapter(context, topic, { name, spec, look });
  return EXIT.ok;
}

async function writeCourse(context: Context, folder: string, name: string, spec: LabSpec | undefined): Promise<void> {
  const source = describeSource(name, spec);
  const files = await makeSite({
    plan: findPlan(spec),
    lab: name,
    subtitle: `${source.slice(0, 1).toUpperCase()}${source.slice(1)}.`,
  });
  await writeSite(folder, files);
  context.print(`${files.size} files written; open ${resolve(folder, 'index.html')}`);
}

const findPlan = (spec: LabSpec | undefined) => spec?.plan ?? defaultPlan;

interface Reader {
  name: string;
  spec: LabSpec | undefined;
  look: GuideStyle;
}

async function showChapter(context: Context, id: ChapterId, { name, spec, look }: Reader): Promise<void> {
  const plan = findPlan(spec);
  const guide = await loadGuide(id, { plan, lab: name });
  const notes = await checkPrerequisites(id, name, spec);
  for (const note of notes) context.progress.note(note);
  const subtitle = describeSource(name, spec);
  const lines = guideLines(guide, { ...look, plan, subtitle, next: suggestNext(id, name) });
  // A pager hides what is on stderr, so it shows the notes too.
  await showPage(context.stdout, lines, look, notes);
  if (spec) await rememberEvents(name, context, { kind: 'guide', chapter: id });
}

/** Says whose values a guide shows: those of a lab or of the default plan. */
function describeSource(name: string, spec: LabSpec | undefined): string {
  if (!spec)
    return `with the values of the default plan: there is no lab named ${name} yet (lab up${renderName(name)})`;
  const first = renderName(name) === '' ? '' : `; type first on your own machine: export LAB_NAME=${name}`;
  return `with the values of lab ${name}${first}`;
}

function suggestNext(id: ChapterId, name: string): string[] {
  const after = chapters[chapters.findIndex((chapter) => chapter.id === id) + 1];
  return after ? [`next: lab guide ${after.id}${renderLabFlag(name)}`] : [`next: lab progress${renderName(name)}`];
}

/** Columns that the whole table of chapters needs. On a narrower terminal it is shown without points and state. */
const WIDE = 72;

async function renderOverview(name: string, spec: LabSpec | undefined, { columns }: GuideStyle): Promise<string[]> {
  const { chapters: each, points, of, current } = await readProgress(name);
  const rows = each.map(({ id, number, title, state, points: got, of: most }) => [
    `${number} ${id}`,
    title,
    most === 0 ? '' : `${got?.best ?? 0} of ${most}`,
    id === current ? 'next' : state === 'open' ? '' : state,
  ]);
  const shown = columns < WIDE ? 2 : 4;
  return [
    renderTable(
      ['chapter', 'what it is about', 'points', ''].slice(0, shown),
      rows.map((row) => row.slice(0, shown)),
    ),
    '',
    spec ? `lab ${name}: ${points} of ${of} points` : `there is no lab named ${name} yet: lab up${renderName(name)}`,
    `read: lab guide ${current ?? 'summary'}${renderLabFlag(name)}`,
    `all of it on one screen: lab guide summary${renderLabFlag(name)}`,
  ];
}

/** Lines that say which chapters must come first and were not seen in this lab, and how to get there. None: nothing is missing. */
async function checkPrerequisites(id: ChapterId, name: string, spec: LabSpec | undefined): Promise<string[]> {
  const needs = chapters.filter((chapter) => findAllNeeds(id).has(chapter.id));
  if (needs.length === 0 && id !== 'cleanup') return [];
  const begun = spec ? await readBegun(name) : [];
  const missing = needs.filter((chapter) => !begun.includes(chapter.id));
  const [first] = missing;
  if (id === 'cleanup' && begun.length === 0) return noteNothingToClean(name, spec);
  if (!first) return [];
  const listed = missing.map((chapter) => `${chapter.number} ${chapter.id}`).join(', ');
  const seen = spec ? `of which lab check has seen nothing in lab ${name}` : `and there is no lab named ${name} yet`;
  const up = spec ? '' : `lab up${renderName(name)}, then `;
  const built = `lab build${renderName(name)} --through ${(missing.at(-1) ?? first).id}`;
  return [
    `chapter ${id} can't start yet: it stands on ${listed}, ${seen}`,
    `how to get there: ${up}lab guide ${first.id}${renderLabFlag(name)}; or have it built for you: ${up}${built}`,
    ...(spec ? [`if it stands already, lab check${renderName(name)} takes note of it`] : []),
  ];
}

/** The note that chapter cleanup needs something that was built. */
function noteNothingToClean(name: string, spec: LabSpec | undefined): string[] {
  const seen = spec ? `lab check has seen nothing built in lab ${name}` : `there is no lab named ${name} yet`;
  const up = spec ? '' : `lab up${renderName(name)}, then `;
  return [
    `chapter cleanup can't start yet: ${seen}`,
    `how to get there: ${up}lab next${renderName(name)}; or have the network built for you: ${up}lab build${renderName(name)}`,
  ];
}

/**
 * Ids of the chapters that were begun in a lab. Only this needs the checker, so a guide without a lab is shown
 * sooner.
 */
async function readBegun(name: string): Promise<string[]> {
  const { loadRecord } = await import('@handwired/checker');
  return Object.keys((await loadRecord(recordFile(name))).begun);
}

/** All chapters that a chapter needs, directly or through others. */
function findAllNeeds(id: ChapterId): Set<ChapterId> {
  const needs = chapters.find((chapter) => chapter.id === id)?.needs ?? [];
  return new Set(needs.flatMap((need) => [need, ...findAllNeeds(need)]));
}
