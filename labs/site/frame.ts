import type { ChapterInfo } from '@handwired/host';
import { xml } from '../diagrams/svg-parts.ts';
import type { Part } from './blocks.ts';

/** What every page of a site shows alike. */
export interface Site {
  chapters: readonly ChapterInfo[];
  /** Whose values these are, in a sentence. */
  subtitle: string;
}

export interface Frame {
  /** The page's own file. */
  file: string;
  title: string;
  /** One sentence, for whoever finds the page by it. */
  description: string;
  /** For the list of what is on the page. */
  parts: readonly Part[];
  body: string;
}

export const fileOf = ({ number, id }: Pick<ChapterInfo, 'number' | 'id'>): string => `${number}-${id}.html`;

/** Pages beside the chapters. */
const others = [
  { file: 'summary.html', title: 'On one screen' },
  { file: 'card.html', title: 'Card to print' },
] as const;

/** Before anything is painted, so that a choice made earlier does not flash. */
const early = `document.documentElement.classList.add('js');try{const t=localStorage.getItem('handwired-theme');if(t)document.documentElement.dataset.theme=t}catch{}`;

/** A whole page around its own content. Works from file://: nothing is fetched, no script is a module. */
export function framed(site: Site, { file, title, description, parts, body }: Frame): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="description" content="${xml(description)}">
<meta name="color-scheme" content="light dark">
<title>${xml(title)}${file === 'index.html' ? '' : ' · handwired'}</title>
<link rel="icon" href="data:image/svg+xml,${encodeURIComponent(mark)}">
<link rel="stylesheet" href="style.css">
<script>${early}</script>
<script src="minisearch.js" defer></script>
<script src="search-index.js" defer></script>
<script src="site.js" defer></script>
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<header class="top">
<a class="brand" href="index.html" aria-label="handwired, first page">${mark}<span>handwired</span></a>
<form class="search" role="search" hidden><label for="search">Search</label><input id="search" type="search" autocomplete="off" placeholder="Search  /" aria-describedby="found"><div id="found" class="found" role="status" hidden></div></form>
<button class="theme" type="button" hidden>Dark</button>
</header>
<div class="frame">
<nav class="chapters" aria-label="Chapters"><details open><summary>Chapters</summary>
<ol>
${[{ file: 'index.html', title: 'Start', number: '' }, ...site.chapters.map((chapter) => ({ ...chapter, file: fileOf(chapter) })), ...others.map((other) => ({ ...other, number: '' }))].map((entry) => entryHtml(entry, file)).join('\n')}
</ol></details></nav>
<main id="content" tabindex="-1">
${body}
</main>
${parts.length > 1 ? contents(parts) : ''}
</div>
<footer class="bottom"><p>${xml(site.subtitle)}</p></footer>
</body>
</html>
`;
}

/** Two hosts and a switch. */
const mark =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32" width="26" height="26" aria-hidden="true"><rect width="32" height="32" rx="8" fill="#0b7a75"/><g fill="none" stroke="#fff" stroke-width="2.4" stroke-linejoin="round"><rect x="6" y="6.5" width="20" height="6" rx="2"/><path d="M11 12.500v6M21 12.500v6"/><rect x="7" y="18.500" width="8" height="7" rx="2"/><rect x="17" y="18.500" width="8" height="7" rx="2"/></g></svg>';

const entryHtml = ({ file, number, title }: { file: string; number: string; title: string }, here: string): string =>
  `<li><a href="${file}"${file === here ? ' aria-current="page"' : ''}><span class="number" aria-hidden="true">${number}</span>${xml(title)}</a></li>`;

const contents = (parts: readonly Part[]): string =>
  `<nav class="contents" aria-label="On this page"><p>On this page</p>\n<ul>\n${parts
    .map(({ id, title, level }) => `<li class="level-${level}"><a href="#${id}">${xml(title)}</a></li>`)
    .join('\n')}\n</ul></nav>`;
