import { escapeText, markup } from './escape.ts';
import { listDetails, type Report, type ReportedCheck, renderSummary } from './report.ts';

/** Colours have a contrast of at least 4.5:1 to their background, in light and dark mode (WCAG 2.2, 1.4.3). */
const style = `
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #4a5260; --ground: #ffffff; --band: #f3f5f8; --line: #c9d0da;
  --pass: #0f6b32; --fail: #a8141f; --skipped: #4a5260; --error: #7a4a00; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8ebf0; --soft: #b4bcc9; --ground: #14171c; --band: #1f242c; --line: #3d4654;
    --pass: #6fd694; --fail: #ff9a9a; --skipped: #b4bcc9; --error: #f2c063; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem 3rem; max-width: 62rem; color: var(--ink); background: var(--ground);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { margin: 0; font-size: 1.6rem; line-height: 1.25; }
h2 { margin: 2rem 0 .5rem; font-size: 1.15rem; }
p { margin: .35rem 0; }
table { width: 100%; table-layout: fixed; border-collapse: collapse; }
caption { padding: .25rem 0; text-align: left; color: var(--soft); }
th, td { padding: .4rem .6rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; font-weight: normal; }
thead th { background: var(--band); font-weight: 600; }
.number { text-align: right; width: 7rem; }
.verdict { width: 5.5rem; font-weight: 600; }
.pass { color: var(--pass); } .fail { color: var(--fail); } .skipped { color: var(--skipped); } .error { color: var(--error); }
code, pre { font: .9em/1.45 ui-monospace, monospace; }
code { color: var(--soft); }
dl { margin: .4rem 0 .2rem; padding: .5rem .75rem; background: var(--band); border-left: .25rem solid var(--line); }
dt { font-weight: 600; } dd { margin: 0 0 .35rem; }
pre { margin: 0; white-space: pre-wrap; }
footer { margin-top: 2.5rem; color: var(--soft); font-size: .9rem; }
@media (max-width: 30rem) { .number { width: 4.5rem; } .verdict { width: 5rem; } th, td { padding: .4rem .3rem; } }
@media print {
  :root { color-scheme: light; --ink: #000; --soft: #333; --ground: #fff; --band: #fff; --line: #888;
    --pass: #000; --fail: #000; --skipped: #333; --error: #000; }
  body { max-width: none; padding: 0; font-size: 10pt; }
  tr, dl { break-inside: avoid; } h2 { break-after: avoid; } thead { display: table-header-group; }
}
`;

type Chapter = Report['summary']['chapters'][number];

/** One self-contained HTML page. It has no script and loads nothing. Text of a lab host can't become markup. */
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
<p>${html(renderSummary(report))}</p>
</header>
<main>
${checks.length === 0 ? '<p>Nothing has been begun, so there is nothing to check.</p>' : overview(summary.chapters)}
${summary.chapters.map((chapter) => renderChapter(chapter, checks)).join('\n')}
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
      `<tr><th scope="row"><a href="#${chapter.id}">${html(`${chapter.number} ${chapter.title}`)}</a></th>${renderVerdict(chapter.verdict)}<td class="number">${points(chapter)}</td></tr>`,
  );
  return `<section aria-labelledby="chapters">
<h2 id="chapters">Chapters</h2>
${table('Each chapter with its result', ['Chapter', 'Result', 'Points'], rows)}
</section>`;
}

function renderChapter({ id, number, title }: Chapter, checks: readonly ReportedCheck[]): string {
  const rows = checks.filter(({ chapter }) => chapter === id).map(renderCheckRow);
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

function renderCheckRow(check: ReportedCheck): string {
  const details = listDetails(check).map(({ name, lines }) => `<dt>${name}</dt><dd>${block(name, lines)}</dd>`);
  const list = details.length === 0 ? '' : `<dl>${details.join('')}</dl>`;
  const name = `${html(check.title)} <code>${html(check.id)}</code>`;
  return `<tr><th scope="row">${name}${list}</th>${renderVerdict(check.verdict)}<td class="number">${points(check)}</td></tr>`;
}

/** The lines of one detail. Commands keep their own lines. */
const block = (name: string, lines: readonly string[]): string =>
  name === 'hint' && lines.length > 1 ? `<pre>${markup(lines.join('\n'))}</pre>` : lines.map(markup).join('<br>');

const renderVerdict = (verdict: ReportedCheck['verdict']): string => `<td class="verdict ${verdict}">${verdict}</td>`;

const html = (text: string): string => markup(escapeText(text));
