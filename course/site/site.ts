/** The course as a site: makes its files, with a search index, and writes them into a folder. */
import { lstat, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { EXIT, LabError, readMessage, type Plan, quoteAll } from '@handwired/host';
import MiniSearch from 'minisearch';
import { z } from 'zod';
import type { Course } from '../chapter.ts';
import { allBlocks, type Block, type Guide, toPlainText, type Section } from '../guide/guide.ts';
import { loadGuide } from '../guide/read.ts';
import { summarizeCourse } from '../guide/summary.ts';
import type { Part } from './blocks.ts';
import {
  renderCardPage,
  pageFile,
  renderPage,
  renderGuidePage,
  renderIndexPage,
  type Site,
  renderSummaryPage,
} from './pages.ts';

/** Whose values the site has. */
export interface SiteOptions {
  plan: Plan;
  /** The lab's name, as commands are typed. */
  lab: string;
  /** Whose values these are, in a sentence. */
  subtitle: string;
}

/** Every file of the course's site, by its name in the site's folder. */
export async function makeSite(course: Course, { plan, lab, subtitle }: SiteOptions): Promise<Map<string, string>> {
  const { chapters } = course;
  const guides = await Promise.all(chapters.map(({ id }) => loadGuide(course, id, { plan, lab })));
  const site: Site = { chapters, subtitle };
  const summary = summarizeCourse(course, plan);
  const pages = guides.map((guide) => ({ guide, page: renderGuidePage(guide, plan, site) }));
  const frames = [
    renderIndexPage(guides, plan, site),
    ...pages.map(({ page }) => page),
    renderSummaryPage(summary, plan, site),
    renderCardPage(summary, plan),
  ];
  return new Map([
    ...frames.map((frame): [string, string] => [frame.file, renderPage(site, frame)]),
    ['search-index.js', renderSearchScript(pages.map(({ guide, page: { parts } }) => ({ guide, parts })))],
    ['minisearch.js', await readLibrary()],
    ...(await Promise.all(['style.css', 'site.js'].map(readAsset))),
  ]);
}

const readAsset = async (name: string): Promise<[string, string]> => [
  name,
  await readFile(new URL(`assets/${name}`, import.meta.url), 'utf8'),
];

/** MiniSearch as its makers publish it for browsers, under its licence. */
async function readLibrary(): Promise<string> {
  const root = new URL('../../', `file://${createRequire(import.meta.url).resolve('minisearch')}`);
  const read = (path: string): Promise<string> => readFile(new URL(path, root), 'utf8');
  const [code, licence] = await Promise.all([read('dist/umd/index.js'), read('LICENSE.txt')]);
  return `/*! MiniSearch\n${licence.replaceAll('*/', '* /')}*/\n${code.replace(/^\/\/# sourceMappingURL=.*$/m, '')}`;
}

// Search.

/** One result that a search can have. */
interface SearchPlace {
  id: string;
  /** The chapter, and the heading there. */
  page: string;
  title: string;
  text: string;
  /** Orders the results: steps first, because most searches are for them; questions and exercises last. */
  weight: number;
}

/** What is searched, and how: assets/site.js opens it with the same fields. */
const options = { fields: ['title', 'page', 'text'], storeFields: ['title', 'page', 'weight'] };

/** The search index of all guides as a script, because a page that is opened as a file may load scripts only. */
function renderSearchScript(pages: readonly { guide: Guide; parts: readonly Part[] }[]): string {
  const search = new MiniSearch<SearchPlace>(options);
  for (const { guide, parts } of pages) search.addAll(listSearchPlaces(guide, parts));
  return `window.handwiredSearch = ${JSON.stringify({ options, index: JSON.stringify(search) })};\n`;
}

/** One place for each section and each step. `parts` are the page's headings in the order of the guide. */
function listSearchPlaces({ chapter, sections }: Guide, parts: readonly Part[]): SearchPlace[] {
  const page = `${chapter.number} ${chapter.title}`;
  const createPlaces = (title: string, level: Part['level'], text: string, weight: number): SearchPlace[] => {
    const part = parts.find((one) => one.title === title && one.level === level);
    return part ? [{ id: `${pageFile(chapter)}#${part.id}`, page, title, text, weight }] : [];
  };
  return sections.flatMap((section) => {
    const steps = allBlocks(section.blocks).filter((block) => block.kind === 'step');
    return [
      ...createPlaces(
        section.title,
        2,
        collectText(section),
        section.id === 'ask' || section.id === 'exercise' ? 0.4 : 1,
      ),
      ...steps.flatMap(({ step }) => createPlaces(step.title, 3, [step.why, ...step.commands].join('\n'), 2)),
    ];
  });
}

const collectText = ({ blocks }: Section): string => allBlocks(blocks).map(readBlockText).filter(Boolean).join('\n');

function readBlockText(block: Block): string {
  switch (block.kind) {
    case 'text':
    case 'heading':
      return toPlainText(block.inlines);
    case 'code':
    case 'command':
      return block.text;
    case 'table':
      return [block.head, ...block.rows].map((row) => row.map(toPlainText).join(' ')).join('\n');
    case 'docker':
      return block.steps.map(({ docker }) => `${docker.does} ${docker.source}`).join('\n');
    default:
      return '';
  }
}

// Writing.

/** The file that lists which files of the folder are ours. */
const marker = '.handwired-site.json';
const Marker = z.object({ schemaVersion: z.literal(1), files: z.array(z.string().regex(/^[a-z0-9.-]+$/)).max(200) });

/**
 * Writes a site's files into one folder, and takes away those of an earlier site that it has no more. A file that is not
 * ours is never touched: throws LabError (78) for a folder that holds others and no site, and for a name that is taken.
 */
export async function writeSite(folder: string, files: ReadonlyMap<string, string>): Promise<void> {
  const before = await listOwnFiles(folder);
  for (const name of files.keys()) {
    if (!before.has(name) && (await fileExists(join(folder, name)))) throw createTakenError(join(folder, name));
  }
  try {
    await mkdir(folder, { recursive: true });
    // The list first names old and new files, so that the next run knows all of them even if this one is cut off.
    await writeMarker(folder, [...new Set([...before, ...files.keys()])]);
    for (const [name, text] of files) await replaceFile(join(folder, name), text);
    for (const name of before) if (!files.has(name)) await rm(join(folder, name), { force: true });
    await writeMarker(folder, [...files.keys()]);
  } catch (error) {
    throw explainWriteError(folder, error);
  }
}

const writeMarker = (folder: string, files: readonly string[]): Promise<void> =>
  replaceFile(join(folder, marker), `${JSON.stringify({ schemaVersion: 1, files }, null, 2)}\n`);

/** Replaces a file, and never writes through a link. Everyone may read it, because a site is made to be served. */
async function replaceFile(path: string, text: string): Promise<void> {
  await rm(path, { force: true });
  await writeFile(path, text, { flag: 'wx' });
}

/** The names of our files in a folder. Empty when the folder is empty or does not exist. */
async function listOwnFiles(folder: string): Promise<Set<string>> {
  const entries = await readdir(folder).catch((error: unknown): string[] => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw explainWriteError(folder, error);
  });
  if (entries.length === 0) return new Set();
  if (!entries.includes(marker)) {
    throw new LabError({
      what: `${folder} holds other files, and no site of ours: nothing was written`,
      where: join(folder, entries.toSorted()[0] ?? ''),
      next: `lab guide --html ${quoteAll([join(folder, 'guide')])}`,
      exit: EXIT.config,
    });
  }
  return new Set(await readMarker(join(folder, marker)));
}

async function readMarker(path: string): Promise<string[]> {
  try {
    return Marker.parse(JSON.parse(await readFile(path, 'utf8'))).files;
  } catch (error) {
    const what = 'the list of what is ours in this folder is damaged: nothing was written';
    throw new LabError({ what, where: path, next: 'lab guide --html ANOTHER_FOLDER', exit: EXIT.config, cause: error });
  }
}

const fileExists = async (path: string): Promise<boolean> => {
  const found = await lstat(path).catch(() => undefined);
  return found !== undefined;
};

const createTakenError = (path: string): LabError =>
  new LabError({
    what: 'a file of that name is there already, and it is not ours: nothing was written',
    where: path,
    next: quoteAll(['mv', path, `${path}.mine`]),
    exit: EXIT.config,
  });

function explainWriteError(folder: string, error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (code === undefined || !['EACCES', 'ENOTDIR', 'EEXIST', 'EROFS', 'EPERM', 'EISDIR'].includes(code)) return error;
  return new LabError({
    what: `no site can be written there: ${readMessage(error)}`,
    where: folder,
    next: 'lab guide --html A_FOLDER_YOU_CAN_WRITE',
    exit: EXIT.config,
    cause: error,
  });
}
