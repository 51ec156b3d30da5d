import type { ChapterInfo, Plan } from '@handwired/host';
import { chapters } from '../chapters.ts';
import { xml } from '../diagrams/svg-parts.ts';
import { allBlocks, type Guide } from '../guide/guide.ts';
import { anyLines, anyText } from '../guide/see.ts';
import type { SummaryEntry } from '../guide/summary.ts';
import { inlineHtml, pageOf, pictureHtml, sectionHtml, typedHtml, wildcard } from './blocks.ts';
import { fileOf, type Frame, type Site } from './frame.ts';

/** A chapter as a page. */
export function guidePage({ chapter, sections }: Guide, plan: Plan, site: Site): Frame {
  const page = pageOf(plan);
  const made = sections.map((section) => sectionHtml(section, page));
  const { number, title } = chapter;
  return {
    file: fileOf(chapter),
    title: `${number} ${title}`,
    description: `Chapter ${number} of handwired: ${title}`,
    parts: made.flatMap(({ parts }) => parts),
    body: [
      `<header class="chapter"><p class="eyebrow">Chapter ${number}${standsOn(chapter)}</p>\n<h1>${xml(title)}</h1>\n<p class="whose">${xml(site.subtitle)}${legendOf(sections)}</p></header>`,
      ...made.map(({ html }) => html),
      turn(chapter, site),
    ].join('\n'),
  };
}

/** What the wildcards in this page's outputs stand for. */
function legendOf(sections: Guide['sections']): string {
  const seen = allBlocks(sections.flatMap(({ blocks }) => blocks)).flatMap((block) =>
    'see' in block ? block.see : [],
  );
  const lines = seen.join('\n').split('\n');
  const used = [
    ...(lines.some((line) => line.includes(anyText)) ? [`${wildcard(anyText)} may be any text`] : []),
    ...(lines.some((line) => line.trim() === anyLines) ? [`${wildcard(anyLines)} any lines`] : []),
  ];
  return used.length === 0 ? '' : ` In what you should see, ${used.join(', ')}.`;
}

function standsOn({ needs }: ChapterInfo): string {
  const links = needs.flatMap((need) => {
    const chapter = chapters.find(({ id }) => id === need);
    return chapter ? [`<a href="${fileOf(chapter)}">${chapter.number} ${need}</a>`] : [];
  });
  return links.length === 0 ? '' : ` · stands on ${links.join(', ')}`;
}

function turn({ id }: ChapterInfo, { chapters: all }: Site): string {
  const at = all.findIndex((one) => one.id === id);
  const link = (chapter: ChapterInfo | undefined, word: string, kind: string): string =>
    chapter
      ? `<a class="${kind}" rel="${kind}" href="${fileOf(chapter)}"><span>${word}</span>${chapter.number} ${xml(chapter.title)}</a>`
      : '';
  return `<nav class="turn" aria-label="Before and after">${link(all[at - 1], 'Before', 'prev')}${link(all[at + 1], 'Next', 'next')}</nav>`;
}

/** What the course is, what it builds, and its chapters. */
export function indexPage(guides: readonly Guide[], plan: Plan, site: Site): Frame {
  const page = pageOf(plan);
  const rows = site.chapters.map((chapter) =>
    chapterRow(
      chapter,
      guides.find((guide) => guide.chapter.id === chapter.id),
    ),
  );
  return {
    file: 'index.html',
    title: 'handwired: container networking by hand',
    description: 'A course in which you build what Docker builds, by hand, on a machine that you can throw away.',
    parts: [],
    body: `<header class="hero"><h1>Build container networking by hand</h1>
<p class="lead">Two containers, a bridge, cables, routes, NAT and a published port: what <code>docker run -p ${plan.hostPort}:${plan.containerPort}</code> does for you, made by you, command by command, on a machine that you can throw away.</p>
<p class="whose">${xml(site.subtitle)}</p></header>
<section class="part" aria-labelledby="begin"><h2 id="begin">Begin</h2>
<p>Two windows: this guide, and a root shell on your lab host.</p>
${typedHtml('type on your own machine', 'lab up\nlab ssh', 'own machine')}</section>
<section class="part" aria-labelledby="network"><h2 id="network">What you will build</h2>
${pictureHtml('topology', page)}</section>
<section class="part" aria-labelledby="chapters"><h2 id="chapters">Chapters</h2>
<ol class="cards">
${rows.join('\n')}
</ol></section>`,
  };
}

function chapterRow(chapter: ChapterInfo, guide: Guide | undefined): string {
  const list = guide?.sections.find(({ id }) => id === 'able')?.blocks.find((block) => block.kind === 'list');
  const first = list?.items[0]?.[0];
  const able = first?.kind === 'text' ? `<p>${inlineHtml(first.inlines)}</p>` : '';
  const points = chapter.points > 0 ? `<span class="points">${chapter.points} points</span>` : '';
  return `<li><a href="${fileOf(chapter)}"><span class="number">${chapter.number}</span> ${xml(chapter.title)}</a>${points}${able}</li>`;
}

/** The network as the things that it is made of. */
export function summaryPage(entries: readonly SummaryEntry[], plan: Plan, site: Site): Frame {
  return {
    file: 'summary.html',
    title: 'The network on one screen',
    description: 'Each object, what it is for, its command, and what Docker calls it.',
    parts: [],
    body: `<header class="chapter"><p class="eyebrow">Summary</p><h1>The network on one screen</h1>\n<p class="whose">${xml(site.subtitle)}</p></header>
<p>Each thing, what it is for, the command that makes it, and its name in Docker.</p>
${table(entries)}
<section class="part" aria-labelledby="drawn"><h2 id="drawn">Drawn</h2>
${pictureHtml('topology', pageOf(plan))}</section>`,
  };
}

function table(entries: readonly SummaryEntry[]): string {
  const rows = entries.map(
    (entry) =>
      `<tr><th scope="row">${xml(entry.name)}</th><td>${xml(entry.for)}</td><td><code>${xml(entry.command)}</code></td><td>${xml(entry.docker)}</td></tr>`,
  );
  return `<div class="wide" tabindex="0" role="region" aria-label="Table: the network on one screen"><table class="objects">
<thead><tr><th scope="col">Thing</th><th scope="col">What it is for</th><th scope="col">Command</th><th scope="col">In Docker</th></tr></thead>
<tbody>
${rows.join('\n')}
</tbody></table></div>`;
}

/** One sheet of A4 to lie beside the keyboard. */
export function cardPage(entries: readonly SummaryEntry[], plan: Plan): Frame {
  const page = pageOf(plan);
  const short = entries.map((entry) => ({ ...entry, command: entry.command.replace(ourMark, '') }));
  return {
    file: 'card.html',
    title: 'handwired on one sheet',
    description: 'One sheet to print: the network, its objects and commands, and both ways of a packet.',
    parts: [],
    body: `<div class="card"><header><h1>Container networking by hand</h1><button type="button" class="print" hidden>Print</button></header>
<div class="drawn">${pictureHtml('topology', page)}<div>${pictureHtml('egress', page)}${pictureHtml('publish', page)}</div></div>
${table(short)}</div>`,
  };
}

/** What our own rules are known by: a rule does the same without it. */
const ourMark = / -m comment --comment \S+/;
