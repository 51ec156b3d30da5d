import type { ChapterInfo } from '@handwired/host';
import { pictureNames } from '../diagrams/pictures.ts';
import { type Guide, headings, type Section, type SectionId } from './guide.ts';
import type { Making } from './inlines.ts';
import { type Part, readParts } from './markdown.ts';
import { fillIn, type Values } from './values.ts';

/** What is wrong in a guide's text, where. */
interface Problem {
  line: number;
  what: string;
}

export interface Parsed {
  guide: Guide;
  problems: readonly Problem[];
}

/** Reads a guide of a chapter. It throws nothing: what can't be read is among the problems, and left out. */
export function parseGuide(
  text: string,
  chapter: ChapterInfo,
  { steps, ...values }: Values & Pick<Making, 'steps'>,
): Parsed {
  const problems: Problem[] = [];
  const problem: Making['problem'] = (line, what) => void problems.push({ line, what });
  const filled = fillIn(text, values, (path, line) => problem(line, `no value is called {{${path}}}`));
  const parts = readParts(filled, { steps, isPicture, problem });
  const sections = sectionsOf(parts, problem);
  return { guide: { chapter, sections }, problems: problems.toSorted((one, other) => one.line - other.line) };
}

const isPicture: Making['isPicture'] = (name) => pictureNames.some((one) => one === name);

function sectionsOf(parts: readonly Part[], problem: Making['problem']): Section[] {
  const wanted = Object.entries(headings) as [SectionId, string][];
  const sections: Section[] = [];
  for (const { title, line, blocks } of parts) {
    const id = wanted.find(([, heading]) => heading === title)?.[0];
    if (title === undefined) problem(line, `text before the first heading, ## ${headings.able}`);
    else if (id === undefined) problem(line, `not a heading of a guide: ## ${title}`);
    else sections.push({ id, title, blocks });
  }
  const titles = sections.map((section) => section.title);
  if (titles.join('\n') !== wanted.map(([, heading]) => heading).join('\n'))
    problem(1, `a guide has each of these headings once, in this order: ${wanted.map(([, one]) => one).join(', ')}`);
  return sections;
}
