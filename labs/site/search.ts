import MiniSearch from 'minisearch';
import { allBlocks, type Block, type Guide, plainText, type Section } from '../guide/guide.ts';
import { fileOf } from './frame.ts';
import type { Part } from './blocks.ts';

/** One place that a search may lead to. */
interface Found {
  id: string;
  /** The chapter, and the heading there. */
  page: string;
  title: string;
  text: string;
  /** A step is what most searches are for; questions and exercises come last. */
  weight: number;
}

/** What is searched, and how: assets/site.js opens it with the same fields. */
const options = { fields: ['title', 'page', 'text'], storeFields: ['title', 'page', 'weight'] };

/** The index of all guides as a script: a page that is opened as a file may load nothing else. */
export function searchScript(pages: readonly { guide: Guide; parts: readonly Part[] }[]): string {
  const search = new MiniSearch<Found>(options);
  for (const { guide, parts } of pages) search.addAll(foundIn(guide, parts));
  return `window.handwiredSearch = ${JSON.stringify({ options, index: JSON.stringify(search) })};\n`;
}

/** A place for each section, and one for each step. `parts`: the page's headings, in the order of the guide. */
function foundIn({ chapter, sections }: Guide, parts: readonly Part[]): Found[] {
  const page = `${chapter.number} ${chapter.title}`;
  const place = (title: string, level: Part['level'], text: string, weight: number): Found[] => {
    const part = parts.find((one) => one.title === title && one.level === level);
    return part ? [{ id: `${fileOf(chapter)}#${part.id}`, page, title, text, weight }] : [];
  };
  return sections.flatMap((section) => {
    const steps = allBlocks(section.blocks).filter((block) => block.kind === 'step');
    return [
      ...place(section.title, 2, textOf(section), section.id === 'ask' || section.id === 'exercise' ? 0.4 : 1),
      ...steps.flatMap(({ step }) => place(step.title, 3, [step.why, ...step.commands].join('\n'), 2)),
    ];
  });
}

const textOf = ({ blocks }: Section): string => allBlocks(blocks).map(words).filter(Boolean).join('\n');

function words(block: Block): string {
  switch (block.kind) {
    case 'text':
    case 'heading':
      return plainText(block.inlines);
    case 'code':
    case 'command':
      return block.text;
    case 'table':
      return [block.head, ...block.rows].map((row) => row.map(plainText).join(' ')).join('\n');
    case 'docker':
      return block.steps.map(({ docker }) => `${docker.does} ${docker.source}`).join('\n');
    default:
      return '';
  }
}
