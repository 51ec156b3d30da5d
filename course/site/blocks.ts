import { picture, pictureTitle } from '../diagrams/pictures.ts';
import { escapeXml } from '../diagrams/svg.ts';
import type { Plan } from '@handwired/host';
import type { Block, CommandBlock, GuideStep, Inline, Section } from '../guide/guide.ts';
import { toPlainText } from '../guide/guide.ts';
import { anyLines, anyText } from '../guide/see.ts';

/** A page that is being made. */
interface Page {
  plan: Plan;
  /** Makes an id from a text that no other element of the page has. */
  createId: (text: string) => string;
}

/** Begins a page. Its ids are made from headings, as links have them: `#why-br0`. */
export function startPage(plan: Plan): Page {
  const used = new Set<string>();
  return {
    plan,
    createId: (text) => {
      const base =
        text
          .toLowerCase()
          .replaceAll(/[^a-z0-9]+/g, '-')
          .replaceAll(/^-|-$/g, '')
          .slice(0, 60) || 'part';
      let id = base;
      for (let n = 2; used.has(id); n += 1) id = `${base}-${n}`;
      used.add(id);
      return id;
    },
  };
}

/** A heading that can be linked to. */
export interface Part {
  id: string;
  title: string;
  level: 2 | 3;
}

/** A piece of a page, and the headings in it. */
interface PageHtml {
  html: string;
  parts: Part[];
}

/** A section with its heading; its steps have headings of their own. */
export function renderSection(section: Section, page: Page): PageHtml {
  const id = page.createId(section.title);
  const made = section.blocks.map((block) => renderBlock(block, page));
  const body = made.map(({ html }) => html).join('\n');
  return {
    html: `<section class="part ${section.id}" aria-labelledby="${id}">\n<h2 id="${id}">${renderAnchor(id, escapeXml(section.title))}</h2>\n${body}\n</section>`,
    parts: [{ id, title: section.title, level: 2 }, ...made.flatMap(({ parts }) => parts)],
  };
}

const renderAnchor = (id: string, inner: string): string => `<a href="#${id}">${inner}</a>`;
const wrapHtml = (html: string): PageHtml => ({ html, parts: [] });
const joinHtml = (made: readonly PageHtml[], between = '\n'): PageHtml => ({
  html: made.map(({ html }) => html).join(between),
  parts: made.flatMap(({ parts }) => parts),
});

function renderBlock(block: Block, page: Page): PageHtml {
  switch (block.kind) {
    case 'text':
      return wrapHtml(`<p>${renderInlines(block.inlines)}</p>`);
    case 'heading':
      return renderHeading(toPlainText(block.inlines), renderInlines(block.inlines), page);
    case 'list':
      return renderList(block, page);
    case 'table':
      return wrapHtml(renderTable(block));
    case 'quote': {
      const inside = joinHtml(block.blocks.map((one) => renderBlock(one, page)));
      return { ...inside, html: `<blockquote>${inside.html}</blockquote>` };
    }
    case 'code':
      return wrapHtml(`<pre class="shown" tabindex="0"><code>${escapeXml(block.text)}</code></pre>`);
    case 'command':
      return wrapHtml(renderCommand(block));
    case 'step':
      return renderStep(block, page);
    case 'picture':
      return wrapHtml(renderPicture(block.name, page));
    case 'docker':
      return wrapHtml(renderDocker(block.steps));
  }
}

/** Text inside a line. */
export function renderInlines(inlines: readonly Inline[]): string {
  return inlines
    .map((inline) => {
      switch (inline.kind) {
        case 'text':
          return escapeXml(inline.text);
        case 'code':
          return `<code>${escapeXml(inline.text)}</code>`;
        case 'strong':
          return `<strong>${renderInlines(inline.inlines)}</strong>`;
        case 'emphasis':
          return `<em>${renderInlines(inline.inlines)}</em>`;
        case 'link':
          return `<a href="${escapeXml(inline.href)}">${renderInlines(inline.inlines)}</a>`;
        case 'break':
          return '<br>';
      }
    })
    .join('');
}

function renderHeading(title: string, inner: string, page: Page): PageHtml {
  const id = page.createId(title);
  return { html: `<h3 id="${id}">${renderAnchor(id, inner)}</h3>`, parts: [{ id, title, level: 3 }] };
}

/** A list. Items that are one paragraph get no paragraph element, so that they stand close together. */
function renderList({ ordered, start, items }: Extract<Block, { kind: 'list' }>, page: Page): PageHtml {
  const made = items.map((blocks): PageHtml => {
    const [first] = blocks;
    if (blocks.length === 1 && first?.kind === 'text') return wrapHtml(`<li>${renderInlines(first.inlines)}</li>`);
    const inside = joinHtml(blocks.map((one) => renderBlock(one, page)));
    return { ...inside, html: `<li>${inside.html}</li>` };
  });
  const inside = joinHtml(made);
  const open = ordered ? `<ol${start === 1 ? '' : ` start="${start}"`}>` : '<ul>';
  return { ...inside, html: `${open}\n${inside.html}\n</${ordered ? 'ol' : 'ul'}>` };
}

function renderTable({ head, rows }: Extract<Block, { kind: 'table' }>): string {
  const renderCells = (row: readonly (readonly Inline[])[], tag: string): string =>
    row.map((cell) => `<${tag}>${renderInlines(cell)}</${tag.split(' ')[0] ?? ''}>`).join('');
  const body = rows.map((row) => `<tr>${renderCells(row, 'td')}</tr>`).join('\n');
  return `<div class="wide" tabindex="0" role="region" aria-label="Table: ${escapeXml(head.map(toPlainText).join(', '))}"><table>\n<thead><tr>${renderCells(head, 'th scope="col"')}</tr></thead>\n<tbody>\n${body}\n</tbody>\n</table></div>`;
}

const places = { 'lab host': 'on the lab host', 'own machine': 'on your own machine' } as const;

function renderCommand({ where, text, ends, see, quiet }: CommandBlock): string {
  const fails = ends === 'fails' ? ' <span class="fails">it will fail</span>' : '';
  // A command on the lab host without a see fence prints nothing, unless it is quiet. Of `lab` nothing is shown then.
  const seen = see ?? (where === 'lab host' && !quiet ? '' : undefined);
  return renderTyped(`type ${places[where]}${fails}`, text, where) + renderExpectedOutput(seen);
}

/** Commands with a label that says where to type them. `label` is HTML. */
export const renderTyped = (label: string, text: string, where: CommandBlock['where']): string =>
  `<div class="typed ${where === 'lab host' ? 'inside' : 'outside'}"><p class="bar">${label}</p><pre><code>${renderCodeLines(text)}</code></pre></div>`;

/** Each line in an element of its own, so that the style can indent the rest of a long line that is folded. */
const renderCodeLines = (text: string): string =>
  text
    .split('\n')
    .map((line, at, all) => `<span class="line">${escapeXml(line)}${at < all.length - 1 ? '\n' : ''}</span>`)
    .join('');

function renderExpectedOutput(see: string | undefined): string {
  if (see === undefined) return '';
  if (see.trim() === '') return '\n<p class="seen nothing">it prints nothing</p>';
  const lines = see.split('\n').map((line) => {
    if (line.trim() === anyLines) return renderWildcard(anyLines);
    return escapeXml(line).replaceAll(anyText, renderWildcard(anyText));
  });
  return `\n<div class="seen"><p class="bar">you should see</p><pre tabindex="0"><samp>${lines.join('\n')}</samp></pre></div>`;
}

/** A wildcard of an output. */
export const renderWildcard = (sign: string): string => `<span class="any">${sign}</span>`;

function renderStep({ step, see }: Extract<Block, { kind: 'step' }>, page: Page): PageHtml {
  const heading = renderHeading(step.title, escapeXml(step.title), page);
  const body = [
    `<p>${renderMarkup(step.why)}</p>`,
    renderTyped('type on the lab host', step.commands.join('\n'), 'lab host') + renderExpectedOutput(see),
  ];
  return { ...heading, html: `<div class="step">${[heading.html, ...body].join('\n')}</div>` };
}

/** A text of chapter.ts. Code in backquotes is its only markup. */
const renderMarkup = (text: string): string => escapeXml(text).replaceAll(/`([^`]+)`/g, '<code>$1</code>');

/** A picture with its caption. */
export function renderPicture(name: string, { plan, createId }: Page): string {
  const title = pictureTitle(name, plan);
  const svg = picture(name, plan, 'svg', { id: createId(`picture ${name}`) });
  return `<figure class="picture"><div class="wide" tabindex="0" role="region" aria-label="Picture: ${escapeXml(title)}">${svg}</div><figcaption>${escapeXml(title)}</figcaption></figure>`;
}

const renderDocker = (steps: readonly Pick<GuideStep, 'title' | 'docker'>[]): string =>
  `<dl class="docker">\n${steps
    .map(
      ({ title, docker }) =>
        `<div><dt>${renderMarkup(title)}</dt><dd>${renderMarkup(docker.does)}</dd><dd class="source"><code>${escapeXml(docker.source)}</code></dd></div>`,
    )
    .join('\n')}\n</dl>`;
