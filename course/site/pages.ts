/** The pages of the site: what each has in it, and the frame that all of them share. */
import type { ChapterInfo, Plan } from '@handwired/host';
import { escapeXml } from '../diagrams/svg.ts';
import { allBlocks, type Guide } from '../guide/guide.ts';
import { anyLines, anyText } from '../guide/see.ts';
import type { SummaryEntry } from '../guide/summary.ts';
import {
  renderInlines,
  startPage,
  type Part,
  renderPicture,
  renderSection,
  renderTyped,
  renderWildcard,
} from './blocks.ts';

/** A chapter as a page. */
export function renderGuidePage({ chapter, sections }: Guide, plan: Plan, site: Site): Frame {
  const page = startPage(plan);
  const made = sections.map((section) => renderSection(section, page));
  const { number, title } = chapter;
  return {
    file: pageFile(chapter),
    title: `${number} ${title}`,
    description: `Chapter ${number} of handwired: ${title}`,
    parts: made.flatMap(({ parts }) => parts),
    body: [
      `<header class="chapter"><p class="eyebrow">Chapter ${number}${renderNeeds(chapter, site)}</p>\n<h1>${escapeXml(title)}</h1>\n<p class="whose">${escapeXml(site.subtitle)}${renderWildcardLegend(sections)}</p></header>`,
      ...made.map(({ html }) => html),
      renderTurnLinks(chapter, site),
    ].join('\n'),
  };
}

/** Explains the wildcards that this page's outputs have. */
function renderWildcardLegend(sections: Guide['sections']): string {
  const seen = allBlocks(sections.flatMap(({ blocks }) => blocks)).flatMap((block) =>
    'see' in block ? block.see : [],
  );
  const lines = seen.join('\n').split('\n');
  const used = [
    ...(lines.some((line) => line.includes(anyText)) ? [`${renderWildcard(anyText)} may be any text`] : []),
    ...(lines.some((line) => line.trim() === anyLines) ? [`${renderWildcard(anyLines)} any lines`] : []),
  ];
  return used.length === 0 ? '' : ` In what you should see, ${used.join(', ')}.`;
}

function renderNeeds({ needs }: ChapterInfo, { chapters }: Site): string {
  const links = needs.flatMap((need) => {
    const chapter = chapters.find(({ id }) => id === need);
    return chapter ? [`<a href="${pageFile(chapter)}">${chapter.number} ${need}</a>`] : [];
  });
  return links.length === 0 ? '' : ` · stands on ${links.join(', ')}`;
}

function renderTurnLinks({ id }: ChapterInfo, { chapters: all }: Site): string {
  const at = all.findIndex((one) => one.id === id);
  const renderLink = (chapter: ChapterInfo | undefined, word: string, kind: string): string =>
    chapter
      ? `<a class="${kind}" rel="${kind}" href="${pageFile(chapter)}"><span>${word}</span>${chapter.number} ${escapeXml(chapter.title)}</a>`
      : '';
  return `<nav class="turn" aria-label="Before and after">${renderLink(all[at - 1], 'Before', 'prev')}${renderLink(all[at + 1], 'Next', 'next')}</nav>`;
}

/** The first page: what the course is, what it builds, its chapters. */
export function renderIndexPage(guides: readonly Guide[], plan: Plan, site: Site): Frame {
  const page = startPage(plan);
  const rows = site.chapters.map((chapter) =>
    renderChapterRow(
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
<p class="whose">${escapeXml(site.subtitle)}</p></header>
<section class="part" aria-labelledby="begin"><h2 id="begin">Begin</h2>
<p>Two windows: this guide, and a root shell on your lab host.</p>
${renderTyped('type on your own machine', 'lab up\nlab ssh', 'own machine')}</section>
<section class="part" aria-labelledby="network"><h2 id="network">What you will build</h2>
${renderPicture('topology', page)}</section>
<section class="part" aria-labelledby="chapters"><h2 id="chapters">Chapters</h2>
<ol class="cards">
${rows.join('\n')}
</ol></section>`,
  };
}

function renderChapterRow(chapter: ChapterInfo, guide: Guide | undefined): string {
  const list = guide?.sections.find(({ id }) => id === 'able')?.blocks.find((block) => block.kind === 'list');
  const first = list?.items[0]?.[0];
  const able = first?.kind === 'text' ? `<p>${renderInlines(first.inlines)}</p>` : '';
  const points = chapter.points > 0 ? `<span class="points">${chapter.points} points</span>` : '';
  return `<li><a href="${pageFile(chapter)}"><span class="number">${chapter.number}</span> ${escapeXml(chapter.title)}</a>${points}${able}</li>`;
}

/** The page with a table of the objects that the network is made of. */
export function renderSummaryPage(entries: readonly SummaryEntry[], plan: Plan, site: Site): Frame {
  return {
    file: 'summary.html',
    title: 'The network on one screen',
    description: 'Each object, what it is for, its command, and what Docker calls it.',
    parts: [],
    body: `<header class="chapter"><p class="eyebrow">Summary</p><h1>The network on one screen</h1>\n<p class="whose">${escapeXml(site.subtitle)}</p></header>
<p>Each thing, what it is for, the command that makes it, and its name in Docker.</p>
${renderTable(entries)}
<section class="part" aria-labelledby="drawn"><h2 id="drawn">Drawn</h2>
${renderPicture('topology', startPage(plan))}</section>`,
  };
}

function renderTable(entries: readonly SummaryEntry[]): string {
  const rows = entries.map(
    (entry) =>
      `<tr><th scope="row">${escapeXml(entry.name)}</th><td>${escapeXml(entry.for)}</td><td><code>${escapeXml(entry.command)}</code></td><td>${escapeXml(entry.docker)}</td></tr>`,
  );
  return `<div class="wide" tabindex="0" role="region" aria-label="Table: the network on one screen"><table class="objects">
<thead><tr><th scope="col">Thing</th><th scope="col">What it is for</th><th scope="col">Command</th><th scope="col">In Docker</th></tr></thead>
<tbody>
${rows.join('\n')}
</tbody></table></div>`;
}

/** The page that is one sheet of A4 to print. */
export function renderCardPage(entries: readonly SummaryEntry[], plan: Plan): Frame {
  const page = startPage(plan);
  const short = entries.map((entry) => ({ ...entry, command: entry.command.replace(ourMark, '') }));
  return {
    file: 'card.html',
    title: 'handwired on one sheet',
    description: 'One sheet to print: the network, its objects and commands, and both ways of a packet.',
    parts: [],
    body: `<div class="card"><header><h1>Container networking by hand</h1><button type="button" class="print" hidden>Print</button></header>
<div class="drawn">${renderPicture('topology', page)}<div>${renderPicture('egress', page)}${renderPicture('publish', page)}</div></div>
${renderTable(short)}</div>`,
  };
}

/** The comment of our own rules. The card leaves it out: a rule does the same without it. */
const ourMark = / -m comment --comment \S+/;

// The frame.

/** What all pages of a site share. */
export interface Site {
  chapters: readonly ChapterInfo[];
  /** Whose values these are, in a sentence. */
  subtitle: string;
}

/** One page, before the frame is put around it. */
export interface Frame {
  /** The page's own file. */
  file: string;
  title: string;
  /** One sentence that describes the page to search engines. */
  description: string;
  /** For the list of what is on the page. */
  parts: readonly Part[];
  body: string;
}

/** The file of a chapter's page. */
export const pageFile = ({ number, id }: Pick<ChapterInfo, 'number' | 'id'>): string => `${number}-${id}.html`;

/** Pages that are no chapters. */
const others = [
  { file: 'summary.html', title: 'On one screen' },
  { file: 'card.html', title: 'Card to print' },
] as const;

/** Runs before the first paint, so that a reader who chose a theme does not see the other one flash. */
const early = `document.documentElement.classList.add('js');try{const t=localStorage.getItem('handwired-theme');if(t)document.documentElement.dataset.theme=t}catch{}`;

/** A whole page around its own content. Works from file://: nothing is fetched, no script is a module. */
export function renderPage(site: Site, { file, title, description, parts, body }: Frame): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="description" content="${escapeXml(description)}">
<meta name="color-scheme" content="light dark">
<title>${escapeXml(title)}${file === 'index.html' ? '' : ' · handwired'}</title>
<link rel="icon" href="data:image/svg+xml,${encodeURIComponent(logo)}">
<link rel="stylesheet" href="style.css">
<script>${early}</script>
<script src="minisearch.js" defer></script>
<script src="search-index.js" defer></script>
<script src="site.js" defer></script>
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<header class="top">
<a class="brand" href="index.html" aria-label="handwired, first page">${logo}<span>handwired</span></a>
<form class="search" role="search" hidden><label for="search">Search</label><input id="search" type="search" autocomplete="off" placeholder="Search  /" aria-describedby="found"><div id="found" class="found" role="status" hidden></div></form>
<button class="theme" type="button" hidden>Dark</button>
</header>
<div class="frame">
<nav class="chapters" aria-label="Chapters"><details open><summary>Chapters</summary>
<ol>
${[{ file: 'index.html', title: 'Start', number: '' }, ...site.chapters.map((chapter) => ({ ...chapter, file: pageFile(chapter) })), ...others.map((other) => ({ ...other, number: '' }))].map((entry) => renderEntry(entry, file)).join('\n')}
</ol></details></nav>
<main id="content" tabindex="-1">
${body}
</main>
${parts.length > 1 ? renderContents(parts) : ''}
</div>
<footer class="bottom"><p>${escapeXml(site.subtitle)}</p></footer>
</body>
</html>
`;
}

/** The logo: two hosts and a switch. */
const logo =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32" width="26" height="26" aria-hidden="true"><rect width="32" height="32" rx="8" fill="#0b7a75"/><g fill="none" stroke="#fff" stroke-width="2.4" stroke-linejoin="round"><rect x="6" y="6.5" width="20" height="6" rx="2"/><path d="M11 12.500v6M21 12.500v6"/><rect x="7" y="18.500" width="8" height="7" rx="2"/><rect x="17" y="18.500" width="8" height="7" rx="2"/></g></svg>';

const renderEntry = ({ file, number, title }: { file: string; number: string; title: string }, here: string): string =>
  `<li><a href="${file}"${file === here ? ' aria-current="page"' : ''}><span class="number" aria-hidden="true">${number}</span>${escapeXml(title)}</a></li>`;

const renderContents = (parts: readonly Part[]): string =>
  `<nav class="contents" aria-label="On this page"><p>On this page</p>\n<ul>\n${parts
    .map(({ id, title, level }) => `<li class="level-${level}"><a href="#${id}">${escapeXml(title)}</a></li>`)
    .join('\n')}\n</ul></nav>`;
