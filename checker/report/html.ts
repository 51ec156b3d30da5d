import { escapeText } from './escape.ts';
import { style } from './html-style.ts';
import { markup } from './markup.ts';
import { detailsOf, summaryOf } from './parts.ts';
import type { Report, ReportedCheck } from './report.ts';

type Chapter = Report['summary']['chapters'][number];

/** One page that stands alone: no script, nothing loaded, and nothing that a lab host said can become part of the page. */
export function renderHtml(report: Report): string {
  const { lab, summary, integrity, checks } = report;
  const title = html(`${lab}: ${points(summary)} points`);
  const findings = integrity.findings.map(({ id, what }) => `<li><code>${html(id)}</code> ${html(what)}</li>`);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${title}</title>
<style>${style}</style>
</head>
<body>
<header>
<h1>${title}</h1>
<p>${html(summaryOf(report))}</p>
</header>
<main>
${checks.length === 0 ? '<p>Nothing has been begun, so there is nothing to check.</p>' : overview(summary.chapters)}
${summary.chapters.map((chapter) => chapterOf(chapter, checks)).join('\n')}
${findings.length === 0 ? '' : `<section aria-labelledby="integrity">\n<h2 id="integrity">Integrity</h2>\n<ul>${findings.join('')}</ul>\n</section>`}
</main>
<footer>
<p>Digest of what was graded: <code>${html(integrity.digest)}</code></p>
</footer>
</body>
</html>
`;
}

const points = (graded: { points: number | null; of: number }): string =>
  graded.points === null ? `not graded, of ${graded.of}` : `${graded.points} of ${graded.of}`;

function overview(chapters: readonly Chapter[]): string {
  const rows = chapters.map(
    (chapter) =>
      `<tr><th scope="row"><a href="#${chapter.id}">${html(`${chapter.number} ${chapter.title}`)}</a></th>${verdictOf(chapter.verdict)}<td class="number">${points(chapter)}</td></tr>`,
  );
  return `<section aria-labelledby="chapters">
<h2 id="chapters">Chapters</h2>
${table('Each chapter with its result', ['Chapter', 'Result', 'Points'], rows)}
</section>`;
}

function chapterOf({ id, number, title }: Chapter, checks: readonly ReportedCheck[]): string {
  const rows = checks.filter(({ chapter }) => chapter === id).map(rowOf);
  const heading = html(`${number} ${title}`);
  return `<section aria-labelledby="${id}">
<h2 id="${id}">${heading}</h2>
${table('What was looked at, and what came of it', ['Check', 'Result', 'Points'], rows)}
</section>`;
}

function table(caption: string, head: readonly string[], rows: readonly string[]): string {
  const classes: Record<string, string> = { Points: ' class="number"', Result: ' class="verdict"' };
  const cells = head.map((name) => `<th scope="col"${classes[name] ?? ''}>${name}</th>`);
  return `<table>
<caption>${caption}</caption>
<thead><tr>${cells.join('')}</tr></thead>
<tbody>
${rows.join('\n')}
</tbody>
</table>`;
}

function rowOf(check: ReportedCheck): string {
  const details = detailsOf(check).map(({ name, lines }) => `<dt>${name}</dt><dd>${block(name, lines)}</dd>`);
  const told = details.length === 0 ? '' : `<dl>${details.join('')}</dl>`;
  const name = `${html(check.title)} <code>${html(check.id)}</code>`;
  return `<tr><th scope="row">${name}${told}</th>${verdictOf(check.verdict)}<td class="number">${points(check)}</td></tr>`;
}

/** Commands stay on lines of their own. */
const block = (name: string, lines: readonly string[]): string =>
  name === 'hint' && lines.length > 1 ? `<pre>${markup(lines.join('\n'))}</pre>` : lines.map(markup).join('<br>');

const verdictOf = (verdict: ReportedCheck['verdict']): string => `<td class="verdict ${verdict}">${verdict}</td>`;

const html = (text: string): string => markup(escapeText(text));
